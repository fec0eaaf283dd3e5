//! Whether a pattern is found in a text, in time that grows with both and no faster.
//!
//! The pattern becomes a list of instructions. All the places in it where a match can be are followed at once, character
//! by character, as Go's library does.

use super::set::Set;
use super::{Assertion, Node};
use crate::limits::{Budget, Spent};

/// What a pattern asks for, step by step.
#[derive(Debug, Default)]
pub(super) struct Program {
    steps: Vec<Step>,
    sets: Vec<Set>,
    /// Where it begins.
    start: usize,
    /// Has a class whose members are not known here.
    unknown: bool,
}

/// One step, and where it goes on.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A character of the set with this index.
    One(usize, usize),
    Assert(Assertion, usize),
    Either(usize, usize),
    Found,
}

/// The places in a program that were reached.
struct Places {
    list: Vec<usize>,
    /// For each place the round in which it was reached last.
    round: Vec<usize>,
}

impl Program {
    /// # Errors
    /// [`Spent`] when the repetitions written out are too long.
    pub(super) fn of(node: &Node, work: &Budget) -> Result<Self, Spent> {
        let mut program = Self::default();
        let found = program.add(Step::Found, work)?;
        program.start = program.before(node, found, work)?;
        Ok(program)
    }

    fn add(&mut self, step: Step, work: &Budget) -> Result<usize, Spent> {
        work.take(1)?;
        self.steps.push(step);
        Ok(self.steps.len() - 1)
    }

    /// Adds what a node asks for, after which it goes on with `next`. The result is where that begins.
    fn before(&mut self, node: &Node, next: usize, work: &Budget) -> Result<usize, Spent> {
        work.take(1)?;
        Ok(match node {
            Node::One(set) => {
                self.unknown |= set.unknown;
                work.take(set.ranges.len() as u64)?;
                self.sets.push(set.clone());
                self.add(Step::One(self.sets.len() - 1, next), work)?
            }
            Node::Assert(assertion) => self.add(Step::Assert(*assertion, next), work)?,
            Node::Concat(nodes) => {
                nodes.iter().rev().try_fold(next, |next, node| self.before(node, next, work))?
            }
            Node::Either(nodes) => {
                let mut nodes = nodes.iter().rev();
                let last = match nodes.next() {
                    Some(node) => self.before(node, next, work)?,
                    None => next,
                };
                nodes.try_fold(last, |others, node| {
                    let one = self.before(node, next, work)?;
                    self.add(Step::Either(one, others), work)
                })?
            }
            Node::Repeat(node, min, max) => {
                let (mut begin, more) = match max {
                    None => {
                        // The last one that must be there is the one that can be again.
                        let again = self.add(Step::Either(next, next), work)?;
                        let body = self.before(node, again, work)?;
                        self.steps[again] = Step::Either(body, next);
                        if *min == 0 { (again, 0) } else { (body, min - 1) }
                    }
                    Some(max) => {
                        let optional = (*min..*max).try_fold(next, |inner, _| {
                            let body = self.before(node, inner, work)?;
                            self.add(Step::Either(body, next), work)
                        })?;
                        (optional, *min)
                    }
                };
                for _ in 0..more {
                    begin = self.before(node, begin, work)?;
                }
                begin
            }
        })
    }

    /// Whether it is found; `None` when that is not known here.
    pub(super) fn is_found(&self, text: &str, work: &Budget) -> Result<Option<bool>, Spent> {
        if self.unknown {
            return Ok(None);
        }
        let text: Vec<char> = text.chars().collect();
        let mut current = Places { list: Vec::new(), round: vec![0; self.steps.len()] };
        let mut after = Places { list: Vec::new(), round: vec![0; self.steps.len()] };
        work.take(self.steps.len() as u64)?;
        for at in 0..=text.len() {
            // A match can begin anywhere.
            if self.reach(self.start, &text, at, &mut current, work)? {
                return Ok(Some(true));
            }
            let Some(c) = text.get(at) else { break };
            after.list.clear();
            for place in &current.list {
                work.take(1)?;
                if let Step::One(set, next) = self.steps[*place]
                    && self.sets[set].has(*c)
                    && self.reach(next, &text, at + 1, &mut after, work)?
                {
                    return Ok(Some(true));
                }
            }
            std::mem::swap(&mut current, &mut after);
        }
        Ok(Some(false))
    }

    /// Adds a place and those that follow from it without a character; whether one is the end.
    fn reach(
        &self,
        place: usize,
        text: &[char],
        at: usize,
        places: &mut Places,
        work: &Budget,
    ) -> Result<bool, Spent> {
        let mut open = vec![place];
        while let Some(place) = open.pop() {
            work.take(1)?;
            if std::mem::replace(&mut places.round[place], at + 1) == at + 1 {
                continue;
            }
            match self.steps[place] {
                Step::One(..) => places.list.push(place),
                Step::Assert(assertion, next) if assertion.holds(text, at) => open.push(next),
                Step::Assert(..) => {}
                Step::Either(one, other) => open.extend([one, other]),
                Step::Found => return Ok(true),
            }
        }
        Ok(false)
    }
}

//! Follows a path through a schema, as the API server follows it through an object.

use serde_json::Value;

use super::jsonpath::{Filter, Node, Range, To};
use super::view::{Kinds, View, What, of_every_object};
use crate::limits::{Budget, Spent};
use crate::manifests::crd::validate::schema::Schema;
use crate::nearest::nearest;

/// Why a path leads nowhere.
#[derive(Debug)]
pub(super) enum Stop {
    /// There is no such field.
    NoField {
        /// What was meant to have it, such as "`.spec` has no field `a`".
        what: String,
        hint: Option<String>,
    },
    /// The API server finds nothing there in any object.
    Never(String),
    /// It takes too many steps to say.
    Spent,
}

impl From<Spent> for Stop {
    fn from(_: Spent) -> Self {
        Self::Spent
    }
}

/// The places that a path leads to.
#[derive(Clone)]
pub(super) struct Seen<'a> {
    pub(super) views: Vec<View<'a>>,
    /// The path so far.
    at: String,
}

/// Follows paths.
pub(super) struct Follower<'w> {
    work: &'w Budget,
    /// What a filter asks for otherwise than it may seem.
    pub(super) notes: Vec<String>,
}

type Result<T> = std::result::Result<T, Stop>;

impl<'w> Follower<'w> {
    pub(super) fn new(work: &'w Budget) -> Self {
        Self { work, notes: Vec::new() }
    }

    /// Where a path leads in objects of this schema.
    pub(super) fn follow<'a>(&mut self, root: Schema<'a>, path: &'a [Node]) -> Result<Vec<View<'a>>> {
        let seen = Seen { views: vec![View::of(root)], at: String::new() };
        Ok(self.all(seen, path, true)?.views)
    }

    fn all<'a>(&mut self, mut seen: Seen<'a>, path: &'a [Node], mut root: bool) -> Result<Seen<'a>> {
        for node in path {
            self.work.take(1 + seen.views.len() as u64)?;
            seen = self.step(&seen, node, root)?;
            root = false;
        }
        Ok(seen)
    }

    fn step<'a>(&mut self, seen: &Seen<'a>, node: &'a Node, root: bool) -> Result<Seen<'a>> {
        let at = &seen.at;
        Ok(match node {
            Node::Field(name) => field(seen, name, root)?,
            Node::Wildcard => {
                let mut views = Vec::new();
                for view in &seen.views {
                    views.extend(children(*view, root));
                    if view.kinds() == Kinds::TEXT {
                        self.notes.push(format!(
                            "{} is a text, whose parts are the numbers of its bytes",
                            shown(at)
                        ));
                        views.push(View { what: What::Anything, many: true });
                    } else if !matches!(view.what, What::Schema(_)) {
                        views.push(View { many: true, ..*view });
                    }
                }
                if views.is_empty() {
                    return Err(Stop::Never(format!("{} has no fields", shown(at))));
                }
                Seen { views, at: format!("{at}.*") }
            }
            Node::Recursive => {
                let mut views = Vec::new();
                for view in &seen.views {
                    self.descend(*view, root, &mut views)?;
                }
                Seen { views, at: format!("{at}.") }
            }
            Node::Items(range) => {
                if *range == (Range { from: None, to: To::Next, step: None }) {
                    self.notes.push("`[]` is the first item alone".into());
                }
                items(seen, *range)?
            }
            Node::Union(parts) => {
                let mut views = Vec::new();
                for part in parts {
                    views.extend(self.all(seen.clone(), part, false)?.views);
                }
                Seen { views, at: format!("{at}[]") }
            }
            Node::Filter(filter) => self.filter(seen, filter)?,
            Node::Text(_) | Node::Int(_) | Node::Float(_) | Node::Bool(_) => {
                let views = vec![View { what: What::Constant(node), many: false }];
                Seen { views, at: at.clone() }
            }
            Node::Word(word) => {
                return Err(Stop::Never(format!(
                    "`{word}` is neither in quotes nor the name of a field, which follows a dot"
                )));
            }
        })
    }

    /// Adds everything below a view that has fields or items, and the view itself.
    fn descend<'a>(&mut self, view: View<'a>, root: bool, found: &mut Vec<View<'a>>) -> Result<()> {
        self.work.take(1)?;
        if view.kinds().meets(Kinds::MORE) {
            found.push(view);
            for child in children(view, root) {
                self.descend(child, false, found)?;
            }
        }
        Ok(())
    }

    fn filter<'a>(&mut self, seen: &Seen<'a>, filter: &'a Filter) -> Result<Seen<'a>> {
        let at = format!("{}[]", seen.at);
        let mut views = Vec::new();
        for view in &seen.views {
            let item = item(*view).ok_or_else(|| {
                Stop::Never(format!("{} is {}, and filters are for lists", shown(&seen.at), view.name()))
            })?;
            let each = Seen { views: vec![View { many: false, ..item }], at: at.clone() };
            let single = match &filter.comparison {
                None => {
                    self.exists(each, &filter.left)?;
                    false
                }
                Some((sign, right)) => {
                    let left = self.all(each.clone(), &filter.left, false)?;
                    let right = self.all(each, right, false)?;
                    compare(&left, sign, &right)?;
                    sign == "=="
                }
            };
            views.push(View { many: view.many || !single, ..item });
        }
        Ok(Seen { views, at })
    }

    /// A filter that asks whether something is there.
    fn exists<'a>(&mut self, each: Seen<'a>, path: &'a [Node]) -> Result<()> {
        if path.iter().any(|node| matches!(node, Node::Word(_))) {
            self.notes.push("its filter names no field and lets every item through".into());
            return Ok(());
        }
        let there = self.all(each, path, false)?;
        if !there.views.is_empty() && there.views.iter().all(|view| view.kinds() == Kinds::BOOL) {
            self.notes.push(format!(
                "its filter asks whether {} is there, not whether it is true: that is `==true`",
                shown(&there.at)
            ));
        }
        Ok(())
    }
}

fn field<'a>(seen: &Seen<'a>, name: &'a str, root: bool) -> Result<Seen<'a>> {
    let found = |view: &View<'a>| match view.what {
        What::Anything => Some(*view),
        What::Constant(_) => None,
        What::Schema(schema) => {
            // The API server gives every object its metadata, whatever its schema says of it.
            let of_object = of_every_object(name).filter(|_| root || schema.embedded());
            let property = of_object.filter(|_| name == "metadata").or(schema.property(name)).or(of_object);
            match property.or(schema.additional()) {
                Some(inner) => Some(view.with(Some(inner), false)),
                None if schema.preserves() || schema.is("additionalProperties") => {
                    Some(view.with(None, false))
                }
                None => None,
            }
        }
    };
    let views: Vec<_> = seen.views.iter().filter_map(found).collect();
    if views.is_empty() {
        Err(missing(seen, name))
    } else {
        Ok(Seen { views, at: format!("{}.{name}", seen.at) })
    }
}

/// That there is no field of a name.
fn missing(seen: &Seen<'_>, name: &str) -> Stop {
    let at = shown(&seen.at);
    if name.is_empty() {
        return Stop::Never("a dot without a name leads nowhere".into());
    }
    let names = seen.views.iter().filter_map(|view| match view.what {
        What::Schema(schema) => Some(schema.properties().map(|(name, _)| name)),
        _ => None,
    });
    let likely = nearest(name, names.flatten()).map(|likely| format!("did you mean `{likely}`?"));
    let Some(view) = seen.views.first().filter(|view| !view.kinds().meets(Kinds::MORE) || view.is_list())
    else {
        return Stop::NoField { what: format!("{at} has no field `{name}`"), hint: likely };
    };
    let hint = if view.is_list() {
        "choose an item: `[0]`, or by a filter as in `.status.conditions[?(@.type==\"Ready\")].status`"
    } else {
        "a backslash before a dot makes it a part of the name, in brackets too: `.metadata.labels['example\\.com/owner']`"
    };
    Stop::NoField {
        what: format!("{at} is {}, which has no field `{name}`", view.name()),
        hint: Some(hint.into()),
    }
}

fn items<'a>(seen: &Seen<'a>, range: Range) -> Result<Seen<'a>> {
    let at = &seen.at;
    let from = range.from.unwrap_or_default();
    let to = match range.to {
        To::At(to) if (from < 0) == (to < 0) => Some(to),
        _ => None,
    };
    if to.is_some_and(|to| to <= from) {
        return Err(Stop::Never(format!(
            "no item of {} is from {from} to before {}",
            shown(at),
            to.unwrap_or_default()
        )));
    }
    if range.step.is_some_and(|step| step < 1) {
        return Err(Stop::Never("only steps above zero lead to items".into()));
    }
    let single = match (range.to, to) {
        (To::Next, _) => true,
        (To::End, _) => from == -1,
        (_, Some(to)) => to.saturating_sub(from) <= range.step.unwrap_or(1),
        _ => false,
    };
    let each = |view: &View<'a>| {
        let item = item(*view).ok_or_else(|| {
            Stop::Never(format!("{} is {}, and not a list with items", shown(at), view.name()))
        })?;
        let most = match view.what {
            What::Schema(schema) => schema.get("maxItems").and_then(Value::as_i64),
            _ => None,
        };
        if most.is_some_and(|most| from >= most) {
            return Err(Stop::Never(format!("{} never has an item {from}", shown(at))));
        }
        Ok(View { many: view.many || !(single || most == Some(1)), ..item })
    };
    Ok(Seen { views: seen.views.iter().map(each).collect::<Result<_>>()?, at: format!("{at}[]") })
}

/// The items of a list, if it may be one.
fn item(view: View<'_>) -> Option<View<'_>> {
    match view.what {
        What::Schema(schema) if schema.kind() == "array" => Some(view.with(schema.items(), false)),
        _ if view.kinds() == Kinds::ANY => Some(view.with(None, false)),
        _ => None,
    }
}

/// The fields and items of a value; of the `root` also what every object has.
fn children(view: View<'_>, root: bool) -> Vec<View<'_>> {
    let What::Schema(schema) = view.what else { return Vec::new() };
    let property = |(name, inner)| {
        let of_object = of_every_object(name).filter(|_| root && name == "metadata");
        view.with(Some(of_object.unwrap_or(inner)), false)
    };
    let mut found: Vec<_> = schema.properties().map(property).collect();
    found.extend(schema.items().or(schema.additional()).map(|inner| view.with(Some(inner), true)));
    if schema.preserves() || schema.is("additionalProperties") {
        found.push(View { what: What::Anything, many: true });
    }
    found
}

/// Refuses a comparison that holds for no item.
fn compare(left: &Seen<'_>, sign: &str, right: &Seen<'_>) -> Result<()> {
    let never = |what: String| Err(Stop::Never(what));
    if !["==", "!=", "<", "<=", ">", ">="].contains(&sign) {
        return never(format!("`{sign}` compares nothing; filters know `==`, `!=`, `<`, `<=`, `>` and `>=`"));
    }
    let kinds = |seen: &Seen<'_>| {
        seen.views.iter().fold(None, |kinds: Option<Kinds>, view| {
            Some(kinds.map_or(view.kinds(), |kinds| kinds.or(view.kinds())))
        })
    };
    let (Some(of_left), Some(of_right)) = (kinds(left), kinds(right)) else { return Ok(()) };
    let ordered = sign.starts_with(['<', '>']);
    let values = Kinds::NUMBER.or(Kinds::TEXT).or(if ordered { Kinds::NUMBER } else { Kinds::BOOL });
    if !of_left.and(of_right).meets(values) {
        let side = |seen: &Seen<'_>| seen.views.first().map_or("nothing", View::name);
        return never(format!(
            "its filter compares {} with {}, which the API server does not by `{sign}`",
            side(left),
            side(right)
        ));
    }
    if sign == "==" {
        known_value(left, right)?;
        known_value(right, left)?;
    }
    Ok(())
}

/// Refuses to compare an enum with what it does not have.
fn known_value(of_enum: &Seen<'_>, constant: &Seen<'_>) -> Result<()> {
    let ([View { what: What::Schema(schema), .. }], [View { what: What::Constant(Node::Text(text)), .. }]) =
        (&of_enum.views[..], &constant.views[..])
    else {
        return Ok(());
    };
    if schema.list("enum").is_empty() || schema.strings("enum").any(|known| known == text) {
        return Ok(());
    }
    let likely = nearest(text, schema.strings("enum"));
    let likely = likely.map(|likely| format!("; did you mean `{likely}`?")).unwrap_or_default();
    Err(Stop::Never(format!("{} is never `{text}`{likely}", shown(&of_enum.at))))
}

/// A path in a message.
fn shown(at: &str) -> String {
    if at.is_empty() { "the object".into() } else { format!("`{at}`") }
}

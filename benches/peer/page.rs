//! The tables of a comparison, and their place in `docs/performance.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::side::{Program, Side};
use crate::story::{Measured, PHASES, Told};

const PAGE: &str = "docs/performance.md";
const BEGIN: &str = "<!-- `make bench-peer` writes what follows. -->\n";
const END: &str = "<!-- Up to here. -->\n";

/// Both operators with so many objects and workers.
pub struct Comparison {
    objects: usize,
    workers: usize,
    told: BTreeMap<Side, Vec<Told>>,
}

impl Comparison {
    pub fn new(objects: usize, workers: usize) -> Self {
        Self { objects, workers, told: BTreeMap::new() }
    }

    pub fn add(&mut self, side: Side, told: Told) {
        self.told.entry(side).or_default().push(told);
    }

    /// The medians of both, and their ratio.
    fn pair(&self, of: impl Fn(&Told) -> f64) -> [f64; 2] {
        [Side::Rust, Side::Go].map(|side| {
            let mut values: Vec<f64> = self.told[&side].iter().map(&of).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        })
    }

    pub fn table(&self) -> String {
        let Self { objects, workers, .. } = self;
        let plural = if *workers == 1 { "" } else { "s" };
        let mut table = format!(
            "{objects} objects, {workers} worker{plural}:\n\n\
             | phase | wall clock, s | slowest, s | CPU, s | API server's CPU, s | reads | writes |\n\
             |---|---|---|---|---|---|---|\n"
        );
        let names = PHASES.iter().map(|(name, ..)| *name).chain(["restart"]);
        for (at, name) in names.enumerate() {
            let row = |of: fn(&Measured) -> f64| self.pair(|told| of(&told.phases[at]));
            let seconds: [fn(&Measured) -> f64; 4] =
                [|it| it.took.wall, |it| it.took.slowest, |it| it.used.cpu, |it| it.api_server];
            let cells = seconds.map(|of| timed(row(of)));
            let counts: [fn(&Measured) -> f64; 2] = [|it| it.used.reads, |it| it.used.writes];
            let counts = counts.map(|of| counted(row(of)));
            let _ = writeln!(table, "| {name} | {} | {} |", cells.join(" | "), counts.join(" | "));
        }
        let sum =
            |of: fn(&Measured) -> f64| self.pair(|told| told.phases.iter().take(PHASES.len()).map(of).sum());
        let _ = writeln!(
            table,
            "| the first four | {} | | {} | {} | {} | {} |",
            timed(sum(|it| it.took.wall)),
            timed(sum(|it| it.used.cpu)),
            timed(sum(|it| it.api_server)),
            counted(sum(|it| it.used.reads)),
            counted(sum(|it| it.used.writes)),
        );
        let stop = self.pair(|told| told.stop);
        let memory = [0, 1].map(|at| sized(self.pair(|told| told.memory[at])));
        let _ = writeln!(
            table,
            "\nMemory after the four phases {}, and after the restart {}. Stopped in {:.2} / {:.2} s.\n",
            memory[0], memory[1], stop[0], stop[1],
        );
        table
    }
}

fn ratio([ours, theirs]: [f64; 2]) -> String {
    if theirs > 0.0 { format!(" ({:.2})", ours / theirs) } else { String::new() }
}

fn timed(pair: [f64; 2]) -> String {
    format!("{:.2} / {:.2}{}", pair[0], pair[1], ratio(pair))
}

fn counted([ours, theirs]: [f64; 2]) -> String {
    // An empty sum is -0.
    format!("{:.0} / {:.0}", ours + 0.0, theirs + 0.0)
}

fn sized(pair: [f64; 2]) -> String {
    format!("{:.1} / {:.1} MB{}", pair[0] / 1e6, pair[1] / 1e6, ratio(pair))
}

/// Puts the tables into the page.
pub fn write(programs: &[Program], comparisons: &[Comparison]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let page = fs::read_to_string(&path).expect("the page");
    let (before, rest) = page.split_once(BEGIN).expect("the place in the page");
    let (_, after) = rest.split_once(END).expect("its end");
    let mut tables = String::from("\n");
    for comparison in comparisons {
        tables += &(comparison.table() + "\n");
    }
    let size = |side: Side| {
        let program = programs.iter().find(|program| program.side == side).expect("a program");
        let length = fs::metadata(&program.path).expect("a program").len();
        f64::from(u32::try_from(length).expect("a size"))
    };
    let _ = writeln!(tables, "The programs, stripped: {}.\n", sized([size(Side::Rust), size(Side::Go)]));
    fs::write(&path, format!("{before}{BEGIN}{tables}{END}{after}")).expect("the page");
}

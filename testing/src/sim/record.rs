//! What one history leaves behind.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::fault::{self, SimFault};
use super::history::Outcome;
use super::kinds::text;
use super::report;

/// The objects that there are after a history, and what the operator has written in it.
#[derive(Clone, Debug)]
pub struct Record {
    objects: Vec<Value>,
    writes: Vec<String>,
}

impl Record {
    /// # Errors
    /// What was wrong with the history, or which of the requests that should fail there was not.
    pub(super) fn new(outcome: Outcome, failing: &BTreeMap<String, SimFault>) -> Result<Self, String> {
        let Outcome { result, lines, befallen, .. } = outcome;
        let ended = result.map_err(|violation| format!("{violation}\n\n{}", report::history(&lines)))?;
        let is_operator = |who: &str| who.starts_with("replica-");
        let failed: BTreeSet<_> = befallen.keys().filter_map(|key| fault::name(key)).collect();
        if let Some(request) = failing.keys().find(|request| !failed.contains(*request)) {
            let asked: BTreeSet<_> =
                lines.iter().filter(|line| is_operator(&line.who)).map(|line| &*line.what).collect();
            let asked = asked.into_iter().collect::<Vec<_>>().join("\n  ");
            return Err(format!("there is no request `{request}` that this can befall, but\n  {asked}"));
        }
        let writes = lines.into_iter().filter(|line| line.is_write && is_operator(&line.who));
        Ok(Self { objects: ended.objects, writes: writes.map(|line| line.what).collect() })
    }

    /// The objects of a kind.
    pub fn objects(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.objects.iter().filter(move |object| object["kind"] == *kind)
    }

    /// The object of a kind and name, in whichever namespace.
    #[must_use]
    pub fn object(&self, kind: &str, name: &str) -> Option<&Value> {
        self.objects(kind).find(|object| text(object, "/metadata/name") == name)
    }

    /// What the operator has asked to be written, and what was answered, such as `PATCH deployments/web → 201`; all but
    /// Events and Leases. The namespace `default` is left out.
    #[must_use]
    pub fn writes(&self) -> &[String] {
        &self.writes
    }
}

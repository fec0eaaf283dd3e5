//! What the API serves: groups, resources and verbs to check markers against.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::fault::Fault;
use super::{Marker, external};
use crate::nearest::nearest;
use crate::printable;

/// What Kubernetes 1.37 serves with every group enabled: a group, a resource and its verbs in each line, `all` for
/// those of an ordinary resource. Some exist for authorization alone, such as `impersonate`.
const KUBERNETES: &str = include_str!("kubernetes.txt");
/// The verbs of an ordinary resource.
const VERBS: [&str; 8] = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];
/// The verbs of paths that are not resources.
const URL_VERBS: [&str; 7] = ["get", "head", "post", "put", "patch", "delete", "options"];
/// What every resource has for authorization alone: whether owner references to it may block its deletion.
const FINALIZERS: &str = "finalizers";

/// Most words that an error lists.
const LISTED: usize = 100;

type Set = BTreeSet<String>;

/// Groups with their resources, and of each resource the verbs.
#[derive(Clone, Debug)]
pub struct Known {
    groups: BTreeMap<String, BTreeMap<String, Set>>,
    /// Groups of which only the name is known.
    external: Set,
    /// Groups of other projects, of which not all resources are known.
    partial: Set,
}

impl Known {
    /// What every cluster has.
    #[must_use]
    pub fn kubernetes() -> Self {
        let mut known = Self { groups: BTreeMap::new(), external: Set::new(), partial: Set::new() };
        for line in KUBERNETES.lines() {
            let mut words = line.split(' ');
            let (Some(group), Some(resource)) = (words.next(), words.next()) else { continue };
            for verb in words {
                known.add(
                    full(group),
                    resource,
                    if verb == "all" { &VERBS } else { std::slice::from_ref(&verb) },
                );
            }
        }
        known
    }

    /// Adds a kind of which no more is known than its names.
    pub fn add_kind(&mut self, group: &str, plural: &str) {
        if !self.groups.contains_key(group) {
            self.partial.insert(group.to_owned());
        }
        for resource in [plural.to_owned(), format!("{plural}/status"), format!("{plural}/scale")] {
            self.add(group, &resource, &VERBS);
        }
    }

    /// Adds the kind that a custom resource definition defines.
    pub fn add_definition(&mut self, crd: &Value) {
        let spec = &crd["spec"];
        let (Some(group), Some(plural)) = (spec["group"].as_str(), spec["names"]["plural"].as_str()) else {
            return;
        };
        self.add(group, plural, &VERBS);
        for version in spec["versions"].as_array().into_iter().flatten() {
            for subresource in version["subresources"].as_object().into_iter().flatten().map(|(name, _)| name)
            {
                self.add(group, &format!("{plural}/{subresource}"), &["get", "update", "patch"]);
            }
        }
    }

    /// Adds groups whose resources cannot be checked.
    pub fn add_external(&mut self, groups: impl IntoIterator<Item = String>) {
        self.external.extend(groups);
    }

    fn add(&mut self, group: &str, resource: &str, verbs: &[&str]) {
        let resources = self.groups.entry(group.to_owned()).or_default();
        let known = resources.entry(resource.to_owned()).or_default();
        known.extend(verbs.iter().map(|&verb| verb.to_owned()));
    }

    /// The first thing that the marker in `comment` names and that does not exist.
    ///
    /// Of what is only counted, nothing more is said: to look for what was meant takes longer than all else.
    pub(super) fn fault(&self, marker: &Marker, comment: &str, only_counted: bool) -> Option<Fault> {
        let counted = || Some(Fault::new(0, String::new(), String::new()));
        let fault = |argument: &str, word: &str, message: String, hint: String| {
            Some(Fault::new(place(comment, argument, word), message, hint))
        };
        if !marker.urls.is_empty() {
            let wrong =
                marker.verbs.iter().find(|verb| *verb != "*" && !URL_VERBS.contains(&verb.as_str()))?;
            if only_counted {
                return counted();
            }
            let hint = likely(wrong, URL_VERBS).unwrap_or_else(|| format!("they are {}", list(URL_VERBS)));
            return fault("verbs", wrong, format!("paths have no verb {}", printable::value(wrong)), hint);
        }
        if let Some(group) = marker.groups.iter().find(|group| !self.has_group(group)) {
            if only_counted {
                return counted();
            }
            let groups = self.groups.keys().chain(&self.external).map(String::as_str);
            let say = format!("if another project has it, say so: {}", declared(group));
            let hint = match likely(group, groups) {
                _ if mistaken(group).is_some() => mistaken(group).unwrap_or_default(),
                // Groups of other projects have a domain.
                Some(likely) if !group.contains('.') => likely,
                Some(likely) => format!("{likely} Or, {say}"),
                None => say,
            };
            return fault(
                "groups",
                group,
                format!("neither Kubernetes nor this project has a group {}", printable::value(group)),
                hint,
            );
        }
        if marker.groups.iter().any(|group| group == "*" || self.external.contains(full(group))) {
            return None;
        }
        // Each once: a marker may repeat them without end.
        let names: BTreeSet<&str> = marker.groups.iter().map(|group| full(group)).collect();
        let groups: Vec<_> = names.into_iter().filter_map(|group| self.groups.get(group)).collect();
        let resources: BTreeSet<&String> = marker.resources.iter().collect();
        if let Some(resource) = marker.resources.iter().find(|resource| verbs(&groups, resource).is_none()) {
            if only_counted {
                return counted();
            }
            let message = format!(
                "no resource {} in group {}",
                printable::value(resource),
                list(marker.groups.iter().map(|group| if group.is_empty() {
                    "core"
                } else {
                    group.as_str()
                }))
            );
            let hint = self.elsewhere(&groups, resource);
            let hint = match marker.groups.iter().find(|group| self.partial.contains(*group)) {
                Some(group) => {
                    format!("{hint}; if the group has more, say so: {}", declared(group))
                }
                None => hint,
            };
            return fault("resources", resource, message, hint);
        }
        let possible: Set =
            resources.into_iter().filter_map(|resource| verbs(&groups, resource)).flatten().collect();
        let wrong = marker.verbs.iter().find(|verb| *verb != "*" && !possible.contains(*verb))?;
        if only_counted {
            return counted();
        }
        let names = || possible.iter().map(String::as_str);
        let hint = likely(wrong, names()).unwrap_or_else(|| format!("they have {}", list(names())));
        let resources = list(marker.resources.iter().map(String::as_str));
        fault("verbs", wrong, format!("{resources} have no verb {}", printable::value(wrong)), hint)
    }

    fn has_group(&self, group: &str) -> bool {
        group == "*" || self.groups.contains_key(full(group)) || self.external.contains(group)
    }

    /// Where the resource that is not in `groups` may be.
    fn elsewhere(&self, groups: &[&BTreeMap<String, Set>], resource: &str) -> String {
        let at_home = self.groups.iter().find(|(_, resources)| verbs(&[resources], resource).is_some());
        if let Some((group, _)) = at_home {
            return format!("it is in group `{}`", if group.is_empty() { "core" } else { group });
        }
        let here = || groups.iter().flat_map(|resources| resources.keys()).map(String::as_str);
        let base = resource.split('/').next().unwrap_or_default();
        if groups.iter().any(|resources| resources.contains_key(base)) {
            let is_of_base = |name: &&str| name.strip_prefix(base).is_some_and(|rest| rest.starts_with('/'));
            let finalizers = format!("{base}/{FINALIZERS}");
            let own = || here().filter(is_of_base).chain([finalizers.as_str()]);
            return likely(resource, own()).unwrap_or_else(|| format!("`{base}` has {}", list(own())));
        }
        let names = here().filter(|name| !name.contains('/'));
        likely(resource, here()).unwrap_or_else(|| format!("the group has {}", list(names)))
    }
}

/// The marker that says a group is another project's. Longer names than these are none.
fn declared(group: &str) -> String {
    let name: String = group.chars().take(253).collect();
    format!("`// {}={name}`", external::NAME)
}

/// What to write in place of a word that can be no group.
fn mistaken(group: &str) -> Option<String> {
    match group.split_once('/') {
        _ if group == "v1" => Some("the core group is `core`".into()),
        Some((name, _)) => Some(format!("a group is named without a version: {}", printable::value(name))),
        None if group.contains([';', ',', ' ']) => {
            Some("a word in quotes is one group: write `groups=apps;batch`".into())
        }
        None => None,
    }
}

/// The group's name in the API.
fn full(group: &str) -> &str {
    if group == "core" { "" } else { group }
}

/// What can be done to the resource in one of `groups`, if it is there.
fn verbs(groups: &[&BTreeMap<String, Set>], resource: &str) -> Option<Set> {
    let (base, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    let any = || VERBS.map(str::to_owned).into_iter().collect();
    if base == "*" {
        let all: Set = groups.iter().flat_map(|resources| resources.values()).flatten().cloned().collect();
        return Some(&all | &any());
    }
    let exact: Vec<_> = groups.iter().filter_map(|resources| resources.get(resource)).flatten().collect();
    if !exact.is_empty() {
        return Some(exact.into_iter().cloned().collect());
    }
    let known = groups.iter().any(|resources| resources.contains_key(base));
    // The subresources of `userextras` are the keys of what is known about a user.
    match (known, subresource) {
        (true, FINALIZERS | "*") => Some(any()),
        (true, _) if base == "userextras" => verbs(groups, base),
        _ => None,
    }
}

/// Where `word` stands in the argument of that name, in bytes of the comment.
pub(super) fn place(comment: &str, argument: &str, word: &str) -> usize {
    let start = comment.find(&format!("{argument}=")).map_or(0, |at| at + argument.len() + 1);
    let is_end = |c: Option<char>| c.is_none_or(|c| ",;{}\"` ".contains(c));
    let whole = |at: usize| {
        is_end(comment[start..at].chars().next_back()) && is_end(comment[at + word.len()..].chars().next())
    };
    let found = comment[start..].match_indices(word).map(|(at, _)| start + at).find(|&at| whole(at));
    found.unwrap_or(start)
}

fn likely<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(word, candidates).map(|likely| format!("did you mean `{likely}`?"))
}

fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let mut words = words.into_iter();
    let mut shown: Vec<String> = words.by_ref().take(LISTED).map(printable::value).collect();
    let more = words.count();
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    shown.join(", ")
}

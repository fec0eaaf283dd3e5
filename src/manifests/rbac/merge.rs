//! Markers to roles: rules that say the same are said once.
//!
//! The steps and their order are controller-gen's, because another order would merge to other (equivalent) rules. Where
//! two of its steps meet in the same key it keeps one rule at random; here the verbs are joined.

use std::collections::{BTreeMap, BTreeSet};

use super::Marker;

/// A set of words, in alphabetical order.
type Set = BTreeSet<String>;

/// A cluster role, or a role when it has a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Empty for a cluster role.
    pub namespace: String,
    /// The object's name.
    pub name: String,
    /// In the order of the file.
    pub rules: Vec<Rule>,
    /// Whether it comes with a binding to the manager's account.
    pub is_bound: bool,
}

/// A policy rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    /// API groups; the core group is empty.
    pub groups: Set,
    /// Resources and subresources.
    pub resources: Set,
    /// Names of objects.
    pub resource_names: Set,
    /// Paths that are not resources.
    pub urls: Set,
    /// What is allowed.
    pub verbs: Set,
}

/// The roles that `markers` ask for, by namespace and name. Markers without a role's name go to `default_role`; without
/// any marker there is a cluster role of that name without rules. In a namespace that is not the operator's `home` the
/// name ends with that of the namespace, so that kustomize can tell the roles apart.
#[must_use]
pub fn roles(markers: &[Marker], default_role: &str, home: Option<&str>) -> Vec<Role> {
    let mut by_role: BTreeMap<(&str, String, bool), Vec<Rule>> = BTreeMap::new();
    for marker in markers {
        let namespace = marker.namespace.as_str();
        let is_bound = marker.role_name.is_empty() && !namespace.is_empty() && home != Some(namespace);
        let name = match (marker.role_name.as_str(), is_bound) {
            ("", false) => default_role.to_owned(),
            ("", true) => format!("{default_role}-{namespace}"),
            (name, _) => name.to_owned(),
        };
        by_role.entry((namespace, name, is_bound)).or_default().extend(rules(marker));
    }
    if by_role.is_empty() {
        by_role.insert(("", default_role.to_owned(), false), Vec::new());
    }
    let role = |((namespace, name, is_bound), rules): ((&str, String, bool), _)| Role {
        namespace: namespace.into(),
        name,
        rules: simplify(rules),
        is_bound,
    };
    by_role.into_iter().map(role).collect()
}

/// Two roles of one name in different namespaces, if there are any: kustomize puts both in one on the way.
#[must_use]
pub fn alike(roles: &[Role]) -> Option<(&Role, &Role)> {
    let mut known: BTreeMap<&str, &Role> = BTreeMap::new();
    let mut roles = roles.iter().filter(|role| !role.namespace.is_empty());
    roles.find_map(|role| known.insert(&role.name, role).map(|earlier| (earlier, role)))
}

/// One rule for each resource of the marker.
fn rules(marker: &Marker) -> Vec<Rule> {
    let set = |words: &[String]| words.iter().cloned().collect::<Set>();
    let core = |group: &String| {
        if group == "core" { String::new() } else { group.clone() }
    };
    let rule = Rule {
        groups: marker.groups.iter().map(core).collect(),
        resources: Set::new(),
        resource_names: set(&marker.resource_names),
        urls: set(&marker.urls),
        verbs: set(&marker.verbs),
    };
    if marker.resources.is_empty() {
        return vec![rule];
    }
    let of = |resource: &String| Rule { resources: Set::from([resource.clone()]), ..rule.clone() };
    marker.resources.iter().map(of).collect()
}

/// Merges rules that differ in one respect only: verbs first, then resources, groups and paths.
fn simplify(mut rules: Vec<Rule>) -> Vec<Rule> {
    for respect in [
        (|rule| &mut rule.verbs) as fn(&mut Rule) -> &mut Set,
        |rule| &mut rule.resources,
        |rule| &mut rule.groups,
        |rule| &mut rule.urls,
        |rule| &mut rule.verbs,
    ] {
        rules = join(rules, respect);
    }
    for rule in &mut rules {
        if rule.verbs.contains("*") {
            rule.verbs = Set::from(["*".into()]);
        }
    }
    rules.sort_by_cached_key(key);
    rules
}

/// Makes one rule of all rules that are equal but for the set that `respect` picks.
fn join(rules: Vec<Rule>, respect: fn(&mut Rule) -> &mut Set) -> Vec<Rule> {
    let mut joined: BTreeMap<Rule, Set> = BTreeMap::new();
    for mut rule in rules {
        let picked = std::mem::take(respect(&mut rule));
        joined.entry(rule).or_default().extend(picked);
    }
    let whole = |(mut rule, picked): (Rule, Set)| {
        *respect(&mut rule) = picked;
        rule
    };
    joined.into_iter().map(whole).collect()
}

/// What rules are sorted by.
fn key(rule: &Rule) -> String {
    let words = |set: &Set| set.iter().map(String::as_str).collect::<Vec<_>>().join("&");
    [&rule.groups, &rule.resources, &rule.resource_names, &rule.urls].map(words).join(" + ")
}

//! Adding a kind, a version of one, or a controller, and what stands in the way.

use super::{Project, is_same, is_same_group, is_same_kind};
use crate::resource::{Resource, core, names, validate};
use crate::{Error, Problem, Result};

/// What [`Project::add`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// The kind or version is new.
    New,
    /// Everything was there.
    Already,
    /// The kind and version were there and got types, a controller or other settings.
    Extended,
}

impl Project {
    /// Adds `resource`, or what of it is new. A controller that another version of the kind has is not added again: it
    /// works on the kind, not on a version.
    ///
    /// # Errors
    /// [`Error::Refused`] when it would not fit what is there: names that meet on the cluster or on disk, a second
    /// group where one is meant, versions of one kind that differ in scope or plural, or other settings for a kind
    /// and version that is there already, unless `force`.
    pub fn add(&mut self, mut resource: Resource, force: bool) -> Result<Added> {
        let elsewhere: Vec<String> = self
            .versions(&resource)
            .filter(|other| !is_same(other, &resource))
            .flat_map(|other| other.controllers.clone())
            .collect();
        resource.controllers.retain(|name| !elsewhere.contains(name));

        let at = self.resources.iter().position(|known| is_same(known, &resource));
        let (merged, added) = match at.map(|at| &self.resources[at]) {
            None => (resource, Added::New),
            Some(known) => extend(known, resource, force)?,
        };
        if let Some(problem) = self.conflict(&merged) {
            return Err(Error::Refused(problem));
        }
        let kind = merged.clone();
        match at {
            Some(at) => self.resources[at] = merged,
            None => self.resources.push(merged),
        }
        self.mark_storage(&kind);
        Ok(added)
    }

    /// What keeps `new` out of the project, apart from an entry for the same kind and version.
    fn conflict(&self, new: &Resource) -> Option<Problem> {
        let others = || self.resources.iter().filter(|other| !is_same(other, new));
        alone(new, self.multigroup)
            .or_else(|| self.second_group(new))
            .or_else(|| others().find_map(|other| on_the_cluster(other, new)))
            .or_else(|| others().find_map(|other| self.in_files(other, new)))
            .or_else(|| others().find_map(|other| self.between_controllers(other, new)))
    }

    fn second_group(&self, new: &Resource) -> Option<Problem> {
        let first = self.resources.iter().find(|other| other.has_api)?;
        (new.has_api && !self.multigroup && first.group != new.group).then(|| {
            let (have, want) = (&first.group, &new.group);
            Problem::new(format!(
                "the project is for the one group `{have}`, so group `{want}` has no place in it"
            ))
            .hint(format!(
                "use `--group {have}`, or start a project for several groups with `init --multigroup`"
            ))
        })
    }

    /// Whether files of both go to the same folder.
    fn share_folder(&self, a: &Resource, b: &Resource) -> bool {
        !self.multigroup || a.group == b.group || a.group_module() == b.group_module()
    }

    /// Modules and types that would have the same name.
    fn in_files(&self, other: &Resource, new: &Resource) -> Option<Problem> {
        if self.multigroup && !is_same_group(other, new) && other.group_module() == new.group_module() {
            let message = format!(
                "groups `{}` and `{}` would share the module `{}`",
                other.qualified_group(),
                new.qualified_group(),
                new.group_module()
            );
            return Some(Problem::new(message).hint("choose another `--group`"));
        }
        let together = self.share_folder(other, new) && other.version == new.version;
        let alike = start_alike(&other.kind, &new.kind);
        if !(new.has_api && other.has_api && together && alike) || is_same_kind(other, new) {
            return None;
        }
        let taken = types(other);
        let shared = types(new).into_iter().find(|name| taken.contains(name));
        if other.module() == new.module() || shared.is_some() {
            let what = shared.map_or_else(
                || format!("the module `{}`", new.module()),
                |name| format!("the Rust type `{name}`"),
            );
            let message = format!("kinds `{}` and `{}` would share {what}", other.kind, new.kind);
            return Some(Problem::new(message).hint("choose another `--kind`"));
        }
        None
    }

    /// Controllers that would have the same name or file.
    fn between_controllers(&self, other: &Resource, new: &Resource) -> Option<Problem> {
        let pairs = other.controllers.iter().flat_map(|a| new.controllers.iter().map(move |b| (a, b)));
        for (a, b) in pairs {
            let fault = if a == b {
                format!("kind `{}` of group `{}` has a controller `{a}` already", other.kind, other.group)
            } else if self.share_folder(other, new) && share_file(a, b) {
                format!("controllers `{a}` and `{b}` would share a file")
            } else {
                continue;
            };
            let free = format!("{}-{}", new.group.replace('.', "-"), new.lower());
            return Some(
                Problem::new(fault).hint(format!("choose a name, such as `--controller-name {free}`")),
            );
        }
        None
    }
}

/// What is wrong with `new` whatever the project holds.
fn alone(new: &Resource, multigroup: bool) -> Option<Problem> {
    if new.core && core::lookup(&new.group, &new.version, &new.kind).is_none() {
        let (group, version, kind) = (&new.group, &new.version, &new.kind);
        let problem = Problem::new(format!(
            "Kubernetes has no kind `{kind}` in version `{version}` of group `{group}`"
        ));
        return Some(match core::nearest(group, version, kind).first() {
            Some(likely) => problem.hint(format!("did you mean `{likely}`?")),
            None => problem.hint("see `kubectl api-resources`"),
        });
    }
    if new.has_api {
        let group = new.qualified_group();
        if ["k8s.io", "kubernetes.io"]
            .iter()
            .any(|own| group.strip_suffix(own).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
        {
            let problem =
                Problem::new(format!("group `{group}` is Kubernetes' own, and takes no custom resources"));
            return Some(problem.hint("choose a domain you own"));
        }
        if !group.contains('.') {
            let problem =
                Problem::new(format!("group `{group}` has no domain, and custom resources need one"));
            return Some(problem.hint("set `domain` in `PROJECT`"));
        }
    }
    let twice = new.controllers.iter().enumerate().find_map(|(at, name)| {
        let earlier =
            new.controllers[..at].iter().find(|earlier| *earlier == name || share_file(earlier, name))?;
        Some(
            Problem::new(format!("controllers `{earlier}` and `{name}` would share a file"))
                .hint("choose another name"),
        )
    });
    twice.or_else(|| validate::combined(new, multigroup))
}

/// Names that would meet on the cluster.
fn on_the_cluster(other: &Resource, new: &Resource) -> Option<Problem> {
    if !is_same_group(other, new) {
        return None;
    }
    let (have, want) = (&other.kind, &new.kind);
    if have != want && have.eq_ignore_ascii_case(want) {
        let message = format!("kind `{want}` differs only in case from kind `{have}`, which the project has");
        return Some(Problem::new(message).hint(format!("use `--kind {have}`, or choose another kind")));
    }
    if !(other.has_api && new.has_api) {
        return None;
    }
    if have == want {
        return between_versions(other, new);
    }
    let fault = if other.plural == new.plural {
        format!("kinds `{have}` and `{want}` would share the plural `{}`", new.plural)
    } else if other.plural.eq_ignore_ascii_case(want) || new.plural.eq_ignore_ascii_case(have) {
        format!("the plural of one of the kinds `{have}` and `{want}` would be the singular of the other")
    } else if want.strip_suffix("List") == Some(have) || have.strip_suffix("List") == Some(want) {
        return Some(
            Problem::new(format!(
                "lists of one of the kinds `{have}` and `{want}` would be of the other kind"
            ))
            .hint("choose another `--kind`"),
        );
    } else {
        return None;
    };
    Some(Problem::new(fault).hint("choose another with `--plural`"))
}

/// Versions of one kind have one name and one scope.
fn between_versions(other: &Resource, new: &Resource) -> Option<Problem> {
    let (kind, version) = (&other.kind, &other.version);
    if other.plural != new.plural {
        let (have, want) = (&other.plural, &new.plural);
        let message = format!(
            "kind `{kind}` is `{have}` in the plural in version `{version}`, so it cannot be `{want}`"
        );
        return Some(Problem::new(message).hint(format!("use `--plural {have}`")));
    }
    (other.namespaced != new.namespaced).then(|| {
        let scope = scope(other.namespaced);
        Problem::new(format!("kind `{kind}` is {scope} in version `{version}`, and so in all versions"))
            .hint(format!("use `--namespaced={}`", other.namespaced))
    })
}

/// `known` with what `wanted` adds to it.
fn extend(known: &Resource, wanted: Resource, force: bool) -> Result<(Resource, Added)> {
    let mut merged = known.clone();
    if wanted.has_api {
        let differs = if known.has_api { difference(known, &wanted) } else { None };
        if let Some(problem) = differs.filter(|_| !force) {
            return Err(Error::Refused(problem));
        }
        merged.plural = wanted.plural;
        merged.namespaced = wanted.namespaced;
        merged.has_api = true;
    }
    if (known.core, known.external) != (wanted.core, wanted.external) && !force && !known.has_api {
        let message = format!("kind `{}` is in the project as {}", known.kind, origin(known));
        return Err(Error::Refused(
            Problem::new(message).hint("repeat the flags it was added with, or add `--force`"),
        ));
    }
    if !known.has_api {
        merged.core = wanted.core && !merged.has_api;
        merged.external = wanted.external && !merged.has_api;
    }
    for name in wanted.controllers {
        if !merged.controllers.contains(&name) {
            merged.controllers.push(name);
        }
    }
    let added = if merged == *known { Added::Already } else { Added::Extended };
    Ok((merged, added))
}

/// In which setting the types differ.
fn difference(known: &Resource, wanted: &Resource) -> Option<Problem> {
    let (kind, version) = (&known.kind, &known.version);
    if known.namespaced != wanted.namespaced {
        let message = format!(
            "kind `{kind}` is in the project, version `{version}`, and is {}",
            scope(known.namespaced)
        );
        return Some(
            Problem::new(message)
                .hint(format!("use `--namespaced={}`, or change it with `--force`", known.namespaced)),
        );
    }
    (known.plural != wanted.plural).then(|| {
        let plural = &known.plural;
        let message =
            format!("kind `{kind}` is in the project, version `{version}`, with the plural `{plural}`");
        Problem::new(message).hint(format!("use `--plural {plural}`, or change it with `--force`"))
    })
}

fn scope(namespaced: bool) -> &'static str {
    if namespaced { "namespaced" } else { "cluster-scoped" }
}

fn origin(resource: &Resource) -> &'static str {
    if resource.core {
        "a kind of Kubernetes"
    } else if resource.external {
        "another project's kind"
    } else {
        "a kind of its own"
    }
}

/// The Rust types of a kind.
fn types(resource: &Resource) -> [String; 3] {
    let name = resource.rust_type();
    [format!("{name}Spec"), format!("{name}Status"), name]
}

/// Whether files of two controllers would have the same name; each has one for itself and one for its children.
fn share_file(a: &str, b: &str) -> bool {
    if !start_alike(a, b) {
        return false;
    }
    let (a, b) = (names::module(a), names::module(b));
    a == b || a == names::resources_module(&b) || b == names::resources_module(&a)
}

/// Whether one name is the start of the other but for case and dashes; names that meet in Rust always are. It spares
/// the work of comparing all the names made of them.
fn start_alike(a: &str, b: &str) -> bool {
    fn letters(name: &str) -> impl Iterator<Item = u8> {
        name.bytes().filter(u8::is_ascii_alphanumeric)
    }
    letters(a).zip(letters(b)).all(|(a, b)| a.eq_ignore_ascii_case(&b))
}

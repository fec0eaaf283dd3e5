//! From the text of PROJECT to the project. Every mistake is reported with its line.

use serde_yaml::{Mapping, Value};

use super::locate::{self, Step};
use super::{Added, LAYOUT, Project};
use crate::printable;
use crate::resource::{Resource, core, plural, validate};
use crate::yaml::{self, Fault};
use crate::{Error, Problem, Result};

/// Version of the schema, kubebuilder's.
const VERSION: &str = "3";
/// Most kinds and versions: each is compared with all others.
const KINDS: usize = 2_000;
/// Longest file that is read, in bytes; a kind takes about 200.
const LONGEST: usize = 1 << 20;
/// Most numbers with a fraction or an exponent, or what looks like one.
const FRACTIONS: usize = 10_000;

impl Project {
    /// Reads the text of PROJECT.
    ///
    /// # Errors
    /// [`Error::ProjectFile`] when it is not YAML, or not what a project looks like, or holds a name that Kubernetes
    /// or the file system would not take.
    pub fn parse(text: &str) -> Result<Self> {
        let document = document(text)?;
        let root = Fields { text, map: &document, path: Vec::new() };
        check_version(&root)?;
        check_layout(&root)?;
        let name = root.required(
            "projectName",
            "the start of the names of the project's objects",
            validate::project_name,
        )?;
        let domain = root.required("domain", "the suffix of API groups", validate::domain)?;
        if let Some(problem) = validate::lease(&name, &domain) {
            return Err(root.error_at("domain", &problem.message));
        }
        let mut project = Self::new(&domain, &name);
        project.multigroup = root.boolean("multigroup")?;
        project.namespaced = root.boolean("namespaced")?;
        project.repo = root.string("repo")?.map(str::to_owned);
        project.plugins = root.map("plugins")?.map(|plugins| plugins.map.clone()).unwrap_or_default();
        for entry in kinds(&root)? {
            let resource = resource(&project, &entry)?;
            if resource.has_api
                && let Some((library, _)) = entry.string("path")?.and_then(|path| path.split_once("::"))
            {
                check_library(&entry, library)?;
            }
            project.take(resource).map_err(|problem| root.error(&entry.path, &problem.message))?;
        }
        check_templates(&root)?;
        project.raw = document;
        text.clone_into(&mut project.text);
        Ok(project)
    }

    /// Adds a kind as the file has it.
    fn take(&mut self, resource: Resource) -> Result<(), Problem> {
        if self.find(&resource).is_some() {
            let (kind, version) = (&resource.kind, &resource.version);
            return Err(Problem::new(format!("kind `{kind}`, version `{version}`, is listed twice")));
        }
        let known = resource.controllers.len();
        match self.add(resource, false) {
            Ok(Added::New) if self.resources.last().is_some_and(|added| added.controllers.len() == known) => {
                Ok(())
            }
            Ok(_) => Err(Problem::new("two versions of the kind have a controller of the same name")),
            Err(Error::Refused(problem)) => Err(problem),
            Err(error) => Err(Problem::new(error.to_string())),
        }
    }
}

/// The items of `resources`, in a file that was read.
pub(super) fn entries(root: &Mapping) -> impl Iterator<Item = &Mapping> {
    let list = root.get("resources").and_then(Value::as_sequence);
    list.into_iter().flatten().filter_map(Value::as_mapping)
}

/// The items of `layout`, which kubebuilder writes as a list or as one text with commas.
pub(super) fn layouts(root: &Mapping) -> Vec<String> {
    match root.get("layout") {
        Some(Value::String(one)) => one.split(',').map(str::to_owned).collect(),
        Some(Value::Sequence(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// The text as YAML with keys and values.
fn document(text: &str) -> Result<Mapping> {
    if text.len() > LONGEST {
        let message = format!("the file is longer than {} KiB, too long for a project's", LONGEST >> 10);
        return Err(mistake(text.lines().next().unwrap_or_default(), 1, &message));
    }
    if text.trim().is_empty() {
        return Err(mistake(text, 1, "the file is empty"));
    }
    let control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if let Some(line) = text.split('\n').position(|line| line.contains(control) || line.contains('\u{fffd}'))
    {
        return Err(mistake(text, line + 1, "the file is not text"));
    }
    // Keys that are numbers take the reader a look at each other one.
    let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let fraction =
        |part: &[u8]| matches!(part[1], b'.' | b'e' | b'E') && (digit(part.first()) || digit(part.get(2)));
    if text.as_bytes().windows(3).filter(|part| fraction(part)).count() > FRACTIONS {
        return Err(mistake(text, 1, "more fractions than in any project's file"));
    }
    match yaml::one(text) {
        Ok(Value::Mapping(map)) => Ok(map),
        Ok(_) => {
            let line =
                text.lines().position(|line| !line.trim_start().starts_with('#') && !line.trim().is_empty());
            Err(mistake(
                text,
                line.unwrap_or(0) + 1,
                "expected keys with values, such as `domain: example.com`",
            ))
        }
        Err(Fault { line, message, limit: true }) => Err(mistake(text, line, &message)),
        Err(Fault { line, message, .. }) => {
            Err(mistake(text, line, &format!("not valid YAML: {}", printable::start(&message, 120))))
        }
    }
}

fn check_version(root: &Fields<'_>) -> Result<()> {
    let Some(version) = root.string("version")? else {
        let message = "`version` is missing at the end; the file may have been cut short";
        return Err(mistake(root.text, root.text.lines().count(), message));
    };
    if version == VERSION {
        return Ok(());
    }
    let newer = version.parse::<u32>().is_ok_and(|version| version > 3);
    let shown = printable::value(version);
    Err(root.error_at("version", &if newer {
        format!("the file has version {shown}, and this `iris-scaffold` knows version `{VERSION}`: use a newer one")
    } else {
        format!("the file has version {shown}, and this `iris-scaffold` knows only version `{VERSION}`")
    }))
}

fn check_layout(root: &Fields<'_>) -> Result<()> {
    let layouts = layouts(root.map);
    if layouts.iter().any(|layout| layout == LAYOUT) {
        return Ok(());
    }
    let Some(other) = layouts.first() else {
        return Err(root.error_at(
            "layout",
            &format!("`layout` is missing or not a list of names; expected `{LAYOUT}`"),
        ));
    };
    let shown = printable::value(other);
    Err(root.error_at("layout", &if other.contains(".kubebuilder.io/") || other.contains(".sdk.operatorframework.io/") {
        format!("layout {shown} belongs to a project of kubebuilder or operator-sdk; this tool reads `{LAYOUT}`")
    } else if other.starts_with("rust.iris-scaffold.io/") {
        format!("layout {shown} is not known to this `iris-scaffold`, which knows `{LAYOUT}`: use a newer one")
    } else {
        format!("layout {shown} is not known; expected `{LAYOUT}`")
    }))
}

fn check_library(entry: &Fields<'_>, library: &str) -> Result<()> {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let fits = library.starts_with(|c: char| c.is_ascii_lowercase()) && library.chars().all(word);
    if fits && library.ends_with("_api") && library.len() <= 64 {
        return Ok(());
    }
    Err(entry.error_at(
        "path",
        &format!("{} is not the library of the project's types", printable::value(library)),
    ))
}

/// The items of `resources`, which are not too many to compare each with all.
fn kinds<'a>(of: &Fields<'a>) -> Result<Vec<Fields<'a>>> {
    let entries = of.items("resources")?;
    match entries.get(KINDS) {
        Some(entry) => Err(of.error(&entry.path, &format!("more than {KINDS} kinds"))),
        None => Ok(entries),
    }
}

/// What is remembered of the kinds' templates has its form; the templates check what it says, if they are used.
fn check_templates(root: &Fields<'_>) -> Result<()> {
    let Some(plugins) = root.map("plugins")? else {
        return Ok(());
    };
    let Some(plugin) = plugins.map(super::template::PLUGIN)? else {
        return Ok(());
    };
    for entry in kinds(&plugin)? {
        for key in ["domain", "group", "kind", "template", "version"] {
            entry.string(key)?;
        }
        entry.map("options")?;
    }
    Ok(())
}

/// One item of `resources`.
fn resource(project: &Project, entry: &Fields<'_>) -> Result<Resource> {
    let core = entry.boolean("core")?;
    let external = entry.boolean("external")?;
    let api = entry.map("api")?;
    let kind = entry.required("kind", "the kind's name", validate::kind)?;
    let version = entry.required("version", "the version of the kind", validate::version)?;
    let group = entry.required("group", "the kind's group", validate::group)?;
    let domain =
        match entry.checked("domain", |domain| (!domain.is_empty()).then(|| validate::domain(domain))?)? {
            Some(domain) => domain.to_owned(),
            None if core || external => String::new(),
            None => project.domain.clone(),
        };
    if core && external {
        return Err(entry.error_at(
            "external",
            "a kind is of Kubernetes (`core`) or of another project (`external`), not both",
        ));
    }
    if api.is_some() && (core || external) {
        return Err(
            entry.error_at("api", "a kind that is served elsewhere (`core`, `external`) has no types here")
        );
    }
    let known = if core { core::lookup(&group, &version, &kind) } else { None };
    let plural = match (entry.checked("plural", validate::plural)?, &known) {
        (Some(plural), _) => plural.to_owned(),
        (None, Some(known)) => known.plural.to_owned(),
        (None, None) => plural::plural(&kind),
    };
    let namespaced = match (&api, &known) {
        (Some(api), _) => {
            api.string("crdVersion")?;
            api.boolean("namespaced")?
        }
        (None, Some(known)) => known.namespaced,
        (None, None) => entry.map.get("namespaced").is_none() || entry.boolean("namespaced")?,
    };
    let mut controllers = Vec::new();
    if entry.boolean("controller")? {
        controllers.push(kind.to_lowercase());
    }
    for controller in entry.items("controllers")? {
        controllers.push(controller.required("name", "the controller's name", validate::controller_name)?);
    }
    let has_api = api.is_some();
    Ok(Resource {
        group,
        version,
        kind,
        plural,
        domain,
        namespaced,
        core,
        external,
        storage: false,
        has_api,
        controllers,
    })
}

/// A mapping of the file with its place.
pub(super) struct Fields<'a> {
    pub(super) text: &'a str,
    pub(super) map: &'a Mapping,
    pub(super) path: Vec<Step>,
}

impl<'a> Fields<'a> {
    /// A text that must be there and pass `check`.
    fn required(&self, key: &str, what: &str, check: fn(&str) -> Option<Problem>) -> Result<String> {
        match self.checked(key, check)? {
            Some(value) => Ok(value.to_owned()),
            None => Err(self.error(&self.path, &format!("`{key}` is missing: {what}"))),
        }
    }

    /// A text that must pass `check` if it is there.
    fn checked(&self, key: &str, check: impl Fn(&str) -> Option<Problem>) -> Result<Option<&'a str>> {
        let value = self.string(key)?;
        match value.and_then(check) {
            Some(problem) => Err(self.error_at(key, &problem.message)),
            None => Ok(value),
        }
    }

    pub(super) fn string(&self, key: &str) -> Result<Option<&'a str>> {
        self.typed(key, "a text", Value::as_str)
    }

    fn boolean(&self, key: &str) -> Result<bool> {
        Ok(self.typed(key, "`true` or `false`", Value::as_bool)?.unwrap_or(false))
    }

    pub(super) fn map(&self, key: &str) -> Result<Option<Fields<'a>>> {
        let map = self.typed(key, "keys with values", Value::as_mapping)?;
        Ok(map.map(|map| Fields { text: self.text, map, path: self.below(key) }))
    }

    /// A list of mappings.
    fn items(&self, key: &str) -> Result<Vec<Fields<'a>>> {
        let list = self.typed(key, "a list", Value::as_sequence)?;
        let item = |(index, item): (usize, &'a Value)| {
            let mut path = self.below(key);
            path.push(Step::Item(index));
            match item.as_mapping() {
                Some(map) => Ok(Fields { text: self.text, map, path }),
                None => Err(self
                    .error(&path, &format!("expected keys with values in `{key}`, found {}", kind_of(item)))),
            }
        };
        list.into_iter().flatten().enumerate().map(item).collect()
    }

    /// The value of `key`, if it is there, as `read` sees it.
    fn typed<T>(
        &self,
        key: &str,
        expected: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>> {
        let Some(value) = self.map.get(key).filter(|value| !value.is_null()) else {
            return Ok(None);
        };
        if let Some(read) = read(value) {
            return Ok(Some(read));
        }
        let message = format!("`{key}` has to be {expected}, but is {}", kind_of(value));
        Err(self.error_at(key, &message))
    }

    fn below(&self, key: &str) -> Vec<Step> {
        let mut path = self.path.clone();
        path.push(Step::Key(key.to_owned()));
        path
    }

    pub(super) fn error_at(&self, key: &str, message: &str) -> Error {
        self.error(&self.below(key), message)
    }

    fn error(&self, path: &[Step], message: &str) -> Error {
        mistake(self.text, locate::line(self.text, path), message)
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "`true` or `false`",
        Value::Number(_) => "a number; put it in quotes to make it a text",
        Value::String(_) => "a text",
        Value::Sequence(_) => "a list",
        Value::Mapping(_) => "keys with values",
        Value::Tagged(_) => "a value with a tag",
    }
}

fn mistake(text: &str, line: usize, message: &str) -> Error {
    // What is missing at the end is reported by the parser one line below it.
    let line = line.clamp(1, text.trim_end().lines().count().max(1));
    let shown = printable::start(text.lines().nth(line - 1).unwrap_or_default().trim_end(), 100);
    let indent = shown.len() - shown.trim_start().len();
    let marker = "^".repeat(shown.trim_start().chars().count().max(1));
    let snippet = format!(
        "  {line} | {shown}\n  {:width$} | {:indent$}{marker}",
        "",
        "",
        width = line.to_string().len()
    );
    Error::ProjectFile { line, message: message.to_owned(), snippet }
}

//! The grammar of `+kubebuilder:rbac` comments.
//!
//! `// +kubebuilder:rbac:groups=apps,resources=deployments;deployments/status,verbs=get;list;watch`: arguments are
//! separated by `,`, the words of a list by `;` (or `{a, b}`); words are bare or quoted with `"` or backticks, and
//! spaces between them do not count.

use super::fault::{Fault, NAME, example, unknown};
use super::known::place;
use super::reader::Reader;
use crate::printable;
use crate::resource::validate::is_label;

/// What one comment allows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marker {
    /// API groups; `core` or empty is the core group.
    pub groups: Vec<String>,
    /// Resources, and subresources such as `deployments/status`.
    pub resources: Vec<String>,
    /// Only objects of these names; empty means all.
    pub resource_names: Vec<String>,
    /// What is allowed.
    pub verbs: Vec<String>,
    /// Paths that are not resources, such as `/metrics`.
    pub urls: Vec<String>,
    /// Empty: everywhere.
    pub namespace: String,
    /// Empty: the default role.
    pub role_name: String,
}

impl Marker {
    /// How many words its rules have, one rule for each resource.
    pub(super) fn words(&self) -> u64 {
        let each = 1 + self.groups.len() + self.resource_names.len() + self.verbs.len() + self.urls.len();
        u64::try_from(self.resources.len().max(1).saturating_mul(each)).unwrap_or(u64::MAX)
    }
}

/// Reads a line comment: nothing when it is not this marker.
#[must_use]
pub fn parse(comment: &str) -> Option<Result<Marker, Fault>> {
    let body = comment.strip_prefix("//")?;
    let body = body.strip_prefix(['/', '!']).unwrap_or(body).trim_start();
    let arguments = body.strip_prefix(NAME)?;
    let start = comment.len() - arguments.len();
    let mut reader = Reader { text: comment, at: start };
    match arguments.chars().next() {
        Some(':') => {
            reader.at += 1;
            Some(read(&mut reader))
        }
        None | Some(' ' | '\t' | '=') => {
            Some(Err(Fault::new(start, format!("expected `:` and arguments after `{NAME}`"), example())))
        }
        // another marker whose name begins alike
        Some(_) => None,
    }
}

/// All arguments, from where the reader is.
fn read(reader: &mut Reader<'_>) -> Result<Marker, Fault> {
    let start = reader.at;
    let mut marker = Marker::default();
    let mut seen: Vec<String> = Vec::new();
    loop {
        let (at, name) = reader.name()?;
        if seen.contains(&name) {
            let hint = format!("join them with `;`: `{name}=a;b`");
            return Err(Fault::new(at, format!("argument `{name}` is given twice"), hint));
        }
        match name.as_str() {
            "groups" => marker.groups = reader.list()?,
            "resources" => marker.resources = reader.list()?,
            "resourceNames" => marker.resource_names = reader.list()?,
            "verbs" => marker.verbs = reader.list()?,
            "urls" => marker.urls = reader.list()?,
            "namespace" => marker.namespace = single(reader, &name)?,
            "roleName" => marker.role_name = single(reader, &name)?,
            _ => return Err(unknown(at, &name)),
        }
        seen.push(name);
        match reader.peek() {
            None => break,
            Some(',') => reader.at += 1,
            Some(other) => return Err(reader.unexpected(other)),
        }
    }
    complete(&marker, start)?;
    valid(&marker, reader.text)?;
    Ok(marker)
}

/// The value of an argument that takes no list.
fn single(reader: &mut Reader<'_>, name: &str) -> Result<String, Fault> {
    let is_braced = reader.peek() == Some('{');
    let at = reader.at;
    let value = if is_braced { String::new() } else { reader.value()? };
    if is_braced || reader.peek() == Some(';') {
        let hint = format!("write a marker for each, such as `{name}=a` and `{name}=b`");
        return Err(Fault::new(at, format!("argument `{name}` takes one name, and this is a list"), hint));
    }
    Ok(value)
}

/// Checks what the API server would refuse.
fn complete(marker: &Marker, at: usize) -> Result<(), Fault> {
    let fault = |message: &str, hint: &str| Err(Fault::new(at, message, hint));
    let has_resources = !marker.resources.is_empty();
    if marker.verbs.is_empty() {
        return fault("argument `verbs` is missing", "say what is allowed, such as `verbs=get;list;watch`");
    }
    if marker.urls.is_empty() && !has_resources {
        return fault(
            "argument `resources` is missing",
            "say what the verbs are for, such as `resources=pods`",
        );
    }
    if has_resources && marker.groups.is_empty() {
        return fault("argument `groups` is missing", "the core group is `groups=\"\"` or `groups=core`");
    }
    if !marker.urls.is_empty()
        && (has_resources || !marker.groups.is_empty() || !marker.resource_names.is_empty())
    {
        return fault("`urls` cannot stand beside resources", "write two markers, one with `urls`");
    }
    if !marker.urls.is_empty() && !marker.namespace.is_empty() {
        return fault("`urls` cannot be allowed in one namespace", "leave `namespace` out of this marker");
    }
    Ok(())
}

/// Checks the words that the API server would refuse, or that match nothing.
fn valid(marker: &Marker, comment: &str) -> Result<(), Fault> {
    let fault = |argument: &str, word: &str, message: String, hint: &str| {
        Err(Fault::new(place(comment, argument, word), message, hint))
    };
    let (namespace, role) = (marker.namespace.as_str(), marker.role_name.as_str());
    if !namespace.is_empty() && !is_label(namespace, false) {
        let hint = "write lower case letters, digits and `-`, at most 63 of them";
        return fault(
            "namespace",
            namespace,
            format!("{} cannot be a namespace", printable::value(namespace)),
            hint,
        );
    }
    if role.contains(['/', '%']) || [".", ".."].contains(&role) {
        return fault(
            "roleName",
            role,
            format!("{} cannot be the name of a role", printable::value(role)),
            "leave `/` and `%` out",
        );
    }
    if marker.resource_names.iter().any(String::is_empty) {
        let message = "no object has the empty name".to_owned();
        return fault("resourceNames", "\"\"", message, "leave it out; without names all objects are meant");
    }
    if let Some(url) = marker.urls.iter().find(|url| !url.starts_with('/') && *url != "*") {
        let hint = format!("write {}", printable::value(&format!("/{url}")));
        return fault("urls", url, format!("path {} does not begin with `/`", printable::value(url)), &hint);
    }
    Ok(())
}

//! A further version of a kind: it begins with the fields that the stored version has by now, so that each can hold the
//! other's objects from the start.

use std::ops::Range;

use proc_macro2::{TokenStream, TokenTree};
use serde_json::Value;
use syn::visit::{self, Visit};

use crate::scaffold::{Certainty, File, Tree, same_lines};
use crate::templates::{self, ProjectView, ResourceView};
use crate::{Result, rust};

/// Lets the files of a further version, its types and its sample, begin as those of the stored version are, where these
/// are no longer what the template gives. The result is the version that the types are from, if they are from one.
///
/// # Errors
/// When a file cannot be read.
pub(super) fn follow(
    tree: &Tree,
    view: &ProjectView,
    r: &ResourceView,
    files: &mut [File],
) -> Result<Option<String>> {
    let is_stored = |other: &&ResourceView| {
        other.has_api
            && other.storage
            && (&other.qualified_group, &other.kind) == (&r.qualified_group, &r.kind)
            && other.version != r.version
    };
    let Some(stored) = view.resources.iter().find(is_stored) else { return Ok(None) };
    let template = templates::kinds::made_from(stored.template.as_ref());
    let mut followed = None;
    for (file, before) in files.iter_mut().zip(templates::types(view, stored, template)?) {
        let Some(text) = tree.on_disk(&before.path)? else { continue };
        if same_lines(&text, &before.text) {
            continue;
        }
        let is_rust = before.path.extension() == "rs";
        let text = if is_rust { types(&text, view, stored, r) } else { Some(sample(&text, stored, r)) };
        let Some(text) = text else { continue };
        if is_rust {
            followed = Some(stored.version.clone());
        }
        file.text = text.into();
        file.certainty = Certainty::Unsure;
    }
    Ok(followed)
}

/// The definition of a kind as it would be if `version` of the one in `text` were called `name`; `None` when it is not
/// there.
pub(super) fn definition(text: &str, version: &str, name: &str) -> Option<Value> {
    let mut definition = crate::yaml::one::<Value>(text).ok()?;
    let versions = definition.pointer_mut("/spec/versions")?.as_array_mut()?;
    versions.retain(|known| known["name"] == version);
    versions.first_mut()?["name"] = name.into();
    Some(definition)
}

fn sample(text: &str, stored: &ResourceView, r: &ResourceView) -> String {
    let line = |r: &ResourceView| format!("apiVersion: {}", r.api_version);
    text.replace(&line(stored), &line(r))
}

/// The source of the stored version as that of another; `None` when it is not read as one.
fn types(text: &str, view: &ProjectView, stored: &ResourceView, r: &ResourceView) -> Option<String> {
    let group = if view.multigroup { format!("{}::", stored.group_module) } else { String::new() };
    let module = ["crate", "::", &group, &stored.version_module].concat();
    let text = renamed(text, &stored.kind, [&stored.version, &r.version], &module)?;
    // The title of the page, as the template has it.
    let title = |version: &str| format!("API, version `{version}` of group");
    Some(text.replacen(&title(&stored.version), &title(&r.version), 1))
}

/// A source with another version of a kind, which is not stored; `module` is the one that it was in.
fn renamed(text: &str, kind: &str, [from, to]: [&str; 2], module: &str) -> Option<String> {
    let mut search = Search { text, kind, from, to, module, is_found: false, depth: 0, edits: Vec::new() };
    search.visit_file(&rust::parse(text).ok()?);
    let (is_found, mut edits) = (search.is_found, search.edits);
    if !is_found {
        return None;
    }
    edits.sort_by_key(|(at, _)| at.start);
    let mut result = String::new();
    let mut end = 0;
    for (at, by) in edits {
        result.push_str(text.get(end..at.start)?);
        result.push_str(&by);
        end = at.end;
    }
    result.push_str(text.get(end..)?);
    Some(result)
}

struct Search<'a> {
    text: &'a str,
    kind: &'a str,
    from: &'a str,
    to: &'a str,
    /// What `super` is.
    module: &'a str,
    is_found: bool,
    /// How many modules of the file are around.
    depth: usize,
    edits: Vec<(Range<usize>, String)>,
}

impl Search<'_> {
    /// Changes the version in a kind's attribute, and whether it is stored.
    fn attribute(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let value = |name: &str| {
            tokens.windows(3).find_map(|window| match window {
                [TokenTree::Ident(ident), TokenTree::Punct(sign), value]
                    if *ident == name && sign.as_char() == '=' =>
                {
                    Some(value)
                }
                _ => None,
            })
        };
        let is = |name: &str, expected: &str| {
            let value = value(name).and_then(|value| syn::parse_str::<syn::LitStr>(&value.to_string()).ok());
            value.is_some_and(|value| value.value() == expected)
        };
        if !is("kind", self.kind) || !is("version", self.from) {
            return;
        }
        let Some(version) = value("version").map(|value| value.span().byte_range()) else { return };
        let mut by = format!("\"{}\"", self.to);
        if let Some(storage) = value("storage") {
            self.edits.push((storage.span().byte_range(), "false".into()));
        } else {
            // On a line of its own where the version is.
            let before = self.text.get(..version.start).unwrap_or_default();
            let line = before.rsplit('\n').next().unwrap_or_default();
            let indent = line.len() - line.trim_start().len();
            let separator = if line.trim_start().starts_with("version") {
                format!("\n{}", &line[..indent])
            } else {
                " ".to_owned()
            };
            by = format!("{by},{separator}storage = false");
        }
        self.edits.push((version, by));
        self.is_found = true;
    }

    /// `super` was the module of the stored version, and still is.
    fn path(&mut self, first: Option<&syn::Ident>) {
        if let Some(first) = first.filter(|first| *first == "super" && self.depth == 0) {
            self.edits.push((first.span().byte_range(), self.module.to_owned()));
        }
    }
}

impl<'a> Visit<'a> for Search<'_> {
    fn visit_attribute(&mut self, attribute: &'a syn::Attribute) {
        if attribute.path().is_ident("kube")
            && let Ok(list) = attribute.meta.require_list()
        {
            self.attribute(list.tokens.clone());
        }
    }

    fn visit_item_mod(&mut self, module: &'a syn::ItemMod) {
        self.depth += 1;
        visit::visit_item_mod(self, module);
        self.depth -= 1;
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        self.path(path.segments.first().map(|segment| &segment.ident));
        visit::visit_path(self, path);
    }

    fn visit_item_use(&mut self, item: &'a syn::ItemUse) {
        if let syn::UseTree::Path(path) = &item.tree {
            self.path(Some(&path.ident));
        }
    }

    /// Who may see it does not change.
    fn visit_visibility(&mut self, _: &'a syn::Visibility) {}
}

#[cfg(test)]
#[path = "earlier_tests.rs"]
mod tests;

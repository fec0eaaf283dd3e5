//! Where the fields of definitions are declared.

use std::collections::{BTreeSet, HashMap};

use syn::visit::Visit;

use super::attributes::{Place, entries, named};
use super::shown;
use crate::Problem;
use crate::manifests::crd::overlay::{of_field, of_variant, setting};
use crate::path::RelPath;

/// Most types that are searched for a field, one flattened in the other.
const FLATTENED: usize = 100;

/// The declarations of all types.
pub struct Places<'a> {
    /// By kind and version: the types of spec and status.
    kinds: HashMap<(String, String), [Option<Type<'a>>; 2]>,
    /// By name: the types in each file that has one of that name.
    types: HashMap<String, Vec<Declared<'a>>>,
}

/// Where something is declared.
pub struct Declaration<'a> {
    /// The file.
    pub path: &'a RelPath,
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
}

/// The name of a type, and the file that it is used in.
type Type<'a> = (String, &'a RelPath);

struct Found<'a> {
    path: &'a RelPath,
    place: Place,
    /// Whether this is what was looked for, and not what is around it.
    is_exact: bool,
}

struct Declared<'a> {
    path: &'a RelPath,
    place: Place,
    fields: Vec<Field>,
}

struct Field {
    /// In JSON; empty when it is flattened.
    name: String,
    place: Place,
    /// The type in it, and in lists and maps of it.
    of: Option<String>,
}

impl<'a> Places<'a> {
    /// Reads all declarations.
    pub(super) fn of(files: &'a [(RelPath, syn::File)]) -> Self {
        let mut places = Self { kinds: HashMap::new(), types: HashMap::new() };
        for (path, file) in files {
            Reader { path, places: &mut places }.visit_file(file);
        }
        places
    }

    /// Puts the place of the field that a problem names in front of its message.
    #[must_use]
    pub fn add_to(&self, mut problem: Problem) -> Problem {
        if let Some(Found { path, place, .. }) = self.find(&problem.message) {
            problem.message = format!("{}: {}", shown(path, place), problem.message);
        }
        problem
    }

    /// Where the field that a place names is declared itself: ``Iris v1 .spec.items[].name`` in quotes.
    #[must_use]
    pub fn declaration(&self, place: &str) -> Option<Declaration<'a>> {
        let Found { path, place, is_exact } = self.find(place)?;
        is_exact.then_some(Declaration { path, line: place.line, column: place.column + 1 })
    }

    /// The lines of all declarations, by file.
    #[must_use]
    pub fn lines(&self) -> HashMap<&'a RelPath, BTreeSet<usize>> {
        let mut lines: HashMap<_, BTreeSet<_>> = HashMap::new();
        for declared in self.types.values().flatten() {
            let places = declared.fields.iter().map(|field| field.place).chain([declared.place]);
            lines.entry(declared.path).or_default().extend(places.map(|place| place.line));
        }
        lines
    }

    /// The declaration of what a message begins with: ``Iris v1 .spec.items[].name`` in quotes. Of a field that is in no
    /// source it is the type around it.
    fn find(&self, message: &str) -> Option<Found<'a>> {
        let mut words = message.strip_prefix('`')?.split_once('`')?.0.split(' ');
        let (kind, version, path) = (words.next()?, words.next()?, words.next().unwrap_or(".spec"));
        let mut names =
            path.trim_start_matches('.').split('.').map(|name| name.trim_end_matches(['[', ']', '*']));
        let [spec, status] = self.kinds.get(&(kind.to_owned(), version.to_owned()))?;
        let (name, file) = if names.next()? == "status" { status.as_ref()? } else { spec.as_ref()? };
        let mut declared = self.declared(name, file);
        let first = declared?;
        let mut found = Found { path: first.path, place: first.place, is_exact: true };
        for name in names {
            let field = declared.and_then(|declared| self.field(declared, name, &mut Vec::new()));
            let Some((path, field)) = field else {
                found.is_exact = false;
                break;
            };
            (found.path, found.place) = (path, field.place);
            declared = field.of.as_ref().and_then(|of| self.declared(of, path));
        }
        Some(found)
    }

    /// The type of that name, in this file rather than in another.
    fn declared(&self, name: &str, file: &RelPath) -> Option<&Declared<'a>> {
        let all = self.types.get(name)?;
        all.iter().find(|declared| declared.path == file).or(all.first())
    }

    /// The field of that name, also in a flattened type; each type is `seen` once, as one may be in itself.
    fn field<'b>(
        &'b self,
        of: &'b Declared<'a>,
        name: &str,
        seen: &mut Vec<&'b Declared<'a>>,
    ) -> Option<(&'a RelPath, &'b Field)> {
        if seen.len() >= FLATTENED || seen.iter().any(|known| std::ptr::eq(*known, of)) {
            return None;
        }
        seen.push(of);
        if let Some(field) = of.fields.iter().find(|field| field.name == name) {
            return Some((of.path, field));
        }
        let flattened = of.fields.iter().filter(|field| field.name.is_empty());
        let mut types = flattened.filter_map(|field| self.declared(field.of.as_ref()?, of.path));
        types.find_map(|inner| self.field(inner, name, seen))
    }
}

struct Reader<'a, 'b> {
    path: &'a RelPath,
    places: &'b mut Places<'a>,
}

impl Reader<'_, '_> {
    fn add(&mut self, name: &syn::Ident, fields: Vec<Field>) {
        let declared = Declared { path: self.path, place: name.span().start(), fields };
        self.places.types.entry(name.to_string()).or_default().push(declared);
    }
}

impl Visit<'_> for Reader<'_, '_> {
    fn visit_item_struct(&mut self, item: &syn::ItemStruct) {
        self.add(&item.ident, fields(&item.fields, setting(&item.attrs, "rename_all").as_deref()));
        let kube = entries(&item.attrs, "kube");
        let text = |name: &str| {
            kube.iter().find(|entry| entry.name == name).and_then(super::attributes::Entry::text)
        };
        if let (Some(kind), Some(version)) = (text("kind"), text("version")) {
            let status = text("status").map(|status| (status, self.path));
            self.places.kinds.insert((kind, version), [Some((item.ident.to_string(), self.path)), status]);
        }
    }

    fn visit_item_enum(&mut self, item: &syn::ItemEnum) {
        let rule = setting(&item.attrs, "rename_all");
        let inner = setting(&item.attrs, "rename_all_fields");
        let mut found = Vec::new();
        for variant in &item.variants {
            let name = setting(&variant.attrs, "rename");
            let name = name.unwrap_or_else(|| of_variant(&variant.ident, rule.as_deref()));
            let of = variant.fields.iter().next().and_then(|field| innermost(&field.ty));
            found.push(Field { name, place: variant.ident.span().start(), of });
            found.extend(fields(
                &variant.fields,
                setting(&variant.attrs, "rename_all").or(inner.clone()).as_deref(),
            ));
        }
        self.add(&item.ident, found);
    }
}

fn fields(fields: &syn::Fields, rule: Option<&str>) -> Vec<Field> {
    let field = |field: &syn::Field| {
        let ident = field.ident.as_ref()?;
        let flattened = entries(&field.attrs, "serde").iter().any(|entry| entry.name == "flatten");
        let name = setting(&field.attrs, "rename").unwrap_or_else(|| of_field(ident, rule));
        let name = if flattened { String::new() } else { name };
        Some(Field { name, place: ident.span().start(), of: innermost(&field.ty) })
    };
    fields.iter().filter_map(field).collect()
}

/// The type in options, lists and maps: the last of those in brackets.
fn innermost(of: &syn::Type) -> Option<String> {
    let (name, arguments) = named(of)?;
    arguments.last().and_then(|inner| innermost(inner)).or_else(|| Some(name.to_string()))
}

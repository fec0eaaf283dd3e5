//! Attributes as lists of words with arguments, and types by what they are in JSON.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

/// Line, from 1, and column, from 0, in characters.
pub type Place = proc_macro2::LineColumn;

/// One of the parts of an attribute that commas separate: `name`, `name = value` or `name(arguments)`.
pub struct Entry {
    /// What it begins with.
    pub name: Ident,
    /// What follows.
    rest: Vec<TokenTree>,
}

impl Entry {
    /// The text that it is set to.
    pub fn text(&self) -> Option<String> {
        match syn::parse2(self.rest.get(1..)?.iter().cloned().collect()).ok()? {
            syn::Lit::Str(text) => Some(text.value()),
            _ => None,
        }
    }

    /// What is in its parentheses.
    pub fn arguments(&self) -> TokenStream {
        match self.rest.first() {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => group.stream(),
            _ => TokenStream::new(),
        }
    }

    /// All that follows the name, without spaces.
    pub fn value(&self) -> String {
        self.rest.iter().map(ToString::to_string).collect::<String>().replace(' ', "")
    }
}

/// The entries of all attributes of that name.
pub fn entries(attributes: &[syn::Attribute], name: &str) -> Vec<Entry> {
    let lists = attributes.iter().filter(|attribute| attribute.path().is_ident(name));
    let tokens = lists.filter_map(|attribute| Some(attribute.meta.require_list().ok()?.tokens.clone()));
    tokens.flat_map(split).collect()
}

/// The parts between commas that begin with a word.
pub fn split(tokens: TokenStream) -> Vec<Entry> {
    let mut found: Vec<Entry> = Vec::new();
    let mut begins = true;
    for token in tokens {
        match token {
            TokenTree::Punct(comma) if comma.as_char() == ',' => begins = true,
            TokenTree::Ident(name) if begins => {
                found.push(Entry { name, rest: Vec::new() });
                begins = false;
            }
            other => {
                if let Some(entry) = found.last_mut().filter(|_| !begins) {
                    entry.rest.push(other);
                }
                begins = false;
            }
        }
    }
    found
}

/// The keys of `extend("key" = value, …)`, and where they are.
pub fn keys(arguments: TokenStream) -> Vec<(String, Place)> {
    let mut found = Vec::new();
    let mut begins = true;
    for token in arguments {
        match token {
            TokenTree::Punct(comma) if comma.as_char() == ',' => begins = true,
            TokenTree::Literal(key) if begins => {
                if let Ok(text) = syn::parse_str::<syn::LitStr>(&key.to_string()) {
                    found.push((text.value(), key.span().start()));
                }
                begins = false;
            }
            _ => begins = false,
        }
    }
    found
}

/// What a type is in JSON.
#[derive(Clone, Copy)]
pub enum Shape<'a> {
    Text,
    Number,
    Bool,
    List(Option<&'a syn::Type>),
    Map,
    IntOrString,
    Unknown,
}

/// The shape of a type that is known by name; `Option` and `Box` are what is in them.
pub fn shape(of: &syn::Type) -> Shape<'_> {
    if let syn::Type::Array(array) = of {
        return Shape::List(Some(&array.elem));
    }
    let Some((name, arguments)) = named(of) else { return Shape::Unknown };
    match name.to_string().as_str() {
        "Option" | "Box" => arguments.first().map_or(Shape::Unknown, |inner| shape(inner)),
        "String" | "char" | "PathBuf" => Shape::Text,
        "bool" => Shape::Bool,
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" | "u8" | "u16" | "u32" | "u64" | "u128" | "usize"
        | "f32" | "f64" => Shape::Number,
        "Vec" | "VecDeque" | "BTreeSet" | "HashSet" => Shape::List(arguments.first().copied()),
        "BTreeMap" | "HashMap" => Shape::Map,
        "IntOrString" | "Quantity" => Shape::IntOrString,
        _ => Shape::Unknown,
    }
}

/// The last name of a type's path, and the types in its brackets.
pub fn named(of: &syn::Type) -> Option<(&Ident, Vec<&syn::Type>)> {
    let syn::Type::Path(path) = of else { return None };
    let last = path.path.segments.last()?;
    let arguments = match &last.arguments {
        syn::PathArguments::AngleBracketed(arguments) => arguments.args.iter().collect(),
        _ => Vec::new(),
    };
    let types = arguments.into_iter().filter_map(|argument| match argument {
        syn::GenericArgument::Type(of) => Some(of),
        _ => None,
    });
    Some((&last.ident, types.collect()))
}

//! What serde calls a field in JSON.

use proc_macro2::TokenStream;
use syn::ext::IdentExt as _;

/// The name of a field, when its type says `rename_all = "rule"`.
pub fn of_field(field: &syn::Ident, rule: Option<&str>) -> String {
    let name = field.unraw().to_string();
    match rule {
        Some("UPPERCASE" | "SCREAMING_SNAKE_CASE") => name.to_uppercase(),
        Some("PascalCase") => pascal(&name),
        Some("camelCase") => first(&pascal(&name), char::to_ascii_lowercase),
        Some("kebab-case") => name.replace('_', "-"),
        Some("SCREAMING-KEBAB-CASE") => name.to_uppercase().replace('_', "-"),
        _ => name,
    }
}

/// The name of a variant, when its type says `rename_all = "rule"`.
pub fn of_variant(variant: &syn::Ident, rule: Option<&str>) -> String {
    let name = variant.unraw().to_string();
    match rule {
        Some("lowercase") => name.to_lowercase(),
        Some("UPPERCASE") => name.to_uppercase(),
        Some("camelCase") => first(&name, char::to_ascii_lowercase),
        Some("snake_case") => snake(&name),
        Some("SCREAMING_SNAKE_CASE") => snake(&name).to_uppercase(),
        Some("kebab-case") => snake(&name).replace('_', "-"),
        Some("SCREAMING-KEBAB-CASE") => snake(&name).to_uppercase().replace('_', "-"),
        _ => name,
    }
}

/// The text of `key` in the `serde` and `schemars` attributes.
pub fn setting(attributes: &[syn::Attribute], key: &str) -> Option<String> {
    let mut found = None;
    for attribute in attributes.iter().filter(|a| a.path().is_ident("serde") || a.path().is_ident("schemars"))
    {
        // What is not understood here ends the search: the derives have accepted it.
        let _ = attribute.parse_nested_meta(|meta| {
            if meta.input.peek(syn::token::Paren) {
                let content;
                syn::parenthesized!(content in meta.input);
                content.parse::<TokenStream>()?;
            } else if let Ok(value) = meta.value() {
                let value: syn::Expr = value.parse()?;
                if let (true, syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. })) =
                    (meta.path.is_ident(key), value)
                {
                    found = Some(text.value());
                }
            }
            Ok(())
        });
    }
    found
}

fn pascal(name: &str) -> String {
    name.split('_').map(|word| first(word, char::to_ascii_uppercase)).collect()
}

fn snake(name: &str) -> String {
    let mut text = String::new();
    for (at, letter) in name.char_indices() {
        if at > 0 && letter.is_uppercase() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

fn first(text: &str, change: fn(&char) -> char) -> String {
    let mut letters = text.chars();
    letters.next().map(|letter| change(&letter)).into_iter().chain(letters).collect()
}

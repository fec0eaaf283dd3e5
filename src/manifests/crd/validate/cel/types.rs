//! Types of CEL, and those that schemas have in rules.

use std::fmt::{self, Display, Formatter};

use crate::manifests::crd::validate::schema::Schema;

/// The type of an expression.
#[derive(Clone, Debug)]
pub(super) enum Type<'a> {
    /// Known when the rule runs.
    Dyn,
    /// `int`, `string`, `quantity` and so on.
    Plain(&'a str),
    List(Box<Type<'a>>),
    Map(Box<Type<'a>>, Box<Type<'a>>),
    Optional(Box<Type<'a>>),
    Object(Object<'a>),
    /// Stands for any type in the signature of a function.
    Param(char),
}

/// An object with fields.
#[derive(Clone, Copy, Debug)]
pub(super) enum Object<'a> {
    /// As its schema says; with `true`, it is a whole object, of which more is known than that.
    Struct(&'a serde_json::Map<String, serde_json::Value>, bool),
    /// The metadata of a whole object.
    Metadata,
}

/// Words that a field's name cannot be in a rule without underscores around it.
const RESERVED: [&str; 21] = [
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

impl<'a> Type<'a> {
    /// The type that values of a schema have in rules; none when rules do not see them.
    pub(super) fn of(schema: Schema<'a>, whole: bool) -> Option<Self> {
        if schema.int_or_string() {
            return Some(Self::Dyn);
        }
        Some(match schema.kind() {
            "array" => {
                let items = schema.items()?;
                Self::List(Box::new(Self::of(items, items.embedded())?))
            }
            "object" => match schema.additional() {
                Some(values) => {
                    let values = Self::of(values, values.embedded())?;
                    Self::Map(Box::new(Self::Plain("string")), Box::new(values))
                }
                None => Self::Object(Object::Struct(schema.0, whole)),
            },
            "string" => Self::Plain(match schema.text("format") {
                Some("byte") => "bytes",
                Some("duration") => "duration",
                Some("date" | "date-time") => "timestamp",
                _ => "string",
            }),
            "boolean" => Self::Plain("bool"),
            "number" => Self::Plain("double"),
            "integer" => Self::Plain("int"),
            _ => return None,
        })
    }

    /// How many types it is made of, itself included; more than `most` are not counted in full.
    pub(super) fn size(&self, most: usize) -> usize {
        match self {
            Self::List(inner) | Self::Optional(inner) if most > 0 => 1 + inner.size(most - 1),
            Self::Map(keys, values) if most > 0 => {
                let keys = keys.size(most - 1);
                1 + keys + values.size((most - 1).saturating_sub(keys))
            }
            _ => 1,
        }
    }

    /// The type of a field of this type, which `None` has not.
    pub(super) fn field(&self, name: &str) -> Option<Type<'a>> {
        match self {
            Self::Dyn => Some(Self::Dyn),
            Self::Map(_, values) => Some((**values).clone()),
            Self::Optional(inner) => match &**inner {
                Self::Optional(_) => inner.field(name),
                _ => Some(Self::Optional(Box::new(inner.field(name)?))),
            },
            Self::Object(object) => object.field(name),
            _ => None,
        }
    }
}

impl<'a> Object<'a> {
    fn field(self, name: &str) -> Option<Type<'a>> {
        match (self, name) {
            (Self::Metadata, "name" | "generateName") | (Self::Struct(_, true), "apiVersion" | "kind") => {
                Some(Type::Plain("string"))
            }
            (Self::Metadata, _) => None,
            (Self::Struct(_, true), "metadata") => Some(Type::Object(Self::Metadata)),
            (Self::Struct(schema, _), name) => {
                let reserved = RESERVED.contains(&name).then(|| Schema(schema).property(name)).flatten();
                let field = reserved.or_else(|| Schema(schema).property(&unescape(name)?))?;
                Type::of(field, field.embedded())
            }
        }
    }

    /// The names of the first fields as rules write them.
    pub(super) fn fields(self, count: usize) -> Vec<String> {
        match self {
            Self::Metadata => vec!["name".into(), "generateName".into()],
            Self::Struct(schema, _) => {
                let visible =
                    Schema(schema).properties().filter(|(_, s)| Type::of(*s, s.embedded()).is_some());
                visible.filter_map(|(name, _)| escape(name)).take(count).collect()
            }
        }
    }
}

/// The field that has a name in rules, if there can be one.
pub(super) fn unescape(name: &str) -> Option<String> {
    const PARTS: [(&str, &str); 4] =
        [("__underscores__", "__"), ("__dot__", "."), ("__dash__", "-"), ("__slash__", "/")];
    let inner = name.strip_prefix("__").and_then(|name| name.strip_suffix("__"));
    if let Some(reserved) = inner.filter(|inner| RESERVED.contains(inner)) {
        return Some(reserved.to_owned());
    }
    let mut field = String::new();
    let mut rest = name;
    while let Some(c) = rest.chars().next() {
        let part = PARTS.iter().find_map(|(part, c)| Some((*c, rest.strip_prefix(part)?)));
        let (more, after) = part.unwrap_or_else(|| rest.split_at(c.len_utf8()));
        field.push_str(more);
        rest = after;
    }
    (escape(&field).as_deref() == Some(name)).then_some(field)
}

/// How a field is named in rules, if it can be.
fn escape(name: &str) -> Option<String> {
    if RESERVED.contains(&name) {
        return Some(format!("__{name}__"));
    }
    let known = |c: char| c.is_ascii_alphanumeric() || "_.-/".contains(c);
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(known) {
        return None;
    }
    let name = name.replace("__", "__underscores__");
    Some(name.replace('.', "__dot__").replace('-', "__dash__").replace('/', "__slash__"))
}

impl PartialEq for Type<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Dyn, Self::Dyn) | (Self::Object(Object::Metadata), Self::Object(Object::Metadata)) => true,
            (Self::Plain(a), Self::Plain(b)) => a == b,
            (Self::List(a), Self::List(b)) | (Self::Optional(a), Self::Optional(b)) => a == b,
            (Self::Map(a, b), Self::Map(c, d)) => a == c && b == d,
            // Two objects of one form are of two types.
            (Self::Object(Object::Struct(a, _)), Self::Object(Object::Struct(b, _))) => std::ptr::eq(*a, *b),
            (Self::Param(a), Self::Param(b)) => a == b,
            _ => false,
        }
    }
}

impl Display for Type<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dyn => f.write_str("dyn"),
            Self::Plain(name) => f.write_str(name),
            Self::List(items) => write!(f, "list({items})"),
            Self::Map(keys, values) => write!(f, "map({keys}, {values})"),
            Self::Optional(inner) => write!(f, "optional({inner})"),
            Self::Object(_) => f.write_str("object"),
            Self::Param(name) => write!(f, "{name}"),
        }
    }
}

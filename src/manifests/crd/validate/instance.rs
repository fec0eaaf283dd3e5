//! Whether a value is what its schema says: for defaults, which nobody else checks before the cluster does.

use serde_json::Value;

use super::pattern::Pattern;
use super::schema::Schema;
use super::values::fits;

/// What is wrong with a value, and where in it.
pub(super) struct Fault {
    /// Such as `.name`; empty for the value itself.
    pub(super) path: String,
    pub(super) what: String,
}

type Verdict = Result<(), Fault>;

/// Checks a value against a schema; conditions that cannot be decided here hold.
pub(super) fn check(value: &Value, schema: Schema<'_>) -> Verdict {
    if value.is_null() && schema.is("nullable") {
        return Ok(());
    }
    if !fits(value, schema) {
        let kind = if schema.int_or_string() { "integer or string" } else { schema.kind() };
        return fault(format!("is {value}, which is no {kind}"));
    }
    conditions(value, schema)?;
    match value {
        Value::String(text) => string(text, schema),
        Value::Array(items) => within(items.len(), schema, "minItems", "maxItems", "items").and_then(|()| {
            let schema = schema.items();
            let check = |(index, item)| step(format!("[{index}]"), schema, item);
            items.iter().enumerate().try_for_each(check)
        }),
        Value::Object(fields) => {
            if schema.embedded()
                && let Some(missing) =
                    ["apiVersion", "kind"].into_iter().find(|name| !filled(fields.get(*name)))
            {
                return fault(format!("is an object without `{missing}`"));
            }
            within(fields.len(), schema, "minProperties", "maxProperties", "entries")?;
            if let Some(missing) = schema.strings("required").find(|name| !fields.contains_key(*name)) {
                return fault(format!("lacks `{missing}`"));
            }
            let check = |(name, value): (&String, _)| {
                step(format!(".{name}"), schema.property(name).or(schema.additional()), value)
            };
            fields.iter().try_for_each(check)
        }
        Value::Number(number) => bounds(number.as_f64().unwrap_or_default(), schema),
        Value::Null | Value::Bool(_) => Ok(()),
    }
}

fn filled(value: Option<&Value>) -> bool {
    value.and_then(Value::as_str).is_some_and(|text| !text.is_empty())
}

fn fault<T>(what: impl Into<String>) -> Result<T, Fault> {
    Err(Fault { path: String::new(), what: what.into() })
}

fn step(path: String, schema: Option<Schema<'_>>, value: &Value) -> Verdict {
    let verdict = schema.map_or(Ok(()), |schema| check(value, schema));
    verdict.map_err(|fault| Fault { path: path + &fault.path, ..fault })
}

/// What holds for values of every type.
fn conditions(value: &Value, schema: Schema<'_>) -> Verdict {
    let values = schema.list("enum");
    if !values.is_empty() && !values.contains(value) {
        return fault(format!("is {value}, which is not in the enum"));
    }
    if let (Some(format), "", false) =
        (schema.text("format"), schema.kind(), value.is_string() || value.is_array())
    {
        return fault(format!("is {value}, which is no {format}"));
    }
    let holds = |inner: &Schema<'_>| check(value, *inner).is_ok();
    if let Some(fault) = schema.joined("allOf").find_map(|inner| check(value, inner).err()) {
        return Err(fault);
    }
    if !schema.list("anyOf").is_empty() && !schema.joined("anyOf").any(|inner| holds(&inner)) {
        return fault("meets no condition of `anyOf`");
    }
    if !schema.list("oneOf").is_empty() && schema.joined("oneOf").filter(holds).count() != 1 {
        return fault("does not meet exactly one condition of `oneOf`");
    }
    if schema.child("not").is_some_and(|inner| holds(&inner)) {
        return fault("meets the condition of `not`");
    }
    Ok(())
}

fn within(length: usize, schema: Schema<'_>, min: &str, max: &str, what: &str) -> Verdict {
    let bound = |key| {
        schema.get(key).and_then(Value::as_u64).map(|bound| usize::try_from(bound).unwrap_or(usize::MAX))
    };
    match (bound(min), bound(max)) {
        (Some(min), _) if length < min => fault(format!("has {length} {what}, fewer than {min}")),
        (_, Some(max)) if length > max => fault(format!("has {length} {what}, more than {max}")),
        _ => Ok(()),
    }
}

fn bounds(number: f64, schema: Schema<'_>) -> Verdict {
    let bound = |key| schema.get(key).and_then(Value::as_f64);
    if let Some(min) =
        bound("minimum").filter(|min| number < *min || (schema.is("exclusiveMinimum") && number <= *min))
    {
        return fault(format!("is {number}, below the minimum of {min}"));
    }
    if let Some(max) =
        bound("maximum").filter(|max| number > *max || (schema.is("exclusiveMaximum") && number >= *max))
    {
        return fault(format!("is {number}, above the maximum of {max}"));
    }
    match bound("multipleOf") {
        Some(step) if (number / step).fract() != 0.0 => fault(format!("is {number}, no multiple of {step}")),
        _ => Ok(()),
    }
}

fn string(text: &str, schema: Schema<'_>) -> Verdict {
    within(text.chars().count(), schema, "minLength", "maxLength", "characters")?;
    let pattern = schema.text("pattern").and_then(|pattern| Some((pattern, Pattern::parse(pattern).ok()?)));
    if let Some((source, _)) = pattern.filter(|(_, pattern)| pattern.is_found(text) == Some(false)) {
        return fault(format!("is `{text}`, which does not match `{source}`"));
    }
    match schema.text("format") {
        Some(format) if !has_format(text, &format.replace('-', "")) => {
            fault(format!("is `{text}`, which is no {format}"))
        }
        _ => Ok(()),
    }
}

/// Whether a text has a format, for those that are often used and easily told.
fn has_format(text: &str, format: &str) -> bool {
    let found = |pattern: &str| Pattern::parse(pattern).ok().and_then(|p| p.is_found(text)).unwrap_or(true);
    match format {
        "date" => found(r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"),
        "datetime" => found(
            r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:?\d\d)$",
        ),
        "duration" => found(r"^-?((\d+(\.\d*)?|\.\d+)\s*(ns|us|µs|ms|s|m|h|d|w|[a-z]+)\s*)+$|^0$"),
        "byte" => found("^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$"),
        "ipv4" => text.parse::<std::net::Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<std::net::Ipv6Addr>().is_ok(),
        "uuid" => found("^(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$"),
        "email" => text.contains('@'),
        "uri" => text.starts_with('/') || found("^[A-Za-z][A-Za-z0-9+.-]*:"),
        _ => true,
    }
}

//! Reads an object of a built-in type as a typed server does: unknown fields go, and so does what is empty, unless the type
//! writes it though empty.

use jiff::Timestamp;
use serde_json::{Map as Object, Value};

use super::quantity;
use super::schema::{Field, Map, Scalar, Schema, Shape};

/// The canonical form of `value`; an error is about a value of another type.
pub(super) fn decode(schema: &Schema, value: &Value, unknown: &mut Vec<String>) -> Result<Value, String> {
    read(schema, value, "", unknown)
}

fn read(schema: &Schema, value: &Value, path: &str, unknown: &mut Vec<String>) -> Result<Value, String> {
    match (&schema.shape, value) {
        (Shape::Any, _) => Ok(value.clone()),
        (Shape::Scalar(kind), _) => scalar(*kind, value).ok_or_else(|| {
            format!(
                "cannot unmarshal {} into field {} of type {kind:?}",
                kind_of(value),
                path.trim_start_matches('.')
            )
        }),
        (Shape::List { items, .. }, Value::Array(values)) => {
            let items = values.iter().enumerate().map(|(index, value)| {
                let value = if value.is_null() { zero(items) } else { value.clone() };
                read(items, &value, &format!("{path}[{index}]"), unknown)
            });
            Ok(Value::Array(items.collect::<Result<_, _>>()?))
        }
        (Shape::Map(map), Value::Object(object)) => match &map.element {
            Some(element) => {
                let mut read_object = Object::new();
                for (name, value) in object {
                    let value = if value.is_null() { zero(element) } else { value.clone() };
                    read_object
                        .insert(name.clone(), read(element, &value, &format!("{path}.{name}"), unknown)?);
                }
                Ok(Value::Object(read_object))
            }
            None => fields(map, object, path, unknown),
        },
        (_, Value::Null) => Ok(zero(schema)),
        _ => Err(format!("cannot unmarshal {} into field {}", kind_of(value), path.trim_start_matches('.'))),
    }
}

fn fields(
    map: &Map,
    object: &Object<String, Value>,
    path: &str,
    unknown: &mut Vec<String>,
) -> Result<Value, String> {
    let mut kept = Object::new();
    for (name, value) in object {
        match map.fields.get(name) {
            Some(field) => {
                if value.is_null() {
                    continue;
                }
                let value = read(&field.schema, value, &format!("{path}.{name}"), unknown)?;
                // Empty, it takes all fields from their owners.
                let resets = name == "managedFields";
                if resets
                    || field.pointer && !matches!(value, Value::Array(_))
                    || !is_zero(&value, &field.schema)
                {
                    kept.insert(name.clone(), value);
                }
            }
            // The envelope of a whole object.
            None if path.is_empty() && (name == "apiVersion" || name == "kind") => {
                kept.insert(name.clone(), value.clone());
            }
            None => unknown
                .push(format!("unknown field \"{}\"", format!("{path}.{name}").trim_start_matches('.'))),
        }
    }
    for (name, field) in &map.fields {
        if field.always && !kept.contains_key(name) {
            kept.insert(name.clone(), absent(field));
        }
    }
    Ok(Value::Object(kept))
}

/// What is written for a field that is not there.
fn absent(field: &Field) -> Value {
    if field.pointer {
        return Value::Null;
    }
    match &field.schema.shape {
        Shape::Map(map) if map.element.is_none() => {
            fields(map, &Object::new(), ".", &mut Vec::new()).unwrap_or_default()
        }
        _ => zero(&field.schema),
    }
}

fn zero(schema: &Schema) -> Value {
    match &schema.shape {
        Shape::Scalar(Scalar::String) => "".into(),
        Shape::Scalar(Scalar::Quantity) => "0".into(),
        Shape::Scalar(Scalar::Boolean) => false.into(),
        Shape::Scalar(Scalar::Integer | Scalar::Number | Scalar::IntOrString) => 0.into(),
        Shape::Map(map) if map.element.is_none() => Value::Object(Object::new()),
        _ => Value::Null,
    }
}

fn is_zero(value: &Value, schema: &Schema) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        // A struct that is no pointer is the same as one that is not there; those that are always written are added then.
        Value::Object(object) => object.is_empty() && !matches!(schema.shape, Shape::Any),
    }
}

fn scalar(kind: Scalar, value: &Value) -> Option<Value> {
    match (kind, value) {
        (Scalar::String | Scalar::Bytes | Scalar::IntOrString, Value::String(_))
        | (Scalar::Boolean, Value::Bool(_))
        | (Scalar::Number, Value::Number(_)) => Some(value.clone()),
        (Scalar::Integer, Value::Number(number)) => {
            if number.is_f64() {
                let number = number.as_f64().filter(|number| number.fract() == 0.0)?;
                return format!("{number:.0}").parse::<i64>().ok().map(Value::from);
            }
            Some(value.clone())
        }
        (Scalar::IntOrString, Value::Number(number)) => number.as_i64().map(Value::from),
        (Scalar::Quantity, Value::String(text)) => quantity::canonical(text).map(Value::from),
        (Scalar::Quantity, Value::Number(number)) => {
            quantity::canonical(&number.to_string()).map(Value::from)
        }
        (Scalar::Time, Value::String(text)) => {
            let time: Timestamp = text.parse().ok()?;
            Some(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into())
        }
        (Scalar::MicroTime, Value::String(text)) => {
            // Exactly six digits.
            let fraction = text.split_once('.')?.1;
            let digits = fraction.find(|c: char| !c.is_ascii_digit())?;
            if digits != 6 {
                return None;
            }
            let time: Timestamp = text.parse().ok()?;
            Some(micro(time).into())
        }
        _ => None,
    }
}

/// A time with microseconds.
pub(super) fn micro(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

//! Patches that are no applies: JSON merge patch, JSON patch, and strategic merge patch.

use serde_json::{Map as Object, Value};

use super::schema::{Field, Schema, Shape};

/// RFC 7386.
pub(super) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Object::new());
    }
    let Value::Object(object) = target else { return };
    for (name, value) in patch {
        if value.is_null() {
            object.remove(name);
        } else {
            merge(object.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

/// RFC 6902.
pub(super) fn json(target: &mut Value, operations: &Value) -> Result<(), String> {
    for operation in operations.as_array().into_iter().flatten() {
        let path = operation["path"].as_str().unwrap_or_default();
        let value = operation.get("value").cloned().unwrap_or_default();
        match operation["op"].as_str().unwrap_or_default() {
            "add" => add(target, path, value)?,
            "remove" => drop(take(target, path)?),
            "replace" => replace(target, path, value)?,
            "move" => {
                let value = take(target, operation["from"].as_str().unwrap_or_default())?;
                add(target, path, value)?;
            }
            "copy" => {
                let from = operation["from"].as_str().unwrap_or_default();
                let value = target.pointer(from).cloned().ok_or_else(|| missing("copy", from))?;
                add(target, path, value)?;
            }
            "test" => {
                if target.pointer(path).cloned().unwrap_or_default() != value {
                    return Err(format!("testing value {path} failed: test failed"));
                }
            }
            other => return Err(format!("Unexpected kind: {other}")),
        }
    }
    Ok(())
}

fn missing(operation: &str, path: &str) -> String {
    format!("{operation} operation does not apply: doc is missing path: {path}: missing value")
}

fn split(path: &str) -> Option<(&str, String)> {
    let (parent, last) = path.rsplit_once('/')?;
    Some((parent, last.replace("~1", "/").replace("~0", "~")))
}

fn add(target: &mut Value, path: &str, value: Value) -> Result<(), String> {
    if path.is_empty() {
        *target = value;
        return Ok(());
    }
    let (parent, last) = split(path).ok_or_else(|| missing("add", path))?;
    match target.pointer_mut(parent) {
        Some(Value::Object(object)) => drop(object.insert(last, value)),
        Some(Value::Array(values)) if last == "-" => values.push(value),
        Some(Value::Array(values)) => {
            let index = last
                .parse()
                .ok()
                .filter(|index| *index <= values.len())
                .ok_or_else(|| missing("add", path))?;
            values.insert(index, value);
        }
        _ => return Err(missing("add", path)),
    }
    Ok(())
}

/// A field that is not there is added, as the library of the API server does.
fn replace(target: &mut Value, path: &str, value: Value) -> Result<(), String> {
    let (parent, last) = split(path).ok_or_else(|| missing("replace", path))?;
    match target.pointer_mut(parent) {
        Some(Value::Object(object)) => drop(object.insert(last, value)),
        Some(Value::Array(values)) => {
            let place = last.parse().ok().and_then(|index: usize| values.get_mut(index));
            *place.ok_or_else(|| missing("replace", path))? = value;
        }
        _ => return Err(missing("replace", path)),
    }
    Ok(())
}

fn take(target: &mut Value, path: &str) -> Result<Value, String> {
    let (parent, last) = split(path).ok_or_else(|| missing("remove", path))?;
    let taken = match target.pointer_mut(parent) {
        Some(Value::Object(object)) => object.remove(&last),
        Some(Value::Array(values)) => {
            last.parse().ok().filter(|index| *index < values.len()).map(|index| values.remove(index))
        }
        _ => None,
    };
    taken.ok_or_else(|| missing("remove", path))
}

/// Kubernetes' own: lists are merged by a key if the type says so, and directives that begin with `$` say more.
pub(super) fn strategic(schema: &Schema, target: &mut Value, patch: &Value) -> Result<(), String> {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return Ok(());
    };
    if !target.is_object() {
        *target = Value::Object(Object::new());
    }
    let Value::Object(object) = target else { return Ok(()) };
    match patch.get("$patch").and_then(Value::as_str) {
        Some("replace") => {
            *object = patch
                .iter()
                .filter(|(name, _)| *name != "$patch")
                .map(|(n, v)| (n.clone(), v.clone()))
                .collect();
            return Ok(());
        }
        Some("delete") => {
            object.clear();
            return Ok(());
        }
        _ => {}
    }
    if let Some(Value::Array(keys)) = patch.get("$retainKeys") {
        object.retain(|name, _| keys.iter().any(|key| key == name));
    }
    let directive = |name: &str| name.starts_with('$') && !name.starts_with("$deleteFromPrimitiveList/");
    for (name, value) in patch.iter().filter(|(name, _)| !directive(name)) {
        if let Some(list) = name.strip_prefix("$deleteFromPrimitiveList/") {
            let gone = value.as_array().cloned().unwrap_or_default();
            if let Some(Value::Array(values)) = object.get_mut(list) {
                values.retain(|value| !gone.contains(value));
            }
        } else if value.is_null() {
            object.remove(name);
        } else {
            let field = match &schema.shape {
                Shape::Map(map) => map.fields.get(name),
                _ => None,
            };
            let below = schema.under(name).cloned().unwrap_or_default();
            let place = object.entry(name.clone()).or_insert(Value::Null);
            strategic_field(field, &below, place, value)?;
        }
    }
    Ok(())
}

fn strategic_field(
    field: Option<&Field>,
    schema: &Schema,
    place: &mut Value,
    patch: &Value,
) -> Result<(), String> {
    if field.is_some_and(|field| field.replace) {
        *place = without_directives(patch);
        return Ok(());
    }
    match (patch, field.and_then(|field| field.merge_key.as_ref())) {
        (Value::Object(_), _) => strategic(schema, place, patch),
        (Value::Array(patches), Some(key)) => {
            let Shape::List { items, .. } = &schema.shape else { return Ok(()) };
            let Value::Array(values) = place else {
                *place = new_list(items, patches)?;
                return Ok(());
            };
            merge_list(items, key, values, patches)
        }
        _ => {
            *place = patch.clone();
            Ok(())
        }
    }
}

fn without_directives(value: &Value) -> Value {
    let mut value = value.clone();
    if let Value::Object(object) = &mut value {
        object.retain(|name, _| !name.starts_with('$'));
    }
    value
}

/// A list where there was none is taken as it is, also if several of its items have the same key.
fn new_list(items: &Schema, patches: &[Value]) -> Result<Value, String> {
    let kept = patches.iter().filter(|patch| patch.get("$patch").is_none());
    let values = kept.map(|patch| {
        let mut value = Value::Null;
        strategic(items, &mut value, patch).map(|()| value)
    });
    values.collect::<Result<Vec<_>, _>>().map(Value::Array)
}

fn merge_list(items: &Schema, key: &str, values: &mut Vec<Value>, patches: &[Value]) -> Result<(), String> {
    let known = values.len();
    if key.is_empty() {
        for patch in patches {
            if !values.contains(patch) {
                values.push(patch.clone());
            }
        }
        order(key, values, &patches.iter().collect::<Vec<_>>(), known);
        return Ok(());
    }
    if patches.iter().any(|patch| patch["$patch"] == "replace") {
        *values = patches.iter().filter(|patch| patch.get("$patch").is_none()).cloned().collect();
        return Ok(());
    }
    for patch in patches {
        let Some(wanted) = patch.get(key) else {
            return Err(format!("map: {patch} does not contain declared merge key: {key}"));
        };
        if patch["$patch"] == "delete" {
            values.retain(|value| value.get(key) != Some(wanted));
        }
    }
    let known = values.len();
    let rest = patches.iter().filter(|patch| patch["$patch"] != "delete");
    let rest: Vec<_> = rest.collect();
    for patch in &rest {
        if let Some(value) = values.iter_mut().find(|value| value.get(key) == patch.get(key)) {
            strategic(items, value, patch)?;
        } else {
            let mut value = Value::Null;
            strategic(items, &mut value, patch)?;
            values.push(value);
        }
    }
    order(key, values, &rest, known);
    Ok(())
}

/// Items of the patch come in its order. Those that were only on the server, of which the first `known` are, stand before
/// one of the patch if they did so before.
fn order(key: &str, values: &mut Vec<Value>, patches: &[&Value], known: usize) {
    let same = |one: &Value, other: &Value| {
        if key.is_empty() { one == other } else { one.get(key) == other.get(key) }
    };
    let place = |value: &Value| patches.iter().position(|one| same(one, value));
    let (mut wanted, others): (Vec<_>, Vec<_>) =
        values.drain(..).enumerate().partition(|(_, value)| place(value).is_some());
    wanted.sort_by_key(|(_, value)| place(value));
    let (mut wanted, mut others) = (wanted.into_iter().peekable(), others.into_iter().peekable());
    loop {
        let from_others = match (wanted.peek(), others.peek()) {
            (Some((wanted, _)), Some((other, _))) => *wanted < known && other < wanted,
            (None, Some(_)) => true,
            (Some(_), None) => false,
            (None, None) => break,
        };
        let next = if from_others { others.next() } else { wanted.next() };
        values.extend(next.map(|(_, value)| value));
    }
}

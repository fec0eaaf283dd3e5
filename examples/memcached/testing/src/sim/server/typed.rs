//! Values with a type: which fields they have, how two differ, how two are merged, and a value without some fields. The
//! rules are those of Kubernetes' structured merge.

use std::collections::BTreeMap;

use serde_json::{Map as Object, Value};

use super::field_set::FieldSet;
use super::schema::{Map, Relation, Schema, Shape};

/// What a comparison found.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    pub(super) removed: FieldSet,
    pub(super) modified: FieldSet,
    pub(super) added: FieldSet,
}

/// How a value of a schema is walked: `null` may stand for anything.
enum Walk<'a> {
    Leaf,
    List(&'a Schema, &'a Relation),
    Map(&'a Map),
    /// A map of anything.
    Open,
}

fn walk<'a>(schema: &'a Schema, value: Option<&Value>) -> Walk<'a> {
    match &schema.shape {
        Shape::Scalar(_) | Shape::List { relation: Relation::Atomic, .. } => Walk::Leaf,
        Shape::List { items, relation } => Walk::List(items, relation),
        Shape::Map(map) if map.atomic => Walk::Leaf,
        Shape::Map(map) => Walk::Map(map),
        Shape::Any => match value {
            Some(Value::Object(_) | Value::Null) | None => Walk::Open,
            Some(_) => Walk::Leaf,
        },
    }
}

pub(super) fn field(name: &str) -> String {
    format!("f:{name}")
}

/// The path element of an item of a list that is no single value.
pub(super) fn item(items: &Schema, relation: &Relation, value: &Value) -> Result<String, String> {
    let Relation::Map(keys) = relation else {
        return match value {
            Value::Object(_) => {
                Err("associative list without keys has an element that's a map type".to_owned())
            }
            Value::Array(_) => Err("not supported: associative list with lists as elements".to_owned()),
            Value::Null => {
                Err("associative list without keys has an element that's an explicit null".to_owned())
            }
            _ => Ok(format!("v:{value}")),
        };
    };
    let Value::Object(object) = value else {
        return Err("associative list with keys may not have non-map elements".to_owned());
    };
    let mut key = BTreeMap::new();
    for name in keys {
        let default = || match &items.shape {
            Shape::Map(map) => map.fields.get(name).and_then(|field| field.default.as_ref()),
            _ => None,
        };
        if let Some(value) = object.get(name).or_else(default) {
            key.insert(name, value);
        }
    }
    if key.is_empty() {
        let names = keys.join(" ");
        return Err(format!("associative list with keys has an element that omits all key fields [{names}]"));
    }
    Ok(format!("k:{}", serde_json::to_string(&key).unwrap_or_default()))
}

/// Every leaf and item of `value`.
pub(super) fn fields_of(schema: &Schema, value: &Value) -> FieldSet {
    let mut set = FieldSet::default();
    collect(schema, value, &mut Vec::new(), &mut set);
    set
}

fn collect(schema: &Schema, value: &Value, path: &mut Vec<String>, set: &mut FieldSet) {
    match (walk(schema, Some(value)), value) {
        (Walk::Leaf, _) => set.insert(path),
        (Walk::List(items, relation), Value::Array(values)) => {
            let elements: Vec<_> =
                values.iter().map(|value| item(items, relation, value).unwrap_or_default()).collect();
            for (element, value) in elements.iter().zip(values) {
                path.push(element.clone());
                set.insert(path);
                // Of duplicates nothing but their being there is known.
                if elements.iter().filter(|other| *other == element).count() == 1 {
                    collect(items, value, path, set);
                }
                path.pop();
            }
        }
        (Walk::Map(map), Value::Object(object)) => {
            for (name, value) in object {
                let declared = map.fields.contains_key(name);
                path.push(field(name));
                if let Some(below) = map.under(name) {
                    collect(below, value, path, set);
                }
                if !declared || value.is_null() || value.as_object().is_some_and(Object::is_empty) {
                    set.insert(path);
                }
                path.pop();
            }
        }
        (Walk::Open, Value::Object(object)) => {
            for (name, value) in object {
                path.push(field(name));
                collect(schema, value, path, set);
                set.insert(path);
                path.pop();
            }
        }
        _ => {}
    }
}

/// What differs between two values.
pub(super) fn compare(schema: &Schema, left: &Value, right: &Value) -> Comparison {
    let mut found = Comparison::default();
    differ(schema, Some(left), Some(right), &mut Vec::new(), &mut found);
    found
}

fn is_empty(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::Object(object)) => object.is_empty(),
        Some(Value::Array(values)) => values.is_empty(),
        Some(_) => false,
    }
}

fn leaf(left: Option<&Value>, right: Option<&Value>, path: &[String], found: &mut Comparison) {
    match (left, right) {
        (None, _) => found.added.insert(path),
        (_, None) => found.removed.insert(path),
        (Some(left), Some(right)) if left != right => found.modified.insert(path),
        _ => {}
    }
}

fn differ(
    schema: &Schema,
    left: Option<&Value>,
    right: Option<&Value>,
    path: &mut Vec<String>,
    found: &mut Comparison,
) {
    if let (Shape::Any, Some(left), Some(right)) = (&schema.shape, left, right)
        && left.is_object() != right.is_object()
        && !left.is_null()
        && !right.is_null()
    {
        // Two forms of one value: both are walked.
        if left.is_object() {
            differ_open(schema, left.as_object(), None, path, found);
        } else {
            differ_open(schema, None, right.as_object(), path, found);
        }
        found.modified.insert(path);
        return;
    }
    let decisive = right.filter(|value| !value.is_null()).or(left);
    let walked = walk(schema, decisive);
    if matches!(walked, Walk::Leaf) || is_empty(left) && is_empty(right) {
        leaf(left, right, path, found);
        return;
    }
    match walked {
        Walk::Leaf => {}
        Walk::List(items, relation) => {
            let array =
                |value: Option<&'_ Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
            differ_list(items, relation, &array(left), &array(right), path, found);
        }
        Walk::Map(map) => {
            for (name, left, right) in zip(left.and_then(Value::as_object), right.and_then(Value::as_object))
            {
                let Some(below) = map.under(name) else { continue };
                path.push(field(name));
                differ(below, left, right, path, found);
                path.pop();
            }
        }
        Walk::Open => {
            differ_open(
                schema,
                left.and_then(Value::as_object),
                right.and_then(Value::as_object),
                path,
                found,
            );
        }
    }
    if left.is_none() {
        found.added.insert(path);
    } else if right.is_none() {
        found.removed.insert(path);
    }
}

fn differ_open(
    schema: &Schema,
    left: Option<&Object<String, Value>>,
    right: Option<&Object<String, Value>>,
    path: &mut Vec<String>,
    found: &mut Comparison,
) {
    for (name, left, right) in zip(left, right) {
        path.push(field(name));
        differ(schema, left, right, path, found);
        path.pop();
    }
}

type Pair<'a> = (&'a String, Option<&'a Value>, Option<&'a Value>);

/// The fields of both objects, sorted by name.
fn zip<'a>(
    left: Option<&'a Object<String, Value>>,
    right: Option<&'a Object<String, Value>>,
) -> Vec<Pair<'a>> {
    let mut pairs: Vec<Pair<'a>> = Vec::new();
    for (name, value) in left.into_iter().flatten() {
        pairs.push((name, Some(value), right.and_then(|right| right.get(name))));
    }
    for (name, value) in right.into_iter().flatten() {
        if left.is_none_or(|left| !left.contains_key(name)) {
            pairs.push((name, None, Some(value)));
        }
    }
    pairs
}

fn differ_list(
    items: &Schema,
    relation: &Relation,
    left: &[Value],
    right: &[Value],
    path: &mut Vec<String>,
    found: &mut Comparison,
) {
    let mut grouped: BTreeMap<String, [Vec<&Value>; 2]> = BTreeMap::new();
    for (side, values) in [left, right].into_iter().enumerate() {
        for value in values {
            if let Ok(element) = item(items, relation, value) {
                grouped.entry(element).or_default()[side].push(value);
            }
        }
    }
    for (element, [left, right]) in grouped {
        path.push(element);
        match (left.len(), right.len()) {
            (0 | 1, 0 | 1) => differ(items, left.first().copied(), right.first().copied(), path, found),
            (2.., 2..) => {
                if left != right {
                    found.modified.insert(path);
                }
            }
            (2.., _) => {
                if let Some(right) = right.first() {
                    differ(items, None, Some(right), path, found);
                }
                found.removed.insert(path);
            }
            _ => {
                if let Some(left) = left.first() {
                    differ(items, Some(left), None, path, found);
                }
                found.added.insert(path);
            }
        }
        path.pop();
    }
}

/// Both values in one, where `right` wins. Nothing if nothing is left.
pub(super) fn merge(schema: &Schema, left: Option<&Value>, right: Option<&Value>) -> Option<Value> {
    let keep = || right.or(left).cloned();
    let decisive = right.filter(|value| !value.is_null()).or(left);
    let walked = walk(schema, decisive);
    if matches!(walked, Walk::Leaf) || is_empty(left) && is_empty(right) {
        return keep();
    }
    match walked {
        Walk::Leaf => keep(),
        Walk::List(items, relation) => {
            let array = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
            let merged = merge_list(items, relation, &array(left), &array(right));
            (!merged.is_empty()).then_some(Value::Array(merged))
        }
        Walk::Map(map) => merge_objects(left, right, |name| map.under(name).map(AsRef::as_ref)),
        Walk::Open => merge_objects(left, right, |_| Some(schema)),
    }
}

fn merge_objects<'a>(
    left: Option<&Value>,
    right: Option<&Value>,
    below: impl Fn(&str) -> Option<&'a Schema>,
) -> Option<Value> {
    let mut merged = Object::new();
    for (name, left, right) in zip(left.and_then(Value::as_object), right.and_then(Value::as_object)) {
        let value = match below(name) {
            Some(schema) => merge(schema, left, right),
            None => right.or(left).cloned(),
        };
        if let Some(value) = value {
            merged.insert(name.clone(), value);
        }
    }
    (!merged.is_empty()).then_some(Value::Object(merged))
}

/// The items of `right` in its order, those of `left` between them where they were.
fn merge_list(items: &Schema, relation: &Relation, left: &[Value], right: &[Value]) -> Vec<Value> {
    let elements = |values: &[Value]| -> Vec<String> {
        values.iter().map(|value| item(items, relation, value).unwrap_or_default()).collect()
    };
    let (left_elements, right_elements) = (elements(left), elements(right));
    let only = |element: &String| {
        let mut found = left_elements.iter().zip(left).filter(|(other, _)| *other == element);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(value),
            // Duplicates are not merged with anything.
            (Some(_), Some(_)) => Some(&Value::Null),
            _ => None,
        }
    };
    let mut shared = right_elements.iter().filter(|element| left_elements.contains(element));
    let mut next_shared = shared.next();
    let mut merged: Vec<&String> = Vec::new();
    let mut out = Vec::new();
    let (mut at_left, mut at_right) = (0, 0);
    while at_left < left.len() || at_right < right.len() {
        if at_left < left.len() && at_right < right.len() {
            let element = &left_elements[at_left];
            if *element == right_elements[at_right] {
                merged.push(element);
                out.extend(merge(items, only(element), Some(&right[at_right])));
                at_left += 1;
                at_right += 1;
                next_shared = shared.next();
                continue;
            }
            if right_elements.contains(element) && next_shared.is_some_and(|next| next != element) {
                at_left += 1;
                continue;
            }
        }
        if at_left < left.len() {
            let element = &left_elements[at_left];
            if !right_elements.contains(element) {
                out.extend(merge(items, Some(&left[at_left]), None));
                at_left += 1;
                continue;
            } else if merged.contains(&element) {
                at_left += 1;
            }
        }
        if at_right < right.len() {
            let element = &right_elements[at_right];
            merged.push(element);
            out.extend(merge(items, only(element), Some(&right[at_right])));
            at_right += 1;
            if next_shared == Some(element) {
                next_shared = shared.next();
            }
        }
    }
    out
}

/// `value` without the items and fields of `set`. Nothing if nothing is left of a container.
pub(super) fn remove(schema: &Schema, value: &Value, set: &FieldSet) -> Option<Value> {
    match (walk(schema, Some(value)), value) {
        (Walk::List(items, relation), Value::Array(values)) => {
            let left = values.iter().filter_map(|value| {
                let element = item(items, relation, value).unwrap_or_default();
                if set.has(&element) {
                    return None;
                }
                Some(match set.below(&element) {
                    Some(below) => remove(items, value, below).unwrap_or_default(),
                    None => value.clone(),
                })
            });
            let left: Vec<_> = left.collect();
            (!left.is_empty()).then_some(Value::Array(left))
        }
        (Walk::Map(map), Value::Object(object)) => {
            remove_fields(object, set, |name| map.under(name).map(AsRef::as_ref))
        }
        (Walk::Open, Value::Object(object)) => remove_fields(object, set, |_| Some(schema)),
        (Walk::Leaf, _) if matches!(schema.shape, Shape::Scalar(_) | Shape::Any) && !value.is_array() => {
            Some(value.clone())
        }
        _ => None,
    }
}

fn remove_fields<'a>(
    object: &Object<String, Value>,
    set: &FieldSet,
    below: impl Fn(&str) -> Option<&'a Schema>,
) -> Option<Value> {
    let mut left = Object::new();
    for (name, value) in object {
        let element = field(name);
        if set.has(&element) {
            continue;
        }
        let value = match (set.below(&element), below(name)) {
            (Some(below), Some(schema)) => remove(schema, value, below).unwrap_or_default(),
            _ => value.clone(),
        };
        left.insert(name.clone(), value);
    }
    (!left.is_empty()).then_some(Value::Object(left))
}

/// What an applied object may not have: fields that are not declared, values of another type, and items twice.
pub(super) fn check(schema: &Schema, value: &Value) -> Result<(), String> {
    check_at(schema, value, "", false)
}

/// Whether everything in an object is of its type; items may be there twice.
pub(super) fn fits(schema: &Schema, value: &Value) -> bool {
    check_at(schema, value, "", true).is_ok()
}

fn check_at(schema: &Schema, value: &Value, path: &str, repeats: bool) -> Result<(), String> {
    let mismatch = |expected: &str| Err(format!("{path}: expected {expected}, got &{{{value}}}"));
    match (&schema.shape, value) {
        (_, Value::Null) | (Shape::Any, _) => Ok(()),
        (Shape::Scalar(scalar), _) => {
            use super::schema::Scalar::{Boolean, IntOrString, Integer, Number, Quantity};
            let (fits, expected) = match scalar {
                Integer | Number => (value.is_number(), "numeric (int or float)"),
                Boolean => (value.is_boolean(), "boolean"),
                IntOrString | Quantity => (!value.is_object() && !value.is_array(), "scalar"),
                _ => (value.is_string(), "string"),
            };
            if fits { Ok(()) } else { mismatch(expected) }
        }
        (Shape::List { items, relation }, Value::Array(values)) => {
            let mut seen = Vec::new();
            for (index, value) in values.iter().enumerate() {
                let mut place = format!("{path}[{index}]");
                if *relation != Relation::Atomic {
                    let element = item(items, relation, value)
                        .map_err(|error| format!("{path}: element {index}: {error}"))?;
                    if !repeats && seen.contains(&element) {
                        return Err(format!("{path}: duplicate entries for key {element}"));
                    }
                    place = format!("{path}{element}");
                    seen.push(element);
                }
                check_at(items, value, &place, repeats)?;
            }
            Ok(())
        }
        (Shape::List { .. }, _) => mismatch("list"),
        (Shape::Map(map), Value::Object(object)) => object.iter().try_for_each(|(name, value)| {
            let place = format!("{path}.{name}");
            match map.under(name) {
                Some(below) => check_at(below, value, &place, repeats),
                None => Err(format!("{place}: field not declared in schema")),
            }
        }),
        (Shape::Map(_), _) => mismatch("map"),
    }
}

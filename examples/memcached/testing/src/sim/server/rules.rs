//! What the schema of a definition asks of a value, beyond its shape: reads it, prunes what it does not name, fills in its
//! defaults and checks it.

use std::collections::BTreeMap;
use std::sync::Arc;

use regex::Regex;
use serde_json::{Map as Object, Value};

use super::schema::{Field, Map, Relation, Scalar, Schema, Shape};
use super::status::Invalid;
use super::types;

/// The rules for one value.
#[expect(clippy::struct_excessive_bools, reason = "each is a word of its own in a definition")]
#[derive(Debug, Default)]
pub(super) struct Rules {
    kind: String,
    default: Option<Value>,
    nullable: bool,
    /// Keeps what is not named.
    open: bool,
    embedded: bool,
    required: Vec<String>,
    numbers: Bounds,
    lengths: Bounds,
    items: Bounds,
    properties: Bounds,
    multiple_of: Option<f64>,
    pattern: Option<Regex>,
    choices: Vec<Value>,
    unique: bool,
    format: String,
    all: Vec<Arc<Schema>>,
    any: Vec<Arc<Schema>>,
    one: Vec<Arc<Schema>>,
    not: Option<Arc<Schema>>,
}

#[derive(Debug, Default)]
struct Bounds {
    least: Option<f64>,
    most: Option<f64>,
    above: bool,
    below: bool,
}

/// The type that `openAPIV3Schema` describes; of the whole object if `root`.
pub(super) fn read(source: &Value, root: bool) -> Result<Arc<Schema>, String> {
    let text = |name: &str| source[name].as_str().unwrap_or_default().to_owned();
    let truth = |name: &str| source[name] == true;
    let preserve = truth("x-kubernetes-preserve-unknown-fields");
    let embedded = truth("x-kubernetes-embedded-resource");
    let int_or_string = truth("x-kubernetes-int-or-string");
    let kind = text("type");
    let shape = match kind.as_str() {
        _ if int_or_string => Shape::Scalar(Scalar::IntOrString),
        "string" => Shape::Scalar(Scalar::String),
        "integer" => Shape::Scalar(Scalar::Integer),
        "number" => Shape::Scalar(Scalar::Number),
        "boolean" => Shape::Scalar(Scalar::Boolean),
        "array" => {
            let keys = source["x-kubernetes-list-map-keys"].as_array().into_iter().flatten();
            let keys: Vec<_> = keys.filter_map(Value::as_str).map(str::to_owned).collect();
            let relation = match source["x-kubernetes-list-type"].as_str() {
                Some("set") => Relation::Set,
                Some("map") => Relation::Map(keys),
                _ => Relation::Atomic,
            };
            Shape::List { items: read(&source["items"], false)?, relation }
        }
        "object" => {
            let mut fields = BTreeMap::new();
            for (name, property) in source["properties"].as_object().into_iter().flatten() {
                fields.insert(name.clone(), plain(read(property, false)?, property["default"].clone()));
            }
            if root || embedded {
                fields.insert(
                    "apiVersion".to_owned(),
                    plain(Schema::new(Shape::Scalar(Scalar::String)), Value::Null),
                );
                fields.insert(
                    "kind".to_owned(),
                    plain(Schema::new(Shape::Scalar(Scalar::String)), Value::Null),
                );
                fields.insert("metadata".to_owned(), plain(types::named("meta.v1.ObjectMeta"), Value::Null));
            }
            let element = match &source["additionalProperties"] {
                Value::Object(_) => Some(read(&source["additionalProperties"], false)?),
                Value::Bool(true) => Some(Arc::default()),
                _ if preserve || fields.is_empty() => Some(Arc::default()),
                _ => None,
            };
            let atomic = source["x-kubernetes-map-type"] == "atomic";
            Shape::Map(Map { fields, element, atomic })
        }
        "" => Shape::Any,
        other => return Err(format!("`{other}` is no type of OpenAPI")),
    };
    let list = |name: &str| -> Result<Vec<Arc<Schema>>, String> {
        source[name].as_array().into_iter().flatten().map(|part| read(part, false)).collect()
    };
    let bounds = |least: &str, most: &str| Bounds {
        least: source[least].as_f64(),
        most: source[most].as_f64(),
        above: truth("exclusiveMinimum"),
        below: truth("exclusiveMaximum"),
    };
    let pattern = source["pattern"].as_str().map(Regex::new).transpose();
    let rules = Rules {
        default: source.get("default").cloned(),
        nullable: truth("nullable"),
        open: preserve || source["additionalProperties"] == true,
        embedded,
        required: strings(&source["required"]),
        numbers: bounds("minimum", "maximum"),
        lengths: bounds("minLength", "maxLength"),
        items: bounds("minItems", "maxItems"),
        properties: bounds("minProperties", "maxProperties"),
        multiple_of: source["multipleOf"].as_f64(),
        pattern: pattern.map_err(|error| error.to_string())?,
        choices: source["enum"].as_array().cloned().unwrap_or_default(),
        unique: truth("uniqueItems"),
        format: text("format"),
        all: list("allOf")?,
        any: list("anyOf")?,
        one: list("oneOf")?,
        not: source["not"].is_object().then(|| read(&source["not"], false)).transpose()?,
        kind: if int_or_string { "int-or-string".to_owned() } else { kind },
    };
    Ok(Arc::new(Schema { shape, rules: Some(Box::new(rules)) }))
}

fn plain(schema: Arc<Schema>, default: Value) -> Field {
    let default = (!default.is_null()).then_some(default);
    Field { schema, pointer: true, always: false, default, merge_key: None, replace: false }
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Takes out what the schema does not name; paths of it go to `gone`.
pub(super) fn prune(schema: &Schema, value: &mut Value, path: &str, gone: &mut Vec<String>) {
    let Some(rules) = &schema.rules else { return };
    match (&schema.shape, value) {
        (Shape::Map(map), Value::Object(object)) => {
            let names: Vec<_> = object.keys().cloned().collect();
            for name in names {
                let place = format!("{path}.{name}");
                let envelope = (path.is_empty() || rules.embedded)
                    && matches!(name.as_str(), "apiVersion" | "kind" | "metadata");
                if let Some(field) = map.fields.get(&name) {
                    if !envelope && let Some(value) = object.get_mut(&name) {
                        prune(&field.schema, value, &place, gone);
                    }
                } else if let Some(element) = map.element.as_ref().filter(|element| element.rules.is_some()) {
                    if let Some(value) = object.get_mut(&name) {
                        prune(element, value, &place, gone);
                    }
                } else if !rules.open {
                    object.remove(&name);
                    gone.push(format!("unknown field \"{}\"", place.trim_start_matches('.')));
                }
            }
        }
        (Shape::List { items, .. }, Value::Array(values)) => {
            for (index, value) in values.iter_mut().enumerate() {
                prune(items, value, &format!("{path}[{index}]"), gone);
            }
        }
        _ => {}
    }
}

/// Fills in defaults; a null where none is allowed counts as absent.
pub(super) fn default(schema: &Schema, value: &mut Value) {
    match (&schema.shape, value) {
        (Shape::Map(map), Value::Object(object)) => {
            for (name, field) in &map.fields {
                let Some(rules) = &field.schema.rules else { continue };
                let Some(default) = &rules.default else { continue };
                let absent = match object.get(name) {
                    None => true,
                    Some(Value::Null) => !rules.nullable,
                    Some(_) => false,
                };
                if absent {
                    object.insert(name.clone(), default.clone());
                }
            }
            for (name, value) in object.iter_mut() {
                if let Some(below) = map.under(name).filter(|below| below.rules.is_some()) {
                    if value.is_null()
                        && let Some(rules) = &below.rules
                        && !map.fields.contains_key(name)
                        && !rules.nullable
                        && let Some(given) = &rules.default
                    {
                        *value = given.clone();
                    }
                    default(below, value);
                }
            }
        }
        (Shape::List { items, .. }, Value::Array(values)) => {
            for value in values {
                if value.is_null()
                    && let Some(rules) = &items.rules
                    && !rules.nullable
                    && let Some(given) = &rules.default
                {
                    *value = given.clone();
                }
                default(items, value);
            }
        }
        _ => {}
    }
}

/// Takes out nulls where none is allowed and no default stands in for them.
pub(super) fn drop_nulls(schema: &Schema, value: &mut Value) {
    match (&schema.shape, value) {
        (Shape::Map(map), Value::Object(object)) => {
            object.retain(|name, value| {
                let rules = map.fields.get(name).and_then(|field| field.schema.rules.as_ref());
                !value.is_null() || rules.is_none_or(|rules| rules.nullable)
            });
            for (name, value) in object.iter_mut() {
                if let Some(below) = map.under(name) {
                    drop_nulls(below, value);
                }
            }
        }
        (Shape::List { items, .. }, Value::Array(values)) => {
            for value in values {
                drop_nulls(items, value);
            }
        }
        _ => {}
    }
}

/// Everything that is wrong with `value`.
pub(super) fn check(schema: &Schema, value: &Value, path: &str, errors: &mut Vec<Invalid>) {
    let Some(rules) = &schema.rules else { return };
    if value.is_null() {
        if !rules.nullable && !rules.kind.is_empty() {
            errors.push(wrong_type(path, rules, "null"));
        }
        return;
    }
    let fits = match rules.kind.as_str() {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "int-or-string" => value.is_string() || value.as_f64().is_some_and(|number| number.fract() == 0.0),
        _ => true,
    };
    if !fits {
        errors.push(wrong_type(path, rules, kind_of(value)));
        if rules.kind == "integer" && value.is_number() {
            // Said twice, the second time without a place.
            errors.push(Invalid::value("<nil>", &"".into(), "Checked value must be of type integer"));
        }
        return;
    }
    let before = errors.len();
    match value {
        Value::Number(number) => rules.number(number.as_f64().unwrap_or_default(), path, errors),
        Value::String(text) => rules.string(text, path, errors),
        Value::Array(values) => {
            rules.count(values.len(), path, errors);
            if let Shape::List { items, relation } = &schema.shape {
                for (index, value) in values.iter().enumerate() {
                    check(items, value, &format!("{path}[{index}]"), errors);
                }
                let _ = relation;
            }
        }
        Value::Object(object) => {
            rules.object(object, path, errors);
            if let Shape::Map(map) = &schema.shape {
                for (name, value) in object {
                    if let Some(below) = map.under(name) {
                        let place = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                        check(below, value, &place, errors);
                    }
                }
            }
        }
        _ => {}
    }
    if !rules.choices.is_empty() && !rules.choices.contains(value) {
        let choices: Vec<_> = rules.choices.iter().map(Value::to_string).collect();
        errors.push(Invalid::new(
            "FieldValueNotSupported",
            path,
            format!("Unsupported value: {value}: supported values: {}", choices.join(", ")),
        ));
    }
    if errors.len() == before {
        rules.combined(value, path, errors);
    }
}

/// Sets and lists with keys that have something twice.
pub(super) fn check_lists(schema: &Schema, value: &Value, path: &str, errors: &mut Vec<Invalid>) {
    if schema.rules.is_none() {
        return;
    }
    match (&schema.shape, value) {
        (Shape::List { items, relation }, Value::Array(values)) => {
            if *relation != Relation::Atomic {
                let mut seen = Vec::new();
                for (index, value) in values.iter().enumerate() {
                    // Kept as it is said here: keys that are absent are the same.
                    let key = match relation {
                        Relation::Map(keys) => {
                            keys.iter().map(|key| value[key].clone()).collect::<Vec<_>>().into()
                        }
                        _ => value.clone(),
                    };
                    if seen.contains(&key) {
                        let place = format!("{path}[{index}]");
                        errors.push(Invalid::new(
                            "FieldValueDuplicate",
                            place,
                            format!("Duplicate value: {value}"),
                        ));
                    }
                    seen.push(key);
                }
            }
            for (index, value) in values.iter().enumerate() {
                check_lists(items, value, &format!("{path}[{index}]"), errors);
            }
        }
        (Shape::Map(map), Value::Object(object)) => {
            for (name, value) in object {
                if let Some(below) = map.under(name) {
                    let place = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    check_lists(below, value, &place, errors);
                }
            }
        }
        _ => {}
    }
}

fn wrong_type(path: &str, rules: &Rules, found: &str) -> Invalid {
    let kind = if rules.kind == "int-or-string" { "integer,string" } else { &rules.kind };
    let why = format!("Invalid value: \"{found}\": {path} in body must be of type {kind}: \"{found}\"");
    Invalid::new("FieldValueTypeInvalid", path, why)
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

impl Rules {
    fn number(&self, number: f64, path: &str, errors: &mut Vec<Invalid>) {
        let mut wrong = |why: String| errors.push(Invalid::value(path, &number.into(), &why));
        if let Some(least) = self.numbers.least
            && (number < least || self.numbers.above && number <= least)
        {
            wrong(format!("{path} in body should be greater than or equal to {least}"));
        }
        if let Some(most) = self.numbers.most
            && (number > most || self.numbers.below && number >= most)
        {
            wrong(format!("{path} in body should be less than or equal to {most}"));
        }
        if let Some(unit) = self.multiple_of
            && (number / unit).fract() != 0.0
        {
            wrong(format!("{path} in body should be a multiple of {unit}"));
        }
        let range = match self.format.as_str() {
            "int32" => Some((f64::from(i32::MIN), f64::from(i32::MAX))),
            _ => None,
        };
        if let Some((least, most)) = range
            && !(least..=most).contains(&number)
        {
            wrong(format!("{path} in body should be within the range of {}", self.format));
        }
    }

    fn string(&self, text: &str, path: &str, errors: &mut Vec<Invalid>) {
        #[expect(clippy::cast_precision_loss, reason = "no text is that long")]
        let length = text.chars().count() as f64;
        let value = Value::from(text);
        if let Some(most) = self.lengths.most.filter(|most| length > *most) {
            errors.push(Invalid::new(
                "FieldValueTooLong",
                path,
                format!("Too long: may not be more than {most} bytes"),
            ));
        }
        if let Some(least) = self.lengths.least.filter(|least| length < *least) {
            let why = format!("{path} in body should be at least {least} chars long");
            errors.push(Invalid::value(path, &value, &why));
        }
        if let Some(pattern) = self.pattern.as_ref().filter(|pattern| !pattern.is_match(text)) {
            errors.push(Invalid::value(path, &value, &format!("{path} in body should match '{pattern}'")));
        }
        if self.format == "date-time" && text.parse::<jiff::Timestamp>().is_err() {
            let why = format!("{path} in body must be of type date-time: \"{text}\"");
            errors.push(Invalid::value(path, &value, &why));
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "no list is that long")]
    fn count(&self, count: usize, path: &str, errors: &mut Vec<Invalid>) {
        if let Some(most) = self.items.most.filter(|most| count as f64 > *most) {
            let message = format!("Too many: {count}: must have at most {most} items");
            errors.push(Invalid::new("FieldValueTooMany", path, message));
        }
        if let Some(least) = self.items.least.filter(|least| (count as f64) < *least) {
            let why = format!("{path} in body should have at least {least} items");
            errors.push(Invalid::value(path, &count.into(), &why));
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "no object is that large")]
    fn object(&self, object: &Object<String, Value>, path: &str, errors: &mut Vec<Invalid>) {
        for name in &self.required {
            if !object.contains_key(name) {
                let place = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                errors.push(Invalid::required(place, ""));
            }
        }
        let count = object.len() as f64;
        if let Some(most) = self.properties.most.filter(|most| count > *most) {
            errors.push(Invalid::new(
                "FieldValueTooMany",
                path,
                format!("Too many: {count}: must have at most {most} items"),
            ));
        }
        if let Some(least) = self.properties.least.filter(|least| count < *least) {
            let why = format!("{path} in body should have at least {least} properties");
            errors.push(Invalid::value(path, &count.into(), &why));
        }
    }

    fn combined(&self, value: &Value, path: &str, errors: &mut Vec<Invalid>) {
        let holds = |schema: &Arc<Schema>| {
            let mut found = Vec::new();
            check(schema, value, path, &mut found);
            found.is_empty()
        };
        for schema in &self.all {
            check(schema, value, path, errors);
        }
        let any = self.any.is_empty() || self.any.iter().any(holds);
        let one = self.one.is_empty() || self.one.iter().filter(|schema| holds(schema)).count() == 1;
        if !any || !one || self.not.as_ref().is_some_and(holds) {
            errors.push(Invalid::value(
                path,
                value,
                &format!("{path} in body must validate the combined schemas"),
            ));
        }
        let _ = self.unique;
    }
}

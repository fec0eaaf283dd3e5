//! Paths into an object: of `/scale`, of selectable fields, of printer columns, of rules.
//!
//! The API server looks at few of them before they are used; here the field has to be there.

use std::collections::HashSet;

use serde_json::Value;

use super::findings::Findings;
use super::schema::Schema;
use super::structural::list;
use crate::limits::Budget;
use crate::manifests::crd::place::Place;

/// What [`find`] finds.
pub(super) enum Found<'a> {
    /// The field has this schema.
    Field(Schema<'a>),
    /// The schema does not say what is there, but keeps it.
    Anything,
    /// There is no such field.
    Nothing,
}

/// The schema that a path such as `.spec.replicas` leads to.
pub(super) fn find<'a>(root: Schema<'a>, names: &[&str]) -> Found<'a> {
    let mut schema = root;
    for (depth, name) in names.iter().enumerate() {
        schema = match (schema.property(name), schema.additional()) {
            (Some(property), _) => property,
            (None, Some(values)) => values,
            (None, None) if schema.preserves() || schema.is("additionalProperties") => {
                return Found::Anything;
            }
            // Its schema says nothing, though every object has metadata.
            (None, None) if depth == 1 && names[0] == "metadata" => return Found::Anything,
            (None, None) => return Found::Nothing,
        };
    }
    Found::Field(schema)
}

/// Checks the paths of a version.
pub(super) fn check(
    version: &Value,
    schema: Schema<'_>,
    place: &Place<'_>,
    work: &Budget,
    findings: &mut Findings,
) {
    if let Some(scale) = version.pointer("/subresources/scale").filter(|scale| scale.is_object()) {
        let has_status = version.pointer("/subresources/status").is_some_and(Value::is_object);
        for (key, roots, kind) in [
            ("specReplicasPath", &["spec"][..], "integer"),
            ("statusReplicasPath", &["status"], "integer"),
            ("labelSelectorPath", &["spec", "status"], "string"),
        ] {
            let path = scale[key].as_str().unwrap_or_default();
            if path.is_empty() && key == "labelSelectorPath" {
                continue;
            }
            scaled(schema, (key, path), roots, kind, place, findings);
        }
        if !has_status {
            let hint = "name the type of the status: `#[kube(status = \"…\")]`";
            findings.refuse(place, "can be scaled but has no status subresource", hint);
        }
    }
    let fields = version["selectableFields"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut seen = HashSet::new();
    for field in fields {
        let path = field["jsonPath"].as_str().unwrap_or_default();
        let again = !seen.insert(path);
        selectable(schema, path, again, place, findings);
    }
    if fields.len() > 8 {
        let hint = "keep the fields that clients select by most";
        findings.refuse(place, format_args!("{} selectable fields; 8 are possible", fields.len()), hint);
    }
    for column in version["additionalPrinterColumns"].as_array().into_iter().flatten() {
        super::columns::check(column, schema, place, work, findings);
    }
}

/// The names of a path such as `.spec.replicas`; none when it has another form.
fn simple(path: &str) -> Option<Vec<&str>> {
    let names: Vec<&str> = path.strip_prefix('.')?.split('.').collect();
    let plain = |name: &&str| !name.is_empty() && !name.contains(['[', ']', '\'', '"', '*', '{', '}']);
    names.iter().all(plain).then_some(names)
}

fn scaled(
    schema: Schema<'_>,
    (key, path): (&str, &str),
    roots: &[&str],
    kind: &str,
    place: &Place<'_>,
    findings: &mut Findings,
) {
    let names = simple(path).filter(|names| names.len() > 1 && roots.contains(&names[0]));
    let Some(names) = names else {
        let expected = roots.iter().map(|root| format!(".{root}.…")).collect::<Vec<_>>();
        let expected = list(&expected.iter().map(String::as_str).collect::<Vec<_>>());
        findings.refuse(
            place,
            format_args!("`{key}` of scale is `{path}`, not a path such as {expected}"),
            "write the path of a field in `scale(…)` as in `.spec.replicas`",
        );
        return;
    };
    let right = match find(schema, &names) {
        Found::Field(field) => field.kind() == kind,
        Found::Anything => true,
        Found::Nothing => false,
    };
    if !right {
        findings.refuse(
            place,
            format_args!("`{key}` of scale is `{path}`, and no field of type {kind} is there"),
            "paths in `scale(…)` are made of the names as they are in JSON: replicas are `i32`, a label selector is \
             a `String`",
        );
    }
}

fn selectable(schema: Schema<'_>, path: &str, again: bool, place: &Place<'_>, findings: &mut Findings) {
    let field = simple(path).map(|names| (names[0] == "metadata", find(schema, &names)));
    let scalar = ["string", "boolean", "integer"];
    let what = match field {
        Some((false, Found::Field(field))) if scalar.contains(&field.kind()) => {
            if !again {
                return;
            }
            "is there twice"
        }
        Some((true, _)) => "is a field of metadata, which can be selected by anyway",
        Some((false, Found::Field(_))) => "is neither a string nor a boolean nor an integer",
        Some((false, _)) => "is not a field of the kind",
        None => "is not a path such as `.spec.mode`",
    };
    findings.refuse(
        place,
        format_args!("selectable field `{path}` {what}"),
        "write the path of a field with a single value, as it is in JSON: `selectable = \".spec.mode\"`",
    );
}

//! The rules, named as in kube-api-linter.

use serde_json::Value;

/// All rules, by name.
pub const RULES: [&str; 17] = [
    "arrayofstruct",
    "conditions",
    "defaultorrequired",
    "integers",
    "jsontags",
    "maxlength",
    "nobools",
    "nodurations",
    "nofloats",
    "nomaps",
    "nonullable",
    "nophase",
    "noreferences",
    "notimestamp",
    "ssatags",
    "statusoptional",
    "statussubresource",
];

/// Is told of a rule that is broken, and of what is usual.
type Report<'a> = &'a mut dyn FnMut(&'static str, &'static str);

/// What a list of conditions has in each item.
const CONDITION: [&str; 5] = ["lastTransitionTime", "message", "reason", "status", "type"];

/// About a version of a kind as a whole.
pub(super) fn of_version(version: &Value, report: Report<'_>) {
    let status = &version["schema"]["openAPIV3Schema"]["properties"]["status"];
    if requires_fields(status) {
        let message =
            "has fields in its status that are required: whoever writes one of them has to write all";
        report("statusoptional", message);
    }
    if status.is_object() && version["subresources"]["status"].is_null() {
        report("statussubresource", "has a status that everybody may write who may write its spec");
    }
}

/// About a field, by its name and whether it is required.
pub(super) fn of_field(name: &str, field: &Value, is_required: bool, report: Report<'_>) {
    let lower = name.to_ascii_lowercase();
    let is_camel =
        name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(|c| c.is_ascii_alphanumeric());
    if !is_camel {
        report("jsontags", "is not in camelCase, as fields of Kubernetes are");
    }
    if lower.contains("phase") {
        report("nophase", "is called a phase, which cannot grow: say what is the case in conditions");
    }
    if lower.contains("reference") {
        report("noreferences", "should be called `…Ref`, or `…Refs` if it is a list");
    }
    if lower.contains("timestamp") {
        report("notimestamp", "should be called `…Time`");
    }
    if is_required && !field["default"].is_null() {
        report("defaultorrequired", "is required and has a default, which is never used");
    }
    if name == "conditions" && !is_conditions(field) {
        let message = "should be a `Vec<Condition>` with `#[x_kube(merge_strategy = ListMerge::Map(vec![\"type\".into()]))]`";
        report("conditions", message);
    }
}

fn is_conditions(field: &Value) -> bool {
    let fields = &field["items"]["properties"];
    let is_map = field["x-kubernetes-list-type"] == "map"
        && field["x-kubernetes-list-map-keys"]
            .as_array()
            .is_some_and(|keys| keys.len() == 1 && keys[0] == "type");
    is_map && CONDITION.iter().all(|name| fields[*name].is_object())
}

/// About a value, whether it is a field's, a list's or a map's.
pub(super) fn of_schema(schema: &Value, ruled: bool, report: Report<'_>) {
    let format = schema["format"].as_str().unwrap_or_default();
    let has = |keyword: &str| !schema[keyword].is_null();
    match schema["type"].as_str().unwrap_or_default() {
        "array" => of_list(schema, ruled, report),
        "boolean" => report("nobools", "is a boolean, which cannot grow: an enum of words can"),
        "number" => report("nofloats", "is a float, which does not mean the same everywhere"),
        "integer" if !matches!(format, "int32" | "int64") => {
            report("integers", "should be an `i32` or an `i64`");
        }
        "string" => {
            if format == "duration" {
                report(
                    "nodurations",
                    "is a duration: a whole number with its unit in the name, such as `…Seconds`, needs no parser",
                );
            }
            let is_bounded =
                has("maxLength") || has("enum") || matches!(format, "date" | "date-time" | "duration");
            if ruled && !is_bounded {
                report(
                    "maxlength",
                    "has no `length(max = …)`, and a rule in CEL costs as much as the longest text",
                );
            }
        }
        "object" => {
            let values = &schema["additionalProperties"];
            if values.is_object() && (values["type"] != "string") {
                report("nomaps", "is a map of more than texts: a list with a name in each item is usual");
            }
        }
        _ => {}
    }
    if schema["nullable"] == true {
        report("nonullable", "can be null, which is not the same as absent to everybody");
    }
}

fn requires_fields(schema: &Value) -> bool {
    schema["required"].as_array().is_some_and(|names| !names.is_empty())
}

fn of_list(schema: &Value, ruled: bool, report: Report<'_>) {
    let items = &schema["items"];
    let is_struct = items["properties"].as_object().is_some_and(|fields| !fields.is_empty());
    let alternatives = ["oneOf", "anyOf"].into_iter().filter_map(|keyword| items[keyword].as_array());
    if is_struct && !requires_fields(items) && !alternatives.flatten().any(requires_fields) {
        report("arrayofstruct", "has items without a required field, which cannot be told apart in YAML");
    }
    match schema["x-kubernetes-list-type"].as_str() {
        None => report(
            "ssatags",
            "does not say how it is merged: `#[x_kube(merge_strategy = ListMerge::…)]` with `Atomic`, `Set` or `Map`",
        ),
        Some("set") if items["type"] == "object" => {
            report(
                "ssatags",
                "is a set of objects, which server-side apply cannot merge: `Atomic` or `Map` can be",
            );
        }
        Some(_) => {}
    }
    if ruled && schema["maxItems"].is_null() {
        report("maxlength", "has no `length(max = …)`, and a rule in CEL costs as much as the longest list");
    }
}

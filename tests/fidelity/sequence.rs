//! One random sequence of requests to both servers, whose answers are compared.

#![expect(clippy::similar_names, reason = "one name for what is made, another for what was")]

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::draw::Draw;
use super::normal::Normal;
use super::shapes::{SHAPES, Shape};
use super::sides::{Ask, Side};

const MANAGERS: [&str; 3] = ["alpha", "beta", "gamma"];
const MERGE: &str = "application/merge-patch+json";
const JSON: &str = "application/json-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";
const APPLY: &str = "application/apply-patch+yaml";

/// What one server has answered so far.
struct Seen<'a> {
    side: &'a mut dyn Side,
    /// The states of each object, as they were answered.
    states: BTreeMap<String, Vec<Value>>,
    normal: Normal,
    begin: String,
}

/// A request that each server gets with its own uids and versions.
type Make<'a> = Box<dyn Fn(&BTreeMap<String, Vec<Value>>) -> Ask + 'a>;

/// Plays the sequence of a seed. An error says how the answers differ.
pub fn play<'a>(
    seed: u64,
    steps: usize,
    real: &'a mut (dyn Side + 'a),
    simulated: &'a mut (dyn Side + 'a),
) -> Result<usize, String> {
    let mut draw = Draw(seed);
    let namespace = format!("f{seed:x}");
    let shape = &SHAPES[draw.below(SHAPES.len() + 3).saturating_sub(3)];
    let made = json!({ "metadata": { "name": namespace } });
    let mut sides = [real, simulated].map(|side| {
        let (_, made) = side.ask(&Ask::new("POST", "/api/v1/namespaces").body(made.clone()));
        let begin = made["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned();
        Seen { side, states: BTreeMap::new(), normal: Normal::default(), begin }
    });
    let mut played = Vec::new();
    let mut result = Ok(0);
    for _ in 0..steps {
        let (make, name) = step(&mut draw, shape, &namespace);
        if let Err(difference) = compare(&mut sides, &make, &name, &mut played) {
            result = Err(format!("seed {seed}:\n{}\n{difference}", played.join("\n")));
            break;
        }
    }
    let count = played.len();
    if result.is_ok() {
        result = lists(&mut sides, shape, &namespace, &mut draw)
            .and_then(|()| watches(&mut sides, shape, &namespace))
            .map(|()| count)
            .map_err(|difference| format!("seed {seed}:\n{}\n{difference}", played.join("\n")));
    }
    if shape.kind == "Service" {
        let [real, _] = &mut sides;
        real.side.ask(&Ask::new("DELETE", shape.path(&namespace)));
    }
    result
}

fn compare(
    sides: &mut [Seen<'_>; 2],
    make: &Make<'_>,
    name: &str,
    played: &mut Vec<String>,
) -> Result<(), String> {
    let mut answers = Vec::new();
    for seen in sides.iter_mut() {
        let ask = make(&seen.states);
        let (code, body) = seen.side.ask(&ask);
        if answers.is_empty() {
            played.push(format!("{} {} [{}] {} -> {code}", ask.method, ask.path, ask.content, ask.body));
        }
        if code < 300
            && body["kind"] != "Status"
            && body["kind"] != "Scale"
            && body["metadata"]["name"].is_string()
        {
            seen.states.entry(name.to_owned()).or_default().push(body.clone());
        }
        answers.push((code, seen.normal.answer(code, &body), body));
    }
    let [(real_code, real, real_body), (code, simulated, body)] =
        answers.try_into().unwrap_or_else(|_| panic!("two answers"));
    if real_code != code || real != simulated {
        return Err(format!(
            "real {real_code}, simulated {code}\n{}\nreal said {}\nsimulated said {}",
            difference(&real, &simulated),
            real_body["message"],
            body["message"]
        ));
    }
    Ok(())
}

/// The places in which two values differ.
pub fn difference(real: &Value, simulated: &Value) -> String {
    let mut found = Vec::new();
    differ(real, simulated, "", &mut found);
    found.join("\n")
}

fn differ(real: &Value, simulated: &Value, path: &str, found: &mut Vec<String>) {
    match (real, simulated) {
        (Value::Object(left), Value::Object(right)) => {
            for name in left.keys().chain(right.keys().filter(|name| !left.contains_key(*name))) {
                differ(&real[name], &simulated[name], &format!("{path}.{name}"), found);
                if left.contains_key(name) != right.contains_key(name) && real[name] == simulated[name] {
                    found.push(format!("  {path}.{name}: null against nothing"));
                }
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (index, (left, right)) in left.iter().zip(right).enumerate() {
                differ(left, right, &format!("{path}[{index}]"), found);
            }
        }
        _ if real != simulated => found.push(format!("  {path}: real {real}, simulated {simulated}")),
        _ => {}
    }
}

#[expect(clippy::too_many_lines, reason = "one arm for each way to ask")]
fn step<'a>(draw: &mut Draw, shape: &'static Shape, namespace: &str) -> (Make<'a>, String) {
    let name = (*draw.of(&["one", "one", "two"])).to_owned();
    let base = shape.path(namespace);
    let path = format!("{base}/{name}");
    let manager = *draw.of(&MANAGERS);
    let mut parameters = format!("?fieldManager={manager}");
    if draw.once_in(20) {
        parameters += "&dryRun=All";
    }
    if draw.once_in(25) {
        parameters += "&fieldValidation=Strict";
    }
    let whole = shape.object(draw, &name);
    let change = shape.change(draw);
    let draws = (draw.next(), draw.next());
    let subresource = |name: &str| format!("{path}/{name}{parameters}");
    let fixed = |ask: Ask| -> Make<'a> { Box::new(move |_| ask.clone()) };
    let make = match draw.below(30) {
        0..=3 => {
            let mut whole = whole;
            if draw.once_in(8)
                && let Value::Object(metadata) = &mut whole["metadata"]
            {
                metadata.remove("name");
                metadata.insert("generateName".to_owned(), "drawn-".into());
                return (fixed(Ask::new("POST", base + &parameters).body(whole)), "drawn".to_owned());
            }
            fixed(Ask::new("POST", base + &parameters).body(whole))
        }
        4..=10 => {
            let force = if draw.once_in(2) { "&force=true" } else { "" };
            let mut whole = if draw.once_in(3) { with_identity(&change, &whole) } else { whole };
            if draw.once_in(4) && whole["metadata"].is_object() {
                whole["metadata"] = json!({ "name": name });
            }
            fixed(Ask::new("PATCH", path + &parameters + force).content(APPLY).body(whole))
        }
        11..=15 => {
            let part = if shape.status && draw.once_in(3) { "/status" } else { "" };
            let path = format!("{path}{part}{parameters}");
            let key = name.clone();
            Box::new(move |states: &BTreeMap<String, Vec<Value>>| {
                Ask::new("PUT", path.clone()).body(put(
                    states,
                    &key,
                    &whole,
                    &change,
                    draws,
                    !part.is_empty(),
                ))
            })
        }
        16..=18 => {
            let mut change = change;
            nulls(draw, &mut change);
            fixed(Ask::new("PATCH", path + &parameters).content(MERGE).body(change))
        }
        19 => {
            let operations = json_patch(draw, &change);
            fixed(Ask::new("PATCH", path + &parameters).content(JSON).body(operations))
        }
        20..=21 if shape.kind != "Thing" => {
            fixed(Ask::new("PATCH", path + &parameters).content(STRATEGIC).body(change))
        }
        20..=21 => fixed(
            Ask::new("PATCH", path + &parameters).content(MERGE).body(json!({ "spec": { "nested": null } })),
        ),
        22..=23 if shape.status => {
            let mut body = status(draw, shape);
            if draw.once_in(2) {
                fixed(Ask::new("PATCH", subresource("status")).content(MERGE).body(body))
            } else {
                body["apiVersion"] = shape.api_version.into();
                body["kind"] = shape.kind.into();
                body["metadata"] = json!({ "name": name });
                let force = if draw.once_in(2) { "&force=true" } else { "" };
                fixed(Ask::new("PATCH", subresource("status") + force).content(APPLY).body(body))
            }
        }
        24..=25 if shape.scale => {
            let replicas = draw.below(4);
            let scale = json!({ "apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": { "name": name, "namespace": namespace }, "spec": { "replicas": replicas } });
            match draw.below(4) {
                0 => fixed(Ask::new("GET", format!("{path}/scale"))),
                1 => fixed(Ask::new("PUT", subresource("scale")).body(scale)),
                2 => fixed(
                    Ask::new("PATCH", subresource("scale"))
                        .content(MERGE)
                        .body(json!({ "spec": { "replicas": replicas } })),
                ),
                _ => {
                    fixed(Ask::new("PATCH", subresource("scale") + "&force=true").content(APPLY).body(scale))
                }
            }
        }
        26..=28 => {
            let policy = draw
                .of(&[Value::Null, Value::Null, json!("Foreground"), json!("Background"), json!("Orphan")])
                .clone();
            let precondition = draw.below(6);
            let key = name.clone();
            let dry = if draw.once_in(10) { "?dryRun=All" } else { "" };
            Box::new(move |states: &BTreeMap<String, Vec<Value>>| {
                let mut body = json!({ "kind": "DeleteOptions", "apiVersion": "v1" });
                if !policy.is_null() {
                    body["propagationPolicy"] = policy.clone();
                }
                let last = states.get(&key).and_then(|states| states.last()).cloned().unwrap_or_default();
                let metadata = &last["metadata"];
                match precondition {
                    0 if metadata["uid"].is_string() => {
                        body["preconditions"] = json!({ "uid": metadata["uid"] });
                    }
                    1 => body["preconditions"] = json!({ "uid": "no-such-uid" }),
                    2 if metadata["resourceVersion"].is_string() => {
                        body["preconditions"] = json!({ "resourceVersion": metadata["resourceVersion"] });
                    }
                    _ => {}
                }
                Ask::new("DELETE", format!("{path}{dry}")).body(body)
            })
        }
        _ => {
            let mut ask = Ask::new("GET", path);
            if draw.once_in(3) {
                ask.accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
            }
            fixed(ask)
        }
    };
    (make, name)
}

fn with_identity(change: &Value, whole: &Value) -> Value {
    let mut object = change.clone();
    for name in ["apiVersion", "kind"] {
        object[name] = whole[name].clone();
    }
    object["metadata"]["name"] = whole["metadata"]["name"].clone();
    object
}

/// The object of a PUT: a new one, or the last that was seen with a change, with or without a version.
fn put(
    states: &BTreeMap<String, Vec<Value>>,
    name: &str,
    whole: &Value,
    change: &Value,
    draws: (u64, u64),
    status: bool,
) -> Value {
    let mut draw = Draw(draws.0);
    let seen = states.get(name).map(Vec::as_slice).unwrap_or_default();
    let last = seen.last().cloned().unwrap_or_default();
    let mut object = match draw.below(4) {
        0 => whole.clone(),
        _ if last.is_null() => whole.clone(),
        1 => last.clone(),
        _ => {
            let mut object = last.clone();
            merge(&mut object, change);
            object
        }
    };
    if object["metadata"].is_null() {
        object["metadata"] = json!({ "name": name });
    }
    if status {
        object["status"] = status_of(&mut draw, whole);
    }
    match draw.below(8) {
        0 => {
            object["metadata"]["resourceVersion"] =
                seen.first().map(|first| first["metadata"]["resourceVersion"].clone()).unwrap_or_default();
        }
        1 => drop(object["metadata"].as_object_mut().map(|metadata| metadata.remove("resourceVersion"))),
        2 => object["metadata"]["uid"] = "another-uid".into(),
        3 => drop(object["metadata"].as_object_mut().map(|metadata| metadata.remove("managedFields"))),
        4 => drop(object["metadata"].as_object_mut().map(|metadata| metadata.remove("finalizers"))),
        5 => object["metadata"]["managedFields"] = json!([]),
        _ => object["metadata"]["resourceVersion"] = last["metadata"]["resourceVersion"].clone(),
    }
    object
}

fn merge(target: &mut Value, patch: &Value) {
    if let (Value::Object(target), Value::Object(patch)) = (&mut *target, patch) {
        for (name, value) in patch {
            merge(target.entry(name.clone()).or_insert(Value::Null), value);
        }
    } else {
        *target = patch.clone();
    }
}

/// Some fields of a patch are taken away instead.
fn nulls(draw: &mut Draw, change: &mut Value) {
    for part in ["spec", "data", "metadata"] {
        if let Some(Value::Object(fields)) = change.get_mut(part) {
            for value in fields.values_mut() {
                if draw.once_in(4) {
                    *value = Value::Null;
                }
            }
        }
    }
}

fn json_patch(draw: &mut Draw, change: &Value) -> Value {
    let mut operations = Vec::new();
    for part in ["spec", "data"] {
        for (name, value) in change[part].as_object().into_iter().flatten() {
            let operation = *draw.of(&["add", "add", "replace", "remove"]);
            operations.push(json!({ "op": operation, "path": format!("/{part}/{name}"), "value": value }));
        }
    }
    json!(operations)
}

fn status(draw: &mut Draw, shape: &Shape) -> Value {
    json!({ "status": status_of(draw, &json!({ "kind": shape.kind })) })
}

fn status_of(draw: &mut Draw, object: &Value) -> Value {
    let condition = |kind: &str, status: &str| json!({ "type": kind, "status": status });
    match object["kind"].as_str().unwrap_or_default() {
        "Thing" => {
            let mut status = json!({ "phase": *draw.of(&["new", "old"]), "replicas": draw.below(3) });
            if draw.once_in(2) {
                status["conditions"] = draw
                    .some(&[condition("A", "True"), condition("B", "False"), condition("C", "True")])
                    .into();
            }
            status
        }
        "Service" => json!({ "loadBalancer": {} }),
        _ => {
            let mut status = json!({ "replicas": draw.below(3), "observedGeneration": 1 });
            if draw.once_in(2) {
                status["conditions"] = draw.some(&[condition("A", "True"), condition("B", "False")]).into();
            }
            status
        }
    }
}

/// Compares lists, with selectors, and in pages.
fn lists(
    sides: &mut [Seen<'_>; 2],
    shape: &'static Shape,
    namespace: &str,
    draw: &mut Draw,
) -> Result<(), String> {
    let base = shape.path(namespace);
    let selectors = [
        "",
        "?labelSelector=app",
        "?labelSelector=app%3Da",
        "?labelSelector=app%20in%20(a,b),!tier",
        "?labelSelector=tier!=a",
        "?fieldSelector=metadata.name%3Done",
        "?fieldSelector=spec.foo%3D1",
        "?resourceVersion=0",
        "?limit=1",
        "?limit=500&resourceVersion=0",
    ];
    for _ in 0..2 {
        for seen in sides.iter_mut() {
            seen.normal.token = None;
        }
        let mut path = format!("{base}{}", draw.of(&selectors));
        // Drawn names are in another order on each side, which pages would show.
        let drawn = sides[0].states.get("drawn").map_or(0, Vec::len);
        if drawn > 1 && path.ends_with("limit=1") {
            path.clone_from(&base);
        }
        let partial = draw.once_in(4);
        let mut patience = 30;
        loop {
            let mut ask = Ask::new("GET", path.clone());
            if partial {
                ask.accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
            }
            let mut tokens = Vec::new();
            let mut answers = Vec::new();
            for seen in sides.iter_mut() {
                let mut own = ask.clone();
                if let Some(token) = seen.normal.token.take() {
                    own.path = format!("{base}?limit=1&continue={token}");
                }
                let (code, body) = seen.side.ask(&own);
                let token = body["metadata"]["continue"]
                    .as_str()
                    .filter(|token| !token.is_empty())
                    .map(str::to_owned);
                tokens.push(token.clone());
                seen.normal.token = token;
                answers.push((code, seen.normal.list(code, &body)));
            }
            // The real server may answer such a list with what it knew a moment ago.
            if answers[0] != answers[1] && path.contains("resourceVersion=0") && patience > 0 {
                patience -= 1;
                std::thread::sleep(std::time::Duration::from_millis(100));
                continue;
            }
            if answers[0] != answers[1] {
                return Err(format!(
                    "list {path}: {}, {}\n{}",
                    answers[0].0,
                    answers[1].0,
                    difference(&answers[0].1, &answers[1].1)
                ));
            }
            if tokens[0].is_none() {
                break;
            }
            path = format!("{base}?limit=1&continue=…");
        }
    }
    Ok(())
}

/// Compares the events from the beginning on.
fn watches(sides: &mut [Seen<'_>; 2], shape: &'static Shape, namespace: &str) -> Result<(), String> {
    let path = |begin: &str| {
        format!("{}?watch=true&resourceVersion={begin}&timeoutSeconds=5", shape.path(namespace))
    };
    let [real, simulated] = sides;
    let events = simulated.side.watch(&path(&simulated.begin), 0);
    let real_events = real.side.watch(&path(&real.begin), events.len());
    let normal = |seen: &mut Seen<'_>, events: &[Value]| -> Value {
        events
            .iter()
            .map(
                |event| json!({ "type": event["type"], "object": seen.normal.answer(200, &event["object"]) }),
            )
            .collect()
    };
    let (left, right) = (normal(real, &real_events), normal(simulated, &events));
    if left != right {
        return Err(format!(
            "watch: {} and {} events\n{}",
            real_events.len(),
            events.len(),
            difference(&left, &right)
        ));
    }
    Ok(())
}

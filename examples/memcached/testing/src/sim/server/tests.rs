//! The server by itself; tests/fidelity.rs holds it to a real one.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Answer, Server};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const APPLY: &str = "application/apply-patch+yaml";

fn server() -> Server {
    Server::new(|| Timestamp::UNIX_EPOCH, 1)
}

fn ask(server: &mut Server, method: &str, path: &str, content: &str, body: &Value) -> (u16, Value) {
    let text = if body.is_null() { String::new() } else { body.to_string() };
    let request = http::Request::builder().method(method).uri(path).header("Content-Type", content);
    match server.handle("somebody", &request.body(text.into()).expect("a request")) {
        Answer::Response(response) => {
            (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap_or_default())
        }
        Answer::Watch(_) => panic!("{path} is no watch"),
    }
}

fn config_map(data: &Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "one" }, "data": data })
}

fn lines(server: &mut Server, watch: &mut super::Watch) -> Vec<Value> {
    server.poll(watch).iter().filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

fn watch(server: &mut Server, query: &str) -> super::Watch {
    let request = http::Request::get(format!("{MAPS}?watch=true{query}")).body(Vec::new().into());
    match server.handle("somebody", &request.expect("a request")) {
        Answer::Watch(watch) => watch,
        Answer::Response(response) => panic!("{:?}", response.body()),
    }
}

#[test]
fn an_apply_takes_nothing_from_another_manager_unless_it_is_forced() {
    let mut server = server();
    let path = |manager: &str| format!("{MAPS}/one?fieldManager={manager}");
    let (code, _) = ask(&mut server, "PATCH", &path("a"), APPLY, &config_map(&json!({ "x": "1", "y": "1" })));
    assert_eq!(code, 201);
    let (code, refusal) = ask(&mut server, "PATCH", &path("b"), APPLY, &config_map(&json!({ "x": "2" })));
    assert_eq!((code, &refusal["details"]["causes"][0]["field"]), (409, &json!(".data.x")));
    let forced = path("b") + "&force=true";
    let (code, _) = ask(&mut server, "PATCH", &forced, APPLY, &config_map(&json!({ "x": "2" })));
    assert_eq!(code, 200);
    // What nobody applies any more goes.
    let (_, object) = ask(&mut server, "PATCH", &path("a"), APPLY, &config_map(&Value::Null));
    assert_eq!(object["data"], json!({ "x": "2" }));
}

#[test]
fn a_watch_tells_what_happened_and_ends_when_its_history_is_gone() {
    let mut server = server();
    let version = server.version();
    ask(&mut server, "POST", MAPS, "", &config_map(&json!({ "x": "1" })));
    let mut told = watch(&mut server, &format!("&resourceVersion={version}"));
    assert_eq!(lines(&mut server, &mut told)[0]["type"], "ADDED");
    ask(&mut server, "DELETE", &format!("{MAPS}/one"), "", &Value::Null);
    assert_eq!(lines(&mut server, &mut told)[0]["type"], "DELETED");
    server.compact();
    let mut late = watch(&mut server, &format!("&resourceVersion={version}"));
    let ended = lines(&mut server, &mut late);
    assert_eq!((&ended[0]["type"], &ended[0]["object"]["code"]), (&json!("ERROR"), &json!(410)));
    assert!(late.ended() && !told.ended());
}

#[test]
fn the_same_requests_get_the_same_answers() {
    let answers = || {
        let mut server = server();
        let body = json!({ "metadata": { "generateName": "drawn-" } });
        (0..3).map(|_| ask(&mut server, "POST", MAPS, "", &body)).collect::<Vec<_>>()
    };
    assert_eq!(answers(), answers());
    assert_ne!(answers()[0].1["metadata"]["name"], answers()[1].1["metadata"]["name"]);
}

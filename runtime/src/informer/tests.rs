//! Watches of servers that the tests play.

use super::*;
use crate::Options;
use crate::object::version;
use axum::body::Body;
use axum::http::{Method, Request, Response};
use futures::future::pending;
use futures::{FutureExt as _, StreamExt as _, stream};
use k8s_openapi::api::apps::v1::Deployment;
use kube::Client;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tower::{BoxError, service_fn};

/// How often a server was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Asked {
    lists: u64,
    counts: u64,
}

fn deployment(version: u64) -> Value {
    json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {
        "namespace": "a", "name": "x", "uid": "1", "resourceVersion": version.to_string() } })
}

/// An API server with one Deployment, `object`, that changes every second. It counts only if it `counts`, sends a
/// bookmark every minute, and forgets where watches were every two if it `forgets`.
fn server(object: fn(u64) -> Value, counts: bool, forgets: bool) -> (Client, Arc<Mutex<Asked>>) {
    let (asked, begun) = (Arc::new(Mutex::new(Asked::default())), Instant::now());
    let seen = asked.clone();
    let answer = move |request: Request<kube::client::Body>| {
        let query = request.uri().query().unwrap_or_default();
        let version = begun.elapsed().as_secs() + 1;
        let list =
            json!({ "metadata": { "resourceVersion": version.to_string() }, "items": [object(version)] });
        let body = if query.contains("watch=true") {
            Body::from_stream(stream::unfold(version + 1, move |version| async move {
                sleep_until(begun + Duration::from_secs(version - 1)).await;
                let event = match version {
                    _ if forgets && version % 120 == 0 => json!({ "type": "ERROR", "object": {
                        "status": "Failure", "code": 410, "reason": "Expired", "message": "too old" } }),
                    _ if version % 60 == 0 => json!({ "type": "BOOKMARK", "object": {
                        "apiVersion": "apps/v1", "kind": "Deployment", "spec": null,
                        "metadata": { "resourceVersion": version.to_string() } } }),
                    _ => json!({ "type": "MODIFIED", "object": object(version) }),
                };
                Some((Ok::<_, BoxError>(format!("{event}\n")), version + 1))
            }))
        } else if query.contains("limit=1&") || query.ends_with("limit=1") {
            seen.lock().counts += 1;
            if !counts {
                return pending().boxed();
            }
            Body::from(list.to_string())
        } else if *request.method() == Method::GET {
            seen.lock().lists += 1;
            Body::from(list.to_string())
        } else {
            // An event.
            return pending().boxed();
        };
        std::future::ready(Ok::<_, BoxError>(Response::new(body))).boxed()
    };
    (Client::new(service_fn(answer), "test"), asked)
}

struct Watched {
    store: Store<Deployment>,
    shared: Arc<Shared>,
    // Ends when it is dropped.
    _watch: JoinSet<()>,
}

fn watch(client: Client) -> Watched {
    let store = Store::new((), true);
    store.keep_all();
    let shared = Arc::new(Shared {
        recorder: Recorder::new(client.clone(), "test", Environment::default()).0,
        client,
        timings: Options::for_tests([]).timings,
        health: Health::default(),
        metrics: Arc::default(),
        environment: Environment::default(),
    });
    let mut tasks = JoinSet::new();
    tasks.spawn(inform(shared.clone(), store.clone(), Scope::default(), Some("a".to_owned())));
    Watched { store, shared, _watch: tasks }
}

fn known(store: &Store<Deployment>) -> u128 {
    let known = store.get(&ObjectKey::new("a", "x"));
    known.map(|object| version(&object.metadata)).unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn the_server_is_counted_once_in_a_while_however_much_happens() {
    let (client, asked) = server(deployment, true, false);
    let Watched { store, shared, .. } = &watch(client);
    sleep(Duration::from_secs(10)).await;
    assert!(shared.health.ready().1.contains("[+] watch-deployments.apps-in-a ok"));
    // The answer to a creation comes after the watch told of the deletion.
    let mut ghost: Deployment = serde_json::from_value(deployment(2)).expect("a Deployment");
    ghost.metadata.name = Some("ghost".to_owned());
    store.mutation(ghost, None);
    sleep(Duration::from_secs(590)).await;
    assert!(!store.contains(&ObjectKey::new("a", "ghost")), "the server does not know it");
    assert!(known(store) >= 599);
    let Asked { lists, counts } = *asked.lock();
    assert!(lists == 1 && (10..=14).contains(&counts), "{lists} lists, {counts} counts");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_count_holds_nothing_up() {
    let (client, asked) = server(deployment, false, false);
    let Watched { store, .. } = &watch(client);
    let mut behind = 0;
    for second in 1..600 {
        sleep(Duration::from_secs(1)).await;
        behind = behind.max(second - known(store));
    }
    assert!(behind <= u128::from(COUNT_LIMIT.as_secs()) + 1, "{behind} s behind");
    let Asked { lists, counts } = *asked.lock();
    assert!(lists == 1 && counts > 5, "{lists} lists, {counts} counts");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_decoded_is_reported_once() {
    let broken = |_| {
        let mut object = deployment(1);
        object["spec"] = json!({ "replicas": "three" });
        object
    };
    let (client, asked) = server(broken, true, true);
    let Watched { store, shared, .. } = &watch(client);
    sleep(Duration::from_secs(600)).await;
    assert!(!store.contains(&ObjectKey::new("a", "x")));
    let lists = asked.lock().lists;
    assert!(lists > 4, "it is listed anew: {lists} lists");
    let text = shared.metrics.text();
    assert!(
        text.contains("controller_runtime_undecodable_objects_total{kind=\"deployments.apps\"} 1\n"),
        "{text}"
    );
}

/// A server whose watches tell of one change each, and end as `end` says; how often it was asked to list.
fn hasty(end: fn() -> Result<String, BoxError>) -> (Client, Arc<Mutex<Asked>>) {
    let (asked, begun) = (Arc::new(Mutex::new(Asked::default())), Instant::now());
    let seen = asked.clone();
    let answer = move |request: Request<kube::client::Body>| {
        let version = u64::try_from(begun.elapsed().as_millis()).expect("a while") + 1;
        let body = if request.uri().query().unwrap_or_default().contains("watch=true") {
            let event = json!({ "type": "MODIFIED", "object": deployment(version) });
            Body::from_stream(stream::iter([Ok(format!("{event}\n")), end()]))
        } else {
            seen.lock().lists += 1;
            let list = json!({ "metadata": { "resourceVersion": version.to_string() },
                "items": [deployment(version)] });
            Body::from(list.to_string())
        };
        std::future::ready(Ok::<_, BoxError>(Response::new(body))).boxed()
    };
    (Client::new(service_fn(answer), "test"), asked)
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_breaks_goes_on_and_lists_are_further_and_further_apart() {
    let broken = || Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset).into());
    let expired = || {
        let status = json!({ "status": "Failure", "code": 410, "reason": "Expired", "message": "old" });
        Ok(format!("{}\n", json!({ "type": "ERROR", "object": status })))
    };
    for (end, most) in [(broken as fn() -> _, 1), (expired, 9)] {
        let (client, asked) = hasty(end);
        let Watched { store, .. } = &watch(client);
        sleep(Duration::from_secs(40)).await;
        let lists = asked.lock().lists;
        assert!(lists <= most && known(store) > 10_000, "{lists} lists, up to {}", known(store));
    }
}

#[tokio::test(start_paused = true)]
async fn of_many_watches_each_counts_less_often() {
    let (client, asked) = server(deployment, true, false);
    let Watched { store, .. } = &watch(client);
    for number in 1..5 * COUNTING {
        store.watched_in(Some(number.to_string()));
    }
    sleep(Duration::from_secs(600)).await;
    let counts = asked.lock().counts;
    assert!((3..=4).contains(&counts), "{counts} counts");
}

/// A server that answers `code` to `verb`, and lists one object.
fn refusing(verb: &'static str, code: u16) -> (Client, Arc<Mutex<Asked>>) {
    let asked = Arc::new(Mutex::new(Asked::default()));
    let seen = asked.clone();
    let answer = move |request: Request<kube::client::Body>| {
        let is_watch = request.uri().query().unwrap_or_default().contains("watch=true");
        let body = if (verb == "watch") == is_watch {
            json!({ "code": code, "status": "Failure", "message": "not for you", "reason": "Forbidden" })
        } else {
            seen.lock().lists += 1;
            json!({ "metadata": { "resourceVersion": "1" }, "items": [deployment(1)] })
        };
        let status = if body["code"].is_null() { 200 } else { code };
        let answer = Response::builder().status(status).body(Body::from(body.to_string()));
        std::future::ready(Ok::<_, BoxError>(answer.expect("an answer"))).boxed()
    };
    (Client::new(service_fn(answer), "test"), asked)
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_watched_is_listed_once_in_a_while() {
    for code in [403, 405] {
        let (client, asked) = refusing("watch", code);
        let Watched { store, shared, .. } = &watch(client);
        sleep(Duration::from_secs(300)).await;
        assert!(store.has_synced() && known(store) == 1);
        assert_eq!(shared.health.ready().0.as_u16(), 200);
        let lists = asked.lock().lists;
        assert!((8..=11).contains(&lists), "{lists} lists");
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_listed_keeps_nobody_waiting_and_readyz_names_it() {
    let (client, _) = refusing("list", 403);
    let Watched { store, shared, .. } = &watch(client);
    sleep(Duration::from_secs(1)).await;
    assert!(store.has_synced());
    let (code, text) = shared.health.ready();
    assert!(
        code.as_u16() == 503 && text.contains("watch-deployments.apps-in-a: cannot list: not for you"),
        "{text}"
    );
}

/// A server whose first watch tells of a bookmark, if it has `bookmarks`, and which says nothing else.
fn silent(bookmarks: bool) -> (Client, Arc<Mutex<Asked>>, Arc<Mutex<u32>>) {
    let (asked, watches) = (Arc::new(Mutex::new(Asked::default())), Arc::new(Mutex::new(0)));
    let (seen, begun) = (asked.clone(), watches.clone());
    let answer = move |request: Request<kube::client::Body>| {
        let query = request.uri().query().unwrap_or_default();
        let list = json!({ "metadata": { "resourceVersion": "1" }, "items": [deployment(1)] }).to_string();
        let body = if query.contains("watch=true") {
            *begun.lock() += 1;
            let bookmark = json!({ "type": "BOOKMARK", "object": { "apiVersion": "apps/v1", "kind": "Deployment",
                "spec": null, "metadata": { "resourceVersion": "1" } } });
            let told = (bookmarks && *begun.lock() == 1).then(|| Ok::<_, BoxError>(format!("{bookmark}\n")));
            Body::from_stream(stream::iter(told).chain(stream::pending()))
        } else {
            let is_count = query.contains("limit=1&") || query.ends_with("limit=1");
            seen.lock().lists += u64::from(!is_count);
            Body::from(list)
        };
        std::future::ready(Ok::<_, BoxError>(Response::new(body))).boxed()
    };
    (Client::new(service_fn(answer), "test"), asked, watches)
}

#[tokio::test(start_paused = true)]
async fn silence_is_usual_where_there_are_no_bookmarks_and_suspicious_elsewhere() {
    let limit = Options::for_tests([]).timings.watch_silence_limit;
    for (bookmarks, lists, most_unready) in [(false, 1..=1, 5), (true, 4..=6, 20)] {
        let (client, asked, watches) = silent(bookmarks);
        let Watched { shared, .. } = &watch(client);
        let mut unready = 0;
        for _ in 0..limit.as_secs() * 10 {
            sleep(Duration::from_secs(1)).await;
            unready += u32::from(shared.health.ready().0.as_u16() != 200);
        }
        let (asked, watches) = (*asked.lock(), *watches.lock());
        assert!(lists.contains(&asked.lists) && (9..=11).contains(&watches), "{asked:?}, {watches} watches");
        assert!(unready <= most_unready, "{unready} s unready");
    }
}

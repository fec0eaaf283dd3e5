//! What a store keeps and tells, without a watch.

use super::*;
use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::json;

fn child(name: &str, uid: &str, version: u32) -> ConfigMap {
    let owner = json!({ "apiVersion": "v1", "kind": "Namespace", "name": "owner", "uid": "1",
        "controller": true });
    let metadata = json!({ "namespace": "a", "name": name, "uid": uid, "ownerReferences": [owner],
        "resourceVersion": version.to_string() });
    serde_json::from_value(json!({ "metadata": metadata })).expect("an object")
}

/// A store of what Namespaces own, watched in one namespace, and the names of what its handler is told of.
fn store() -> (Store<ConfigMap>, Arc<Mutex<Vec<String>>>) {
    let (store, told) = (Store::new((), true), Arc::new(Mutex::new(Vec::new())));
    store.keep_owned_by("", "Namespace");
    store.watched_in(Some("a".to_owned()));
    let names = told.clone();
    store.handle(Box::new(move |change, _| names.lock().extend(change.metadata.name.clone())));
    (store, told)
}

fn observe(store: &Store<ConfigMap>, object: Result<ConfigMap, &ObjectMeta>, since: Instant) {
    store.observe(object, since, Priority::High);
}

fn mutation(store: &Store<ConfigMap>, object: ConfigMap) {
    store.mutation(object, None);
}

fn versions(store: &Store<ConfigMap>) -> Vec<u128> {
    store.owned_by("1").iter().map(|child| version(&child.metadata)).collect()
}

#[test]
fn handlers_hear_of_each_version_once_also_of_those_that_were_written_here() {
    let (store, told) = store();
    let since = Instant::now();
    let heard = || std::mem::take(&mut *told.lock()).len();
    mutation(&store, child("x", "2", 1));
    assert_eq!(heard(), 0, "the watch will tell");
    observe(&store, Ok(child("x", "2", 1)), since);
    assert_eq!(heard(), 1);
    observe(&store, Ok(child("x", "2", 1)), Instant::now());
    assert_eq!(heard(), 0, "a list says nothing new");
    observe(&store, Ok(child("x", "2", 2)), since);
    mutation(&store, child("x", "2", 2));
    observe(&store, Ok(child("x", "2", 2)), since);
    assert_eq!(heard(), 1, "the watch was first");
    observe(&store, Err(&child("x", "2", 3).metadata), since);
    assert_eq!(heard(), 1, "it is gone");
}

#[test]
fn what_was_written_here_is_compared_with_what_was_told_before() {
    let (store, _) = store();
    let changes = Arc::new(Mutex::new(Vec::new()));
    let seen = changes.clone();
    let number = |object: Option<&ConfigMap>| object.map(|object| version(&object.metadata));
    store.handle(Box::new(move |change, _| seen.lock().push((number(change.old), number(change.new)))));
    let since = Instant::now();
    mutation(&store, child("x", "2", 1));
    // As with a status that is written before the watch has told of the object.
    mutation(&store, child("x", "2", 2));
    observe(&store, Ok(child("x", "2", 2)), since);
    mutation(&store, child("x", "2", 3));
    mutation(&store, child("x", "2", 4));
    observe(&store, Ok(child("x", "2", 3)), since);
    observe(&store, Ok(child("x", "2", 5)), since);
    let expected = [(None, Some(2)), (Some(2), Some(5))];
    assert_eq!(*changes.lock(), expected, "nothing is lost on a predicate that compares the two");
}

#[test]
fn the_end_of_what_was_written_is_told_though_no_watch_told_of_it() {
    let (store, _) = store();
    let ended = Arc::new(Mutex::new(Vec::new()));
    let seen = ended.clone();
    store.handle(Box::new(move |change, _| {
        let uids = |object: Option<&ConfigMap>| object.and_then(|object| object.metadata.uid.clone());
        seen.lock().extend(uids(change.old).filter(|uid| uids(change.new).as_ref() != Some(uid)));
    }));
    let since = Instant::now();
    let mut foreign = child("x", "3", 5);
    foreign.metadata.owner_references = None;
    // It was deleted, which was told, before the answer to its creation came.
    mutation(&store, child("x", "2", 1));
    observe(&store, Ok(foreign.clone()), since);
    assert_eq!(std::mem::take(&mut *ended.lock()), ["2"], "another one has its place");
    mutation(&store, child("x", "4", 6));
    foreign.metadata.resource_version = Some("7".into());
    observe(&store, Err(&foreign.metadata), since);
    assert_eq!(std::mem::take(&mut *ended.lock()), ["4"], "that one is gone, and so is what was written");
    observe(&store, Ok(child("x", "5", 8)), since);
    mutation(&store, child("x", "5", 9));
    observe(&store, Err(&child("x", "5", 10).metadata), since);
    assert_eq!(std::mem::take(&mut *ended.lock()), ["5", "5"], "as it was told of, and as it was written");
}

#[test]
fn the_end_of_what_was_deleted_here_is_told_once_a_watch_or_a_list_shows_it() {
    let (store, _) = store();
    let changes = Arc::new(Mutex::new(Vec::new()));
    let seen = changes.clone();
    let number = |object: Option<&ConfigMap>| object.map(|object| version(&object.metadata));
    store.handle(Box::new(move |change, _| seen.lock().push((number(change.old), number(change.new)))));
    let heard = || std::mem::take(&mut *changes.lock());
    let since = Instant::now();
    observe(&store, Ok(child("x", "2", 1)), since);
    store.deletion(&child("x", "2", 1));
    assert_eq!(heard(), [(None, Some(1))], "the watch will tell");
    observe(&store, Ok(child("x", "2", 1)), since);
    assert_eq!((heard(), versions(&store)), (vec![], vec![]), "it was told before");
    observe(&store, Err(&child("x", "2", 3).metadata), since);
    assert_eq!(heard(), [(Some(1), None)]);
    observe(&store, Ok(child("y", "3", 4)), since);
    store.deletion(&child("y", "3", 4));
    store.replace(Some("a"), &BTreeSet::new(), 9, Instant::now());
    assert_eq!(heard(), [(None, Some(4)), (Some(4), None)], "a list does without it");
    mutation(&store, child("z", "4", 10));
    store.deletion(&child("z", "4", 10));
    observe(&store, Err(&child("z", "4", 11).metadata), since);
    assert_eq!(heard(), [(None, None), (Some(10), None)], "no watch had told of it");
    observe(&store, Ok(child("w", "5", 12)), since);
    store.deletion(&child("w", "5", 12));
    observe(&store, Ok(child("w", "5", 13)), since);
    assert_eq!(
        (heard(), versions(&store)),
        (vec![(None, Some(12)), (Some(12), Some(13))], vec![13]),
        "a finalizer"
    );
}

#[test]
fn the_end_of_what_a_write_shows_to_be_replaced_is_told() {
    let (store, _) = store();
    let ended = Arc::new(Mutex::new(Vec::new()));
    let seen = ended.clone();
    store.handle(Box::new(move |change, _| {
        let gone = change.old.filter(|_| change.new.is_none());
        seen.lock().extend(gone.and_then(|gone| gone.metadata.uid.clone()));
    }));
    mutation(&store, child("x", "2", 1));
    // It was deleted by somebody, and made again here, before the watch has told of either.
    mutation(&store, child("x", "3", 5));
    assert_eq!(*ended.lock(), ["2"]);
    observe(&store, Ok(child("y", "4", 6)), Instant::now());
    mutation(&store, child("y", "4", 7));
    store.replace(Some("a"), &BTreeSet::from([ObjectKey::new("a", "x")]), 9, Instant::now());
    assert_eq!(*ended.lock(), ["2", "4", "4"], "as it was told of, and as it was written");
}

#[test]
fn what_was_written_is_ahead_of_the_watch_and_lists_are_right_about_all_else() {
    let (store, _) = store();
    let since = Instant::now();
    mutation(&store, child("x", "2", 5));
    observe(&store, Ok(child("x", "2", 4)), since);
    assert_eq!(versions(&store), [5], "an old change");
    store.deletion(&child("x", "2", 5));
    mutation(&store, child("x", "3", 7));
    observe(&store, Err(&child("x", "2", 6).metadata), since);
    observe(&store, Ok(child("x", "2", 6)), since);
    assert_eq!(versions(&store), [7], "another one has taken its place");
    // The server's data is restored from a backup.
    mutation(&store, child("y", "4", 8));
    let since = Instant::now();
    observe(&store, Ok(child("x", "3", 2)), since);
    mutation(&store, child("z", "5", 3));
    store.replace(Some("b"), &BTreeSet::new(), 9, Instant::now());
    assert_eq!(versions(&store), [2, 8, 3], "the list of another namespace says nothing");
    store.replace(Some("a"), &BTreeSet::from([ObjectKey::new("a", "x")]), 2, since);
    assert_eq!(versions(&store), [2, 3], "what was not listed is gone, unless it was made since");
}

#[test]
fn what_nobody_tells_of_or_owns_is_not_kept() {
    let (store, _) = store();
    let known = BTreeSet::from([ObjectKey::new("a", "x")]);
    let since = Instant::now();
    observe(&store, Ok(child("x", "2", 1)), since);
    mutation(&store, child("y", "3", 4));
    store.replace(Some("a"), &known, 3, since);
    assert_eq!(versions(&store), [1, 4], "the watch may not have got there yet");
    store.replace(Some("a"), &known, 4, since);
    assert_eq!(versions(&store), [1], "it was gone before the answer to its creation came");
    let mut elsewhere = child("y", "3", 4);
    elsewhere.metadata.namespace = Some("b".into());
    mutation(&store, elsewhere);
    assert_eq!(versions(&store), [1], "nobody watches there");
    let mut orphan = child("o", "9", 9);
    orphan.metadata.owner_references = None;
    observe(&store, Ok(orphan.clone()), since);
    assert_eq!(store.list().len(), 1, "nobody owns it");
    store.keep_all();
    observe(&store, Ok(orphan), since);
    assert_eq!((store.list().len(), store.list_in("a").len(), store.list_in("").len()), (2, 2, 0));
}

#[test]
fn an_answer_that_comes_late_brings_nothing_back() {
    let (store, _) = store();
    let reach = |version: &str| store.reached(Some("a"), Some(version));
    reach("5");
    observe(&store, Err(&child("x", "2", 5).metadata), Instant::now());
    mutation(&store, child("x", "2", 4));
    assert_eq!(versions(&store), [], "the watch has told that it is gone");
    mutation(&store, child("y", "3", 6));
    assert_eq!(versions(&store), [6], "the watch has not got there yet");
    mutation(&store, child("v", "7", 8));
    store.deletion(&child("v", "7", 8));
    mutation(&store, child("v", "7", 7));
    assert_eq!(versions(&store), [6], "it was deleted here");
    reach("9");
    mutation(&store, child("y", "3", 8));
    assert_eq!(versions(&store), [8], "it is known");
    // The server's data is restored from a backup.
    store.replace(Some("a"), &BTreeSet::new(), 2, Instant::now());
    mutation(&store, child("z", "4", 3));
    assert_eq!(versions(&store), [3]);
}

#[test]
fn an_index_finds_objects_by_value_and_a_function_that_panics_gives_none() {
    let (store, _) = store();
    let index = store.index(|object: &ConfigMap| {
        assert_ne!(object.metadata.name.as_deref(), Some("bad"), "it panics");
        object.data.iter().flatten().map(|(key, _)| key.clone()).collect()
    });
    let with = |name: &str, key: &str, version| {
        let mut object = child(name, name, version);
        object.data = Some([(key.to_owned(), String::new())].into());
        object
    };
    for object in [with("x", "k", 1), with("y", "k", 2), with("bad", "k", 3)] {
        observe(&store, Ok(object), Instant::now());
    }
    let names = |value| index.get(value).iter().filter_map(|it| it.metadata.name.clone()).collect::<Vec<_>>();
    assert_eq!(names("k"), ["x", "y"]);
    observe(&store, Ok(with("x", "l", 4)), Instant::now());
    observe(&store, Err(&with("y", "k", 5).metadata), Instant::now());
    assert_eq!((names("k"), names("l")), (vec![], vec!["x".to_owned()]));
    assert!(store.contains(&ObjectKey::new("a", "bad")));
}

#[test]
fn who_waits_for_a_name_is_woken_when_it_is_free_or_changes_hands() {
    let (store, _) = store();
    let (queue, since) = (Arc::new(WorkQueue::default()), Instant::now());
    let wait = |who: &str, version| {
        let holder = child("x", "2", version).metadata;
        store.wait_for(&ObjectKey::new("a", "x"), &holder, &queue, ObjectKey::new("a", who));
    };
    for who in ["one", "two", "one"] {
        wait(who, 1);
    }
    let woken = || {
        let mut count = 0;
        while let Some(key) = futures::FutureExt::now_or_never(queue.get()) {
            queue.done(&key);
            count += 1;
        }
        count
    };
    observe(&store, Ok(child("x", "2", 3)), since);
    store.replace(Some("a"), &BTreeSet::from([ObjectKey::new("a", "x")]), 9, since);
    store.replace(Some("b"), &BTreeSet::new(), 9, since);
    assert_eq!(woken(), 0, "it is another version of it");
    let mut orphan = child("x", "2", 4);
    orphan.metadata.owner_references = None;
    observe(&store, Ok(orphan), since);
    assert_eq!(woken(), 2, "its owner has let go of it");
    wait("one", 5);
    observe(&store, Err(&child("x", "2", 6).metadata), since);
    assert_eq!(woken(), 1, "it is gone");
    wait("one", 7);
    store.replace(Some("a"), &BTreeSet::new(), 9, since);
    assert_eq!(woken(), 1, "it is not listed any more");
    observe(&store, Err(&child("x", "2", 10).metadata), since);
    assert_eq!(woken(), 0, "nobody waits");
}

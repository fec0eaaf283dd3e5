//! `docs/reliability.md`: what each case does, and what the operator did.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// A case: its number, the fault, how it is injected, and what must hold beside what must hold always.
const CASES: [[&str; 4]; 42] = [
    [
        "F1",
        "the process dies",
        "killed after its N-th write, for every N; then a new one starts",
        "the same objects by the same creations and deletions",
    ],
    [
        "F2",
        "answers get lost",
        "every other write is done, and its connection closed in place of an answer",
        "what was done is taken for progress",
    ],
    [
        "F3",
        "no answer",
        "a write of a Deployment is never answered",
        "tried again after the request's time-out; other objects and the end of the process do not wait",
    ],
    [
        "F4",
        "server errors",
        "500 to every write of Deployments for 10 s",
        "attempts further and further apart, one Warning",
    ],
    [
        "F5",
        "server too busy",
        "429 and 503 with `Retry-After`, 504 without, to writes and lists for 4 s each",
        "`Retry-After` kept, no hot loop",
    ],
    [
        "F6",
        "conflicts",
        "a Deployment changes between the look at it and the write; 409 to a write of the status",
        "tried again with what is there now, others' fields stay",
    ],
    [
        "F7",
        "watches break",
        "ended, cut in the middle, reset, or silent without an end",
        "resumed in 5 s; silence is noticed after its limit and told at `/readyz`",
    ],
    ["F8", "version expired, in the stream", "an event `ERROR` with code 410", "each kind listed once more"],
    [
        "F9",
        "version expired, at the start",
        "status 410 to the start of watches",
        "each kind listed once more",
    ],
    ["F10", "deletion of a child not told", "the event is filtered out", "the child is made again"],
    [
        "F11",
        "changes of the object not told",
        "up and down again, and an object that comes and goes, filtered out",
        "nothing left over, and the next change counts",
    ],
    [
        "F12",
        "the past is shown",
        "a restarted operator gets old lists for 5 s, in four combinations",
        "nothing deleted or scaled by old data",
    ],
    [
        "F13",
        "an object cannot be read",
        "stored while the schema was looser",
        "set aside and reported, others go on, also after a restart",
    ],
    [
        "F14",
        "reconcile panics",
        "a reconciler that panics at one object",
        "the process survives, that object backs off, others go on",
    ],
    [
        "F15",
        "the lead is lost",
        "two replicas: the leader stopped, frozen with SIGSTOP, robbed of its Lease, cut off",
        "never two writers, by the API server's own record; hand-over in 3 s",
    ],
    [
        "F16",
        "rights are missing",
        "taken from the operator's own roles while it runs, and given back",
        "told once, no crash, recovery",
    ],
    [
        "F17",
        "the kind is not installed",
        "not yet, deleted, and installed again",
        "waited for, told at `/readyz`, recovery",
    ],
    [
        "F18",
        "the owner is replaced",
        "deleted and made anew under its name during a write, unheard of",
        "the old one's child is neither adopted nor changed",
    ],
    [
        "F19",
        "many objects at the start",
        "1,200 objects, every page of a list late by half a second",
        "each Deployment made once, memory bounded",
    ],
    [
        "F20",
        "the server goes back in time",
        "etcd stopped, restored from a copy, and started",
        "the server's state is taken for the truth",
    ],
    [
        "F21",
        "requests for the Lease are slow",
        "one that renews it is never answered, and later each takes almost half of the renew deadline",
        "the lead is kept",
    ],
    [
        "F22",
        "the Lease is deleted",
        "by hand, while the leader's own requests for it have no answer",
        "never two writers: a standby that has seen the Lease waits as long as it was valid",
    ],
    [
        "F23",
        "version expired, in every stream",
        "an event `ERROR` with code 410 ten times a second",
        "lists further and further apart",
    ],
    [
        "F24",
        "one of several namespaces is forbidden",
        "403 to every request about it, from the start",
        "the others are served, `/readyz` names the one",
    ],
    [
        "F25",
        "connections die silently",
        "from one moment on nothing arrives over those that are open, nor are they closed",
        "abandoned together once one of them has not answered",
    ],
    [
        "F26",
        "another writer fights",
        "it changes the Deployment back whenever the operator has corrected it, for 12 s",
        "corrected less and less often, a condition says so, at most 30 Events",
    ],
    [
        "F27",
        "metrics while the API server is away",
        "no answer to who has a token, and to whether they may read the metrics",
        "known readers are served, others refused within 10 s",
    ],
    [
        "F28",
        "a flood of tokens",
        "50 readers of the metrics at once whom nobody knows, and a slow API server",
        "the lead is kept, the work goes on, known readers are served",
    ],
    [
        "F29",
        "a flood of connections",
        "300 at once, each with a request whose head has 390 KiB",
        "memory bounded, served again afterwards",
    ],
    [
        "F30",
        "long annotations",
        "200 objects with 250 KiB of them each, before the operator starts and while it runs",
        "memory bounded: of each object 16 KiB of annotations are kept",
    ],
    [
        "F31",
        "many Deployments of others",
        "3,000 of 12 KiB each, half of them while the operator runs",
        "memory bounded: of what is not controlled the name is kept",
    ],
    [
        "F32",
        "many wait for one name",
        "30 objects ask for a Deployment that is somebody else's, which is deleted later",
        "nobody asks while nothing happens; woken when it is gone",
    ],
    ["F33", "events are not answered", "none of them, while 64 objects are made", "reconciles do not wait"],
    [
        "F34",
        "the token is renewed",
        "the file is emptied, then has another token and a line end; the first one is revoked",
        "read anew when it is refused; nobody notices",
    ],
    [
        "F35",
        "a server without bookmarks",
        "none arrives; watches may be silent for a second",
        "no list, and ready all the time, once that has shown",
    ],
    ["F36", "watches are reset again and again", "five times", "resumed where they were, without a list"],
    [
        "F37",
        "a policy rewrites a field",
        "a MutatingAdmissionPolicy sets the replicas of each Deployment to one, and is deleted later",
        "a condition says so, tried less and less often, right when the policy is gone",
    ],
    [
        "F38",
        "many namespaces",
        "50 of them, in which nothing happens",
        "each is counted less often than one would be",
    ],
    [
        "F39",
        "two want one child",
        "two objects ask for a Deployment of one name at the same time",
        "creating never changes what is there: the second one sees that it is taken",
    ],
    [
        "F40",
        "a look-alike",
        "somebody else makes the Deployment, just as it is wanted, while its creation is on its way",
        "left alone",
    ],
    [
        "F41",
        "a conflict while a watch is stalled",
        "the Deployment is somebody else's, and no change of the object is told",
        "the status is written once, its times change with it only",
    ],
    [
        "F42",
        "what is done, and what is told, is not answered",
        "answers to writes of Deployments get lost; 503 to every event for 12 s",
        "each creation, change and deletion is told once",
    ],
];

const HEAD: &str = "\
# Reliability

What an operator of this runtime does when things go wrong, as `cargo test --test faults` in this repository saw it: the
generated one runs against a real API server and etcd, with a proxy in between that breaks things. Each case tells the same
story (a Deployment is asked for, scaled, replaced by one of another name, and scaled to nothing) or a part of it. In the
end

- the objects are those of an undisturbed run, and so are the numbers of creations and deletions of each Deployment, by
  the API server's audit log;
- for five seconds nothing is written any more;
- the operator is alive, works, and stops in under five seconds.

";

const TAIL: &str = "
A weakened operator fails each of these: `tests/faults/weaknesses.rs` takes one defence after the other away, and the
cases that are about it fail. The absence of those in `tests/faults/simulated.rs` is found by simulated histories.

## Your own reconcile

What depends on a reconcile is tested in the project that it belongs to. `tests/faults.rs` has a test for each kind, blank
ones too, which `make test` runs: the story of an object, told undisturbed and then

| | how | what must hold |
|---|---|---|
| killed | after each write in turn, without an answer to it; then a new one starts | no more creations and deletions, no Event twice |
| answers lost | every other write is done, and its connection closed in place of an answer | no more creations and deletions, no Event twice |
| conflicts | another writer puts an annotation into each object while a write of it is on its way | written anew, the annotation stays |
| the past | a new operator gets lists of a moment when the user had asked for something else, or had not deleted the object | nothing of what there is is made, changed or deleted |
| replaced | the object is deleted and made anew under its name during a write, unheard of | nothing of the old one's is taken over |

After each step there must be what there is without disturbance, in every field but those that the API server fills in
differently each time. In the end nothing more is written, the operator is alive, lets go of the object when that is
deleted, and stops in under five seconds. [writing-controllers.md](writing-controllers.md#tests-under-faults) shows how a
story is told. `tests/faults/weaknesses.rs` and `simulated.rs` have a reconcile for each row
that fails it.

## What is left

- An operator that is killed between a change and its event does not publish that event later, nor one that the API server
  has not taken for about two minutes, or two seconds before the operator stops: there is at most one event for each fact.
- A Lease that is deleted by hand is taken at once by a replica that starts after that, because it cannot know that there
  was one. The leader learns of it by its next renewal, within two seconds by default; if its renewals are not answered, it
  gives up ten seconds after the last one that was.
- A change of an object that the server neither tells of nor follows by another one is noticed when the objects are
  listed the next time. Objects that come or go untold are noticed by counting, about every 45 seconds (of more than ten
  namespaces, each less often), unless as many come as go.
- A process that is frozen between the moment it decides to send a request and the moment the kernel sends it is beyond
  what a client can see. Changes and deletions of a Deployment that go out so late carry the version that they were
  decided on, and are refused if it has changed since.
";

/// Compares the page with the cases and with what the tests reported, or renews it.
pub fn check(report: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reliability.md");
    let rows = CASES.map(|[id, fault, injection, invariant]| {
        let seen: Vec<_> = report
            .lines()
            .filter_map(|line| line.strip_prefix(id)?.strip_prefix('\t'))
            .map(|line| line.split_once('\t').expect("what was seen").1)
            .collect();
        assert!(!seen.is_empty(), "{id} reported nothing:\n{report}");
        (format!("| {id} | {fault} | {injection} | {invariant} |"), seen.join("; "))
    });
    if std::env::var_os("BLESS").is_some() {
        let mut text = HEAD.to_owned();
        text.push_str("| | fault | how | what must hold | what happened |\n|---|---|---|---|---|\n");
        for (row, seen) in &rows {
            writeln!(text, "{row} {seen} |").expect("a string");
        }
        text.push_str(TAIL);
        fs::write(&path, text).expect("write");
    }
    let text = fs::read_to_string(&path).expect("the page; BLESS=1 writes it");
    assert!(text.starts_with(HEAD) && text.ends_with(TAIL), "renew the page with BLESS=1");
    for (row, _) in rows {
        // What happened differs in its times from run to run.
        assert!(text.contains(&row), "renew the page with BLESS=1: it lacks {row}");
    }
}

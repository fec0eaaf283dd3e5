//! Programs in the place of cargo and `crdgen` that print without end, never end, or leave others behind.

use std::sync::Mutex;

use super::commands::line;
use super::run::{LONG_PATIENCE, run_for};
use super::{Tree, check, stand};

const DEFINE: &str = "cat \"${0%/*}/definitions\"";

pub(super) fn trees() -> Vec<Tree> {
    let crdgen = |what: &str, commands: &str| {
        let commands = commands.replace("DEFINE", DEFINE);
        Tree::new(format!("a crdgen that {what}"), move |world| world.crdgen(&commands)).only("manifests")
    };
    let cargo = |what: &str, commands: &str| {
        let commands = commands.to_owned();
        Tree::new(format!("a cargo that {what}"), move |world| {
            let commands = commands.replace("OUTSIDE", &world.beside("outside").display().to_string());
            world.cargo(&commands);
        })
        .only("manifests")
    };
    let noise = r"printf '\033]0;pwned\007\033[2J\233\342\200\256\r\n\377\376\000\n' >&2";
    vec![
        crdgen("prints control characters as notes", &format!("{noise}; DEFINE")),
        crdgen("prints control characters and fails", &format!("{noise}; exit 3")),
        crdgen(
            "panics with control characters",
            &format!("echo \"thread 'a' panicked at b:1:1:\" >&2; {noise}; exit 101"),
        ),
        crdgen("prints zeros without end", "exec cat /dev/zero"),
        crdgen("prints lines without end", "exec yes"),
        crdgen("prints one note of 20 MB", "head -c 20000000 /dev/zero | tr '\\0' a >&2; DEFINE"),
        crdgen("prints 2,000,000 notes", "yes note | head -n 2000000 >&2; DEFINE"),
        crdgen("prints nothing", "exit 0"),
        crdgen("works without end", "while :; do :; done"),
        crdgen("leaves a silent process behind", "sleep 300 >/dev/null 2>&1 & DEFINE"),
        crdgen("fails and leaves a silent process behind", "sleep 300 >/dev/null 2>&1 & exit 3"),
        crdgen("leaves many behind", "for i in 1 2 3 4 5 6 7 8; do sleep 300 >/dev/null 2>&1 & done; DEFINE"),
        crdgen("leaves one behind that keeps its notes open", "sleep 300 >/dev/null & DEFINE"),
        cargo("prints control characters and fails", &format!("{noise}; exit 101")),
        cargo("names a folder", "echo '{\"target\":{\"name\":\"crdgen\"},\"executable\":\"OUTSIDE\"}'"),
        cargo(
            "names a file that is no program",
            "echo '{\"target\":{\"name\":\"crdgen\"},\"executable\":\"OUTSIDE/canary\"}'",
        ),
        cargo(
            "names nothing",
            "echo '{\"target\":{\"name\":\"crdgen\"},\"executable\":\"/nowhere/at/all\"}'",
        ),
        cargo(
            "names control characters",
            "printf '{\"target\":{\"name\":\"crdgen\"},\"executable\":\"\\\\u001b]0;pwned\\\\u0007\\\\nhint: pwned\"}'",
        ),
        cargo("prints deep JSON", "yes '[' | head -n 200000 | tr -d '\\n'"),
        cargo("prints without end", "exec yes '{}'"),
        cargo("leaves a process behind", "sleep 300 >/dev/null 2>&1 & exit 101"),
    ]
}

#[test]
fn corpus_generators_that_misbehave() {
    stand(&trees());
}

#[test]
fn corpus_generators_that_never_end_are_ended_after_a_minute() {
    let never = [
        "exec sleep 300",
        "sleep 300 & sleep 300 & wait",
        "trap '' TERM INT HUP; sleep 300; sleep 300",
        "sleep 300 & exec cat \"${0%/*}/definitions\"",
    ];
    let faults = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for commands in never {
            let faults = &faults;
            scope.spawn(move || {
                let world = super::World::new();
                world.crdgen(commands);
                let line = line("manifests", "", false, 1);
                let before = world.fingerprint();
                let ended = run_for(&world, &line, LONG_PATIENCE);
                let found = check::faults(&world, &line, &ended, &before, &world.fingerprint());
                let told = found.into_iter().map(|fault| format!("`{commands}`: {fault}\n"));
                faults.lock().expect("faults").extend(told);
            });
        }
    });
    let faults = faults.into_inner().expect("faults");
    assert!(faults.is_empty(), "{}", faults.concat());
}

//! What happened is told once, though neither what was done nor what is told may be answered.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use operator_testing::{Fault, ensure, eventually};

use crate::case::{Case, NAME};
use crate::run;

#[test]
fn f33_events_not_answered() {
    const MANY: usize = 64;
    run(async {
        let case = Case::new("f33").await;
        let operator = case.operator(&[]).await;
        case.proxy.inject(|asked| if asked.writes_to("events") { Fault::Hang } else { Fault::None });
        let begun = Instant::now();
        for number in 0..MANY {
            case.write(&format!("other-{number}"), &format!("other-{number}"), 1).await;
        }
        for number in 0..MANY {
            case.deployment(&format!("other-{number}"), 1).await;
        }
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(15), "after {took:?}");
        case.proxy.heal();
        case.write(NAME, "web", 1).await;
        case.settled("web", 1).await;
        for number in 0..MANY {
            let name = format!("other-{number}");
            eventually(&format!("{name} is told of"), async || {
                let events = case.events(&name, "Normal").await;
                ensure(events.len() == 1, &events)
            })
            .await;
        }
        case.is_sound(operator).await;
        let seconds = took.as_secs_f64();
        case.report("F33", &format!("{MANY} objects were made and served in {seconds:.1} s"));
    });
}

#[test]
fn f42_answers_lost() {
    run(async {
        let case = Case::new("f42").await;
        let count = AtomicUsize::new(0);
        // A try for each write of a Deployment is lost.
        case.proxy.inject(move |asked| {
            let is_unlucky = asked.writes_to("deployments") && count.fetch_add(1, Ordering::SeqCst) % 2 == 0;
            if is_unlucky { Fault::LoseResponse } else { Fault::None }
        });
        let operator = case.operator(&[]).await;
        case.play().await;
        case.proxy.heal();
        case.holds(operator).await;
        case.report("F42", "what was done without an answer was told of when it was found");
    });
}

#[test]
fn f42_events_not_taken() {
    const OUTAGE: Duration = Duration::from_secs(12);
    run(async {
        let case = Case::new("f42-events").await;
        case.proxy.inject(|asked| if asked.writes_to("events") { Fault::status(503) } else { Fault::None });
        let operator = case.operator(&[]).await;
        case.play().await;
        tokio::time::sleep(OUTAGE).await;
        let asked = || case.proxy.count(|asked| asked.writes_to("events"));
        let (count, before) = (AtomicUsize::new(0), asked());
        case.proxy.inject(move |asked| {
            let is_first = asked.writes_to("events") && count.fetch_add(1, Ordering::SeqCst) == 0;
            if is_first { Fault::LoseResponse } else { Fault::None }
        });
        // There are five, and the one whose answer was lost is sent again.
        eventually("all are sent", async || ensure(asked() >= before + 6, &asked())).await;
        case.holds(operator).await;
        let seconds = OUTAGE.as_secs();
        case.report("F42", &format!("events that nobody took for {seconds} s were told once, later"));
    });
}

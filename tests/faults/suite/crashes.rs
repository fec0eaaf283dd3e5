//! The operator dies, or does not learn what became of what it asked for.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt as _;
use operator_testing::Fault;

use crate::case::{Case, writes_undisturbed};
use crate::run;

/// Operators that run at the same time.
const AT_ONCE: usize = 4;

#[test]
fn f01_killed_after_each_write() {
    run(async {
        let writes = writes_undisturbed().await;
        futures::stream::iter(1..=writes).for_each_concurrent(AT_ONCE, killed_after).await;
        let case = Case::new("f1").await;
        case.report("F1", &format!("killed after each of {writes} writes: each object once, none twice"));
    });
}

async fn killed_after(nth: usize) {
    let case = Case::new(&format!("f1-{nth}")).await;
    let count = AtomicUsize::new(0);
    case.proxy.inject(move |asked| match asked.writes().then(|| count.fetch_add(1, Ordering::SeqCst) + 1) {
        Some(number) if number == nth => Fault::LoseResponse,
        // The operator is dead by then, as far as the cluster can see.
        Some(number) if number > nth => Fault::Hang,
        _ => Fault::None,
    });
    let operator = case.operator(&[]).await;
    let restarted = async {
        let lost = tokio::time::timeout(Duration::from_secs(60), case.proxy.response_lost()).await;
        lost.unwrap_or_else(|_| panic!("there were fewer than {nth} writes"));
        operator.kill();
        case.proxy.heal();
        case.operator(&[]).await
    };
    let ((), operator) = futures::future::join(case.play(), restarted).await;
    case.holds_but_for_events(operator).await;
}

#[test]
fn f02_answers_lost() {
    run(async {
        let case = Case::new("f2").await;
        let count = AtomicUsize::new(0);
        case.proxy.inject(move |asked| {
            let is_unlucky = asked.writes() && count.fetch_add(1, Ordering::SeqCst).is_multiple_of(2);
            if is_unlucky { Fault::LoseResponse } else { Fault::None }
        });
        let operator = case.operator(&[]).await;
        case.play().await;
        case.proxy.heal();
        case.holds(operator).await;
        case.report("F2", "what had been done was found, and taken for progress");
    });
}

//! What can go wrong in a history.

use std::collections::BTreeMap;
use std::fmt;

use super::draw::Draw;
use super::world::short;

/// One thing that goes wrong in a simulated history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SimFault {
    /// A request or its answer takes seconds, so that later ones overtake it.
    Slow,
    /// A request gets lost, and its sender hears that, or never hears anything.
    RequestLost,
    /// A request is done, and its answer gets lost.
    AnswerLost,
    /// 409: somebody else has written.
    Conflict,
    /// 429, with a `Retry-After`.
    TooManyRequests,
    /// 500.
    ServerError,
    /// 503.
    Unavailable,
    /// 504: it may have been done.
    GatewayTimeout,
    /// Somebody else writes to the object just before the operator does.
    OtherWriter,
    /// An object of the name and the looks that the operator is about to give one appears just before; or one takes the
    /// place of what it is about to delete.
    Intruder,
    /// The process dies between two requests, or before an answer reaches it.
    Crash,
    /// A watch tells of what happens only after seconds.
    WatchLate,
    /// A watch breaks, and what was under way in it is lost.
    WatchBroken,
    /// A watch says nothing any more.
    WatchSilent,
    /// The server forgets old versions, so that watches and pages that go on from them are answered with 410.
    Compaction,
    /// A replica is stopped politely, and another one starts.
    Stop,
    /// Everything stands still for a while, except for a replica elsewhere, which takes the Lease should it expire.
    Freeze,
    /// A replica and the server do not reach each other for a while.
    CutOff,
    /// Somebody deletes the Lease.
    LeaseDeleted,
    /// Somebody writes another holder into the Lease.
    LeaseTaken,
    /// Somebody changes what the operator has made.
    Changed,
    /// Somebody deletes what the operator has made.
    Deleted,
    /// An object of a name that the operator wants is there for a while, made by somebody else.
    NameTaken,
}

impl SimFault {
    /// What can happen to one request.
    const OF_REQUESTS: [Self; 14] = [
        Self::Slow,
        Self::RequestLost,
        Self::AnswerLost,
        Self::Conflict,
        Self::TooManyRequests,
        Self::ServerError,
        Self::Unavailable,
        Self::GatewayTimeout,
        Self::OtherWriter,
        Self::Intruder,
        Self::Crash,
        Self::WatchLate,
        Self::WatchBroken,
        Self::WatchSilent,
    ];
    /// What happens at some time.
    pub(super) const OF_TIME: [Self; 10] = [
        Self::Crash,
        Self::Compaction,
        Self::Stop,
        Self::Freeze,
        Self::CutOff,
        Self::LeaseDeleted,
        Self::LeaseTaken,
        Self::Changed,
        Self::Deleted,
        Self::NameTaken,
    ];

    /// Whether it can happen to some request.
    pub(super) fn is_of_requests(self) -> bool {
        Self::OF_REQUESTS.contains(&self)
    }

    /// Whether it can happen to such a request.
    fn concerns(self, asked: Asked) -> bool {
        match self {
            Self::WatchLate | Self::WatchBroken | Self::WatchSilent => asked == Asked::Watch,
            Self::Conflict | Self::OtherWriter => asked == Asked::Change,
            Self::Intruder => [Asked::Change, Asked::Delete].contains(&asked),
            Self::AnswerLost | Self::GatewayTimeout | Self::Crash => asked != Asked::Watch,
            _ => true,
        }
    }
}

impl fmt::Display for SimFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Slow => "slow",
            Self::RequestLost => "the request is lost",
            Self::AnswerLost => "the answer is lost",
            Self::Conflict => "409",
            Self::TooManyRequests => "429",
            Self::ServerError => "500",
            Self::Unavailable => "503",
            Self::GatewayTimeout => "504",
            Self::OtherWriter => "another writer comes first",
            Self::Intruder => "a foreign object comes first",
            Self::Crash => "crash",
            Self::WatchLate => "this watch is late",
            Self::WatchBroken => "this watch will break",
            Self::WatchSilent => "this watch will fall silent",
            Self::Compaction => "compaction",
            Self::Stop => "stop",
            Self::Freeze => "freeze",
            Self::CutOff => "cut off",
            Self::LeaseDeleted => "the Lease is deleted",
            Self::LeaseTaken => "the Lease is taken",
            Self::Changed => "changed by somebody else",
            Self::Deleted => "deleted by somebody else",
            Self::NameTaken => "a name is taken",
        })
    }
}

/// What a request is, for faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Read,
    Watch,
    /// It makes or changes an object.
    Change,
    Delete,
}

/// How much goes wrong.
#[derive(Clone, Debug)]
pub(super) struct Profile {
    /// What may, in the order of their definition.
    kinds: Vec<SimFault>,
    /// How many of a thousand requests a fault of each kind befalls.
    permille: u64,
    /// How often each kind of time happens, at most.
    pub(super) times: usize,
}

impl Profile {
    /// Nothing does.
    pub(super) fn none() -> Self {
        Self { kinds: Vec::new(), permille: 0, times: 0 }
    }

    /// Some of everything, or one or two kinds at full strength.
    pub(super) fn draw(draw: &mut Draw, left_out: &[SimFault]) -> Self {
        let mut all: Vec<_> = SimFault::OF_REQUESTS.into_iter().chain(SimFault::OF_TIME).collect();
        all.sort_unstable();
        all.dedup();
        all.retain(|fault| !left_out.contains(fault));
        if draw.chance(500) {
            let permille = [2, 5, 10, 30][draw.below(4)];
            return Self { kinds: all, permille, times: 1 };
        }
        let count = 1 + draw.below(2);
        let mut kinds: Vec<_> = (0..count).filter_map(|_| draw.pick(&all).copied()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let permille = [100, 200, 400][draw.below(3)];
        Self { kinds, permille, times: 6 }
    }

    /// The kinds that happen at some time.
    pub(super) fn of_time(&self) -> impl Iterator<Item = SimFault> {
        SimFault::OF_TIME.into_iter().filter(|kind| self.kinds.contains(kind))
    }

    /// What befalls a request.
    fn befalls(&self, draw: &mut Draw, asked: Asked) -> Option<SimFault> {
        let of_requests = SimFault::OF_REQUESTS.into_iter();
        let mut kinds = of_requests.filter(|kind| self.kinds.contains(kind) && kind.concerns(asked));
        kinds.find(|kind| {
            // A process that dies at every second request does nothing at all.
            let permille = if *kind == SimFault::Crash { self.permille / 8 } else { self.permille };
            draw.chance(permille)
        })
    }
}

/// The faults of requests: which there are is drawn, or known from another telling.
#[derive(Clone, Debug)]
pub(super) enum Faults {
    Drawn(Profile),
    Known(BTreeMap<String, SimFault>),
    /// By what a report calls requests, such as `PATCH deployments/web`: the first of each is befallen.
    Named(BTreeMap<String, SimFault>),
}

impl Faults {
    /// What befalls the request of that key, which no other request of the history has.
    pub(super) fn of(&self, seed: u64, key: &str, asked: Asked) -> Option<SimFault> {
        match self {
            Self::Drawn(profile) => profile.befalls(&mut Draw::new(seed, key), asked),
            Self::Known(known) => known.get(key).copied().filter(|fault| fault.concerns(asked)),
            Self::Named(named) => named.get(&name(key)?).copied().filter(|fault| fault.concerns(asked)),
        }
    }
}

/// What a report calls the request of that key, if it is the first one that it calls so.
pub(super) fn name(key: &str) -> Option<String> {
    let mut words = key.splitn(3, ' ').skip(1);
    let (method, path) = (words.next()?, words.next()?.strip_suffix(" 1")?);
    Some(format!("{method} {}", short(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_drawing_occur_and_what_is_left_out_does_not() {
        let drawn = (0..200).map(|seed| Profile::draw(&mut Draw::new(seed, ""), &[SimFault::Freeze]));
        let drawn: Vec<_> = drawn.collect();
        assert!(drawn.iter().filter(|profile| profile.kinds.len() <= 2).count() > 60);
        assert!(drawn.iter().filter(|profile| profile.kinds.len() == 22).count() > 60, "{:?}", drawn[0]);
        assert!(drawn.iter().all(|profile| !profile.kinds.contains(&SimFault::Freeze)));
        let kinds: std::collections::BTreeSet<_> = drawn.iter().flat_map(|it| it.kinds.clone()).collect();
        assert_eq!(kinds.len(), 22);
    }

    #[test]
    fn a_named_fault_befalls_the_first_request_of_that_name() {
        let faults = Faults::Named([("PATCH deployments/web/status".to_owned(), SimFault::Conflict)].into());
        let path = "/apis/apps/v1/namespaces/default/deployments/web/status";
        let of = |count: u32| faults.of(0, &format!("replica-1 PATCH {path} {count}"), Asked::Change);
        assert_eq!((of(1), of(2)), (Some(SimFault::Conflict), None));
        assert_eq!(faults.of(0, &format!("replica-1 GET {path} 1"), Asked::Read), None);
    }

    #[test]
    fn a_known_fault_befalls_its_request_alone() {
        let faults = Faults::Known([("a".to_owned(), SimFault::Conflict)].into());
        assert_eq!(faults.of(1, "a", Asked::Change), Some(SimFault::Conflict));
        assert_eq!(faults.of(1, "a", Asked::Read), None, "it is another request by now");
        assert_eq!(faults.of(1, "b", Asked::Change), None);
        let drawn = Faults::Drawn(Profile { kinds: vec![SimFault::Conflict], permille: 1000, times: 0 });
        assert_eq!(drawn.of(1, "b", Asked::Change), Some(SimFault::Conflict));
    }
}

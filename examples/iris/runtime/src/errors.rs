//! Why a reconcile, or a helper of it, did not succeed.

use std::error::Error;
use std::fmt;

use crate::object::ObjectKey;

/// Any error; `?` makes one of every other.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// What a reconcile returns.
pub type Result<T = crate::Action, E = BoxError> = std::result::Result<T, E>;

/// An error that trying again does not help against, as controller-runtime's of that name: nothing is done until the
/// object changes, or `--sync-period` has passed.
#[derive(Debug)]
pub struct TerminalError(BoxError);

impl TerminalError {
    /// Makes an error final.
    pub fn new(error: impl Into<BoxError>) -> Self {
        Self(error.into())
    }
}

impl fmt::Display for TerminalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for TerminalError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

/// Something turned out to be other than it is known here, so nothing was done. The reconcile is tried again in a moment,
/// which is no failure unless it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the cluster has something else than is known here")]
pub struct Stale;

/// Why something was not applied, pruned or reported.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// An object of that name belongs to somebody else, and was left alone.
    #[error("{kind} \"{}\" exists and is not controlled by this object", key.name)]
    Taken {
        /// Its kind.
        kind: String,
        /// Where it is.
        key: ObjectKey,
    },
    /// Something turned out to be other than it is known here.
    #[error("{0}")]
    Stale(#[from] Stale),
    /// What is desired cannot be.
    #[error("{0}")]
    Invalid(#[from] TerminalError),
    /// The API server refused or did not answer.
    #[error("failed to {verb} {kind} resource: {source}")]
    Api {
        /// What was tried.
        verb: &'static str,
        /// The kind it was tried on.
        kind: String,
        /// The answer.
        source: Box<kube::Error>,
    },
}

/// The first `T` among `error` and what it comes from.
pub(crate) fn find<T: Error + 'static>(error: &BoxError) -> Option<&T> {
    let mut next: Option<&(dyn Error + 'static)> = Some(&**error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("mine")]
    struct Mine(#[source] ApplyError);

    #[test]
    fn errors_are_recognised_wherever_they_are_wrapped() {
        let stale: BoxError = Mine(Stale.into()).into();
        let taken: BoxError =
            Mine(ApplyError::Taken { kind: "Secret".into(), key: ObjectKey::default() }).into();
        let terminal: BoxError = Mine(TerminalError::new("never").into()).into();
        let is_stale = |error: &BoxError| find::<Stale>(error).is_some();
        let is_taken = |error: &BoxError| matches!(find(error), Some(ApplyError::Taken { .. }));
        let is_terminal = |error: &BoxError| find::<TerminalError>(error).is_some();
        let kinds = |error: &BoxError| (is_stale(error), is_taken(error), is_terminal(error));
        assert_eq!(kinds(&stale), (true, false, false));
        assert_eq!(kinds(&taken), (false, true, false));
        assert_eq!(kinds(&terminal), (false, false, true));
        assert!(is_stale(&Stale.into()) && is_terminal(&TerminalError::new("never").into()));
        assert!(!is_stale(&"text".into()));
    }
}

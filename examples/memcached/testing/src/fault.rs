//! What goes wrong.

use std::time::Duration;

/// What goes wrong with a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: the API server answers it.
    #[default]
    None,
    /// It is answered with an error, without the API server.
    Status {
        /// Of HTTP, such as 503.
        code: u16,
        /// The seconds after which to try again, as `Retry-After` says.
        retry_after: Option<u32>,
    },
    /// It is answered with this JSON, without the API server.
    Body(String),
    /// It is never answered.
    Hang,
    /// The API server does what it asks for, and the answer is lost: the connection breaks.
    LoseResponse,
    /// The API server gets it later.
    Delay(Duration),
}

impl Fault {
    /// An error without a word on when to try again.
    #[must_use]
    pub fn status(code: u16) -> Self {
        Self::Status { code, retry_after: None }
    }
}

/// How watches are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// In order, as the API server ends them.
    End,
    /// In the middle.
    Break,
}

//! The licence of a project.

use clap::ValueEnum;

/// Licence of the project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum License {
    /// Apache License 2.0
    Apache2,
    /// MIT License
    Mit,
    /// No licence and no header
    None,
}

impl License {
    /// Its SPDX identifier; empty for none.
    #[must_use]
    pub fn spdx(self) -> &'static str {
        match self {
            Self::Apache2 => "Apache-2.0",
            Self::Mit => "MIT",
            Self::None => "",
        }
    }
}

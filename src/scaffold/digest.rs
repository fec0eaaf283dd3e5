//! What tells one text from another without keeping it.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The SHA-256 of a text, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Digest(String);

impl Digest {
    /// That of `text`.
    pub(super) fn of(text: impl AsRef<[u8]>) -> Self {
        let mut hex = String::with_capacity(64);
        for byte in Sha256::digest(text) {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
        }
        Self(hex)
    }
}

/// The SHA-256 of a text, in hexadecimal, whatever its line ends are.
pub(super) fn sha256(text: &str) -> String {
    Digest::of(text.replace("\r\n", "\n")).0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_one_of_the_standard() {
        // The example in appendix B.1 of FIPS 180-2.
        let digest = Digest("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".into());
        assert_eq!(Digest::of("abc"), digest);
    }
}

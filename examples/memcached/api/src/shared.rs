// SPDX-License-Identifier: Apache-2.0

//! Types and functions that several kinds or versions use, as `crate::shared::…`. This file is yours.
//!
//! Other modules of yours can be listed in `lib.rs`, or in a version's `mod.rs`: later commands keep them there.

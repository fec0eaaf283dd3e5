// SPDX-License-Identifier: Apache-2.0

//! The `memcached` operator as a library, so that tests can reach its parts.

pub mod controller;

// SPDX-License-Identifier: Apache-2.0

//! The `iris` operator as a library, so that tests can reach its parts. This file is yours: what
//! several controllers share can be a module of it.

pub mod controller;

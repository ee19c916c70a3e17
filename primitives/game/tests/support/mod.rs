//! Code that several tests and benchmarks share.
#![allow(dead_code, unused_imports, missing_docs)]

pub mod branch_and_bound;
mod communities;
mod enumeration;
mod float;
pub mod measured;
mod random;

pub use communities::{arbitrary_community, community, sized_community, wild_community, Lean};
pub use enumeration::{all_equilibria, enumerate, profiles};
pub use float::FloatGame;
pub use random::Random;

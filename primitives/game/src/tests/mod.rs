//! Tests of the parts: error bounds against big integers, and the solver's bounds against the definition.

mod cases;
mod certificate;
mod log2;
mod oracle;
mod payoff;
mod prepared;
mod search;
#[path = "../../tests/support/mod.rs"]
mod support;

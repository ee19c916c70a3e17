//! The pallet's tests, one module for each concern. Most of them check every invariant at their end.

mod attacks;
mod clock;
mod community;
mod consent;
mod extremes;
mod failures;
mod incentives;
mod invariants;
mod late;
mod leaving;
mod migrations;
mod operation;
mod random;
mod readings;
mod settlement;
mod strategies;

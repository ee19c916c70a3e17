//! The pallet's tests, by concern. Each ends in a check of every invariant.

mod community;
mod era;
mod failures;
mod invariants;
mod operation;
mod random;
mod readings;
mod settlement;
mod strategies;

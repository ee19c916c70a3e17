//! The pallet's tests, by concern. Each ends in a check of every invariant.

mod community;
mod era;
mod extremes;
mod failures;
mod incentives;
mod invariants;
mod leaving;
mod migrations;
mod operation;
mod random;
mod readings;
mod settlement;
mod strategies;

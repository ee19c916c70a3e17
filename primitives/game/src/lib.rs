//! The energy community game: what a household may do, what it earns, and who trades with whom.
//!
//! One call to [`solve`] takes a validated [`Game`] (one community in one era) and returns a profile, one strategy
//! per household, with a [`Certificate`] that says how far the profile is from a Nash equilibrium. [`verify`]
//! recomputes that certificate from the definition, [`explain`] shows the payoffs behind a choice, [`allocate`]
//! turns a profile into whole watt-hours, and [`ration`] is the sharing rule that it uses. [`delivered`] says what an era
//! was worth once the meters have been read, and [`shares`] makes weights of such worths.
//!
//! The model is that of Ouyang, Yan and Zhu, "Research on new energy trading system based on blockchain",
//! ACM TURC 2021 (doi 10.1145/3472634.3474065), equations (1) to (3); [`payoff`] says how each is computed.
//! Arithmetic is integer only, and exact up to the logarithm; see [`log2`] for the error bound.
//!
//! The crate knows no clock, no storage and no randomness: equal input gives equal output on every machine.
//!
//! ```
//! use commonwatt_game::*;
//!
//! let sell = Strategy { kind: Kind::SellToCommunity, consumption_wh: 500, temperature_centi_c: 2100 };
//! let buy = Strategy { kind: Kind::BuyFromCommunity, consumption_wh: 1500, temperature_centi_c: 2100 };
//! let rules = Rules { lambda: Ratio { numerator: 4, denominator: 1 }, resolution_wh: 10 };
//! let game = Game::new(
//!     rules,
//!     vec![
//!         Household { generation_wh: 1500, comfort: None, strategies: vec![sell] },
//!         Household { generation_wh: 500, comfort: None, strategies: vec![buy] },
//!     ],
//! )
//! .unwrap();
//! let solution = solve(&game, &SolverConfig::default(), None);
//! assert_eq!(solution.certificate.status, Status::Equilibrium);
//! assert_eq!(solution.certificate.traded_wh, 1000);
//! ```

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;
#[cfg(test)]
extern crate self as commonwatt_game;
#[cfg(test)]
extern crate std;

mod allocation;
mod boxes;
mod delivered;
mod fault;
mod game;
#[cfg(feature = "cli")]
pub mod json;
pub mod log2;
pub mod payoff;
mod preference;
mod prepared;
mod search;
mod solver;
#[cfg(test)]
mod tests;
mod types;
mod verify;

pub use allocation::{allocate, ration, Allocation};
pub use delivered::{delivered, shares, Delivered};
pub use fault::{
	ComfortFault, GameFault, HouseholdFault, PreferenceFault, ProfileFault, RulesFault, StrategyFault,
};
pub use game::{Game, Household};
pub use log2::Log2;
pub use preference::{Preference, MAX_PREFERENCE_STRATEGIES};
pub use solver::{solve, Solution, SolverConfig};
pub use types::{
	Comfort, Kind, Ratio, Rules, Strategy, MAX_ENERGY_WH, MAX_HOUSEHOLDS, MAX_LAMBDA, MAX_RESOLUTION_WH,
	MAX_STRATEGIES,
};
pub use verify::{explain, verify, Certificate, Status};

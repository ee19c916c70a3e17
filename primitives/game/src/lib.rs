//! The energy community game: strategies, payoffs, and the solver that finds an equilibrium.
//!
//! [`solve`] takes a [`Game`] (one community in one era) and returns a profile, which has one strategy for each
//! household, and a [`Certificate`], which says how far the profile is from a Nash equilibrium.
//!
//! - [`verify`] recomputes the certificate of a profile.
//! - [`explain`] shows the payoffs behind a household's choice.
//! - [`allocate`] divides the traded energy of a profile in whole watt-hours, by the rule [`ration`].
//! - [`delivered`] computes comfort and payoff from metered energies after the era.
//! - [`shares`] turns payoffs into weights.
//!
//! The model is that of Ouyang, Yan and Zhu, "Research on new energy trading system based on blockchain", ACM TURC 2021
//! (doi 10.1145/3472634.3474065), equations (1) to (3). [`payoff`] describes how they are computed. All arithmetic uses
//! integers and is exact up to the logarithm; [`log2`] states the error bounds.
//!
//! The crate uses no clock, no storage and no randomness. Equal input gives equal output on every machine.
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
mod branch_and_bound;
mod delivered;
mod fault;
mod game;
#[cfg(feature = "cli")]
pub mod json;
mod limits;
pub mod log2;
mod macros;
pub mod payoff;
mod preference;
mod prepared;
mod search;
mod solver;
mod sweep;
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
pub use limits::{MAX_ENERGY_WH, MAX_HOUSEHOLDS, MAX_LAMBDA, MAX_RESOLUTION_WH, MAX_STRATEGIES};
pub use log2::Log2;
pub use preference::{Preference, MAX_PREFERENCE_STRATEGIES};
pub use solver::{solve, Solution, SolverConfig};
pub use types::{Comfort, Kind, Ratio, Rules, Strategy};
pub use verify::{explain, verify, Certificate, Status};

//! The bounds that the chain's games are solved within.

use crate::{
	chain::{self, types::Balance, At},
	fault::Fault,
};
use commonwatt_market::contract::SolverLimits;

/// Constants of the runtime that an audit needs, from its metadata.
pub struct Limits {
	/// Contracts, statements and records are kept for so many eras.
	pub retained: u32,
	/// What an account must hold to exist.
	pub minimum_balance: Balance,
}

impl Limits {
	/// Those of the runtime that made a block.
	pub fn of(at: &At) -> Result<Self, Fault> {
		Ok(Self {
			retained: chain::constant(at, "EnergyMarket", "RetainedEras")?,
			minimum_balance: chain::constant(at, "Balances", "ExistentialDeposit")?,
		})
	}
}

/// What the runtime that made a block allows its solver; only for a runtime whose game has this program's rules.
pub fn solver(at: &At) -> Result<SolverLimits, Fault> {
	let market = |name| chain::constant::<u32>(at, "EnergyMarket", name);
	Ok(SolverLimits {
		max_sweeps: market("MaxSweeps")?,
		max_starts: market("MaxStarts")?,
		max_evaluations: market("MaxEvaluations")?,
		max_evaluations_per_household: market("MaxEvaluationsPerHousehold")?,
	})
}

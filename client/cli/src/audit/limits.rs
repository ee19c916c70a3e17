//! The runtime's constants that an audit needs, and the bounds of its solver.

use crate::{
	chain::{self, types::Balance, At},
	fault::Fault,
};
use commonwatt_market::contract::SolverLimits;

/// Constants of the runtime that an audit needs, from its metadata.
pub struct Limits {
	/// Number of eras for which the chain keeps contracts, statements and records.
	pub retained: u32,
	/// Minimum balance of an account, smallest unit.
	pub minimum_balance: Balance,
}

impl Limits {
	/// Reads the constants of the runtime that made a block.
	pub fn of(at: &At) -> Result<Self, Fault> {
		Ok(Self {
			retained: chain::constant(at, "EnergyMarket", "RetainedEras")?,
			minimum_balance: chain::constant(at, "Balances", "ExistentialDeposit")?,
		})
	}
}

/// The bounds of the runtime's solver. They are useful only if the runtime's game has this program's rules.
pub fn solver(at: &At) -> Result<SolverLimits, Fault> {
	let market = |name| chain::constant::<u32>(at, "EnergyMarket", name);
	Ok(SolverLimits {
		max_sweeps: market("MaxSweeps")?,
		max_starts: market("MaxStarts")?,
		max_evaluations: market("MaxEvaluations")?,
		max_evaluations_per_household: market("MaxEvaluationsPerHousehold")?,
	})
}

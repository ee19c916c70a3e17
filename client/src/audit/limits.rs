//! The bounds that the chain's games are solved within.

use crate::{
	chain::{self, types::Money, At},
	fault::Fault,
};
use commonwatt_game::SolverConfig;

/// Constants of the runtime that an audit needs, from its metadata.
pub struct Limits {
	pub solver: SolverConfig,
	/// Contracts, statements and records are kept for so many eras.
	pub retained: u32,
	/// What an account must hold to exist.
	pub minimum_balance: Money,
}

impl Limits {
	/// Those of the runtime that made a block. Epsilon is that of the solver, which no runtime changes.
	pub fn of(at: &At) -> Result<Self, Fault> {
		let market = |name| chain::constant::<u32>(at, "EnergyMarket", name);
		Ok(Self {
			solver: SolverConfig {
				max_sweeps: market("MaxSweeps")?,
				max_starts: market("MaxStarts")?,
				max_candidates: market("MaxCandidates")?,
				..SolverConfig::default()
			},
			retained: market("RetainedEras")?,
			minimum_balance: chain::constant(at, "Balances", "ExistentialDeposit")?,
		})
	}
}

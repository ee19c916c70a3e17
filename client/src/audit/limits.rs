//! The bounds that the chain's games are solved within.

use crate::{
	chain::{self, types::Balance, At},
	fault::Fault,
};
use commonwatt_game::{Game, SolverConfig};

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
#[derive(Clone, Copy, Debug)]
pub struct Solver {
	max_sweeps: u32,
	max_starts: u32,
	max_evaluations: u32,
	max_evaluations_per_household: u32,
}

impl Solver {
	/// The constants of the runtime that made a block.
	pub fn of(at: &At) -> Result<Self, Fault> {
		let market = |name| chain::constant::<u32>(at, "EnergyMarket", name);
		Ok(Self {
			max_sweeps: market("MaxSweeps")?,
			max_starts: market("MaxStarts")?,
			max_evaluations: market("MaxEvaluations")?,
			max_evaluations_per_household: market("MaxEvaluationsPerHousehold")?,
		})
	}

	/// More than a small game needs.
	#[cfg(test)]
	pub fn generous() -> Self {
		Self {
			max_sweeps: 128,
			max_starts: 32,
			max_evaluations: 65_536,
			max_evaluations_per_household: 1_024,
		}
	}

	/// The bounds for a game, as the pallet sets them. Epsilon is that of the solver, which no runtime changes.
	pub fn config(&self, game: &Game) -> SolverConfig {
		let for_households = u64::from(self.max_evaluations_per_household) * game.households().len() as u64;
		SolverConfig {
			max_sweeps: self.max_sweeps,
			max_starts: self.max_starts,
			max_evaluations: u64::from(self.max_evaluations) + for_households,
			..SolverConfig::default()
		}
	}
}

//! Rewards from the community's incentive pot.

use super::{HouseholdSettlement, Settlement};
use crate::{pallet::*, Balance};
use alloc::vec::Vec;
use commonwatt_market::{
	game::{shares, Log2},
	money::Split,
};
use frame_support::traits::{
	fungible::Inspect,
	tokens::{Fortitude, Preservation},
};

impl<T: Config> Settlement<T> {
	/// Pays the paper's rewards from the incentive pot: the incentive for this era, or what the pot has if that is
	/// less, in proportion to the delivered payoffs. No household gets more than the cap for the contracted community
	/// energy that it delivered or took; what the cap cuts stays in the pot.
	pub(super) fn reward(&self, lines: &mut [HouseholdSettlement<T>]) {
		let available = T::Currency::reducible_balance(&self.pot, Preservation::Preserve, Fortitude::Polite);
		let budget = self.terms.incentive_per_era.min(available);
		if budget == 0 {
			return;
		}
		let payoff = |line: &HouseholdSettlement<T>| {
			line.delivered
				.map_or(Log2::NEG_INFINITY, |delivered| delivered.payoff)
		};
		let weights = shares(&lines.iter().map(payoff).collect::<Vec<_>>());
		let total: u128 = weights.iter().copied().map(u128::from).sum();
		let mut parts = Split::new(budget, total);
		let mut to_pool: Balance = 0;
		for (line, weight) in lines.iter_mut().zip(weights).filter(|(_, weight)| *weight > 0) {
			let cap = line.energy.reward_cap(&line.reading, &self.terms);
			let part = parts.next_part(weight.into()).min(cap);
			// A reward that an account cannot take stays in the pot.
			line.amounts.reward = self.pay_owner(line, &self.pot, part);
			if line.is_alive {
				to_pool = to_pool.saturating_add(part);
			}
		}
		self.move_sum(&self.pot, &self.pool, to_pool);
	}
}

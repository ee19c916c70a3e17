//! Sums over several eras, and who may be said to have traded with whom.

use crate::{money::Balance, Channels, EraIndex, HouseholdId, Statement};
use alloc::vec::Vec;

commonwatt_game::stored_types! {
	/// What several eras came to for one household.
	#[derive(Default)]
	pub struct Bill {
		/// The household.
		pub household: HouseholdId,
		/// The first settled era of the bill.
		pub first_era: EraIndex,
		/// The last settled era of the bill.
		pub last_era: EraIndex,
		/// Number of eras in the bill. Eras that are no longer retained are not among them.
		pub eras: u32,
		/// Contracted energy by channel, Wh, in the order of [`crate::Channels`]: sold to and bought from the community,
		/// sold to and bought from the main grid. Eras without a contract count as main-grid energy.
		pub energy_wh: [u64; 4],
		/// Surplus beyond the contracts that matched inside the community, Wh.
		pub matched_long_wh: u64,
		/// Shortfall from the contracts that matched inside the community, Wh.
		pub matched_short_wh: u64,
		/// Surplus beyond the contracts that nobody matched, Wh.
		pub imbalance_export_wh: u64,
		/// Shortfall from the contracts that nobody matched, Wh.
		pub imbalance_import_wh: u64,
		/// What the contracts cost: community energy, grid fee and main-grid energy.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub contract_cost: Balance,
		/// What the contracts earned: community energy and main-grid energy.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub contract_revenue: Balance,
		/// What the matched shortfall cost.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub matched_cost: Balance,
		/// What the matched surplus earned.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub matched_revenue: Balance,
		/// What the unmatched shortfall cost.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub imbalance_cost: Balance,
		/// What the unmatched surplus earned.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub imbalance_revenue: Balance,
		/// What the incentive pot gave; no part of `revenue` and `savings`.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub reward: Balance,
		/// What the household had to pay: contracts and shortfalls.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub cost: Balance,
		/// What the household earned: contracts and surpluses.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub revenue: Balance,
		/// What the same metered energy would have cost with the main grid alone.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub alone_cost: Balance,
		/// What the same metered energy would have earned with the main grid alone.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub alone_revenue: Balance,
		/// By how much the community made it cheaper; negative where it was dearer.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub savings: i128,
	}

	/// Energy from one seller to one buyer. The market knows no such pairs: buyers pay into the pool and the pool pays
	/// sellers. For an auditor who needs pairs, sellers are matched with buyers in the order of registration.
	#[derive(Copy)]
	pub struct Trade {
		/// Sold the energy.
		pub seller: HouseholdId,
		/// Bought the energy.
		pub buyer: HouseholdId,
		/// Energy, Wh.
		pub energy_wh: u64,
	}
}

impl Bill {
	/// A bill without any era yet, which will begin with `first_era`.
	pub fn empty(household: HouseholdId, first_era: EraIndex) -> Self {
		Self {
			household,
			first_era,
			last_era: first_era,
			..Self::default()
		}
	}

	/// Adds an era that is later than those of the bill so far. Sums of some thousand eras stay far below the ends of the
	/// types.
	pub fn add(&mut self, statement: &Statement) {
		let amounts = &statement.amounts;
		self.last_era = statement.era;
		self.eras = self.eras.saturating_add(1);
		for (sum, wh) in self.energy_wh.iter_mut().zip(statement.energy.all_wh()) {
			*sum = sum.saturating_add(wh);
		}
		let add_wh = |sum: &mut u64, wh: u32| *sum = sum.saturating_add(wh.into());
		add_wh(&mut self.matched_long_wh, statement.matched_long_wh);
		add_wh(&mut self.matched_short_wh, statement.matched_short_wh);
		add_wh(&mut self.imbalance_export_wh, statement.imbalance_export_wh);
		add_wh(&mut self.imbalance_import_wh, statement.imbalance_import_wh);
		let add = |sum: &mut Balance, amount: Balance| *sum = sum.saturating_add(amount);
		add(&mut self.contract_cost, amounts.contract_cost());
		add(&mut self.contract_revenue, amounts.contract_revenue());
		add(&mut self.matched_cost, amounts.matched_cost);
		add(&mut self.matched_revenue, amounts.matched_revenue);
		add(&mut self.imbalance_cost, amounts.imbalance_cost);
		add(&mut self.imbalance_revenue, amounts.imbalance_revenue);
		add(&mut self.reward, amounts.reward);
		add(&mut self.cost, amounts.cost());
		add(&mut self.revenue, amounts.revenue());
		add(&mut self.alone_cost, amounts.alone_cost);
		add(&mut self.alone_revenue, amounts.alone_revenue);
		self.savings = self.savings.saturating_add(amounts.savings());
	}
}

/// Matches sellers with buyers of community energy, both in the order given.
pub fn trades(energies: impl IntoIterator<Item = (HouseholdId, Channels)>) -> Vec<Trade> {
	let (mut sold, mut bought) = (Vec::new(), Vec::new());
	for (household, energy) in energies {
		sold.push((household, u64::from(energy.sold_to_community_wh)));
		bought.push((household, u64::from(energy.bought_from_community_wh)));
	}
	let mut trades = Vec::new();
	let mut buyers = bought.into_iter();
	let mut buyer = buyers.next();
	for (seller, mut left) in sold {
		while let Some((id, wanted)) = buyer.as_mut().filter(|_| left > 0) {
			let energy_wh = left.min(*wanted);
			if energy_wh > 0 {
				trades.push(Trade {
					seller,
					buyer: *id,
					energy_wh,
				});
			}
			left = left.saturating_sub(energy_wh);
			*wanted = wanted.saturating_sub(energy_wh);
			if *wanted == 0 {
				buyer = buyers.next();
			}
		}
	}
	trades
}

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
		/// Energy by channel, Wh, in the order of [`crate::Channels`]: sold to and bought from the community, sold to and
		/// bought from the main grid.
		pub energy_wh: [u64; 4],
		/// What the incentive pot gave; no part of `revenue` and `savings`.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub reward: Balance,
		/// What the household had to pay: community energy, grid fee and main-grid energy.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub cost: Balance,
		/// What the household earned: community energy and main-grid energy.
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
		let add = |sum: &mut Balance, amount: Balance| *sum = sum.saturating_add(amount);
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

//! What an era came to, for a household and for a community.

use crate::{money::Balance, Channels, EraIndex, Reading, Terms};
use commonwatt_game::{Certificate, Delivered};

commonwatt_game::stored_types! {
	/// Amounts of one household's settlement. Each is what moved; what could not move is in `arrears` or `credit`.
	#[derive(Copy, Default)]
	pub struct Amounts {
		/// Paid to the pool for community energy.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub paid_to_pool: Balance,
		/// Received from the pool for community energy.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub received_from_pool: Balance,
		/// Paid to the operator.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub grid_fee: Balance,
		/// Received from the incentive pot.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub reward: Balance,
		/// Paid to the utility, repaid arrears included.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub paid_to_utility: Balance,
		/// Received from the utility, repaid credit included.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub received_from_utility: Balance,
		/// What this era's purchases from the main grid cost.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub main_cost: Balance,
		/// What this era's sales to the main grid earned.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub main_revenue: Balance,
		/// What the same metered energy would have cost with the main grid alone.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub alone_cost: Balance,
		/// What the same metered energy would have earned with the main grid alone.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub alone_revenue: Balance,
		/// What the household owes the utility afterwards.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub arrears: Balance,
		/// What the utility owes the household afterwards.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub credit: Balance,
	}

	/// What one era came to for one household.
	#[derive(Copy)]
	pub struct Statement {
		/// The era of delivery.
		pub era: EraIndex,
		/// The reading that was settled; `Estimated` by the chain where the meter stayed silent.
		pub reading: Reading,
		/// Energy by channel; the main grid's includes the deviation from the contract.
		pub energy: Channels,
		/// Part of `bought_from_main_wh` that no contract covered, at the imbalance price.
		pub imbalance_import_wh: u32,
		/// Part of `sold_to_main_wh` that no contract covered, at the imbalance price.
		pub imbalance_export_wh: u32,
		/// Price of community energy for each kWh.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub price_per_kwh: Balance,
		/// Comfort and payoff of what was delivered; `None` without a contract or without a reading.
		pub delivered: Option<Delivered>,
		/// What moved.
		pub amounts: Amounts,
	}

	/// Sums over a community of one settled era. Community energy sold equals community energy bought.
	#[derive(Copy, Default)]
	pub struct Totals {
		/// Households settled.
		pub households: u32,
		/// How many of them have a reading that the chain estimated.
		pub missing_readings: u32,
		/// Energy that changed hands inside the community, Wh.
		pub community_wh: u64,
		/// Energy bought from the main grid, Wh.
		pub bought_from_main_wh: u64,
		/// Energy sold to the main grid, Wh.
		pub sold_to_main_wh: u64,
		/// Money from buyers to sellers through the pool.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub through_pool: Balance,
		/// Grid fees to the operator.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub grid_fees: Balance,
		/// Rewards from the incentive pot.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub rewards: Balance,
		/// Money from households to the utility.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub to_utility: Balance,
		/// Money from the utility to households.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub from_utility: Balance,
	}

	/// What the clearing of a community's era came to.
	#[derive(Copy)]
	pub struct EraRecord {
		/// The era of delivery.
		pub era: EraIndex,
		/// The terms that hold for it.
		pub terms: Terms,
		/// Households with a contract.
		pub players: u32,
		/// The solver's claim, which `verify` of the runtime API checks.
		pub certificate: Certificate,
		/// Best-response sweeps that the solver made, over all starts.
		pub sweeps: u32,
		/// Starts that the solver made.
		pub starts: u32,
		/// Price of community energy for each kWh.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub price_per_kwh: Balance,
		/// Sums of the settlement; `None` until settled.
		pub settled: Option<Totals>,
	}
}

impl Amounts {
	/// What the household had to pay for the era: community energy, grid fee and main-grid energy.
	pub fn cost(&self) -> Balance {
		self.paid_to_pool
			.saturating_add(self.grid_fee)
			.saturating_add(self.main_cost)
	}

	/// What the household earned in the era: community energy and main-grid energy. The reward is no part of it.
	pub fn revenue(&self) -> Balance {
		self.received_from_pool.saturating_add(self.main_revenue)
	}

	/// By how much the era was cheaper than the same metered energy with the main grid alone; negative where it was dearer.
	pub fn savings(&self) -> i128 {
		net(self.alone_cost, self.alone_revenue).saturating_sub(net(self.cost(), self.revenue()))
	}
}

/// Cost less revenue. Amounts of a checked community stay below 2^122.
fn net(cost: Balance, revenue: Balance) -> i128 {
	(cost as i128).saturating_sub(revenue as i128)
}

impl Totals {
	/// Adds one household's statement; `missing` where the chain estimated its reading. Sums of at most 2^16 households
	/// stay far below the ends of the types.
	pub fn add(&mut self, statement: &Statement, missing: bool) {
		let (energy, amounts) = (&statement.energy, &statement.amounts);
		self.households = self.households.saturating_add(1);
		self.missing_readings = self.missing_readings.saturating_add(missing.into());
		let add_wh = |sum: &mut u64, wh: u32| *sum = sum.saturating_add(wh.into());
		add_wh(&mut self.community_wh, energy.sold_to_community_wh);
		add_wh(&mut self.bought_from_main_wh, energy.bought_from_main_wh);
		add_wh(&mut self.sold_to_main_wh, energy.sold_to_main_wh);
		let add = |sum: &mut Balance, amount: Balance| *sum = sum.saturating_add(amount);
		add(&mut self.through_pool, amounts.paid_to_pool);
		add(&mut self.grid_fees, amounts.grid_fee);
		add(&mut self.rewards, amounts.reward);
		add(&mut self.to_utility, amounts.paid_to_utility);
		add(&mut self.from_utility, amounts.received_from_utility);
	}
}

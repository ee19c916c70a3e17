//! What an era came to, for a household and for a community.

use crate::{money::Balance, Channels, EraIndex, Reading, ReportedBy, Terms};
use commonwatt_game::{Certificate, Delivered};

commonwatt_game::stored_types! {
	/// Amounts of one household's settlement: what the era cost and earned, and what moved.
	#[derive(Copy, Default)]
	pub struct Amounts {
		/// Paid to the pool for contracted community energy, out of the hold.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub paid_to_pool: Balance,
		/// Received from the pool for contracted community energy.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub received_from_pool: Balance,
		/// Paid to the operator.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub grid_fee: Balance,
		/// Received from the incentive pot.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub reward: Balance,
		/// Paid to the utility, after costs, revenues and earlier debts are set off against each other.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub paid_to_utility: Balance,
		/// Received from the utility, after the same set-off.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub received_from_utility: Balance,
		/// Cost of main-grid energy at retail: the contracted one, or all energy without a contract.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub main_cost: Balance,
		/// Revenue of main-grid energy at feed-in: the contracted one, or all energy without a contract.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub main_revenue: Balance,
		/// Cost of the matched shortfall, at retail.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub matched_cost: Balance,
		/// Revenue of the matched surplus, at feed-in.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub matched_revenue: Balance,
		/// Cost of the unmatched shortfall, at the imbalance price.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub imbalance_cost: Balance,
		/// Revenue of the unmatched surplus, at the imbalance price.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub imbalance_revenue: Balance,
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
	///
	/// The contract and the deviation from it make up the metered net position n: with energies positive when sold,
	/// `energy.community_wh() + energy.main_wh() + deviation_wh() == n`.
	#[derive(Copy)]
	pub struct Statement {
		/// The era of delivery.
		pub era: EraIndex,
		/// The reading that was settled; `Estimated` by the chain where nobody reported.
		pub reading: Reading,
		/// Who reported it.
		pub reported_by: ReportedBy,
		/// Whether a contract counts: the household had one, and the chain did not keep it to the main grid.
		pub is_firm: bool,
		/// Contracted energy by channel. Without a contract, or with one that the chain kept to the main grid, all
		/// metered energy is the main grid's.
		pub energy: Channels,
		/// Surplus beyond the contract that other households' shortfalls matched, at feed-in.
		pub matched_long_wh: u32,
		/// Shortfall from the contract that other households' surpluses matched, at retail.
		pub matched_short_wh: u32,
		/// Surplus beyond the contract that nobody matched, sold to the main grid at the imbalance price.
		pub imbalance_export_wh: u32,
		/// Shortfall from the contract that nobody matched, bought from the main grid at the imbalance price.
		pub imbalance_import_wh: u32,
		/// Price of community energy for each kWh.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub price_per_kwh: Balance,
		/// Comfort and payoff of what was delivered; `None` without a contract that counts, or where the reading is an
		/// estimate.
		pub delivered: Option<Delivered>,
		/// Costs, revenues and payments.
		pub amounts: Amounts,
	}

	/// Sums over a community of one settled era. Community energy sold equals community energy bought.
	#[derive(Copy, Default)]
	pub struct Totals {
		/// Households settled.
		pub households: u32,
		/// How many of them have a reading that the chain estimated.
		pub missing_readings: u32,
		/// Contracted energy sold inside the community, Wh.
		pub community_wh: u64,
		/// Deviations that matched inside the community, Wh: as much surplus as shortfall.
		pub matched_wh: u64,
		/// Energy bought from the main grid, Wh: contracted, without a contract, and unmatched shortfall.
		pub bought_from_main_wh: u64,
		/// Energy sold to the main grid, Wh: contracted, without a contract, and unmatched surplus.
		pub sold_to_main_wh: u64,
		/// Energy that came in over the community's feeder, Wh, by what the meters saw: all consumption less all
		/// generation, or 0.
		pub feeder_import_wh: u64,
		/// Energy that went out over the community's feeder, Wh, by what the meters saw; 0 if energy came in.
		pub feeder_export_wh: u64,
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
		/// Money from the utility to the incentive pot: retail less feed-in for matched shortfalls.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub to_pot: Balance,
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
	/// What the contract cost: community energy, grid fee and main-grid energy. Without a contract, main-grid energy.
	pub fn contract_cost(&self) -> Balance {
		self.paid_to_pool
			.saturating_add(self.grid_fee)
			.saturating_add(self.main_cost)
	}

	/// What the contract earned: community energy and main-grid energy. Without a contract, main-grid energy.
	pub fn contract_revenue(&self) -> Balance {
		self.received_from_pool.saturating_add(self.main_revenue)
	}

	/// What the era costs at the utility: main-grid energy, and shortfall matched or not.
	pub fn utility_cost(&self) -> Balance {
		self.main_cost
			.saturating_add(self.matched_cost)
			.saturating_add(self.imbalance_cost)
	}

	/// What the era earns at the utility: main-grid energy, and surplus matched or not.
	pub fn utility_revenue(&self) -> Balance {
		self.main_revenue
			.saturating_add(self.matched_revenue)
			.saturating_add(self.imbalance_revenue)
	}

	/// What the household had to pay for the era: contract and shortfall.
	pub fn cost(&self) -> Balance {
		self.paid_to_pool
			.saturating_add(self.grid_fee)
			.saturating_add(self.utility_cost())
	}

	/// What the household earned in the era: contract and surplus. The reward is no part of it.
	pub fn revenue(&self) -> Balance {
		self.received_from_pool.saturating_add(self.utility_revenue())
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

impl Statement {
	/// Whether the chain estimated the reading, because nobody reported it.
	pub fn is_estimate(&self) -> bool {
		self.reported_by == ReportedBy::Nobody
	}

	/// What the meter saw beyond the contract, Wh: positive is a surplus, negative a shortfall.
	pub fn deviation_wh(&self) -> i64 {
		let long = i64::from(self.matched_long_wh).saturating_add(self.imbalance_export_wh.into());
		let short = i64::from(self.matched_short_wh).saturating_add(self.imbalance_import_wh.into());
		long.saturating_sub(short)
	}

	/// Net exchange, Wh: contracted energy with the community, and with the main grid whatever is neither contracted there
	/// nor matched inside the community.
	pub fn exchange(&self) -> Channels {
		let matched_wh = i64::from(self.matched_long_wh).saturating_sub(self.matched_short_wh.into());
		let community_wh = self.energy.community_wh();
		let rest_wh = self.reading.net_wh().saturating_sub(community_wh);
		Channels::from_net(community_wh, rest_wh.saturating_sub(matched_wh))
	}

	/// Energy by channel as billed, Wh, in the order of [`Channels`]: the contract's, with the unmatched deviation as
	/// main-grid energy. Matched deviation is in none of them.
	pub fn billed_wh(&self) -> [u64; 4] {
		let [sold, bought, to_main, from_main] = self.energy.all_wh();
		let to_main = to_main.saturating_add(self.imbalance_export_wh.into());
		let from_main = from_main.saturating_add(self.imbalance_import_wh.into());
		[sold, bought, to_main, from_main]
	}
}

impl Totals {
	/// Adds one household's statement. `to_pot` is no sum over households. Sums of at most 2^16 households stay far below the ends of the types.
	pub fn add(&mut self, statement: &Statement) {
		let amounts = &statement.amounts;
		self.households = self.households.saturating_add(1);
		self.missing_readings = self
			.missing_readings
			.saturating_add(statement.is_estimate().into());
		let add_wh = |sum: &mut u64, wh: u64| *sum = sum.saturating_add(wh);
		let [sold, _, to_main, from_main] = statement.billed_wh();
		add_wh(&mut self.community_wh, sold);
		add_wh(&mut self.matched_wh, statement.matched_long_wh.into());
		add_wh(&mut self.sold_to_main_wh, to_main);
		add_wh(&mut self.bought_from_main_wh, from_main);
		self.add_at_feeder(statement.reading.net_wh());
		let add = |sum: &mut Balance, amount: Balance| *sum = sum.saturating_add(amount);
		add(&mut self.through_pool, amounts.paid_to_pool);
		add(&mut self.grid_fees, amounts.grid_fee);
		add(&mut self.rewards, amounts.reward);
		add(&mut self.to_utility, amounts.paid_to_utility);
		add(&mut self.from_utility, amounts.received_from_utility);
	}

	/// Adds a household's net position to the energy at the feeder, of which one direction is 0.
	fn add_at_feeder(&mut self, net_wh: i64) {
		let so_far = (self.feeder_export_wh as i64).saturating_sub(self.feeder_import_wh as i64);
		let net_wh = so_far.saturating_add(net_wh);
		self.feeder_export_wh = net_wh.max(0).unsigned_abs();
		self.feeder_import_wh = net_wh.min(0).unsigned_abs();
	}
}

//! What each household owes and earns for an era. Pure arithmetic: the pallet moves the money.
//!
//! Contracts are firm. At gate closure a household has contracted community energy k and main-grid energy m. Its meter
//! sees n, and D = n - k - m is its deviation. It pays and earns its contract whatever the meter saw. Surpluses and
//! shortfalls of different households match inside the community: the short side pays retail, the long side earns
//! feed-in. What nobody matches is at the imbalance prices. Without a contract, all of n is at retail or feed-in.

use crate::{
	prices::{cost, revenue},
	Amounts, Balance, Channels, Contract, Debt, Reading, ReportedBy, Statement, Tariffs, Terms,
};
use alloc::vec::Vec;
use commonwatt_game::{delivered, ration, Delivered, Strategy};

/// Matches positive with negative deviations: the longer side is rationed as in the game. Returns the matched part of
/// each, Wh, with its sign; the sum is zero.
pub fn matched(deviations_wh: &[i64]) -> Vec<i64> {
	let long: Vec<u64> = deviations_wh.iter().map(|wh| wh.max(&0).unsigned_abs()).collect();
	let short: Vec<u64> = deviations_wh.iter().map(|wh| wh.min(&0).unsigned_abs()).collect();
	let (all_long, all_short) = (long.iter().sum(), short.iter().sum());
	let (long, short) = (ration(&long, all_short), ration(&short, all_long));
	// At most one of the two is not zero, and each is at most one household's deviation.
	let net = |(long, short): (u64, u64)| (long as i64).saturating_sub(short as i64);
	long.into_iter().zip(short).map(net).collect()
}

/// What a household was bound to and what it did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metering {
	/// Contracted energy, see [`Contract::firm_energy`]; `None` without a contract that counts.
	pub contract: Option<Channels>,
	/// Metered net position, Wh, positive when sold.
	pub net_wh: i64,
	/// Whether the chain estimated the reading.
	pub is_estimate: bool,
}

impl Metering {
	/// What the meter saw beyond the contract, Wh: positive is a surplus. 0 without a contract.
	pub fn deviation_wh(&self) -> i64 {
		// Energies of one household are below 2^33 in size, so nothing overflows.
		self.contract.map_or(0, |energy| {
			self.net_wh
				.saturating_sub(energy.community_wh())
				.saturating_sub(energy.main_wh())
		})
	}
}

/// The metered energy of one household by contract and deviation. See [`Statement`] for the fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Energy {
	/// Contracted energy, or all metered energy as the main grid's.
	pub channels: Channels,
	/// Surplus that others' shortfalls matched, Wh.
	pub matched_long_wh: u32,
	/// Shortfall that others' surpluses matched, Wh.
	pub matched_short_wh: u32,
	/// Surplus that nobody matched, Wh.
	pub imbalance_export_wh: u32,
	/// Shortfall that nobody matched, Wh.
	pub imbalance_import_wh: u32,
}

impl Energy {
	/// The energy of all households of a community. Deviations match only between households whose meters reported: an
	/// estimate decides nobody else's bill, so a late reading need not change it.
	pub fn of_all(households: &[Metering]) -> Vec<Self> {
		let deviations: Vec<i64> = households
			.iter()
			.map(|household| {
				if household.is_estimate {
					0
				} else {
					household.deviation_wh()
				}
			})
			.collect();
		let matched = matched(&deviations);
		households
			.iter()
			.zip(matched)
			.map(|(household, matched)| Self::of_one(household, matched))
			.collect()
	}

	/// The energy of one household, of whose deviation `matched_wh` match; positive for a surplus.
	pub fn of_one(household: &Metering, matched_wh: i64) -> Self {
		// The four directions of the deviation, as the two channels of an exchange.
		let rest_wh = household.deviation_wh().saturating_sub(matched_wh);
		let split = Channels::from_net(matched_wh, rest_wh);
		Self {
			channels: household
				.contract
				.unwrap_or_else(|| Channels::from_net(0, household.net_wh)),
			matched_long_wh: split.sold_to_community_wh,
			matched_short_wh: split.bought_from_community_wh,
			imbalance_export_wh: split.sold_to_main_wh,
			imbalance_import_wh: split.bought_from_main_wh,
		}
	}

	/// The part of the contracted community energy that the household delivered or took, Wh, positive when sold.
	pub fn delivered_wh(&self, reading: &Reading) -> i64 {
		let (contracted, net_wh) = (self.channels.community_wh(), reading.net_wh());
		if contracted >= 0 {
			contracted.min(net_wh.max(0))
		} else {
			contracted.max(net_wh.min(0))
		}
	}

	/// What the delivered energy was worth to the household in the game: comfort and payoff. E_in is the delivered part
	/// of the contracted community energy, E_main the rest of the metered net position.
	pub fn worth<Strategies: AsRef<[Strategy]>>(
		&self,
		contract: &Contract<Strategies>,
		reading: &Reading,
		terms: &Terms,
	) -> Delivered {
		let community_wh = self.delivered_wh(reading);
		let rest_wh = reading.net_wh().saturating_sub(community_wh).unsigned_abs();
		delivered(
			&terms.rules,
			contract.comfort.as_ref(),
			reading.indoor_centi_c,
			community_wh,
			u32::try_from(rest_wh).unwrap_or(u32::MAX),
		)
	}

	/// The most that the household can earn from the incentive pot.
	pub fn reward_cap(&self, reading: &Reading, terms: &Terms) -> Balance {
		let wh = self.delivered_wh(reading).unsigned_abs();
		revenue(u32::try_from(wh).unwrap_or(u32::MAX), terms.reward_cap_per_kwh)
	}

	/// Enters what the energy costs and earns at the utility, and what the same metered energy would have cost and earned
	/// with the main grid alone.
	pub fn bill(&self, reading: &Reading, tariffs: &Tariffs, amounts: &mut Amounts) {
		let (retail, feed_in) = (tariffs.retail_per_kwh, tariffs.feed_in_per_kwh);
		amounts.main_cost = cost(self.channels.bought_from_main_wh, retail);
		amounts.main_revenue = revenue(self.channels.sold_to_main_wh, feed_in);
		amounts.matched_cost = cost(self.matched_short_wh, retail);
		amounts.matched_revenue = revenue(self.matched_long_wh, feed_in);
		amounts.imbalance_cost = cost(self.imbalance_import_wh, tariffs.imbalance_import_per_kwh);
		amounts.imbalance_revenue = revenue(self.imbalance_export_wh, tariffs.imbalance_export_per_kwh);
		let alone = Channels::from_net(0, reading.net_wh());
		amounts.alone_cost = cost(alone.bought_from_main_wh, retail);
		amounts.alone_revenue = revenue(alone.sold_to_main_wh, feed_in);
	}

	/// Makes the statement of an era out of this energy: without a contract and reported by the meter, until its fields
	/// say otherwise.
	pub fn statement(
		&self,
		era: crate::EraIndex,
		reading: Reading,
		price_per_kwh: Balance,
		amounts: Amounts,
	) -> Statement {
		Statement {
			era,
			reading,
			reported_by: ReportedBy::Meter,
			is_firm: false,
			energy: self.channels,
			matched_long_wh: self.matched_long_wh,
			matched_short_wh: self.matched_short_wh,
			imbalance_export_wh: self.imbalance_export_wh,
			imbalance_import_wh: self.imbalance_import_wh,
			price_per_kwh,
			delivered: None,
			amounts,
		}
	}
}

/// What the utility passes on to the incentive pot for a household's matched shortfall, once the household has paid: it
/// sold the energy at retail and bought it from another household at feed-in. It keeps nothing but what rounding leaves.
pub fn spread(matched_short_wh: u32, tariffs: &Tariffs) -> Balance {
	let per_kwh = tariffs.retail_per_kwh.saturating_sub(tariffs.feed_in_per_kwh);
	revenue(matched_short_wh, per_kwh)
}

/// What is due between a household and the utility in one settlement, earlier debts included. Costs and revenues are
/// set off against each other, so at most one of the two is not zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dues {
	/// The household owes the utility.
	pub household: Balance,
	/// The utility owes the household.
	pub utility: Balance,
}

impl Dues {
	/// Sets off the era's bill at the utility and earlier debts.
	pub fn new(debt: &Debt, amounts: &Amounts) -> Self {
		let household = debt.arrears.saturating_add(amounts.utility_cost());
		let utility = debt.credit.saturating_add(amounts.utility_revenue());
		Self {
			household: household.saturating_sub(utility),
			utility: utility.saturating_sub(household),
		}
	}

	/// Enters what either side paid; what is left is the new debt.
	pub fn settle(&self, paid: Balance, received: Balance, amounts: &mut Amounts) -> Debt {
		amounts.paid_to_utility = paid;
		amounts.received_from_utility = received;
		amounts.arrears = self.household.saturating_sub(paid);
		amounts.credit = self.utility.saturating_sub(received);
		Debt {
			arrears: amounts.arrears,
			credit: amounts.credit,
		}
	}
}

//! Who delivered what, and what each household owes for it. Pure arithmetic: the pallet moves the money.
//!
//! Community energy is the smaller of contract and metered net position, made equal on both sides by the game's
//! rationing. The rest of the metered position is main-grid energy: at the ordinary tariff as far as the contract covers
//! it, or as far as the pool failed to take or give it (which is no fault of the household); at the imbalance price beyond.

use crate::{
	prices::{cost, revenue},
	Amounts, Balance, Channels, Contract, Debt, Reading, Tariffs, Terms,
};
use alloc::vec::Vec;
use commonwatt_game::{delivered, ration, Delivered, Strategy};

/// Community energy of one household that was contracted, delivered and can be paid for, Wh, positive = sold; before both
/// sides are made equal. A buyer whose hold does not cover the price and the grid fee gets nothing.
pub fn deliverable_wh<Strategies>(
	contract: &Contract<Strategies>,
	reading: &Reading,
	terms: &Terms,
	price_per_kwh: Balance,
) -> i64 {
	let (contracted, metered) = (contract.energy.community_wh(), reading.net_wh());
	if contracted.signum() != metered.signum() {
		return 0;
	}
	if contracted >= 0 {
		return contracted.min(metered);
	}
	let delivered = contracted.max(metered);
	let bought = u32::try_from(delivered.unsigned_abs()).unwrap_or(u32::MAX);
	let needed = cost(bought, price_per_kwh).saturating_add(cost(bought, terms.tariffs.grid_fee_per_kwh));
	if contract.held < needed {
		0
	} else {
		delivered
	}
}

/// Makes delivered energy of both sides equal: the longer side is rationed as in the game. Takes [`deliverable_wh`] of
/// all households and returns their community energy, Wh, positive = sold; the sum is zero.
pub fn equalise(deliverable_wh: &[i64]) -> Vec<i64> {
	let sold: Vec<u64> = deliverable_wh
		.iter()
		.map(|wh| wh.max(&0).unsigned_abs())
		.collect();
	let bought: Vec<u64> = deliverable_wh
		.iter()
		.map(|wh| wh.min(&0).unsigned_abs())
		.collect();
	let (offered, requested) = (sold.iter().sum(), bought.iter().sum());
	let (sold, bought) = (ration(&sold, requested), ration(&bought, offered));
	// At most one of the two is not zero, and each is at most what one household delivered.
	let net = |(sold, bought): (u64, u64)| (sold as i64).saturating_sub(bought as i64);
	sold.into_iter().zip(bought).map(net).collect()
}

/// The metered energy of one household by channel and price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Energy {
	/// By channel; the main grid's includes the deviation from the contract.
	pub channels: Channels,
	/// Part of `bought_from_main_wh` at the imbalance price.
	pub imbalance_import_wh: u32,
	/// Part of `sold_to_main_wh` at the imbalance price.
	pub imbalance_export_wh: u32,
}

impl Energy {
	/// Splits a household's metered energy, once its community energy is known. Without a contract all of it is ordinary
	/// main-grid energy. `deliverable_wh` and `community_wh` are positive for energy sold.
	pub fn split<Strategies>(
		contract: Option<&Contract<Strategies>>,
		reading: &Reading,
		deliverable_wh: i64,
		community_wh: i64,
	) -> Self {
		// All these are below 2^33 in size, so nothing overflows.
		let main_wh = reading.net_wh().saturating_sub(community_wh);
		let channels = Channels::from_net(community_wh, main_wh);
		let Some(contract) = contract else {
			return Self {
				channels,
				..Self::default()
			};
		};
		// The contract's main-grid part, and what the pool failed to take or give.
		let failed_wh = deliverable_wh.saturating_sub(community_wh);
		let covered_wh = contract.energy.main_wh().saturating_add(failed_wh);
		let ordinary_wh = if covered_wh.signum() == main_wh.signum() {
			covered_wh
				.signum()
				.saturating_mul(covered_wh.abs().min(main_wh.abs()))
		} else {
			0
		};
		let imbalance = Channels::from_net(0, main_wh.saturating_sub(ordinary_wh));
		Self {
			channels,
			imbalance_import_wh: imbalance.bought_from_main_wh,
			imbalance_export_wh: imbalance.sold_to_main_wh,
		}
	}

	/// What the delivered energy was worth to the household in the game: comfort and payoff.
	pub fn worth<Strategies: AsRef<[Strategy]>>(
		&self,
		contract: &Contract<Strategies>,
		reading: &Reading,
		terms: &Terms,
	) -> Delivered {
		let channels = &self.channels;
		delivered(
			&terms.rules,
			contract.comfort.as_ref(),
			reading.indoor_centi_c,
			channels.community_wh(),
			// One direction is zero.
			channels.sold_to_main_wh | channels.bought_from_main_wh,
		)
	}

	/// Enters what the main-grid energy costs and earns, and what the same metered energy would have cost and earned with
	/// the main grid alone.
	pub fn bill_main_grid(&self, reading: &Reading, tariffs: &Tariffs, amounts: &mut Amounts) {
		let (short, over) = (self.imbalance_import_wh, self.imbalance_export_wh);
		let bought = self.channels.bought_from_main_wh.saturating_sub(short);
		let sold = self.channels.sold_to_main_wh.saturating_sub(over);
		amounts.main_cost = cost(bought, tariffs.retail_per_kwh)
			.saturating_add(cost(short, tariffs.imbalance_import_per_kwh));
		amounts.main_revenue = revenue(sold, tariffs.feed_in_per_kwh)
			.saturating_add(revenue(over, tariffs.imbalance_export_per_kwh));
		let alone = Channels::from_net(0, reading.net_wh());
		amounts.alone_cost = cost(alone.bought_from_main_wh, tariffs.retail_per_kwh);
		amounts.alone_revenue = revenue(alone.sold_to_main_wh, tariffs.feed_in_per_kwh);
	}
}

/// What a household and the utility owe each other in one settlement, old debts included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dues {
	/// The household owes the utility.
	pub household: Balance,
	/// The utility owes the household.
	pub utility: Balance,
}

impl Dues {
	/// The era's main-grid bill on top of earlier debts.
	pub fn new(debt: &Debt, amounts: &Amounts) -> Self {
		Self {
			household: debt.arrears.saturating_add(amounts.main_cost),
			utility: debt.credit.saturating_add(amounts.main_revenue),
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

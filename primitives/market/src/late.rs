//! Readings that come after their era was settled.
//!
//! The contract and everybody else's statement stay. The chain works the household's own bill out again, at the terms of
//! the era, and moves the difference between the household and the utility. Nothing new can match any more: the whole
//! deviation is at the imbalance prices, but for what matched already.
//!
//! An estimate matched nothing. A concentrator's reading may have, and a neighbour and the pot were paid for it. So what
//! matched stays billed as matched, M. Of the true deviation D it covers the part that it covered of the reported one,
//! `floor(M x min(|D|, |D reported|) / |D reported|)`, or nothing if D has the other sign; what it does not cover is
//! traded back at the imbalance price. Hence
//!
//! - a late reading is never better than the same reading in time, but for the rounding of matched Wh, and of one unit of
//!   money where a deviation is billed at two prices in time and at one late: with less claimed, the household would have
//!   matched no less than that part;
//! - the utility never returns what it has passed on to the neighbour and the pot, whatever a concentrator reported.

use crate::{
	settlement::{Energy, Metering},
	Amounts, Balance, Channels, EraIndex, Reading, ReportedBy, Statement, Terms,
};

/// The statement of an era that the chain never settled, without a contract and without any payment so far.
pub fn unsettled(era: EraIndex, price_per_kwh: Balance) -> Statement {
	let nothing = Reading {
		generation_wh: 0,
		consumption_wh: 0,
		indoor_centi_c: 0,
		quality: crate::Quality::Estimated,
	};
	Statement {
		reported_by: ReportedBy::Nobody,
		..Energy::default().statement(era, nothing, price_per_kwh, Amounts::default())
	}
}

/// Works out a household's statement again with a late reading. What moved and what is owed stay as they were; the
/// payments of [`correction`] come on top.
pub fn settle(settled: &Statement, reading: Reading, terms: &Terms) -> Statement {
	let metering = Metering {
		contract: settled.is_firm.then_some(settled.energy),
		net_wh: reading.net_wh(),
		is_estimate: false,
	};
	let matched_wh = i64::from(settled.matched_long_wh).saturating_sub(settled.matched_short_wh.into());
	let covered_wh = covered(matched_wh, settled.deviation_wh(), metering.deviation_wh());
	let mut energy = Energy::of_one(&metering, covered_wh);
	// Traded back: bought if a surplus matched, sold if a shortfall did. At most what matched, so it fits 32 bits.
	let back = Channels::from_net(0, covered_wh.saturating_sub(matched_wh));
	energy.matched_long_wh = settled.matched_long_wh;
	energy.matched_short_wh = settled.matched_short_wh;
	energy.imbalance_export_wh = energy.imbalance_export_wh.saturating_add(back.sold_to_main_wh);
	energy.imbalance_import_wh = energy
		.imbalance_import_wh
		.saturating_add(back.bought_from_main_wh);
	let mut amounts = settled.amounts;
	energy.bill(&reading, &terms.tariffs, &mut amounts);
	Statement {
		is_firm: settled.is_firm,
		..energy.statement(settled.era, reading, settled.price_per_kwh, amounts)
	}
}

/// The part of the true deviation `deviation_wh` that the match covers, if `matched_wh` of the reported deviation
/// `reported_wh` matched. All are in Wh: a surplus is positive, a shortfall negative.
fn covered(matched_wh: i64, reported_wh: i64, deviation_wh: i64) -> i64 {
	if deviation_wh.signum() != reported_wh.signum() {
		return 0;
	}
	let part = deviation_wh.abs().min(reported_wh.abs());
	// Energies of one household are below 2^33 Wh in size, so the product needs more than 64 bits.
	let covered = i128::from(matched_wh)
		.saturating_mul(part.into())
		.checked_div(reported_wh.abs().into());
	covered.and_then(|wh| i64::try_from(wh).ok()).unwrap_or(0)
}

/// By how much a late reading makes the era's bill at the utility dearer; negative if it makes it cheaper.
pub fn correction(settled: &Statement, late: &Statement) -> i128 {
	let bill = |statement: &Statement| {
		let amounts = &statement.amounts;
		// Amounts of a checked community stay below 2^122.
		(amounts.utility_cost() as i128).saturating_sub(amounts.utility_revenue() as i128)
	};
	bill(late).saturating_sub(bill(settled))
}

/// What may still leave the owner's free balance for an era, by the amount that the owner agreed to. What the household
/// received from the pool comes on top, as at the settlement.
pub fn left_to_debit(max_debit_per_era: Balance, amounts: &Amounts) -> Balance {
	let paid = amounts
		.paid_to_pool
		.saturating_add(amounts.grid_fee)
		.saturating_add(amounts.paid_to_utility);
	max_debit_per_era
		.saturating_add(amounts.received_from_pool)
		.saturating_sub(paid)
}

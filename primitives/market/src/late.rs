//! Readings that come after their era was settled.
//!
//! The contract and everybody else's statement stay. The chain works the household's own bill out again, at the terms of
//! the era, and moves the difference between the household and the utility. The whole deviation is at the imbalance
//! prices: nothing of it can match any more. So a late reading is never better than the same reading in time. An estimate
//! matched nothing either, so there is nothing to take back from a neighbour.

use crate::{
	settlement::{Energy, Metering},
	Amounts, Balance, EraIndex, Reading, Statement, Terms,
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
		is_estimate: true,
		..Energy::default().statement(era, nothing, price_per_kwh, Amounts::default())
	}
}

/// Works out a household's statement again with a late reading. What moved and what is owed stay as they were; the
/// payments of [`correction`] come on top.
pub fn settle(estimated: &Statement, reading: Reading, terms: &Terms) -> Statement {
	let metering = Metering {
		contract: estimated.is_firm.then_some(estimated.energy),
		net_wh: reading.net_wh(),
		is_estimate: false,
	};
	let energy = Energy::of_one(&metering, 0);
	let mut amounts = estimated.amounts;
	energy.bill(&reading, &terms.tariffs, &mut amounts);
	Statement {
		is_firm: estimated.is_firm,
		..energy.statement(estimated.era, reading, estimated.price_per_kwh, amounts)
	}
}

/// By how much a late reading makes the era's bill at the utility dearer; negative if it makes it cheaper.
pub fn correction(estimated: &Statement, late: &Statement) -> i128 {
	let bill = |statement: &Statement| {
		let amounts = &statement.amounts;
		// Amounts of a checked community stay below 2^122.
		(amounts.utility_cost() as i128).saturating_sub(amounts.utility_revenue() as i128)
	};
	bill(late).saturating_sub(bill(estimated))
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

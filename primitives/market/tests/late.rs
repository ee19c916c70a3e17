//! Late readings.

use commonwatt_market::{
	late::{correction, left_to_debit, settle, unsettled},
	paper,
	settlement::{Energy, Metering},
	Amounts, Channels, Quality, Reading, Statement, Tariffs, Terms,
};
use proptest::prelude::*;

fn terms() -> Terms {
	Terms {
		tariffs: Tariffs {
			retail_per_kwh: 300,
			feed_in_per_kwh: 80,
			imbalance_import_per_kwh: 360,
			imbalance_export_per_kwh: 40,
			grid_fee_per_kwh: 10,
		},
		..paper::TERMS
	}
}

fn reading(net_wh: i64) -> Reading {
	let wh = |net: i64| net.max(0) as u32;
	Reading {
		generation_wh: wh(net_wh),
		consumption_wh: wh(-net_wh),
		indoor_centi_c: 2_100,
		quality: Quality::Measured,
	}
}

fn statement(contract: Option<(i64, i64)>, net_wh: i64, matched_wh: i64, is_estimate: bool) -> Statement {
	let contract = contract.map(|(community, main)| Channels::from_net(community, main));
	let metering = Metering {
		contract,
		net_wh,
		is_estimate,
	};
	let energy = Energy::of_one(&metering, matched_wh);
	let mut amounts = Amounts::default();
	energy.bill(&reading(net_wh), &terms().tariffs, &mut amounts);
	Statement {
		is_firm: contract.is_some(),
		is_estimate,
		..energy.statement(7, reading(net_wh), 190, amounts)
	}
}

#[test]
fn household_that_was_estimated_too_high_gets_the_difference() {
	// Contracted: 1 kWh from the community. Estimated: 1.25 kWh, so 250 Wh at 360. It took 1 kWh.
	let estimated = statement(Some((-1_000, 0)), -1_250, 0, true);
	let late = settle(&estimated, reading(-1_000), &terms());
	assert_eq!(correction(&estimated, &late), -90);
	assert_eq!(
		(late.deviation_wh(), late.is_estimate, late.is_firm),
		(0, false, true)
	);
	assert_eq!(late.energy, estimated.energy);
}

#[test]
fn household_that_took_more_than_the_estimate_pays_the_difference() {
	let estimated = statement(None, -1_000, 0, true);
	let late = settle(&estimated, reading(-3_000), &terms());
	assert_eq!(correction(&estimated, &late), 600);
	assert_eq!(late.energy.bought_from_main_wh, 3_000);
}

#[test]
fn era_that_the_chain_missed_is_billed_without_a_contract() {
	let missed = unsettled(7, 190);
	assert_eq!(
		correction(&missed, &settle(&missed, reading(-2_000), &terms())),
		600
	);
	assert_eq!(
		correction(&missed, &settle(&missed, reading(2_000), &terms())),
		-160
	);
}

#[test]
fn debit_stays_within_what_was_agreed_for_the_era() {
	let amounts = Amounts {
		paid_to_pool: 100,
		grid_fee: 10,
		paid_to_utility: 40,
		received_from_pool: 30,
		..Amounts::default()
	};
	assert_eq!(left_to_debit(200, &amounts), 80);
	assert_eq!(left_to_debit(100, &amounts), 0);
}

proptest! {
	/// The same reading in time, whatever part of its deviation matched, is at least as good.
	#[test]
	fn late_reading_is_never_better_than_one_in_time(
		contract in prop::option::of((-9_000i64..9_000, -9_000i64..9_000)),
		estimated_wh in -20_000i64..0,
		net_wh in -20_000i64..20_000,
		matched_percent in 0i64..=100,
	) {
		let deviation = contract.map_or(0, |(k, m)| net_wh - k - m);
		let in_time = statement(contract, net_wh, deviation * matched_percent / 100, false);
		let estimated = statement(contract, estimated_wh, 0, true);
		let late = settle(&estimated, reading(net_wh), &terms());
		// What the household paid in the end, the estimate and its correction together.
		let nothing = statement(contract, contract.map_or(0, |(k, m)| k + m), 0, true);
		let late_bill = correction(&nothing, &estimated) + correction(&estimated, &late);
		let bill = correction(&nothing, &in_time);
		prop_assert!(bill <= late_bill, "in time {bill}, late {late_bill}");
	}
}

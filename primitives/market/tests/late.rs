//! Late readings.

use commonwatt_market::{
	late::{correction, left_to_debit, settle, unsettled},
	paper,
	settlement::{Energy, Metering},
	Amounts, Channels, Quality, Reading, ReportedBy, Statement, Tariffs, Terms,
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

/// What a reading with this deviation and this matched part comes to. Without a reporter it is an estimate.
fn statement(
	contract: Option<(i64, i64)>,
	net_wh: i64,
	matched_wh: i64,
	reported_by: ReportedBy,
) -> Statement {
	let contract = contract.map(|(community, main)| Channels::from_net(community, main));
	let metering = Metering {
		contract,
		net_wh,
		is_estimate: reported_by == ReportedBy::Nobody,
	};
	let energy = Energy::of_one(&metering, matched_wh);
	let mut amounts = Amounts::default();
	energy.bill(&reading(net_wh), &terms().tariffs, &mut amounts);
	Statement {
		reported_by,
		is_firm: contract.is_some(),
		..energy.statement(7, reading(net_wh), 190, amounts)
	}
}

#[test]
fn household_that_was_estimated_too_high_gets_the_difference() {
	// Contracted: 1 kWh from the community. Estimated: 1.25 kWh, so 250 Wh at 360. It took 1 kWh.
	let estimated = statement(Some((-1_000, 0)), -1_250, 0, ReportedBy::Nobody);
	let late = settle(&estimated, reading(-1_000), &terms());
	assert_eq!(correction(&estimated, &late), -90);
	assert_eq!(
		(late.deviation_wh(), late.reported_by, late.is_firm),
		(0, ReportedBy::Meter, true)
	);
	assert_eq!(late.energy, estimated.energy);
}

#[test]
fn household_that_took_more_than_the_estimate_pays_the_difference() {
	let estimated = statement(None, -1_000, 0, ReportedBy::Nobody);
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

/// The energies of a deviation: matched long and short, imbalance export and import, Wh.
fn deviation(statement: &Statement) -> [u32; 4] {
	[
		statement.matched_long_wh,
		statement.matched_short_wh,
		statement.imbalance_export_wh,
		statement.imbalance_import_wh,
	]
}

#[test]
fn what_a_concentrators_reading_matched_stays_matched() {
	// Nothing is contracted. The concentrator reports 4 kWh of consumption. 1 kWh matches and costs 300. The other 3 kWh
	// cost 360 each.
	let reported = statement(Some((0, 0)), -4_000, -1_000, ReportedBy::Concentrator);
	let late = |net_wh| settle(&reported, reading(net_wh), &terms());
	let cases = [
		// The same: nothing changes.
		(-4_000, [0, 1_000, 0, 3_000], 0),
		// A kWh more is at 360.
		(-5_000, [0, 1_000, 0, 4_000], 360),
		// Half of it: the match covers 500 Wh. The other 500 Wh go back at 40; 1,500 Wh instead of 3,000 are at 360.
		(-2_000, [0, 1_000, 500, 1_500], -20 - 540),
		// Nothing at all: the neighbour's kWh goes back at 40.
		(0, [0, 1_000, 1_000, 0], -40 - 1_080),
		// A surplus matches nothing late.
		(2_000, [0, 1_000, 3_000, 0], -120 - 1_080),
	];
	for (net_wh, energies, dearer) in cases {
		let late = late(net_wh);
		assert_eq!(deviation(&late), energies, "{net_wh}");
		assert_eq!(late.deviation_wh(), net_wh);
		assert_eq!(correction(&reported, &late), dearer, "{net_wh}");
	}
	// The concentrator reports a surplus of 2 kWh, and 1 kWh matches at 80. There was no surplus, so the seller buys this
	// kWh back at 360. It gives back the 40 for the other kWh.
	let reported = statement(Some((3_000, 0)), 5_000, 1_000, ReportedBy::Concentrator);
	let late = settle(&reported, reading(3_000), &terms());
	assert_eq!(deviation(&late), [1_000, 0, 0, 1_000]);
	assert_eq!(correction(&reported, &late), 40 + 360);
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
		let in_time = statement(contract, net_wh, deviation * matched_percent / 100, ReportedBy::Meter);
		let estimated = statement(contract, estimated_wh, 0, ReportedBy::Nobody);
		let late = settle(&estimated, reading(net_wh), &terms());
		// What the household paid in the end, the estimate and its correction together.
		let nothing = statement(contract, contract.map_or(0, |(k, m)| k + m), 0, ReportedBy::Nobody);
		let late_bill = correction(&nothing, &estimated) + correction(&estimated, &late);
		let bill = correction(&nothing, &in_time);
		// In time the deviation may be billed at two prices, late it is billed at one. Each is rounded to a whole unit
		// against the household.
		prop_assert!(bill <= late_bill + 1, "in time {bill}, late {late_bill}");
	}

	/// A concentrator may report anything for a household, and the meter the truth afterwards: the household ends no
	/// better than with the truth in time, and the utility gives back nothing that it passed on.
	#[test]
	fn false_reading_and_its_late_correction_gain_nothing(
		reported in prop::collection::vec(-9_000i64..9_000, 2..6),
		true_wh in -9_000i64..9_000,
	) {
		let community = |first_wh: i64| {
			let others = reported.iter().skip(1).copied();
			let meterings: Vec<_> = core::iter::once(first_wh).chain(others).map(|net_wh| Metering {
				contract: Some(Channels::default()),
				net_wh,
				is_estimate: false,
			}).collect();
			let energy = Energy::of_all(&meterings)[0];
			i64::from(energy.matched_long_wh) - i64::from(energy.matched_short_wh)
		};
		let of = |net_wh, reported_by| statement(Some((0, 0)), net_wh, community(net_wh), reported_by);
		let in_time = of(true_wh, ReportedBy::Meter);
		let false_one = of(reported[0], ReportedBy::Concentrator);
		let late = settle(&false_one, reading(true_wh), &terms());
		let nothing = statement(Some((0, 0)), 0, 0, ReportedBy::Meter);
		let bill = |statement: &Statement| correction(&nothing, statement);
		// Matched Wh are whole: one more or less in either reading, at the widest difference of prices, and its rounding.
		let tariffs = terms().tariffs;
		let one_wh = (tariffs.imbalance_import_per_kwh - tariffs.imbalance_export_per_kwh) as i128 / 1_000 + 1;
		prop_assert!(bill(&in_time) <= bill(&late) + 2 * one_wh, "{in_time:?} {late:?}");
		// What matched is paid for as it was; the rest of the deviation has at most the value of the imbalance prices.
		let matched = Energy {
			matched_long_wh: false_one.matched_long_wh,
			matched_short_wh: false_one.matched_short_wh,
			..Energy::default()
		};
		let rest = Channels::from_net(0, true_wh - community(reported[0]));
		let rest = Energy {
			imbalance_export_wh: rest.sold_to_main_wh,
			imbalance_import_wh: rest.bought_from_main_wh,
			..matched
		};
		let mut amounts = Amounts::default();
		rest.bill(&reading(true_wh), &tariffs, &mut amounts);
		let least = amounts.utility_cost() as i128 - amounts.utility_revenue() as i128;
		prop_assert!(bill(&late) >= least, "{late:?} {least}");
	}
}

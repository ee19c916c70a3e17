//! What the chain assumes for silent meters.

use commonwatt_market::{
	game::{Kind, Strategy},
	Calendar, Channels, CommunityId, Contract, Household, Metered, Quality, Reading, Reported,
};

/// Half hours; the chain began in era 1,000.
const CALENDAR: Calendar = Calendar {
	first_era: 1_000,
	eras_per_day: 48,
};

fn household(connection_limit_wh: u32) -> Household<u8> {
	Household {
		community: CommunityId(0),
		owner: 1,
		meter: 2,
		next_meter: None,
		next_owner: None,
		max_debit_per_era: 0,
		connection_limit_wh,
		next_limit: None,
		member_since: 0,
		member_until: None,
		suspended: false.into(),
		comfort: None,
		preference: None,
	}
}

fn contract(consumption_wh: u32) -> Contract<Vec<Strategy>> {
	Contract {
		era: 1_000,
		generation_wh: 2_000,
		comfort: None,
		strategies: vec![Strategy {
			kind: Kind::Neutral,
			consumption_wh,
			temperature_centi_c: 2_050,
		}],
		chosen: 0,
		main_grid_only: false,
		energy: Channels::default(),
		held: 0,
	}
}

fn reading(consumption_wh: u32) -> Reading {
	Reading {
		generation_wh: 5_000,
		consumption_wh,
		indoor_centi_c: 1_900,
		quality: Quality::Measured,
	}
}

fn estimate(contracted_wh: Option<u32>, last: Option<(u32, u32)>, era: u32) -> Reading {
	let metered =
		last.map(|(era, wh)| Metered::with(None, Reported::from_meter(era, reading(wh)), &CALENDAR));
	let contract = contracted_wh.map(contract);
	Reading::estimate(
		&household(10_000),
		contract.as_ref(),
		metered.as_ref(),
		era,
		&CALENDAR,
	)
}

#[test]
fn declared_generation_is_not_believed_without_a_reading() {
	let neutral = estimate(Some(2_000), None, 1_000);
	assert_eq!((neutral.generation_wh, neutral.consumption_wh), (0, 2_000));
	assert_eq!(
		(neutral.indoor_centi_c, neutral.quality),
		(2_050, Quality::Estimated)
	);
}

#[test]
fn silence_costs_a_quarter_more_than_the_highest_reading() {
	let silent = estimate(None, Some((1_010, 801)), 1_011);
	// 801 x 1.25 = 1001.25, rounded up.
	assert_eq!((silent.generation_wh, silent.consumption_wh), (0, 1_002));
	assert_eq!(silent.indoor_centi_c, 1_900);
	// The larger of the two counts.
	assert_eq!(
		estimate(Some(900), Some((1_010, 801)), 1_011).consumption_wh,
		1_002
	);
	assert_eq!(
		estimate(Some(1_100), Some((1_010, 801)), 1_011).consumption_wh,
		1_100
	);
}

#[test]
fn estimate_doubles_with_each_silent_day_up_to_the_connection_limit() {
	let after = |eras: u32| estimate(None, Some((1_010, 800)), 1_010 + eras).consumption_wh;
	assert_eq!(
		[1, 47, 48, 96, 144, 192].map(after),
		[1_000, 1_000, 2_000, 4_000, 8_000, 10_000]
	);
	assert_eq!(after(1_000_000), 10_000);
}

#[test]
fn meter_that_reported_almost_nothing_or_never_counts_as_a_home_on_standby() {
	// A hundredth of 10 kWh, and a quarter more.
	assert_eq!(estimate(None, Some((1_010, 3)), 1_011).consumption_wh, 125);
	// A household of the genesis joined before the chain began.
	assert_eq!(estimate(None, None, 1_047).consumption_wh, 125);
	assert_eq!(estimate(None, None, 1_048).consumption_wh, 250);
}

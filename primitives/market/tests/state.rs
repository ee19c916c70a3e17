//! Terms, memberships, readings, accounts and the JSON of money.

use commonwatt_market::{
	accounts, game::Comfort, paper, terms::ComfortOutOfBounds, Calendar, ComfortBounds, Community,
	CommunityId, EndedTerms, Household, Metered, NextLimit, NextMeter, NextOwner, NextTerms, Quality,
	Reading, Reported, Terms,
};

fn terms_with_fee(grid_fee_per_kwh: u128) -> Terms {
	let mut terms = paper::TERMS;
	terms.tariffs.grid_fee_per_kwh = grid_fee_per_kwh;
	terms
}

#[test]
fn terms_hold_in_their_eras() {
	let ended = |before_era, fee| EndedTerms {
		before_era,
		terms: terms_with_fee(fee),
	};
	let community = Community {
		name: b"paper".to_vec(),
		operator: 1,
		utility: 2,
		concentrator: None.into(),
		paused: false.into(),
		bounds: paper::BOUNDS,
		ended_terms: vec![ended(10, 1), ended(12, 2)],
		terms: terms_with_fee(3),
		next_terms: Some(NextTerms {
			from_era: 15,
			terms: terms_with_fee(4),
		}),
	};
	let fees = [9, 10, 11, 12, 14, 15, 99].map(|era| community.terms_in(era).tariffs.grid_fee_per_kwh);
	assert_eq!(fees, [1, 2, 2, 3, 3, 4, 4]);
}

#[test]
fn household_has_its_meter_and_membership_by_era() {
	let household = Household {
		community: CommunityId(0),
		owner: 1,
		meter: 2,
		next_meter: Some(NextMeter {
			from_era: 20,
			meter: 3,
		}),
		next_owner: Some(NextOwner {
			from_era: 21,
			owner: 4,
			max_debit_per_era: 6,
		}),
		max_debit_per_era: 5,
		connection_limit_wh: 1_000,
		next_limit: Some(NextLimit {
			from_era: 22,
			connection_limit_wh: 2_000,
		}),
		member_since: 10,
		member_until: Some(30),
		suspended: false.into(),
		comfort: None,
		preference: None,
	};
	assert_eq!([19, 20].map(|era| *household.meter_in(era)), [2, 3]);
	assert_eq!([20, 21].map(|era| *household.owner_in(era)), [1, 4]);
	assert_eq!([20, 21].map(|era| household.max_debit_in(era)), [5, 6]);
	assert_eq!(
		[21, 22].map(|era| household.connection_limit_in(era)),
		[1_000, 2_000]
	);
	assert_eq!(
		[9, 10, 30, 31].map(|era| household.is_member_in(era)),
		[false, true, true, false]
	);
}

#[test]
fn two_newest_readings_are_kept() {
	let reading = |consumption_wh| Reading {
		generation_wh: 0,
		consumption_wh,
		indoor_centi_c: 2_100,
		quality: Quality::Measured,
	};
	let calendar = Calendar::new(0, 30 * 60 * 1_000);
	let with = |metered, era, reading| Metered::with(metered, Reported::from_meter(era, reading), &calendar);
	let of = |metered: Metered, era| metered.of(era).map(|reported| reported.reading);
	let first = with(None, 5, reading(1));
	let second = with(Some(first), 8, reading(2));
	let corrected = with(Some(second), 8, reading(3));
	assert_eq!(of(corrected, 8), Some(reading(3)));
	assert_eq!(of(corrected, 5), Some(reading(1)));
	assert_eq!(of(corrected, 6), None);
	assert_eq!(with(Some(corrected), 9, reading(4)).of(5), None);
	// A preference speaks with the newest reading of four eras.
	assert_eq!(corrected.recent(7), Some(reading(1)));
	assert_eq!(corrected.recent(4), None);
	assert_eq!(corrected.recent(11), Some(reading(3)));
	assert_eq!(corrected.recent(12), None);
}

#[test]
fn comfort_is_narrowed_to_the_bounds() {
	let mut terms = paper::TERMS;
	assert_eq!(terms.narrow(Some(paper::COMFORT)), Ok(Some(paper::COMFORT)));
	terms.comfort_bounds = Some(ComfortBounds {
		min_centi_c: 1_800,
		max_centi_c: 2_500,
	});
	let narrowed = Comfort {
		min_centi_c: 1_800,
		max_centi_c: 2_500,
		..paper::COMFORT
	};
	assert_eq!(terms.narrow(Some(paper::COMFORT)), Ok(Some(narrowed)));
	assert_eq!(terms.narrow(None), Ok(None));
	let outside = Comfort {
		min_centi_c: 2_500,
		max_centi_c: 2_700,
		..paper::COMFORT
	};
	assert_eq!(terms.narrow(Some(outside)), Err(ComfortOutOfBounds));
}

#[test]
fn pool_and_pot_have_accounts_of_their_own() {
	let id = CommunityId(0);
	let (pool, pot) = (accounts::pool_number(id), accounts::pot_number(id));
	assert_eq!(&accounts::account(pool)[..16], b"modlcw/enrgy\0\0\0\0");
	assert_eq!(&accounts::account(pot)[..16], b"modlcw/enrgy\xff\xff\xff\xff");
	assert_eq!(accounts::account(pool)[16..], [0; 16]);
}

#[cfg(feature = "serde")]
#[test]
fn money_is_written_as_a_string_and_read_from_both() {
	let mut terms = paper::TERMS;
	terms.tariffs.retail_per_kwh = u128::MAX;
	let mut json = serde_json::to_value(terms).expect("terms are JSON");
	assert_eq!(json["tariffs"]["retail_per_kwh"], u128::MAX.to_string());
	assert_eq!(serde_json::from_value::<Terms>(json.clone()).ok(), Some(terms));
	json["tariffs"]["retail_per_kwh"] = 300.into();
	terms.tariffs.retail_per_kwh = 300;
	assert_eq!(serde_json::from_value::<Terms>(json.clone()).ok(), Some(terms));
	for wrong in [
		serde_json::json!("three"),
		serde_json::json!(-1),
		serde_json::json!(0.5),
	] {
		json["tariffs"]["retail_per_kwh"] = wrong;
		assert!(serde_json::from_value::<Terms>(json.clone()).is_err());
	}
}

#[test]
fn peaks_are_of_the_last_two_days_with_a_reading() {
	let calendar = Calendar::new(0, 30 * 60 * 1_000);
	assert_eq!(calendar.eras_per_day, 48);
	let consumed = |metered, era, consumption_wh| {
		let reading = Reading {
			generation_wh: 0,
			consumption_wh,
			indoor_centi_c: 2_100,
			quality: Quality::Measured,
		};
		Some(Metered::with(
			metered,
			Reported::from_meter(era, reading),
			&calendar,
		))
	};
	let highest = |metered: Option<Metered>| metered.unwrap().peaks.highest();
	// The newest reading is not among the peaks yet: it may still be corrected.
	let monday = consumed(consumed(consumed(None, 48, 900), 49, 9_000), 49, 200);
	assert_eq!(highest(monday), 900);
	let tuesday = consumed(consumed(monday, 96, 300), 97, 100);
	assert_eq!(highest(tuesday), 900);
	// Days without readings in between do not count.
	let friday = consumed(consumed(tuesday, 5 * 48, 150), 5 * 48 + 1, 0);
	assert_eq!(highest(friday), 300);
}

//! Which readings are accepted from meters.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};

fn send(who: AccountId, era: EraIndex, reading: Reading) -> sp_runtime::DispatchResult {
	EnergyMarket::submit_reading(RuntimeOrigin::signed(who), era, reading)
}

#[test]
fn reading_of_the_previous_era_is_accepted() {
	ExtBuilder::default().build_in_first_era(|| {
		take_events();
		assert_ok!(send(meter(0), FIRST_ERA - 1, reading(500, 700)));
		assert_eq!(reported(0, FIRST_ERA - 1), Some(reading(500, 700)));
		assert!(matches!(
			take_events().as_slice(),
			[Event::ReadingSubmitted {
				household: HouseholdId(0),
				..
			}]
		));
	});
}

#[test]
fn reading_is_refused_when_the_signer_is_not_a_meter() {
	ExtBuilder::default().build_in_first_era(|| {
		assert_noop!(
			send(STRANGER, FIRST_ERA - 1, reading(0, 0)),
			Error::<Test>::UnknownMeter
		);
		assert_noop!(
			send(owner(0), FIRST_ERA - 1, reading(0, 0)),
			Error::<Test>::UnknownMeter
		);
	});
}

#[test]
fn reading_is_refused_for_any_era_but_the_previous() {
	ExtBuilder::default().build_in_first_era(|| {
		for era in [0, FIRST_ERA - 2, FIRST_ERA, FIRST_ERA + 1, EraIndex::MAX] {
			assert_noop!(
				send(meter(0), era, reading(0, 0)),
				Error::<Test>::ReadingForWrongEra
			);
		}
	});
}

#[test]
fn reading_is_refused_before_the_first_era() {
	ExtBuilder::default().build_and_execute(|| {
		assert_noop!(send(meter(0), 0, reading(0, 0)), Error::<Test>::ClockNotStarted);
	});
}

#[test]
fn second_reading_of_an_era_is_refused() {
	ExtBuilder::default().build_in_first_era(|| {
		report(0, FIRST_ERA - 1, 1, 2);
		assert_noop!(
			send(meter(0), FIRST_ERA - 1, reading(1, 2)),
			Error::<Test>::ReadingAlreadySubmitted
		);
	});
}

#[test]
fn reading_is_refused_for_an_era_before_membership() {
	ExtBuilder::default().build_in_first_era(|| {
		join(owner(5), 7_000, 5_000, None);
		assert_noop!(
			send(7_000, FIRST_ERA - 1, reading(0, 0)),
			Error::<Test>::NotMemberInEra
		);
		enter_era(FIRST_ERA + 1);
		assert_ok!(send(7_000, FIRST_ERA, reading(0, 0)));
	});
}

#[test]
fn reading_is_refused_over_the_connection_limit() {
	ExtBuilder::default().build_in_first_era(|| {
		for (generation, consumption) in [(10_001, 0), (0, 10_001)] {
			assert_noop!(
				send(meter(0), FIRST_ERA - 1, reading(generation, consumption)),
				Error::<Test>::OverConnectionLimit
			);
		}
		assert_ok!(send(meter(0), FIRST_ERA - 1, reading(20_000, 10_000)));
	});
}

#[test]
fn reading_is_refused_when_energy_is_out_of_range() {
	ExtBuilder::default().build_in_first_era(|| {
		for (generation, consumption) in [(u32::MAX, u32::MAX), (1_000_000_001, 1_000_000_000)] {
			assert_noop!(
				send(meter(0), FIRST_ERA - 1, reading(generation, consumption)),
				Error::<Test>::EnergyOutOfRange
			);
		}
		assert_ok!(send(
			meter(0),
			FIRST_ERA - 1,
			reading(1_000_000_000, 1_000_000_000)
		));
	});
}

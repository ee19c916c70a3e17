//! Which strategies are accepted, and how a standing preference replaces them.

use crate::{mock::*, *};
use commonwatt_market::game::{Kind, Strategy};
use frame_support::{assert_noop, assert_ok};

const NEXT: EraIndex = FIRST_ERA + 1;

fn send(
	who: AccountId,
	era: EraIndex,
	generation_wh: u32,
	strategies: Vec<Strategy>,
) -> sp_runtime::DispatchResult {
	EnergyMarket::submit_strategies(
		RuntimeOrigin::signed(who),
		home(0),
		era,
		generation_wh,
		strategies,
	)
}

#[test]
fn strategies_for_the_next_era_are_taken_and_replaced() {
	ExtBuilder::default().build_in_first_era(|| {
		take_events();
		assert_ok!(send(
			owner(0),
			NEXT,
			1_000,
			vec![strategy(Kind::SellToCommunity, 400)]
		));
		assert_ok!(send(owner(0), NEXT, 1_000, vec![strategy(Kind::SellToMain, 300)]));
		let submission = Submissions::<Test>::get(home(0), EnergyMarket::submission_slot(NEXT)).unwrap();
		assert_eq!(
			(submission.era, submission.strategies.into_inner()),
			(NEXT, vec![strategy(Kind::SellToMain, 300)])
		);
		assert!(matches!(
			take_events().as_slice(),
			[
				Event::StrategiesSubmitted {
					household: HouseholdId(0),
					..
				},
				Event::StrategiesSubmitted { .. }
			]
		));
	});
}

#[test]
fn strategies_are_refused_from_anyone_but_the_owner() {
	ExtBuilder::default().build_in_first_era(|| {
		for who in [STRANGER, OPERATOR, meter(0), owner(1)] {
			assert_noop!(
				send(who, NEXT, 0, vec![strategy(Kind::Neutral, 0)]),
				Error::<Test>::NotOwner
			);
		}
	});
}

#[test]
fn strategies_are_refused_for_an_unknown_household() {
	ExtBuilder::default().build_in_first_era(|| {
		let origin = RuntimeOrigin::signed(owner(0));
		assert_noop!(
			EnergyMarket::submit_strategies(origin, home(99), NEXT, 0, vec![strategy(Kind::Neutral, 0)]),
			Error::<Test>::UnknownHousehold
		);
	});
}

#[test]
fn strategies_are_refused_for_any_era_but_the_next() {
	ExtBuilder::default().build_in_first_era(|| {
		for era in [0, FIRST_ERA - 1, FIRST_ERA, FIRST_ERA + 2] {
			assert_noop!(
				send(owner(0), era, 0, vec![strategy(Kind::Neutral, 0)]),
				Error::<Test>::StrategiesForWrongEra
			);
		}
	});
}

#[test]
fn strategies_are_refused_before_the_first_era() {
	ExtBuilder::default().build_and_execute(|| {
		assert_noop!(
			send(owner(0), 1, 0, vec![strategy(Kind::Neutral, 0)]),
			Error::<Test>::ClockNotStarted
		);
	});
}

#[test]
fn strategies_are_refused_when_there_are_none_or_too_many() {
	ExtBuilder::default().build_in_first_era(|| {
		assert_noop!(send(owner(0), NEXT, 0, vec![]), Error::<Test>::NoStrategies);
		let many = |n| vec![strategy(Kind::BuyFromMain, 500); n as usize];
		assert_noop!(
			send(owner(0), NEXT, 0, many(MAX_STRATEGIES + 1)),
			Error::<Test>::TooManyStrategies
		);
		assert_ok!(send(owner(0), NEXT, 0, many(MAX_STRATEGIES)));
	});
}

#[test]
fn strategies_are_refused_when_the_kind_contradicts_the_net_position() {
	ExtBuilder::default().build_in_first_era(|| {
		// Generation 1,000 Wh; the meter resolution is 10 Wh.
		for (kind, consumption) in [
			(Kind::SellToCommunity, 1_000),
			(Kind::SellToMain, 1_001),
			(Kind::BuyFromCommunity, 1_000),
			(Kind::BuyFromMain, 999),
			(Kind::Neutral, 990),
			(Kind::Neutral, 1_010),
		] {
			assert_noop!(
				send(
					owner(0),
					NEXT,
					1_000,
					vec![strategy(Kind::SellToMain, 0), strategy(kind, consumption)]
				),
				Error::<Test>::KindContradictsNetPosition
			);
		}
		assert_ok!(send(owner(0), NEXT, 1_000, vec![strategy(Kind::Neutral, 991)]));
	});
}

#[test]
fn strategies_are_refused_over_the_connection_limit() {
	ExtBuilder::default().build_in_first_era(|| {
		assert_noop!(
			send(owner(0), NEXT, 0, vec![strategy(Kind::BuyFromMain, 10_001)]),
			Error::<Test>::OverConnectionLimit
		);
		assert_noop!(
			send(owner(0), NEXT, 10_001, vec![strategy(Kind::SellToMain, 0)]),
			Error::<Test>::OverConnectionLimit
		);
		assert_ok!(send(owner(0), NEXT, 10_000, vec![strategy(Kind::SellToMain, 0)]));
	});
}

#[test]
fn strategies_are_refused_when_energy_is_out_of_range() {
	ExtBuilder::default().build_in_first_era(|| {
		assert_noop!(
			send(owner(0), NEXT, u32::MAX, vec![strategy(Kind::SellToMain, 0)]),
			Error::<Test>::EnergyOutOfRange
		);
		assert_noop!(
			send(owner(0), NEXT, 0, vec![strategy(Kind::BuyFromMain, u32::MAX)]),
			Error::<Test>::EnergyOutOfRange
		);
	});
}

#[test]
fn submission_counts_for_its_own_era_only() {
	ExtBuilder::default().build_in_first_era(|| {
		submit(0, NEXT, 0, &[strategy(Kind::BuyFromMain, 500)]);
		enter_era(NEXT);
		assert_eq!(contract(0, NEXT).energy.bought_from_main_wh, 500);
		for era in [NEXT + 1, NEXT + 2] {
			enter_era(era);
			assert!(EnergyMarket::view_contract(home(0), era).is_none());
		}
	});
}

#[test]
fn preference_derives_strategies_until_the_owner_submits_some() {
	ExtBuilder::default().build_in_first_era(|| {
		assert_ok!(EnergyMarket::set_preference(
			RuntimeOrigin::signed(owner(0)),
			home(0),
			Some(preference())
		));
		report(0, FIRST_ERA - 1, 200, 1_000);
		// At the first clearing the reading is not yet settled; at the second it is.
		for era in [NEXT, NEXT + 1] {
			enter_era_silently(era);
			let contract = contract(0, era);
			assert_eq!(contract.generation_wh, 200);
			assert_eq!(
				contract
					.strategies
					.iter()
					.map(|s| (s.kind, s.consumption_wh))
					.collect::<Vec<_>>(),
				vec![
					(Kind::BuyFromCommunity, 1_000),
					(Kind::BuyFromMain, 1_000),
					(Kind::BuyFromCommunity, 800),
					(Kind::BuyFromMain, 800),
					(Kind::BuyFromCommunity, 1_200),
					(Kind::BuyFromMain, 1_200),
				]
			);
		}
		submit(0, NEXT + 2, 0, &[strategy(Kind::BuyFromMain, 77)]);
		enter_era_silently(NEXT + 2);
		assert_eq!(contract(0, NEXT + 2).energy.bought_from_main_wh, 77);
	});
}

#[test]
fn preference_without_a_reading_takes_no_part_in_the_game() {
	ExtBuilder::default().build_in_first_era(|| {
		assert_ok!(EnergyMarket::set_preference(
			RuntimeOrigin::signed(owner(0)),
			home(0),
			Some(preference())
		));
		enter_era_silently(NEXT);
		assert_eq!(record(NEXT).players, 0);
	});
}

#[test]
fn preference_speaks_only_while_readings_come() {
	ExtBuilder::default().build_in_first_era(|| {
		assert_ok!(EnergyMarket::set_preference(
			RuntimeOrigin::signed(owner(0)),
			home(0),
			Some(preference())
		));
		report(0, FIRST_ERA - 1, 200, 1_000);
		// The readings of FIRST_ERA - 1 are complete from the game of NEXT on, and one of four eras.
		for era in NEXT..NEXT + 5 {
			enter_era_silently(era);
		}
		let speaks = |era| EnergyMarket::view_contract(home(0), era).is_some();
		let spoken = [NEXT, NEXT + 1, NEXT + 2, NEXT + 3, NEXT + 4].map(speaks);
		assert_eq!(spoken, [true, true, true, true, false]);
	});
}

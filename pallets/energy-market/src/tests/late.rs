//! Readings that come after their era was settled, and of eras that the chain missed.

use crate::{mock::*, *};
use commonwatt_market::game::Kind;
use frame_support::{assert_noop, assert_ok, traits::fungible::Inspect};
use sp_runtime::DispatchResult;

const NEXT: EraIndex = FIRST_ERA + 1;

fn late(household: u32, era: EraIndex, reading: Reading) -> DispatchResult {
	EnergyMarket::submit_late_reading(RuntimeOrigin::signed(meter(household)), era, reading)
}

fn is_free(household: u32, era: EraIndex, reading: &Reading) -> bool {
	EnergyMarket::check_late(&meter(household), era, reading).is_ok()
}

fn cash(household: u32) -> Balance {
	Balances::free_balance(owner(household))
}

/// Household 1's owner offers it to another account.
fn offer_home(from: AccountId, to: AccountId) -> DispatchResult {
	EnergyMarket::offer_household(RuntimeOrigin::signed(from), home(1), Some(to))
}

/// An account takes over household 1.
fn take_home(who: AccountId) -> DispatchResult {
	EnergyMarket::accept_household(RuntimeOrigin::signed(who), home(1), 10_000)
}

/// Household 0 sells 1.5 kWh to household 1. Only the seller's meter reports in time.
fn trade_with_a_silent_buyer() {
	submit(0, NEXT, 1_500, &[strategy(Kind::SellToCommunity, 0)]);
	submit(1, NEXT, 0, &[strategy(Kind::BuyFromCommunity, 1_500)]);
	enter_era(NEXT);
	enter_era(NEXT + 1);
	report(0, NEXT, 1_500, 0);
	enter_era(NEXT + 2);
}

#[test]
fn late_reading_returns_what_the_estimate_took_too_much() {
	ExtBuilder::default().build_in_first_era(|| {
		report(1, FIRST_ERA - 1, 0, 4_000);
		submit(0, NEXT, 1_500, &[strategy(Kind::SellToCommunity, 0)]);
		submit(1, NEXT, 0, &[strategy(Kind::BuyFromCommunity, 1_500)]);
		enter_era(NEXT);
		enter_era(NEXT + 1);
		report(0, NEXT, 1_500, 0);
		enter_era(NEXT + 2);
		// 4,000 Wh and a quarter more are 3,500 Wh above the contract, at 360.
		let before = [0, 1].map(cash);
		assert_eq!(statement(1, NEXT).imbalance_import_wh, 3_500);
		assert_eq!(statement(1, NEXT).amounts.paid_to_utility, 1_260);
		let reading = reading(0, 1_600);
		assert!(is_free(1, NEXT, &reading));
		assert_ok!(late(1, NEXT, reading));
		// 100 Wh above the contract remain.
		assert_eq!([0, 1].map(cash), [before[0], before[1] + 1_260 - 36]);
		let redone = statement(1, NEXT);
		assert_eq!((redone.reading, redone.imbalance_import_wh), (reading, 100));
		assert_eq!(redone.energy.bought_from_community_wh, 1_500);
		let bill = EnergyMarket::view_bill(home(1), NEXT, NEXT).unwrap();
		assert_eq!((bill.eras, bill.imbalance_cost), (1, 36));
		// Once, and never again for an era.
		assert!(!is_free(1, NEXT, &reading));
		assert_noop!(late(1, NEXT, reading), Error::<Test>::ReadingAlreadySubmitted);
		assert_noop!(late(0, NEXT, reading), Error::<Test>::ReadingAlreadySubmitted);
	});
}

#[test]
fn late_reading_above_the_estimate_costs_the_imbalance_price() {
	ExtBuilder::default().build_in_first_era(|| {
		submit(0, NEXT, 1_500, &[strategy(Kind::SellToCommunity, 0)]);
		submit(1, NEXT, 0, &[strategy(Kind::BuyFromCommunity, 1_500)]);
		enter_era(NEXT);
		enter_era(NEXT + 1);
		report(0, NEXT, 1_500, 0);
		enter_era(NEXT + 2);
		let before = cash(1);
		assert_eq!(statement(1, NEXT).imbalance_import_wh, 0);
		assert_ok!(late(1, NEXT, reading(0, 2_500)));
		assert_eq!(cash(1), before - 360);
	});
}

#[test]
fn missed_eras_are_billed_when_their_readings_come() {
	ExtBuilder::default().build_in_first_era(|| {
		enter_era(NEXT + 3);
		enter_era(NEXT + 4);
		enter_era(NEXT + 5);
		let before = cash(0);
		assert!(EnergyMarket::view_statement(home(0), NEXT + 1).is_none());
		assert_ok!(late(0, NEXT + 1, reading(0, 2_000)));
		assert_eq!(cash(0), before - 600);
		assert_eq!(statement(0, NEXT + 1).energy.bought_from_main_wh, 2_000);
		assert_ok!(late(0, NEXT + 2, reading(1_000, 0)));
		assert_eq!(cash(0), before - 600 + 80);
		assert_noop!(
			late(0, NEXT + 1, reading(0, 1)),
			Error::<Test>::ReadingAlreadySubmitted
		);
	});
}

#[test]
fn what_cannot_be_paid_becomes_arrears_and_is_set_off() {
	ExtBuilder::default().build_in_first_era(|| {
		enter_era(NEXT + 3);
		enter_era(NEXT + 4);
		enter_era(NEXT + 5);
		let away = cash(0) - EXISTENTIAL_DEPOSIT - 100;
		assert_ok!(Balances::transfer_allow_death(
			RuntimeOrigin::signed(owner(0)),
			STRANGER,
			away
		));
		assert_ok!(late(0, NEXT + 1, reading(0, 2_000)));
		assert_eq!((debt(0).arrears, cash(0)), (500, EXISTENTIAL_DEPOSIT));
		// What the utility owes pays the arrears first.
		assert_ok!(late(0, NEXT + 2, reading(2_000, 0)));
		assert_eq!((debt(0).arrears, cash(0)), (340, EXISTENTIAL_DEPOSIT));
		// A utility without money owes credit.
		let utility = Balances::free_balance(UTILITY) - EXISTENTIAL_DEPOSIT;
		assert_ok!(Balances::transfer_allow_death(
			RuntimeOrigin::signed(UTILITY),
			STRANGER,
			utility
		));
		assert_ok!(late(1, NEXT + 2, reading(2_000, 0)));
		assert_eq!(debt(1).credit, 160);
	});
}

#[test]
fn late_reading_stands_over_one_of_the_concentrator() {
	ExtBuilder::default().build_in_first_era(|| {
		assert_ok!(EnergyMarket::set_concentrator(
			RuntimeOrigin::signed(OPERATOR),
			VILLAGE,
			Some(CONCENTRATOR)
		));
		submit(0, NEXT, 1_500, &[strategy(Kind::SellToCommunity, 0)]);
		submit(1, NEXT, 0, &[strategy(Kind::BuyFromCommunity, 1_500)]);
		enter_era(NEXT);
		enter_era(NEXT + 1);
		// The seller has 500 Wh more. The concentrator claims 2,500 Wh more for the buyer, whose meter is silent.
		report(0, NEXT, 2_000, 0);
		assert_eq!(concentrate(CONCENTRATOR, NEXT, 1, reading(0, 4_000)), None);
		enter_era(NEXT + 2);
		let claimed = statement(1, NEXT);
		assert_eq!(claimed.reported_by, ReportedBy::Concentrator);
		assert_eq!(
			(claimed.matched_short_wh, claimed.imbalance_import_wh),
			(500, 2_000)
		);
		// 500 Wh at 300, 2,000 Wh at 360.
		assert_eq!(claimed.amounts.paid_to_utility, 150 + 720);
		let pot = || Balances::free_balance(EnergyMarket::pot_account(VILLAGE));
		let before = (cash(0), cash(1), Balances::free_balance(UTILITY), pot());
		// It took what it had contracted. The 500 Wh that a neighbour was paid for go back at 40.
		let truth = reading(0, 1_500);
		assert!(is_free(1, NEXT, &truth));
		assert_ok!(late(1, NEXT, truth));
		let back = 20 + 720;
		assert_eq!(
			(cash(0), cash(1), Balances::free_balance(UTILITY), pot()),
			(before.0, before.1 + back, before.2 - back, before.3)
		);
		let redone = statement(1, NEXT);
		assert_eq!(
			(
				redone.reported_by,
				redone.matched_short_wh,
				redone.imbalance_export_wh,
				redone.deviation_wh()
			),
			(ReportedBy::Meter, 500, 500, 0)
		);
		assert_noop!(late(1, NEXT, truth), Error::<Test>::ReadingAlreadySubmitted);
		assert_ok!(EnergyMarket::do_try_state());
	});
}

#[test]
fn new_owner_is_not_billed_for_late_readings_of_the_old_ones_eras() {
	ExtBuilder::default().build_in_first_era(|| {
		let (new, old) = (STRANGER, owner(1));
		enter_era_silently(NEXT);
		assert_ok!(offer_home(old, new));
		assert_ok!(take_home(new));
		// Until the new owner's first era, the old one repairs its own bills.
		enter_era_silently(NEXT + 1);
		let before = cash(1);
		assert_ok!(late(1, FIRST_ERA, reading(0, 50)));
		assert!(cash(1) > before, "the estimate was more");
		for era in NEXT + 2..NEXT + 6 {
			enter_era_silently(era);
		}
		// The old one's last eras, which the chain estimated; then an era of the new owner.
		let before = (cash(1), Balances::total_balance(&new), debt(1));
		for era in [NEXT, NEXT + 1] {
			assert_noop!(late(1, era, reading(0, 9_000)), Error::<Test>::EraOfFormerOwner);
			assert!(!is_free(1, era, &reading(0, 9_000)));
		}
		assert_eq!(before, (cash(1), Balances::total_balance(&new), debt(1)));
		assert_ok!(late(1, NEXT + 2, reading(0, 9_000)));
		assert_eq!(cash(1), before.0);
		assert!(Balances::total_balance(&new) < before.1);
	});
}

#[test]
fn second_handover_waits_until_the_first_owners_eras_are_closed() {
	ExtBuilder::default().build_in_first_era(|| {
		let (first, second, third) = (owner(1), STRANGER, owner(2));
		assert_ok!(offer_home(first, second));
		assert_ok!(take_home(second));
		let began = FIRST_ERA + 2;
		for era in NEXT..began + RETAINED_ERAS - 1 {
			enter_era_silently(era);
		}
		// The first owner's last era was estimated, and the chain still keeps it.
		assert_ok!(offer_home(second, third));
		assert_noop!(take_home(third), Error::<Test>::OwnerBeingChanged);
		assert_noop!(late(1, began - 1, reading(0, 1)), Error::<Test>::EraOfFormerOwner);
		enter_era_silently(began + RETAINED_ERAS - 1);
		assert_ok!(take_home(third));
		assert_noop!(
			late(1, began - 1, reading(0, 1)),
			Error::<Test>::ReadingForWrongEra
		);
	});
}

#[test]
fn second_handover_waits_for_an_era_that_an_outage_left_unsettled() {
	ExtBuilder::default().build_in_first_era(|| {
		let (first, second, third) = (owner(1), STRANGER, owner(2));
		assert_ok!(offer_home(first, second));
		assert_ok!(take_home(second));
		let after = FIRST_ERA + 10 * RETAINED_ERAS;
		enter_era_silently(after);
		assert!(Round::<Test>::get().is_none());
		// The readings of the first owner's era are still due.
		assert_ok!(EnergyMarket::submit_reading(
			RuntimeOrigin::signed(meter(1)),
			FIRST_ERA,
			reading(0, 1_000)
		));
		assert_ok!(offer_home(second, third));
		assert_noop!(take_home(third), Error::<Test>::OwnerBeingChanged);
		let before = [first, second].map(|who| Balances::total_balance(&who));
		enter_era_silently(after + 1);
		assert_ok!(take_home(third));
		let paid = |who, before| before - Balances::total_balance(&who);
		assert_eq!([paid(first, before[0]), paid(second, before[1])], [300, 0]);
	});
}

#[test]
fn late_reading_is_refused_for_other_eras_and_by_others() {
	ExtBuilder::default().build_in_first_era(|| {
		trade_with_a_silent_buyer();
		let reading = reading(0, 100);
		// The running era, the one whose readings are taken in time, one before the chain, and one in the future.
		for era in [NEXT + 2, NEXT + 1, FIRST_ERA - 2, NEXT + 9] {
			assert_noop!(late(1, era, reading), Error::<Test>::ReadingForWrongEra);
		}
		for who in [STRANGER, owner(1), OPERATOR] {
			assert_noop!(
				EnergyMarket::submit_late_reading(RuntimeOrigin::signed(who), NEXT, reading),
				Error::<Test>::UnknownMeter
			);
		}
		let corrected = Reading {
			quality: Quality::Corrected,
			..reading
		};
		assert_noop!(late(1, NEXT, corrected), Error::<Test>::NothingToCorrect);
		let over = mock::reading(0, 10_001);
		assert_noop!(late(1, NEXT, over), Error::<Test>::OverConnectionLimit);
		for era in NEXT + 3..NEXT + RETAINED_ERAS {
			enter_era(era);
		}
		assert!(is_free(1, NEXT, &reading));
		enter_era(NEXT + RETAINED_ERAS);
		assert_noop!(late(1, NEXT, reading), Error::<Test>::ReadingForWrongEra);
	});
}

#[test]
fn era_that_waits_for_settlement_is_refused_until_it_is_settled() {
	ExtBuilder::default().build_in_first_era(|| {
		enter_era(NEXT);
		enter_era_silently(NEXT + 1);
		block_at(u64::from(NEXT + 2) * ERA_MS);
		assert_noop!(late(0, NEXT, reading(0, 100)), Error::<Test>::RoundUnderWay);
		enter_era_silently(NEXT + 2);
		next_block();
		assert_ok!(late(0, NEXT, reading(0, 100)));
	});
}

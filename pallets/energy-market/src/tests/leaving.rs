//! Leaving: a household is removed only after everything is settled.

use crate::{mock::*, *};
use commonwatt_market::game::Kind;
use frame_support::{assert_noop, assert_ok, traits::fungible::Mutate};

const NEXT: EraIndex = FIRST_ERA + 1;

fn by(who: AccountId) -> RuntimeOrigin {
	RuntimeOrigin::signed(who)
}

fn leave(household: u32) {
	assert_ok!(EnergyMarket::leave(by(owner(household)), home(household)));
}

fn is_gone(household: u32) -> bool {
	!Households::<Test>::contains_key(home(household))
}

#[test]
fn household_is_removed_after_its_last_contract_is_settled() {
	ExtBuilder::default().build_in_first_era(|| {
		submit(0, NEXT, 2_000, &[strategy(Kind::SellToCommunity, 0)]);
		submit(1, NEXT, 0, &[strategy(Kind::BuyFromCommunity, 2_000)]);
		enter_era(NEXT);
		let held = contract(1, NEXT).held;
		assert!(held > 0);
		take_events();
		leave(1);
		assert_eq!(
			take_events(),
			vec![Event::HouseholdLeaving {
				household: home(1),
				last_era: NEXT
			}]
		);

		enter_era(NEXT + 1);
		assert!(!is_gone(1));
		report(0, NEXT, 2_000, 0);
		report(1, NEXT, 0, 2_000);
		enter_era(NEXT + 2);
		assert!(is_gone(1));
		assert!(take_events().contains(&Event::HouseholdLeft {
			community: VILLAGE,
			household: home(1)
		}));
		assert_eq!(Members::<Test>::get(VILLAGE).into_inner(), [0, 2, 3].map(home));
		assert_eq!(
			(MeterOf::<Test>::get(meter(1)), Readings::<Test>::get(home(1))),
			(None, None)
		);
		assert_eq!(System::sufficients(&meter(1)), 0);
		// The community's books still have its contract and statement.
		assert_eq!(EnergyMarket::view_statement(home(1), NEXT), None);
		let statements = EnergyMarket::view_statements(VILLAGE, NEXT);
		let last = statements.iter().find(|(id, _)| *id == home(1)).unwrap();
		assert_eq!(last.1.energy.bought_from_community_wh, 2_000);
	});
}

#[test]
fn household_without_contracts_is_removed_after_its_last_era_is_settled() {
	ExtBuilder::default().build_in_first_era(|| {
		leave(2);
		enter_era(NEXT);
		assert!(!is_gone(2));
		enter_era(NEXT + 1);
		assert!(is_gone(2));
		assert_eq!(EnergyMarket::view_statements(VILLAGE, FIRST_ERA).len(), 4);
		enter_era(NEXT + 2);
		assert_eq!(EnergyMarket::view_statements(VILLAGE, NEXT).len(), 3);
	});
}

#[test]
fn household_that_leaves_plays_no_further_game() {
	ExtBuilder::default().build_in_first_era(|| {
		submit(0, NEXT, 2_000, &[strategy(Kind::SellToMain, 0)]);
		assert_ok!(EnergyMarket::set_preference(
			by(owner(1)),
			home(1),
			Some(preference())
		));
		report(1, FIRST_ERA - 1, 0, 500);
		leave(0);
		leave(1);
		assert_noop!(
			EnergyMarket::submit_strategies(by(owner(0)), home(0), NEXT, 0, vec![strategy(Kind::Neutral, 0)]),
			Error::<Test>::HouseholdLeaving
		);
		enter_era(NEXT);
		assert_eq!(record(NEXT).players, 0);
		report(0, FIRST_ERA, 0, 100);
		block_at(u64::from(NEXT + 1) * ERA_MS);
		assert_noop!(
			EnergyMarket::submit_reading(by(meter(0)), NEXT, reading(0, 0)),
			Error::<Test>::NotMemberInEra
		);
	});
}

#[test]
fn only_owner_and_operator_may_start_leaving_and_only_once() {
	ExtBuilder::default().build_in_first_era(|| {
		for who in [owner(1), OPERATOR, meter(0), STRANGER] {
			assert_noop!(EnergyMarket::leave(by(who), home(0)), Error::<Test>::NotOwner);
		}
		for who in [owner(0), UTILITY, STRANGER] {
			assert_noop!(
				EnergyMarket::remove_household(by(who), home(0)),
				Error::<Test>::NotOperator
			);
		}
		assert_noop!(
			EnergyMarket::leave(by(owner(0)), home(9)),
			Error::<Test>::UnknownHousehold
		);
		assert_noop!(
			EnergyMarket::remove_household(by(OPERATOR), home(9)),
			Error::<Test>::UnknownHousehold
		);
		assert_ok!(EnergyMarket::remove_household(by(OPERATOR), home(0)));
		assert_noop!(
			EnergyMarket::leave(by(owner(0)), home(0)),
			Error::<Test>::HouseholdLeaving
		);
		// The next era is the last one: it may have strategies already.
		enter_era(NEXT);
		enter_era(NEXT + 1);
		assert!(!is_gone(0));
		enter_era(NEXT + 2);
		assert!(is_gone(0));
	});
}

#[test]
fn leaving_is_refused_before_the_clock_runs() {
	ExtBuilder::default().build_and_execute(|| {
		assert_noop!(
			EnergyMarket::leave(by(owner(0)), home(0)),
			Error::<Test>::ClockNotStarted
		);
	});
}

#[test]
fn debtor_stays_until_its_debt_is_paid() {
	ExtBuilder::default().build_in_first_era(|| {
		report(1, FIRST_ERA - 1, 0, 1_000);
		Balances::set_balance(&owner(1), EXISTENTIAL_DEPOSIT);
		leave(1);
		enter_era(NEXT);
		assert_eq!(debt(1).arrears, 300);
		enter_era(NEXT + 1);
		enter_era(NEXT + 2);
		assert!(!is_gone(1));
		// It gets no further bills, and nothing is taken from it by itself.
		let owes = debt(1).arrears;
		assert_eq!(owes, 300);
		Balances::set_balance(&owner(1), EXISTENTIAL_DEPOSIT + 1_000);
		enter_era(NEXT + 3);
		enter_era(NEXT + 4);
		assert_eq!(debt(1).arrears, 300);
		assert_eq!(Balances::free_balance(owner(1)), EXISTENTIAL_DEPOSIT + 1_000);
		assert_ok!(EnergyMarket::repay_arrears(by(owner(1)), home(1)));
		assert_eq!(Balances::free_balance(owner(1)), EXISTENTIAL_DEPOSIT + 700);
		assert!(!is_gone(1));
		enter_era(NEXT + 5);
		assert!(is_gone(1));
		// The test set balances directly: restore the total issuance.
		Balances::set_balance(&owner(1), 0);
		let missing = (MAX_HOUSEHOLDS as Balance + 3) * ENDOWMENT - Balances::total_issuance();
		Balances::mint_into(&STRANGER, missing).unwrap();
	});
}

#[test]
fn creditor_stays_until_the_utility_has_paid() {
	ExtBuilder::default().build_in_first_era(|| {
		report(0, FIRST_ERA - 1, 5_000, 0);
		Balances::set_balance(&UTILITY, EXISTENTIAL_DEPOSIT);
		leave(0);
		enter_era(NEXT);
		assert_eq!(debt(0).credit, 400);
		enter_era(NEXT + 1);
		assert!(!is_gone(0));
		Balances::set_balance(&UTILITY, ENDOWMENT);
		take_events();
		enter_era(NEXT + 2);
		assert!(take_events().contains(&Event::CreditPaid {
			household: home(0),
			paid: 400,
			credit: 0
		}));
		assert!(is_gone(0));
	});
}

#[test]
fn meter_of_a_household_that_left_may_measure_another() {
	ExtBuilder::default().build_in_first_era(|| {
		assert_ok!(replace_meter(home(0), 9_001));
		leave(0);
		enter_era(NEXT);
		enter_era(NEXT + 1);
		for meter in [meter(0), 9_001] {
			join(owner(0), meter, 1_000, None);
		}
		// Numbers are never reused.
		assert_eq!(
			Members::<Test>::get(VILLAGE).into_inner(),
			[1, 2, 3, 4, 5].map(home)
		);
	});
}

#[test]
fn settlement_removes_at_most_four_leaving_households() {
	ExtBuilder::default().households(6).build_in_first_era(|| {
		(0..6).for_each(leave);
		enter_era(NEXT);
		enter_era(NEXT + 1);
		assert_eq!(Members::<Test>::get(VILLAGE).into_inner(), [4, 5].map(home));
		enter_era(NEXT + 2);
		assert!(Members::<Test>::get(VILLAGE).is_empty());
	});
}

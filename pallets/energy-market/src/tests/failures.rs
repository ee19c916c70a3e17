//! Silent meters, households or utilities that cannot pay, and closed accounts.

use crate::{mock::*, *};
use commonwatt_market::game::Kind;
use frame_support::{assert_noop, assert_ok};

const NEXT: EraIndex = FIRST_ERA + 1;

fn drain(who: AccountId, leave: Balance) {
	let free = Balances::free_balance(who);
	assert_ok!(Balances::transfer_allow_death(
		RuntimeOrigin::signed(who),
		STRANGER,
		free - leave
	));
}

#[test]
fn silent_seller_is_estimated_to_deliver_nothing() {
	ExtBuilder::default().build_in_first_era(|| {
		submit(0, NEXT, 2_000, &[strategy(Kind::SellToCommunity, 500)]);
		submit(1, NEXT, 0, &[strategy(Kind::BuyFromCommunity, 1_500)]);
		enter_era(NEXT);
		enter_era(NEXT + 1);
		report(1, NEXT, 0, 1_500);
		enter_era(NEXT + 2);
		let seller = statement(0, NEXT);
		assert_eq!(seller.reading.quality, Quality::Estimated);
		assert_eq!(seller.energy, Channels::default());
		assert_eq!(seller.amounts, Amounts::default());
		assert_eq!(statement(1, NEXT).energy.bought_from_main_wh, 1_500);
	});
}

#[test]
fn silent_buyer_is_estimated_to_consume_its_contract() {
	ExtBuilder::default().build_in_first_era(|| {
		submit(0, NEXT, 2_000, &[strategy(Kind::SellToCommunity, 500)]);
		submit(1, NEXT, 100, &[strategy(Kind::BuyFromCommunity, 1_600)]);
		enter_era(NEXT);
		enter_era(NEXT + 1);
		report(0, NEXT, 2_000, 500);
		enter_era(NEXT + 2);
		let buyer = statement(1, NEXT);
		assert_eq!(
			buyer.reading,
			Reading {
				quality: Quality::Estimated,
				..reading(100, 1_600)
			}
		);
		assert_eq!(buyer.energy.bought_from_community_wh, 1_500);
		assert_eq!(statement(0, NEXT).amounts.received_from_pool, 285);
		// The estimate is not stored as a reading, so no later era is derived from it.
		assert_eq!(Readings::<Test>::get(home(1)), None);
	});
}

#[test]
fn silent_household_without_a_contract_is_estimated_from_its_last_reading() {
	ExtBuilder::default().build_in_first_era(|| {
		report(0, FIRST_ERA - 1, 3_000, 1_000);
		enter_era(NEXT);
		enter_era(NEXT + 1);
		enter_era(NEXT + 2);
		let statement = statement(0, NEXT);
		assert_eq!(
			statement.reading,
			Reading {
				quality: Quality::Estimated,
				..reading(0, 1_000)
			}
		);
		assert_eq!(statement.amounts.paid_to_utility, 300);
	});
}

#[test]
fn household_that_cannot_pay_trades_with_the_main_grid_only() {
	ExtBuilder::default().build_in_first_era(|| {
		submit(0, NEXT, 2_000, &[strategy(Kind::SellToCommunity, 0)]);
		submit(1, NEXT, 0, &[strategy(Kind::BuyFromCommunity, 1_000)]);
		submit(2, NEXT, 0, &[strategy(Kind::BuyFromCommunity, 1_000)]);
		// 1 kWh can cost 300 at retail, a fee of 10, and 3 for rounding.
		drain(owner(1), EXISTENTIAL_DEPOSIT + 312);
		drain(owner(2), EXISTENTIAL_DEPOSIT + 313);
		enter_era(NEXT);
		let poor = contract(1, NEXT);
		assert!(poor.main_grid_only);
		assert_eq!((poor.energy.bought_from_main_wh, poor.held), (1_000, 0));
		assert!(!contract(2, NEXT).main_grid_only);
		assert_eq!(contract(2, NEXT).energy.bought_from_community_wh, 1_000);
	});
}

#[test]
fn arrears_are_recorded_affect_nobody_else_and_are_repaid() {
	ExtBuilder::default().build_in_first_era(|| {
		submit(0, NEXT, 2_000, &[strategy(Kind::SellToCommunity, 0)]);
		submit(1, NEXT, 0, &[strategy(Kind::BuyFromCommunity, 2_000)]);
		drain(owner(1), EXISTENTIAL_DEPOSIT + 623);
		enter_era(NEXT);
		enter_era(NEXT + 1);
		report(0, NEXT, 2_000, 0);
		report(1, NEXT, 0, 5_000);
		// The owner moves all free funds away; the hold remains for the seller.
		drain(owner(1), EXISTENTIAL_DEPOSIT);
		enter_era(NEXT + 2);
		assert_eq!(statement(0, NEXT).amounts.received_from_pool, 380);
		let debtor = statement(1, NEXT);
		// The hold is 602 for 2 kWh. 380 went to the pool and 20 to the operator; the rest, less the minimum balance,
		// paid a part of 3 kWh at 360.
		assert_eq!(debtor.amounts.main_cost, 1_080);
		assert_eq!(debtor.amounts.paid_to_utility + debtor.amounts.arrears, 1_080);
		assert!(debtor.amounts.arrears > 800);
		let arrears = debtor.amounts.arrears;

		// A household in arrears trades with the main grid only, even as a seller. What it earns pays its arrears.
		submit(1, NEXT + 3, 3_000, &[strategy(Kind::SellToCommunity, 0)]);
		enter_era(NEXT + 3);
		assert!(contract(1, NEXT + 3).main_grid_only);
		enter_era(NEXT + 4);
		report(1, NEXT + 3, 3_000, 0);
		enter_era(NEXT + 5);
		let seller = statement(1, NEXT + 3);
		assert_eq!(seller.amounts.main_revenue, 240);
		// In the eras between, its meter was silent and it had no contract: the estimate billed 5,000 Wh more for each.
		assert_eq!(
			seller.amounts.arrears,
			statement(1, NEXT + 2).amounts.arrears - seller.amounts.paid_to_utility
		);
		assert!(statement(1, NEXT + 1).amounts.arrears > arrears);

		let origin = || RuntimeOrigin::signed(owner(1));
		drain(STRANGER, ENDOWMENT / 2);
		assert_ok!(Balances::transfer_allow_death(
			RuntimeOrigin::signed(STRANGER),
			owner(1),
			100_000
		));
		assert_noop!(
			EnergyMarket::repay_arrears(RuntimeOrigin::signed(owner(0)), home(1)),
			Error::<Test>::NotOwner
		);
		assert_ok!(EnergyMarket::repay_arrears(origin(), home(1)));
		assert_eq!(debt(1).arrears, 0);
		assert_noop!(
			EnergyMarket::repay_arrears(origin(), home(1)),
			Error::<Test>::NoArrears
		);
	});
}

#[test]
fn repaying_is_refused_when_there_is_nothing_to_pay_with() {
	ExtBuilder::default().build_in_first_era(|| {
		drain(owner(0), EXISTENTIAL_DEPOSIT);
		report(0, FIRST_ERA - 1, 0, 1_000);
		enter_era(NEXT);
		assert_eq!(debt(0).arrears, 300);
		assert_noop!(
			EnergyMarket::repay_arrears(RuntimeOrigin::signed(owner(0)), home(0)),
			Error::<Test>::NothingToPayWith
		);
		assert_noop!(
			EnergyMarket::repay_arrears(RuntimeOrigin::signed(owner(0)), home(50)),
			Error::<Test>::UnknownHousehold
		);
	});
}

#[test]
fn households_of_one_owner_share_its_funds() {
	ExtBuilder::default().build_in_first_era(|| {
		join(owner(0), 7_000, 5_000, None);
		drain(owner(0), EXISTENTIAL_DEPOSIT + 400);
		submit(0, NEXT, 0, &[strategy(Kind::BuyFromMain, 1_000)]);
		assert_ok!(EnergyMarket::submit_strategies(
			RuntimeOrigin::signed(owner(0)),
			home(4),
			NEXT,
			0,
			vec![strategy(Kind::BuyFromMain, 1_000)]
		));
		enter_era(NEXT);
		assert_eq!(
			(contract(0, NEXT).main_grid_only, contract(4, NEXT).main_grid_only),
			(false, true)
		);
	});
}

#[test]
fn utility_that_cannot_pay_owes_credit() {
	ExtBuilder::default().build_in_first_era(|| {
		drain(UTILITY, EXISTENTIAL_DEPOSIT + 30);
		report(0, FIRST_ERA - 1, 1_000, 0);
		enter_era(NEXT);
		let first = statement(0, FIRST_ERA - 1).amounts;
		assert_eq!(
			(first.main_revenue, first.received_from_utility, first.credit),
			(80, 30, 50)
		);
		assert_ok!(Balances::transfer_allow_death(
			RuntimeOrigin::signed(STRANGER),
			UTILITY,
			1_000
		));
		report(0, FIRST_ERA, 0, 0);
		enter_era(NEXT + 1);
		let second = statement(0, FIRST_ERA).amounts;
		assert_eq!(
			(second.main_revenue, second.received_from_utility, second.credit),
			(0, 50, 0)
		);
	});
}

#[test]
fn seller_with_a_closed_account_gets_credit() {
	ExtBuilder::default().build_in_first_era(|| {
		// 40 Wh at 190 a kWh are 8 units, which is below the minimum balance.
		submit(0, NEXT, 40, &[strategy(Kind::SellToCommunity, 0)]);
		submit(1, NEXT, 0, &[strategy(Kind::BuyFromCommunity, 40)]);
		enter_era(NEXT);
		enter_era(NEXT + 1);
		report(0, NEXT, 40, 0);
		report(1, NEXT, 0, 40);
		drain(owner(0), 0);
		enter_era(NEXT + 2);
		let seller = statement(0, NEXT).amounts;
		assert_eq!((seller.received_from_pool, seller.credit), (0, 8));
		assert_eq!(
			Balances::free_balance(EnergyMarket::pool_account(VILLAGE)),
			EXISTENTIAL_DEPOSIT
		);
	});
}

#[test]
fn closed_operator_account_does_not_stop_settlement() {
	ExtBuilder::default().build_in_first_era(|| {
		submit(0, NEXT, 1_000, &[strategy(Kind::SellToCommunity, 0)]);
		submit(1, NEXT, 0, &[strategy(Kind::BuyFromCommunity, 1_000)]);
		enter_era(NEXT);
		enter_era(NEXT + 1);
		report(0, NEXT, 1_000, 0);
		report(1, NEXT, 0, 1_000);
		drain(OPERATOR, 0);
		enter_era(NEXT + 2);
		assert_eq!(statement(0, NEXT).amounts.received_from_pool, 190);
		assert_eq!(
			record(NEXT).settled.unwrap().grid_fees,
			Balances::free_balance(OPERATOR)
		);
	});
}

#[test]
fn operator_and_utility_may_have_households_of_their_own() {
	for owner in [OPERATOR, UTILITY] {
		ExtBuilder::default().build_in_first_era(|| {
			join(owner, 9_000, 10_000, None);
			let buy = [strategy(Kind::BuyFromCommunity, 2_000)];
			assert_ok!(EnergyMarket::submit_strategies(
				RuntimeOrigin::signed(owner),
				home(4),
				FIRST_ERA + 1,
				0,
				buy.to_vec()
			));
			submit(0, FIRST_ERA + 1, 1_000, &[strategy(Kind::SellToCommunity, 0)]);
			enter_era(FIRST_ERA + 1);
			assert_eq!(contract(4, FIRST_ERA + 1).energy.bought_from_community_wh, 1_000);
			EnergyMarket::do_try_state().unwrap();
			enter_era(FIRST_ERA + 2);
			report(0, FIRST_ERA + 1, 1_000, 0);
			enter_era(FIRST_ERA + 3);
			assert_eq!(statement(4, FIRST_ERA + 1).amounts.paid_to_pool, 190);
		});
	}
}

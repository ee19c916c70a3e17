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
fn silent_seller_is_estimated_to_deliver_nothing_and_pays_for_it() {
	ExtBuilder::default().build_in_first_era(|| {
		submit(0, NEXT, 2_000, &[strategy(Kind::SellToCommunity, 500)]);
		submit(1, NEXT, 0, &[strategy(Kind::BuyFromCommunity, 1_500)]);
		enter_era(NEXT);
		enter_era(NEXT + 1);
		report(1, NEXT, 0, 1_500);
		enter_era(NEXT + 2);
		let seller = statement(0, NEXT);
		assert_eq!(seller.reading.quality, Quality::Estimated);
		// The contract brings 285. No generation and a consumption of 500 Wh are 2,000 Wh of shortfall, which cost 720.
		assert_eq!(seller.imbalance_import_wh, 2_000);
		assert_eq!(Balances::free_balance(owner(0)), ENDOWMENT + 285 - 720);
		assert_eq!(Balances::free_balance(owner(1)), ENDOWMENT - 285 - 15);
	});
}

#[test]
fn silent_buyer_is_estimated_to_generate_nothing() {
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
				..reading(0, 1_600)
			}
		);
		assert_eq!(buyer.energy.bought_from_community_wh, 1_500);
		assert_eq!(statement(0, NEXT).amounts.received_from_pool, 285);
		// The estimate is not stored as a reading, so no later era is derived from it.
		assert_eq!(reported(1, NEXT), None);
	});
}

#[test]
fn silent_household_without_a_contract_is_estimated_from_its_last_reading() {
	ExtBuilder::default().build_in_first_era(|| {
		report(0, FIRST_ERA - 1, 3_000, 1_000);
		enter_era_silently(NEXT);
		enter_era_silently(NEXT + 1);
		enter_era_silently(NEXT + 2);
		let statement = statement(0, NEXT);
		assert_eq!(
			statement.reading,
			Reading {
				quality: Quality::Estimated,
				..reading(0, 1_250)
			}
		);
		assert_eq!(statement.amounts.paid_to_utility, 375);
	});
}

#[test]
fn household_that_cannot_pay_trades_with_the_main_grid_only() {
	ExtBuilder::default().build_in_first_era(|| {
		submit(0, NEXT, 2_000, &[strategy(Kind::SellToCommunity, 0)]);
		submit(1, NEXT, 0, &[strategy(Kind::BuyFromCommunity, 1_000)]);
		submit(2, NEXT, 0, &[strategy(Kind::BuyFromCommunity, 1_000)]);
		// 1 kWh can cost 300 at retail, and 2 for rounding.
		drain(owner(1), EXISTENTIAL_DEPOSIT + 301);
		drain(owner(2), EXISTENTIAL_DEPOSIT + 302);
		enter_era(NEXT);
		let poor = contract(1, NEXT);
		assert!(poor.main_grid_only);
		assert_eq!((poor.energy.bought_from_main_wh, poor.held), (1_000, 0));
		assert!(!contract(2, NEXT).main_grid_only);
		assert_eq!(contract(2, NEXT).energy.bought_from_community_wh, 1_000);
	});
}

#[test]
fn seller_that_cannot_cover_its_promise_trades_with_the_main_grid_only() {
	ExtBuilder::default().build_in_first_era(|| {
		for seller in [0, 1] {
			submit(seller, NEXT, 1_000, &[strategy(Kind::SellToCommunity, 0)]);
		}
		submit(2, NEXT, 0, &[strategy(Kind::BuyFromCommunity, 1_000)]);
		// Delivering nothing of 1 kWh costs 360 - 190.
		drain(owner(0), EXISTENTIAL_DEPOSIT + 169);
		drain(owner(1), EXISTENTIAL_DEPOSIT + 170);
		enter_era(NEXT);
		assert_eq!(
			(contract(0, NEXT).main_grid_only, contract(0, NEXT).held),
			(true, 0)
		);
		assert_eq!(contract(1, NEXT).energy.sold_to_community_wh, 1_000);
		assert_eq!(contract(1, NEXT).held, 170);
	});
}

#[test]
fn household_kept_to_the_main_grid_pays_no_imbalance_price() {
	ExtBuilder::default().build_in_first_era(|| {
		submit(0, NEXT, 2_000, &[strategy(Kind::SellToCommunity, 0)]);
		submit(1, NEXT, 0, &[strategy(Kind::BuyFromCommunity, 2_000)]);
		submit(2, NEXT, 0, &[strategy(Kind::BuyFromCommunity, 3_000)]);
		drain(owner(1), EXISTENTIAL_DEPOSIT + 601);
		enter_era(NEXT);
		assert!(contract(1, NEXT).main_grid_only);
		enter_era(NEXT + 1);
		report(0, NEXT, 2_000, 0);
		report(1, NEXT, 0, 2_001);
		report(2, NEXT, 0, 2_900);
		enter_era(NEXT + 2);
		// It consumes 1 Wh more than the strategy that it did not choose: 2,001 Wh at retail. The surplus of its
		// neighbour does not match it.
		let kept = statement(1, NEXT);
		assert_eq!((kept.energy.bought_from_main_wh, kept.deviation_wh()), (2_001, 0));
		assert_eq!((kept.amounts.cost(), kept.delivered), (601, None));
		assert_eq!(Balances::free_balance(owner(1)), EXISTENTIAL_DEPOSIT);
		assert_eq!(
			(
				statement(2, NEXT).matched_long_wh,
				statement(2, NEXT).imbalance_export_wh
			),
			(0, 100)
		);
	});
}

#[test]
fn arrears_are_recorded_affect_nobody_else_and_are_repaid() {
	ExtBuilder::default().build_in_first_era(|| {
		submit(0, NEXT, 2_000, &[strategy(Kind::SellToCommunity, 0)]);
		submit(1, NEXT, 0, &[strategy(Kind::BuyFromCommunity, 2_000)]);
		drain(owner(1), EXISTENTIAL_DEPOSIT + 602);
		enter_era(NEXT);
		enter_era(NEXT + 1);
		report(0, NEXT, 2_000, 0);
		report(1, NEXT, 0, 5_000);
		// The owner moves all free funds away; the hold remains for the seller.
		drain(owner(1), EXISTENTIAL_DEPOSIT);
		enter_era(NEXT + 2);
		assert_eq!(statement(0, NEXT).amounts.received_from_pool, 380);
		let debtor = statement(1, NEXT);
		// The hold of 400 went to the pool and the operator. Nothing is left for 3 kWh at 360.
		assert_eq!(debtor.amounts.imbalance_cost, 1_080);
		assert_eq!(
			(debtor.amounts.paid_to_utility, debtor.amounts.arrears),
			(0, 1_080)
		);
		let arrears = debtor.amounts.arrears;

		// A household in arrears trades with the main grid only, even as a seller. What it earns pays its arrears.
		submit(1, NEXT + 3, 3_000, &[strategy(Kind::SellToCommunity, 0)]);
		enter_era_silently(NEXT + 3);
		assert!(contract(1, NEXT + 3).main_grid_only);
		enter_era_silently(NEXT + 4);
		report(1, NEXT + 3, 3_000, 0);
		enter_era_silently(NEXT + 5);
		let seller = statement(1, NEXT + 3);
		assert_eq!(seller.amounts.main_revenue, 240);
		// In the eras between, its meter was silent and it had no contract: the estimate billed 6,250 Wh more for each.
		assert_eq!(
			seller.amounts.arrears,
			statement(1, NEXT + 2).amounts.arrears - 240
		);
		assert_eq!(
			(
				seller.amounts.paid_to_utility,
				seller.amounts.received_from_utility
			),
			(0, 0)
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
fn arrears_and_credits_are_set_off() {
	ExtBuilder::default().build_in_first_era(|| {
		drain(UTILITY, EXISTENTIAL_DEPOSIT);
		drain(owner(1), EXISTENTIAL_DEPOSIT);
		report(0, FIRST_ERA - 1, 1_000, 0);
		report(1, FIRST_ERA - 1, 0, 1_000);
		enter_era(NEXT);
		assert_eq!((debt(0).credit, debt(1).arrears), (80, 300));
		let before = Balances::free_balance(owner(0));
		report(0, FIRST_ERA, 0, 200);
		report(1, FIRST_ERA, 1_000, 0);
		enter_era(NEXT + 1);
		// Household 0 owes 60 of its credit of 80, household 1 earns 80 of its arrears of 300: no money moves.
		assert_eq!(
			debt(0),
			Debt {
				arrears: 0,
				credit: 20
			}
		);
		assert_eq!(
			debt(1),
			Debt {
				arrears: 220,
				credit: 0
			}
		);
		assert_eq!(Balances::free_balance(owner(0)), before);
		assert_eq!(Balances::free_balance(owner(1)), EXISTENTIAL_DEPOSIT);
		assert_eq!(Balances::free_balance(UTILITY), EXISTENTIAL_DEPOSIT);
	});
}

#[test]
fn utility_that_runs_dry_pays_everybody_the_same_share() {
	// Whoever registered first, last or between: everybody gets half.
	for [one, two, three] in [[0, 1, 2], [2, 0, 1], [3, 2, 0]] {
		ExtBuilder::default().build_in_first_era(|| {
			let payer = 6 - one - two - three;
			drain(UTILITY, EXISTENTIAL_DEPOSIT + 10);
			report(one, FIRST_ERA - 1, 1_000, 0);
			report(two, FIRST_ERA - 1, 1_000, 0);
			report(three, FIRST_ERA - 1, 2_000, 0);
			report(payer, FIRST_ERA - 1, 0, 500);
			enter_era(NEXT);
			// 10, and the 150 that a neighbour pays in the same settlement, for 320.
			let got = |household: u32| {
				(
					Balances::free_balance(owner(household)) - ENDOWMENT,
					debt(household).credit,
				)
			};
			assert_eq!([got(one), got(two), got(three)], [(40, 40), (40, 40), (80, 80)]);
			assert_eq!(Balances::free_balance(owner(payer)), ENDOWMENT - 150);
			assert_eq!(Balances::free_balance(UTILITY), EXISTENTIAL_DEPOSIT);
		});
	}
}

#[test]
fn household_that_left_gets_the_same_share_of_a_dry_utility() {
	ExtBuilder::default().build_in_first_era(|| {
		drain(UTILITY, EXISTENTIAL_DEPOSIT);
		assert_ok!(EnergyMarket::leave(RuntimeOrigin::signed(owner(0)), home(0)));
		report(0, FIRST_ERA - 1, 1_000, 0);
		enter_era(NEXT);
		enter_era(NEXT + 1);
		assert_eq!(debt(0).credit, 80);
		report(1, NEXT, 1_000, 0);
		report(2, NEXT, 0, 250);
		enter_era(NEXT + 2);
		// 75 for two times 80; the last unit of the running sums goes to the one that left.
		assert_eq!((debt(0).credit, debt(1).credit), (42, 43));
		assert_eq!(Balances::free_balance(owner(0)), ENDOWMENT + 38);
		assert_eq!(Balances::free_balance(owner(1)), ENDOWMENT + 37);
	});
}

#[test]
fn spread_of_a_shortfall_that_was_not_paid_stays_with_the_utility() {
	ExtBuilder::default().build_in_first_era(|| {
		submit(0, NEXT, 1_000, &[strategy(Kind::SellToCommunity, 0)]);
		submit(1, NEXT, 0, &[strategy(Kind::BuyFromCommunity, 1_000)]);
		submit(2, NEXT, 0, &[strategy(Kind::BuyFromMain, 1_000)]);
		enter_era(NEXT);
		enter_era(NEXT + 1);
		report(0, NEXT, 1_600, 0);
		report(1, NEXT, 0, 1_300);
		report(2, NEXT, 0, 1_300);
		drain(owner(1), EXISTENTIAL_DEPOSIT);
		enter_era(NEXT + 2);
		// Both are 300 Wh short and owe 90 each for it. One pays, so the pot gets 66; the seller gets 600 Wh at 80 all
		// the same.
		assert_eq!((debt(1).arrears, debt(2).arrears), (90, 0));
		assert_eq!(record(NEXT).settled.unwrap().to_pot, 66);
		assert_eq!(Balances::free_balance(owner(0)), ENDOWMENT + 190 + 48);
		assert_eq!(Balances::free_balance(UTILITY), ENDOWMENT + 300 + 90 - 48 - 66);
	});
}

#[test]
fn seller_with_a_closed_account_gets_credit() {
	ExtBuilder::default().build_in_first_era(|| {
		// Where the price equals the imbalance price, a promise to sell needs no hold, so the account can be closed.
		let mut terms = terms();
		(terms.tariffs.retail_per_kwh, terms.tariffs.feed_in_per_kwh) = (190, 190);
		(
			terms.tariffs.imbalance_import_per_kwh,
			terms.tariffs.grid_fee_per_kwh,
		) = (190, 0);
		terms.reward_cap_per_kwh = 0;
		put_terms(terms);
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
fn closed_utility_account_takes_what_opens_it_again() {
	// Buyers 1 and 2 request this much. Half of it comes from the community, the rest from the main grid.
	let settle = |requested_wh: u32| {
		submit(0, NEXT, requested_wh, &[strategy(Kind::SellToCommunity, 0)]);
		for buyer in [1, 2] {
			submit(buyer, NEXT, 0, &[strategy(Kind::BuyFromCommunity, requested_wh)]);
		}
		enter_era(NEXT);
		enter_era(NEXT + 1);
		report(0, NEXT, requested_wh, 0);
		for buyer in [1, 2] {
			report(buyer, NEXT, 0, requested_wh);
		}
		drain(UTILITY, 0);
		enter_era(NEXT + 2);
		let pool = Balances::free_balance(EnergyMarket::pool_account(VILLAGE));
		assert_eq!(pool, EXISTENTIAL_DEPOSIT);
		let buyer = statement(1, NEXT);
		assert_eq!(
			buyer.amounts.paid_to_pool,
			(u128::from(requested_wh) * 95).div_ceil(1_000)
		);
		(
			buyer.amounts.paid_to_utility,
			buyer.amounts.arrears,
			Balances::free_balance(UTILITY),
		)
	};
	// 500 Wh at 300 open the account. 20 Wh at 300 are 6, less than the minimum balance of 10.
	ExtBuilder::default().build_in_first_era(|| assert_eq!(settle(1_000), (150, 0, 300)));
	ExtBuilder::default().build_in_first_era(|| assert_eq!(settle(40), (0, 6, 0)));
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

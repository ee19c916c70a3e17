//! Settlement of readings against contracts, with expected values computed by hand.

use crate::{mock::*, *};
use commonwatt_market::game::Kind;

const NEXT: EraIndex = FIRST_ERA + 1;

/// One seller of 2,000 Wh and two buyers of 1,500 Wh each: the pool trades 2,000 Wh, of which each buyer gets 1,000.
fn contracts() {
	submit(0, NEXT, 2_000, &[strategy(Kind::SellToCommunity, 0)]);
	submit(1, NEXT, 0, &[strategy(Kind::BuyFromCommunity, 1_500)]);
	submit(2, NEXT, 0, &[strategy(Kind::BuyFromCommunity, 1_500)]);
	enter_era(NEXT);
	let energy = |h| contract(h, NEXT).energy;
	assert_eq!(
		energy(0),
		Channels {
			sold_to_community_wh: 2_000,
			..Default::default()
		}
	);
	let bought = Channels {
		bought_from_community_wh: 1_000,
		bought_from_main_wh: 500,
		..Default::default()
	};
	assert_eq!((energy(1), energy(2)), (bought, bought));
	enter_era(NEXT + 1);
}

fn settle() {
	enter_era(NEXT + 2);
	assert_eq!(record(NEXT).settled.map(|totals| totals.households), Some(4));
}

#[test]
fn kept_contracts_are_settled_as_contracted() {
	ExtBuilder::default().build_in_first_era(|| {
		contracts();
		report(0, NEXT, 2_000, 0);
		report(1, NEXT, 0, 1_500);
		report(2, NEXT, 0, 1_500);
		settle();
		// The seller sells 2 kWh at 190. Each buyer pays 1 kWh at 190, a fee of 10, and 0.5 kWh at 300.
		assert_eq!(Balances::free_balance(owner(0)), ENDOWMENT + 380);
		assert_eq!(Balances::free_balance(owner(1)), ENDOWMENT - 190 - 10 - 150);
		assert_eq!(Balances::free_balance(owner(2)), ENDOWMENT - 190 - 10 - 150);
		assert_eq!(Balances::free_balance(UTILITY), ENDOWMENT + 300);
		// The operator gave the pool its minimum balance at genesis.
		assert_eq!(
			Balances::free_balance(OPERATOR),
			ENDOWMENT - EXISTENTIAL_DEPOSIT + 20
		);
		let seller = statement(0, NEXT);
		assert_eq!(
			seller.amounts,
			Amounts {
				received_from_pool: 380,
				alone_revenue: 160,
				..Default::default()
			}
		);
		let buyer = statement(1, NEXT);
		assert_eq!(
			buyer.amounts,
			Amounts {
				paid_to_pool: 190,
				grid_fee: 10,
				paid_to_utility: 150,
				main_cost: 150,
				alone_cost: 450,
				..Default::default()
			}
		);
		assert_eq!((seller.deviation_wh(), buyer.deviation_wh()), (0, 0));
		assert_eq!(
			record(NEXT).settled.unwrap(),
			Totals {
				households: 4,
				missing_readings: 0,
				community_wh: 2_000,
				matched_wh: 0,
				bought_from_main_wh: 1_000,
				sold_to_main_wh: 0,
				feeder_import_wh: 1_000,
				feeder_export_wh: 0,
				through_pool: 380,
				grid_fees: 20,
				rewards: 0,
				to_utility: 300,
				from_utility: 0,
				to_pot: 0,
			}
		);
	});
}

#[test]
fn contract_is_covered_by_holds_until_settled() {
	ExtBuilder::default().build_in_first_era(|| {
		contracts();
		let held = |h| Balances::reserved_balance(owner(h));
		// The seller's 2 kWh at imbalance import less the price.
		assert_eq!(held(0), 340);
		// 1 kWh at price and fee; 0.5 kWh at retail.
		assert_eq!(held(1), 190 + 10 + 150);
		assert_eq!(
			(held(0), held(1)),
			(contract(0, NEXT).held, contract(1, NEXT).held)
		);
		settle();
		assert_eq!((held(0), held(1), held(2)), (0, 0, 0));
		assert_eq!(contract(1, NEXT).held, 0);
	});
}

#[test]
fn seller_that_fails_to_deliver_pays_and_its_buyers_lose_nothing() {
	ExtBuilder::default().build_in_first_era(|| {
		contracts();
		report(0, NEXT, 1_200, 0);
		report(1, NEXT, 0, 1_500);
		report(2, NEXT, 0, 1_500);
		settle();
		// The contract is paid in full; the missing 800 Wh cost 288 at imbalance import.
		let seller = statement(0, NEXT);
		assert_eq!(
			(seller.energy.sold_to_community_wh, seller.imbalance_import_wh),
			(2_000, 800)
		);
		assert_eq!(
			seller.amounts,
			Amounts {
				received_from_pool: 380,
				imbalance_cost: 288,
				paid_to_utility: 288,
				alone_revenue: 96,
				..Default::default()
			}
		);
		assert_eq!(Balances::free_balance(owner(0)), ENDOWMENT + 380 - 288);
		for buyer in [1, 2] {
			assert_eq!(Balances::free_balance(owner(buyer)), ENDOWMENT - 350);
		}
		assert_eq!(Balances::free_balance(UTILITY), ENDOWMENT + 300 + 288);
	});
}

#[test]
fn buyer_that_fails_to_take_pays_its_contract_and_the_seller_earns_it() {
	ExtBuilder::default().build_in_first_era(|| {
		contracts();
		report(0, NEXT, 2_000, 0);
		report(1, NEXT, 0, 400);
		report(2, NEXT, 0, 1_500);
		settle();
		assert_eq!(Balances::free_balance(owner(0)), ENDOWMENT + 380);
		// 1,100 Wh that it does not take are sold at imbalance export: 44, set off against 150.
		let buyer = statement(1, NEXT);
		assert_eq!(buyer.imbalance_export_wh, 1_100);
		assert_eq!(
			buyer.amounts,
			Amounts {
				paid_to_pool: 190,
				grid_fee: 10,
				main_cost: 150,
				imbalance_revenue: 44,
				paid_to_utility: 106,
				alone_cost: 120,
				..Default::default()
			}
		);
		assert_eq!(Balances::free_balance(owner(1)), ENDOWMENT - 190 - 10 - 106);
		assert_eq!(Balances::free_balance(UTILITY), ENDOWMENT + 150 + 106);
	});
}

/// The worked example of docs/market.md.
#[test]
fn deviations_that_cancel_cost_no_imbalance_price() {
	ExtBuilder::default().build_in_first_era(|| {
		contracts();
		report(0, NEXT, 2_500, 0);
		report(1, NEXT, 0, 1_800);
		report(2, NEXT, 0, 1_500);
		settle();
		// The seller's surplus of 500 Wh matches the first buyer's shortfall of 300 Wh.
		let seller = statement(0, NEXT);
		assert_eq!((seller.matched_long_wh, seller.imbalance_export_wh), (300, 200));
		assert_eq!(
			(seller.amounts.matched_revenue, seller.amounts.imbalance_revenue),
			(24, 8)
		);
		let buyer = statement(1, NEXT);
		assert_eq!((buyer.matched_short_wh, buyer.imbalance_import_wh), (300, 0));
		assert_eq!(buyer.amounts.matched_cost, 90);
		// What lies between retail and feed-in goes to the pot: 300 Wh at 220.
		let pot = Balances::free_balance(EnergyMarket::pot_account(VILLAGE));
		let totals = record(NEXT).settled.unwrap();
		assert_eq!((pot, totals.to_pot, totals.matched_wh), (66, 66, 300));
		assert_eq!((totals.feeder_import_wh, totals.feeder_export_wh), (800, 0));
		assert_eq!((totals.bought_from_main_wh, totals.sold_to_main_wh), (1_000, 200));
		assert_eq!(Balances::free_balance(owner(0)), ENDOWMENT + 380 + 32);
		assert_eq!(Balances::free_balance(owner(1)), ENDOWMENT - 350 - 90);
		assert_eq!(Balances::free_balance(owner(2)), ENDOWMENT - 350);
		assert_eq!(Balances::free_balance(UTILITY), ENDOWMENT + 300 + 90 - 32 - 66);
	});
}

#[test]
fn household_with_the_opposite_net_position_still_has_its_contract() {
	ExtBuilder::default().build_in_first_era(|| {
		contracts();
		report(0, NEXT, 0, 700);
		report(1, NEXT, 0, 1_500);
		report(2, NEXT, 300, 0);
		settle();
		// 2,700 Wh short and 1,800 Wh long.
		let seller = statement(0, NEXT);
		assert_eq!(
			(seller.matched_short_wh, seller.imbalance_import_wh),
			(1_800, 900)
		);
		assert_eq!(Balances::free_balance(owner(0)), ENDOWMENT + 380 - 540 - 324);
		let buyer = statement(2, NEXT);
		assert_eq!((buyer.matched_long_wh, buyer.imbalance_export_wh), (1_800, 0));
		assert_eq!(Balances::free_balance(owner(2)), ENDOWMENT - 350 + 144);
		assert_eq!(Balances::free_balance(EnergyMarket::pot_account(VILLAGE)), 396);
	});
}

#[test]
fn household_without_a_contract_trades_with_the_main_grid_at_the_ordinary_tariffs() {
	ExtBuilder::default().build_in_first_era(|| {
		report(0, FIRST_ERA - 1, 1_000, 0);
		report(1, FIRST_ERA - 1, 0, 1_001);
		enter_era(NEXT);
		assert_eq!(statement(0, FIRST_ERA - 1).amounts.received_from_utility, 80);
		// 300.3 is rounded up for the payer.
		assert_eq!(statement(1, FIRST_ERA - 1).amounts.paid_to_utility, 301);
	});
}

#[test]
fn rounding_loses_no_unit_in_the_pool() {
	ExtBuilder::default().build_in_first_era(|| {
		for (h, generation) in [(0, 333), (1, 334), (2, 335)] {
			submit(h, NEXT, generation, &[strategy(Kind::SellToCommunity, 0)]);
		}
		submit(3, NEXT, 0, &[strategy(Kind::BuyFromCommunity, 777)]);
		enter_era(NEXT);
		enter_era(NEXT + 1);
		for (h, generation) in [(0, 333), (1, 334), (2, 335)] {
			report(h, NEXT, generation, 0);
		}
		report(3, NEXT, 0, 777);
		settle();
		let amounts = |h| statement(h, NEXT).amounts;
		// 777 Wh at 190 a kWh is 147.63.
		assert_eq!(amounts(3).paid_to_pool, 148);
		assert_eq!(
			(0..3).map(|h| amounts(h).received_from_pool).sum::<Balance>(),
			148
		);
		assert_eq!(
			Balances::free_balance(EnergyMarket::pool_account(VILLAGE)),
			EXISTENTIAL_DEPOSIT
		);
	});
}

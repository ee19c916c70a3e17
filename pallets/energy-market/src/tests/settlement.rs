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
		assert_eq!((buyer.imbalance_import_wh, buyer.imbalance_export_wh), (0, 0));
		assert_eq!(
			record(NEXT).settled.unwrap(),
			Totals {
				households: 4,
				missing_readings: 1,
				community_wh: 2_000,
				bought_from_main_wh: 1_000,
				sold_to_main_wh: 0,
				through_pool: 380,
				grid_fees: 20,
				rewards: 0,
				to_utility: 300,
				from_utility: 0,
			}
		);
	});
}

#[test]
fn contract_keeps_its_maximum_cost_on_hold_until_settled() {
	ExtBuilder::default().build_in_first_era(|| {
		contracts();
		let held = |h| Balances::reserved_balance(owner(h));
		assert_eq!(held(0), 0);
		// 1 kWh at retail, which is more than price and fee, and two units for rounding; 0.5 kWh at retail.
		assert_eq!(held(1), 300 + 2 + 150);
		assert_eq!(held(1), contract(1, NEXT).held);
		settle();
		assert_eq!((held(0), held(1), held(2)), (0, 0, 0));
		assert_eq!(contract(1, NEXT).held, 0);
	});
}

#[test]
fn buyers_pay_retail_for_what_a_seller_fails_to_deliver() {
	ExtBuilder::default().build_in_first_era(|| {
		contracts();
		report(0, NEXT, 1_200, 0);
		report(1, NEXT, 0, 1_500);
		report(2, NEXT, 0, 1_500);
		settle();
		// Each buyer gets 600 Wh from the pool and 900 Wh from the main grid. That is not their fault, so they pay no
		// imbalance price.
		assert_eq!(statement(0, NEXT).energy.sold_to_community_wh, 1_200);
		for buyer in [1, 2] {
			let statement = statement(buyer, NEXT);
			assert_eq!(
				statement.energy,
				Channels {
					bought_from_community_wh: 600,
					bought_from_main_wh: 900,
					..Default::default()
				}
			);
			assert_eq!(statement.imbalance_import_wh, 0);
			assert_eq!(statement.amounts.paid_to_pool, 114);
			assert_eq!(statement.amounts.main_cost, 270);
		}
		assert_eq!(statement(0, NEXT).amounts.received_from_pool, 228);
	});
}

#[test]
fn deviation_is_main_grid_energy_at_the_imbalance_price() {
	ExtBuilder::default().build_in_first_era(|| {
		contracts();
		report(0, NEXT, 2_500, 0);
		report(1, NEXT, 0, 1_800);
		report(2, NEXT, 0, 1_500);
		settle();
		let seller = statement(0, NEXT);
		assert_eq!(
			(seller.energy.sold_to_main_wh, seller.imbalance_export_wh),
			(500, 500)
		);
		assert_eq!(seller.amounts.main_revenue, 20);
		let buyer = statement(1, NEXT);
		assert_eq!(
			(buyer.energy.bought_from_main_wh, buyer.imbalance_import_wh),
			(800, 300)
		);
		assert_eq!(buyer.amounts.main_cost, 150 + 108);
	});
}

#[test]
fn seller_gets_feed_in_for_what_a_buyer_fails_to_take() {
	ExtBuilder::default().build_in_first_era(|| {
		contracts();
		report(0, NEXT, 2_000, 0);
		report(1, NEXT, 0, 400);
		report(2, NEXT, 0, 1_500);
		settle();
		// The buyers take 400 and 1,000 Wh. The seller's other 600 Wh go to the main grid at the ordinary feed-in
		// tariff.
		let seller = statement(0, NEXT);
		assert_eq!(
			(seller.energy.sold_to_community_wh, seller.energy.sold_to_main_wh),
			(1_400, 600)
		);
		assert_eq!((seller.imbalance_export_wh, seller.amounts.main_revenue), (0, 48));
		let buyer = statement(1, NEXT);
		assert_eq!(
			buyer.energy,
			Channels {
				bought_from_community_wh: 400,
				..Default::default()
			}
		);
	});
}

#[test]
fn household_with_the_opposite_net_position_delivers_nothing() {
	ExtBuilder::default().build_in_first_era(|| {
		contracts();
		report(0, NEXT, 0, 700);
		report(1, NEXT, 0, 1_500);
		report(2, NEXT, 300, 0);
		settle();
		let seller = statement(0, NEXT);
		assert_eq!(
			seller.energy,
			Channels {
				bought_from_main_wh: 700,
				..Default::default()
			}
		);
		assert_eq!(seller.imbalance_import_wh, 700);
		let buyer = statement(2, NEXT);
		assert_eq!(
			buyer.energy,
			Channels {
				sold_to_main_wh: 300,
				..Default::default()
			}
		);
		assert_eq!((buyer.imbalance_export_wh, buyer.amounts.main_revenue), (300, 12));
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

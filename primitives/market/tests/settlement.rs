//! Settlement by hand and over random values: energy sums to zero, deviations are priced as the terms say, parts of an
//! amount add up to it.

use commonwatt_market::{
	bill::trades,
	contract::{allowed_strategies, on_main_grid, tradable_wh},
	game::{Kind, Strategy as Choice},
	money::Split,
	paper,
	settlement::{deliverable_wh, equalise, Dues, Energy},
	Amounts, Bill, Channels, Contract, Debt, HouseholdId, Quality, Reading, Statement, Totals, Trade,
};
use proptest::prelude::*;

fn reading(generation_wh: u32, consumption_wh: u32) -> Reading {
	Reading {
		generation_wh,
		consumption_wh,
		indoor_centi_c: 2_100,
		quality: Quality::Measured,
	}
}

/// A contract with so much community and main-grid energy, positive = sold, and enough on hold.
fn contract(community_wh: i64, main_wh: i64) -> Contract<Vec<Choice>> {
	Contract {
		era: 7,
		generation_wh: 0,
		comfort: None,
		strategies: vec![Choice {
			kind: Kind::BuyFromCommunity,
			consumption_wh: 1_000,
			temperature_centi_c: 2_100,
		}],
		chosen: 0,
		main_grid_only: false,
		energy: Channels::from_net(community_wh, main_wh),
		held: u128::MAX,
	}
}

#[test]
fn deliverable_is_the_smaller_of_contract_and_meter() {
	let of = |contracted, generation, consumption| {
		let reading = reading(generation, consumption);
		deliverable_wh(&contract(contracted, 0), &reading, &paper::TERMS, 190)
	};
	assert_eq!(of(1_500, 2_000, 0), 1_500);
	assert_eq!(of(1_500, 1_000, 0), 1_000);
	assert_eq!(of(1_500, 0, 500), 0);
	assert_eq!(of(-1_500, 0, 2_000), -1_500);
	assert_eq!(of(-1_500, 0, 1_000), -1_000);
	assert_eq!(of(-1_500, 500, 0), 0);
}

#[test]
fn buyer_without_enough_on_hold_gets_nothing() {
	let mut terms = paper::TERMS;
	terms.tariffs.grid_fee_per_kwh = 10;
	// 1,000 Wh at 190 and a fee of 10.
	for (held, expected) in [(200, -1_000), (199, 0)] {
		let contract = Contract {
			held,
			..contract(-1_000, 0)
		};
		assert_eq!(
			deliverable_wh(&contract, &reading(0, 1_000), &terms, 190),
			expected
		);
	}
}

#[test]
fn deviation_is_an_imbalance_and_failure_of_the_pool_is_not() {
	// Contracted 2,000 Wh from the pool; metered 2,500; the pool delivers 1,200.
	let contract = contract(-2_000, 0);
	let reading = reading(0, 2_500);
	let energy = Energy::split(Some(&contract), &reading, -2_000, -1_200);
	assert_eq!(energy.channels.bought_from_community_wh, 1_200);
	assert_eq!(energy.channels.bought_from_main_wh, 1_300);
	// 800 Wh are the pool's failure, at retail; 500 Wh are the household's own deviation.
	assert_eq!(energy.imbalance_import_wh, 500);
	assert_eq!(energy.imbalance_export_wh, 0);
	let mut terms = paper::TERMS;
	(
		terms.tariffs.retail_per_kwh,
		terms.tariffs.imbalance_import_per_kwh,
	) = (300, 360);
	let mut amounts = Amounts::default();
	energy.bill_main_grid(&reading, &terms.tariffs, &mut amounts);
	assert_eq!(amounts.main_cost, 240 + 180);
	assert_eq!(amounts.alone_cost, 750);
}

#[test]
fn energy_without_a_contract_is_ordinary() {
	let none = None::<&Contract<Vec<Choice>>>;
	let energy = Energy::split(none, &reading(300, 1_000), 0, 0);
	assert_eq!(energy.channels, Channels::from_net(0, -700));
	assert_eq!((energy.imbalance_import_wh, energy.imbalance_export_wh), (0, 0));
}

#[test]
fn dues_carry_earlier_debts_and_what_is_not_paid_stays_owed() {
	let mut amounts = Amounts {
		main_cost: 100,
		main_revenue: 7,
		..Amounts::default()
	};
	let debt = Debt {
		arrears: 20,
		credit: 3,
	};
	let dues = Dues::new(&debt, &amounts);
	assert_eq!((dues.household, dues.utility), (120, 10));
	let left = dues.settle(90, 10, &mut amounts);
	assert_eq!((left.arrears, left.credit), (30, 0));
	assert_eq!((amounts.paid_to_utility, amounts.received_from_utility), (90, 10));
	assert_eq!((amounts.arrears, amounts.credit), (30, 0));
}

#[test]
fn bill_is_the_sum_of_its_statements() {
	let statement = |era, paid_to_pool, received_from_pool| Statement {
		era,
		reading: reading(0, 0),
		energy: Channels::from_net(if paid_to_pool > 0 { -1_500 } else { 1_500 }, 0),
		imbalance_import_wh: 0,
		imbalance_export_wh: 0,
		price_per_kwh: 190,
		delivered: None,
		amounts: Amounts {
			paid_to_pool,
			received_from_pool,
			grid_fee: 15,
			reward: 2,
			alone_cost: 450,
			alone_revenue: 120,
			..Amounts::default()
		},
	};
	let mut bill = Bill::empty(HouseholdId(3), 10);
	bill.add(&statement(10, 285, 0));
	bill.add(&statement(12, 0, 285));
	assert_eq!((bill.first_era, bill.last_era, bill.eras), (10, 12, 2));
	assert_eq!(bill.energy_wh, [1_500, 1_500, 0, 0]);
	assert_eq!((bill.cost, bill.revenue, bill.reward), (315, 285, 4));
	// Alone 900 - 240, with the community 315 - 285.
	assert_eq!(bill.savings, 660 - 30);
	let mut totals = Totals::default();
	totals.add(&statement(10, 285, 0), true);
	totals.add(&statement(10, 0, 285), false);
	assert_eq!((totals.households, totals.missing_readings), (2, 1));
	assert_eq!(
		(totals.community_wh, totals.through_pool, totals.grid_fees),
		(1_500, 285, 30)
	);
}

#[test]
fn sellers_are_matched_with_buyers_in_order() {
	let trade = |seller, buyer, energy_wh| Trade {
		seller: HouseholdId(seller),
		buyer: HouseholdId(buyer),
		energy_wh,
	};
	let energies = [(1, 300), (2, -200), (4, 100), (5, -200)];
	let energies = energies.map(|(household, wh)| (HouseholdId(household), Channels::from_net(wh, 0)));
	assert_eq!(
		trades(energies),
		[trade(1, 2, 200), trade(1, 5, 100), trade(4, 5, 100)]
	);
}

#[test]
fn tradable_is_the_smaller_side_of_the_chosen_consumption() {
	let of = |generation_wh, kind, consumption_wh| Contract {
		generation_wh,
		strategies: vec![Choice {
			kind,
			consumption_wh,
			temperature_centi_c: 2_100,
		}],
		..contract(0, 0)
	};
	let contracts = [
		of(3_000, Kind::SellToMain, 1_000),
		of(0, Kind::BuyFromMain, 700),
		of(500, Kind::BuyFromCommunity, 1_000),
	];
	assert_eq!(tradable_wh(contracts.iter()), Some(1_200));
	let beyond = [Contract {
		chosen: 1,
		..contract(0, 0)
	}];
	assert_eq!(tradable_wh(beyond.iter()), None);
}

#[test]
fn strategies_that_the_terms_no_longer_allow_drop_out() {
	let choice = |kind, consumption_wh| Choice {
		kind,
		consumption_wh,
		temperature_centi_c: 2_100,
	};
	let all = [
		choice(Kind::SellToCommunity, 1_000),
		choice(Kind::Neutral, 1_950),
		choice(Kind::BuyFromMain, 2_500),
		choice(Kind::BuyFromMain, 9_000),
	];
	// Resolution 10 Wh: 50 Wh of surplus are not neutral. The connection carries 6,000 Wh.
	assert_eq!(allowed_strategies(all, 2_000, 10, 6_000), [all[0], all[2]]);
	assert_eq!(allowed_strategies(all, 2_000, 100, 6_000), all[..3]);
	assert_eq!(on_main_grid(all[0]).kind, Kind::SellToMain);
	assert_eq!(on_main_grid(all[1]), all[1]);
}

proptest! {
	#[test]
	fn both_sides_deliver_the_same(deliverable in prop::collection::vec(-1_000_000_000i64..=1_000_000_000, 0..40)) {
		let community = equalise(&deliverable);
		prop_assert_eq!(community.iter().sum::<i64>(), 0);
		for (community, deliverable) in community.iter().zip(&deliverable) {
			prop_assert!(community.abs() <= deliverable.abs() && community * deliverable >= 0);
		}
		let side = |sign: i64| -> i64 { deliverable.iter().map(|wh| (wh * sign).max(0)).sum() };
		let traded: i64 = community.iter().map(|wh| wh.max(&0)).sum();
		prop_assert_eq!(traded, side(1).min(side(-1)));
	}

	#[test]
	fn energy_is_split_without_loss(
		(generation, consumption) in (0..1_000_000_000u32, 0..1_000_000_000u32),
		contracted in -1_000_000_000i64..=1_000_000_000,
		main in -1_000_000_000i64..=1_000_000_000,
		served in 0..=100i64,
	) {
		let (contract, reading) = (contract(contracted, main), reading(generation, consumption));
		let deliverable = deliverable_wh(&contract, &reading, &paper::TERMS, 190);
		let community = deliverable * served / 100;
		let energy = Energy::split(Some(&contract), &reading, deliverable, community);
		prop_assert_eq!(energy.channels.community_wh() + energy.channels.main_wh(), reading.net_wh());
		prop_assert!(energy.imbalance_import_wh <= energy.channels.bought_from_main_wh);
		prop_assert!(energy.imbalance_export_wh <= energy.channels.sold_to_main_wh);
		// Who keeps to the contract pays no imbalance, however little the pool takes or gives.
		if reading.net_wh() == contracted + main && contracted * main >= 0 {
			prop_assert_eq!(energy.imbalance_import_wh + energy.imbalance_export_wh, 0);
		}
	}

	#[test]
	fn parts_add_up_to_the_amount(
		amount in 0..1u128 << 122,
		weights in prop::collection::vec(0..1u64 << 40, 1..50),
	) {
		let total: u128 = weights.iter().copied().map(u128::from).sum();
		let mut split = Split::new(amount, total);
		let parts: Vec<u128> = weights.iter().map(|weight| split.next_part((*weight).into())).collect();
		let sum: u128 = parts.iter().sum();
		prop_assert_eq!(sum, if total == 0 { 0 } else { amount });
		for (part, weight) in parts.iter().zip(&weights) {
			prop_assert!(*weight > 0 || *part == 0);
			// Each part is its exact share to within a unit.
			if let Some(exact) = amount.checked_mul(u128::from(*weight)).filter(|_| total > 0) {
				let exact = exact / total;
				prop_assert!(part.abs_diff(exact) <= 1);
			}
		}
	}
}

//! Settlement by hand and over random values: deviations match and are priced as the terms say, dues are set off, parts
//! of an amount add up to it.

use commonwatt_market::{
	bill::trades,
	contract::{allowed_strategies, on_main_grid, tradable_wh},
	game::{Kind, Strategy as Choice},
	money::Split,
	paper,
	settlement::{matched, spread, Dues, Energy, Metering},
	Amounts, Bill, Channels, Contract, Debt, HouseholdId, Quality, Reading, ReportedBy, Statement, Totals,
	Trade,
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

/// A contract with this community and main-grid energy, positive = sold.
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

/// Energies of households with these contracts (community, main grid) and metered net positions, positive = sold.
fn energies(households: &[(Option<(i64, i64)>, i64)]) -> Vec<Energy> {
	let households: Vec<_> = households
		.iter()
		.map(|(contract, net_wh)| Metering {
			contract: contract.map(|(k, m)| Channels::from_net(k, m)),
			net_wh: *net_wh,
			is_estimate: false,
		})
		.collect();
	Energy::of_all(&households)
}

fn with_deviation(energy: &Energy, net_wh: i64) -> Statement {
	let reading = match net_wh {
		0.. => reading(net_wh as u32, 0),
		_ => reading(0, net_wh.unsigned_abs() as u32),
	};
	energy.statement(7, reading, 190, Amounts::default())
}

#[test]
fn contract_is_firm_and_deviations_match() {
	// Contracted: 2,000 Wh sold to two buyers of 1,000 Wh each, who buy 500 Wh from the main grid too. The seller
	// delivers 300 Wh less; one buyer takes 100 Wh less, the other 50 Wh less.
	let energies = energies(&[
		(Some((2_000, 0)), 1_700),
		(Some((-1_000, -500)), -1_400),
		(Some((-1_000, -500)), -1_450),
	]);
	assert_eq!(
		energies[0],
		Energy {
			channels: Channels::from_net(2_000, 0),
			matched_short_wh: 150,
			imbalance_import_wh: 150,
			..Energy::default()
		}
	);
	assert_eq!(
		energies[1],
		Energy {
			channels: Channels::from_net(-1_000, -500),
			matched_long_wh: 100,
			..Energy::default()
		}
	);
	assert_eq!(
		(energies[2].matched_long_wh, energies[2].imbalance_export_wh),
		(50, 0)
	);
}

#[test]
fn longer_side_of_deviations_is_rationed_by_the_largest_remainder() {
	// 100 Wh short; three surpluses of 70 Wh: 33.3 Wh each, the Wh left over to the first.
	assert_eq!(matched(&[70, -100, 70, 70]), [34, -100, 33, 33]);
	assert_eq!(matched(&[50, 20, 0]), [0; 3]);
	assert_eq!(matched(&[]), [0; 0]);
}

#[test]
fn bill_prices_contract_and_deviation_apart() {
	let mut terms = paper::TERMS;
	terms.tariffs.retail_per_kwh = 300;
	terms.tariffs.feed_in_per_kwh = 80;
	terms.tariffs.imbalance_import_per_kwh = 360;
	terms.tariffs.imbalance_export_per_kwh = 40;
	let mut amounts = Amounts::default();
	let short = Energy {
		channels: Channels::from_net(-1_000, -500),
		matched_short_wh: 100,
		imbalance_import_wh: 51,
		..Energy::default()
	};
	short.bill(&reading(0, 1_651), &terms.tariffs, &mut amounts);
	// 500 Wh at 300; 100 Wh at 300; 51 Wh at 360 are 18.36; alone 1,651 Wh at 300 are 495.3.
	let costs = (amounts.main_cost, amounts.matched_cost, amounts.imbalance_cost);
	assert_eq!((costs, amounts.alone_cost), ((150, 30, 19), 496));
	assert_eq!((amounts.utility_cost(), amounts.utility_revenue()), (199, 0));
	assert_eq!(spread(100, &terms.tariffs), 22);

	let long = Energy {
		channels: Channels::from_net(1_000, 500),
		matched_long_wh: 100,
		imbalance_export_wh: 51,
		..Energy::default()
	};
	long.bill(&reading(1_651, 0), &terms.tariffs, &mut amounts);
	// 500 Wh at 80; 100 Wh at 80; 51 Wh at 40 are 2.04; alone 1,651 Wh at 80 are 132.08.
	let revenues = (
		amounts.main_revenue,
		amounts.matched_revenue,
		amounts.imbalance_revenue,
	);
	assert_eq!((revenues, amounts.alone_revenue), ((40, 8, 2), 132));
	assert_eq!((amounts.utility_cost(), amounts.utility_revenue()), (0, 50));
}

#[test]
fn household_that_the_chain_kept_to_the_main_grid_has_no_deviation() {
	let kept = Contract {
		main_grid_only: true,
		..contract(0, -1_000)
	};
	assert_eq!(kept.firm_energy(), None);
	assert_eq!(
		contract(0, -1_000).firm_energy(),
		Some(Channels::from_net(0, -1_000))
	);
	// It takes 700 Wh more than the strategy that it did not choose; the neighbour's surplus does not match it.
	let energies = energies(&[(None, -1_700), (Some((0, 0)), 300)]);
	assert_eq!(
		energies[0],
		Energy {
			channels: Channels::from_net(0, -1_700),
			..Energy::default()
		}
	);
	assert_eq!(
		(energies[1].matched_long_wh, energies[1].imbalance_export_wh),
		(0, 300)
	);
}

#[test]
fn reward_is_for_what_was_delivered_or_taken_of_the_contract() {
	let mut terms = paper::TERMS;
	terms.reward_cap_per_kwh = 5;
	let of = |contracted, generation, consumption| {
		let energy = Energy {
			channels: Channels::from_net(contracted, 0),
			..Energy::default()
		};
		let reading = reading(generation, consumption);
		(energy.delivered_wh(&reading), energy.reward_cap(&reading, &terms))
	};
	assert_eq!(of(1_500, 2_000, 0), (1_500, 7));
	assert_eq!(of(1_500, 1_000, 0), (1_000, 5));
	assert_eq!(of(1_500, 0, 500), (0, 0));
	assert_eq!(of(-1_500, 0, 2_000), (-1_500, 7));
	assert_eq!(of(-1_500, 0, 1_000), (-1_000, 5));
	assert_eq!(of(-1_500, 500, 0), (0, 0));
	assert_eq!(of(0, 0, 0), (0, 0));
	// E_in is what was delivered, E_main the rest of the metered position: 1 kWh each, so u = 2 - 0.
	let energy = Energy {
		channels: Channels::from_net(1_000, 500),
		..Energy::default()
	};
	let worth = energy.worth(&contract(1_000, 500), &reading(2_000, 0), &terms);
	assert!(worth.payoff.0.abs_diff(2 << 32) <= 1 << 8, "{worth:?}");
}

#[test]
fn dues_are_set_off_and_what_is_not_paid_stays_owed() {
	let bill = |main_cost, matched_cost, imbalance_cost, revenue| Amounts {
		main_cost,
		matched_cost,
		imbalance_cost,
		main_revenue: revenue,
		matched_revenue: revenue,
		imbalance_revenue: revenue,
		..Amounts::default()
	};
	let dues = |arrears, credit, amounts: &Amounts| Dues::new(&Debt { arrears, credit }, amounts);
	let mut amounts = bill(70, 20, 10, 3);
	let of = dues(20, 1, &amounts);
	// 20 + 100 - 1 - 9
	assert_eq!((of.household, of.utility), (110, 0));
	let left = of.settle(90, 0, &mut amounts);
	assert_eq!((left.arrears, left.credit), (20, 0));
	assert_eq!(
		(amounts.paid_to_utility, amounts.arrears, amounts.credit),
		(90, 20, 0)
	);

	let mut amounts = bill(1, 1, 1, 10);
	let of = dues(20, 5, &amounts);
	assert_eq!((of.household, of.utility), (0, 12));
	let left = of.settle(0, 4, &mut amounts);
	assert_eq!((left.arrears, left.credit), (0, 8));
	assert_eq!((amounts.received_from_utility, amounts.credit), (4, 8));
}

/// Nobody else's bill depends on an estimate, so that a late reading need not change it.
#[test]
fn estimate_matches_nothing() {
	let household = |contracted_wh, net_wh, is_estimate| Metering {
		contract: Some(Channels::from_net(contracted_wh, 0)),
		net_wh,
		is_estimate,
	};
	let long = household(1_000, 1_400, false);
	let estimated = household(-1_000, -1_400, true);
	let energies = Energy::of_all(&[long, estimated]);
	assert_eq!(
		(energies[0].matched_long_wh, energies[0].imbalance_export_wh),
		(0, 400)
	);
	assert_eq!(
		(energies[1].matched_short_wh, energies[1].imbalance_import_wh),
		(0, 400)
	);
}

#[test]
fn bill_and_totals_are_the_sums_of_statements() {
	let statement = |era, sold: i64, deviation: u32, amounts| Statement {
		era,
		reading: match sold > 0 {
			true => reading(1_500 + deviation, 0),
			false => reading(0, 1_500 + 2 * deviation),
		},
		is_firm: true,
		reported_by: if sold < 0 {
			ReportedBy::Nobody
		} else {
			ReportedBy::Meter
		},
		energy: Channels::from_net(sold, 0),
		matched_long_wh: if sold > 0 { deviation } else { 0 },
		matched_short_wh: if sold > 0 { 0 } else { deviation },
		imbalance_export_wh: 0,
		imbalance_import_wh: if sold > 0 { 0 } else { deviation },
		price_per_kwh: 190,
		delivered: None,
		amounts,
	};
	let bought = statement(
		10,
		-1_500,
		100,
		Amounts {
			paid_to_pool: 285,
			grid_fee: 15,
			reward: 2,
			matched_cost: 30,
			imbalance_cost: 36,
			alone_cost: 510,
			paid_to_utility: 66,
			..Amounts::default()
		},
	);
	let sold = statement(
		12,
		1_500,
		100,
		Amounts {
			received_from_pool: 285,
			reward: 2,
			matched_revenue: 8,
			alone_revenue: 128,
			received_from_utility: 8,
			..Amounts::default()
		},
	);
	assert_eq!((bought.deviation_wh(), sold.deviation_wh()), (-200, 100));
	assert_eq!(bought.billed_wh(), [0, 1_500, 0, 100]);
	let mut bill = Bill::empty(HouseholdId(3), 10);
	bill.add(&bought);
	bill.add(&sold);
	assert_eq!((bill.first_era, bill.last_era, bill.eras), (10, 12, 2));
	assert_eq!(bill.energy_wh, [1_500, 1_500, 0, 0]);
	assert_eq!(
		(
			bill.matched_long_wh,
			bill.matched_short_wh,
			bill.imbalance_import_wh
		),
		(100, 100, 100)
	);
	assert_eq!((bill.contract_cost, bill.contract_revenue), (300, 285));
	assert_eq!((bill.matched_cost, bill.matched_revenue), (30, 8));
	assert_eq!((bill.imbalance_cost, bill.imbalance_revenue), (36, 0));
	assert_eq!((bill.cost, bill.revenue, bill.reward), (366, 293, 4));
	// Alone 510 - 128, with the community 366 - 293.
	assert_eq!(bill.savings, 382 - 73);
	let mut totals = Totals::default();
	totals.add(&bought);
	totals.add(&sold);
	assert_eq!((totals.households, totals.missing_readings), (2, 1));
	assert_eq!((totals.community_wh, totals.matched_wh), (1_500, 100));
	assert_eq!((totals.bought_from_main_wh, totals.sold_to_main_wh), (100, 0));
	// 1,600 Wh generated, 1,700 Wh consumed.
	assert_eq!((totals.feeder_import_wh, totals.feeder_export_wh), (100, 0));
	assert_eq!(
		(totals.through_pool, totals.grid_fees, totals.rewards),
		(285, 15, 4)
	);
	assert_eq!(
		(totals.to_utility, totals.from_utility, totals.to_pot),
		(66, 8, 0)
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
	fn both_sides_match_the_same(deviations in prop::collection::vec(-2_000_000_000i64..=2_000_000_000, 0..40)) {
		let part = matched(&deviations);
		prop_assert_eq!(part.iter().sum::<i64>(), 0);
		for (part, deviation) in part.iter().zip(&deviations) {
			prop_assert!(part.abs() <= deviation.abs() && part * deviation >= 0);
		}
		let side = |sign: i64| -> i64 { deviations.iter().map(|wh| (wh * sign).max(0)).sum() };
		prop_assert_eq!(part.iter().map(|wh| wh.max(&0)).sum::<i64>(), side(1).min(side(-1)));
	}

	/// Contract and deviation make up what the meter saw, and the matched spreads are paid for.
	#[test]
	fn energy_and_money_of_deviations_add_up(
		households in prop::collection::vec(
			(prop::option::weighted(0.8, (-500_000_000i64..=500_000_000, -500_000_000i64..=500_000_000)),
				-1_000_000_000i64..=1_000_000_000), 0..20),
	) {
		let energies = energies(&households);
		let (mut matched, mut paid, mut passed_on) = (0, 0, 0);
		for (energy, (contract, net)) in energies.iter().zip(&households) {
			let statement = with_deviation(energy, *net);
			let contracted = energy.channels.community_wh() + energy.channels.main_wh();
			prop_assert_eq!(contracted + statement.deviation_wh(), *net);
			prop_assert!(contract.is_some() || statement.deviation_wh() == 0);
			matched += i64::from(energy.matched_long_wh) - i64::from(energy.matched_short_wh);
			let mut amounts = Amounts::default();
			energy.bill(&statement.reading, &paper::TERMS.tariffs, &mut amounts);
			paid += amounts.matched_cost;
			passed_on += amounts.matched_revenue + spread(energy.matched_short_wh, &paper::TERMS.tariffs);
		}
		prop_assert_eq!(matched, 0);
		prop_assert!(passed_on <= paid && paid <= passed_on + 3 * households.len() as u128);
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

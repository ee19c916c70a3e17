//! Prepared strategies against the definition of a payoff.

use super::{
	cases::{Case, RULES},
	support::{self, Random},
};
use crate::{
	log2::PAYOFF_ERROR,
	payoff::{payoff, LogRules, Pool},
	prepared::{PayoffRange, PreparedStrategy, ServiceRange, Side},
	*,
};
use std::{vec, vec::Vec};

#[test]
fn prepared_payoffs_equal_those_of_the_definition() {
	let mut random = Random(7);
	for _ in 0..200 {
		let game = support::sized_community(&mut random, 12, 8);
		let profile: Vec<u8> = game
			.households()
			.iter()
			.map(|household| random.within(0, household.strategies.len() as i64 - 1) as u8)
			.collect();
		let pool = Pool::of(&game, &game.chosen(&profile).unwrap());
		let rules = LogRules::new(game.rules());
		for (index, household) in game.households().iter().enumerate() {
			let current = PreparedStrategy::new(
				&rules,
				household,
				profile[index],
				&household.strategies[usize::from(profile[index])],
			);
			let mut others = pool;
			current.leave(&mut others);
			for (strategy, defined) in household
				.strategies
				.iter()
				.zip(explain(&game, &profile, index).unwrap())
			{
				let prepared = PreparedStrategy::new(&rules, household, 0, strategy).payoff(&rules, &others);
				assert!(
					prepared.abs_diff(defined.0) <= 8,
					"{strategy:?}: {} and {defined}",
					Log2(prepared)
				);
			}
		}
	}
}

/// The range contains every payoff between its two pools, even if a purchase has its minimum or a jump in between.
#[test]
fn payoff_ranges_contain_every_payoff_in_between() {
	let mut random = Random(12);
	let slack = 2 * PAYOFF_ERROR.0;
	let (mut minima_inside, mut jumps) = (0, 0);
	for _ in 0..20_000 {
		let Case {
			rules,
			household,
			others: first,
		} = Case::random(&mut random);
		let second = Case::random(&mut random).others;
		// Every second pair of pools is close together, so that the range is narrow.
		let second = match random.within(0, 1) {
			0 => second,
			_ => Pool {
				offered_wh: first.offered_wh + random.within(0, 2_000) as u64,
				requested_wh: first.requested_wh + random.within(0, 2_000) as u64,
			},
		};
		let log_rules = LogRules::new(&rules);
		let strategy = PreparedStrategy::new(&log_rules, &household, 0, &household.strategies[0]);
		let surplus = Pool {
			offered_wh: first.offered_wh.max(second.offered_wh),
			requested_wh: first.requested_wh.min(second.requested_wh),
		};
		let shortage = Pool {
			offered_wh: first.offered_wh.min(second.offered_wh),
			requested_wh: first.requested_wh.max(second.requested_wh),
		};
		let (least_served, most_served) = match strategy.side {
			Side::Requests => (shortage, surplus),
			_ => (surplus, shortage),
		};
		let ends = ServiceRange {
			least_served,
			most_served,
		};
		let PayoffRange { low, high } = strategy.range(&log_rules, &ends);
		let at_least = strategy.payoff(&log_rules, &least_served);
		let at_most = strategy.payoff(&log_rules, &most_served);
		minima_inside += u32::from(low < at_least.min(at_most));
		jumps += u32::from(high > at_least.max(at_most));
		let mut between = |low: u64, high: u64| low + random.next() % (high - low + 1);
		for _ in 0..20 {
			let others = Pool {
				offered_wh: between(shortage.offered_wh, surplus.offered_wh),
				requested_wh: between(surplus.requested_wh, shortage.requested_wh),
			};
			let payoff = strategy.payoff(&log_rules, &others);
			assert!(
				low.saturating_sub(slack) <= payoff && payoff <= high + slack,
				"{rules:?} {household:?} {others:?}"
			);
			assert!(
				payoff <= strategy.max_payoff + PAYOFF_ERROR.0,
				"{rules:?} {household:?} {others:?}"
			);
		}
	}
	assert!(minima_inside > 500 && jumps > 500, "{minima_inside} {jumps}");
}

/// Worked by hand: lambda 4, a purchase of 2 kWh. Its payoff is lowest with 1 / ln 4 = 0.7213 kWh from the main grid:
/// log2(e ln 4) - 2 * 2 = 1.91393 - 4. Half served, it earns -2, which is more, and unserved, -1.
#[test]
fn a_partly_served_purchase_has_the_lowest_payoff() {
	let rules = LogRules::new(&RULES);
	assert_eq!(rules.turning_point_wh, 721);
	let strategy = Strategy {
		kind: Kind::BuyFromCommunity,
		consumption_wh: 2_000,
		temperature_centi_c: 0,
	};
	let household = Household {
		generation_wh: 0,
		comfort: None,
		strategies: vec![strategy],
	};
	let purchase = PreparedStrategy::new(&rules, &household, 0, &strategy);
	let offers = |offered_wh| Pool {
		offered_wh,
		requested_wh: 0,
	};
	let range_up_to = |offered_wh| {
		let others = ServiceRange {
			least_served: offers(0),
			most_served: offers(offered_wh),
		};
		purchase.range(&rules, &others)
	};
	let assert_near = |value: i64, expected: f64| {
		assert!(
			(value as f64 / 4_294_967_296.0 - expected).abs() < 1e-8,
			"{value} is not {expected}"
		)
	};
	let PayoffRange { low, high } = range_up_to(1_980);
	assert_near(low, (core::f64::consts::E * 4f64.ln()).log2() - 4.0);
	// 20 Wh from the main grid: 4^-1.98 / 0.02.
	assert_near(high, -3.96 - 0.02f64.log2());
	// The balanced branch begins at 10 Wh from the main grid, that is, with 1.99 kWh from the community.
	assert_near(range_up_to(2_000).high, 100f64.log2() - 3.98);
	assert_near(purchase.served_payoff, 100f64.log2() - 4.0);
	assert_near(purchase.max_payoff, 100f64.log2() - 3.98);
	assert_near(purchase.payoff(&rules, &offers(1_000)), -2.0);
	assert_near(purchase.unserved_payoff, -1.0);
}

#[test]
fn a_purchase_of_less_with_equal_comfort_is_never_worse() {
	let mut random = Random(13);
	for _ in 0..20_000 {
		let Case {
			rules,
			household,
			others,
		} = Case::random(&mut random);
		let log_rules = LogRules::new(&rules);
		let more = random.within(1, MAX_ENERGY_WH.into()) as u32;
		let less = random.within(1, more.into()) as u32;
		let buyer = Household {
			generation_wh: 0,
			..household
		};
		let payoff_of = |consumption_wh| {
			let purchase = Strategy {
				kind: Kind::BuyFromCommunity,
				consumption_wh,
				..buyer.strategies[0]
			};
			payoff(&log_rules, &buyer, &purchase, others)
		};
		assert!(
			payoff_of(less).0 >= payoff_of(more).0.saturating_sub(2 * PAYOFF_ERROR.0),
			"{rules:?} {buyer:?} {others:?} {less} {more}"
		);
	}
}

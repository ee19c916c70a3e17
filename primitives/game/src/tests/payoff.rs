//! Payoffs against big integers.

use super::{
	cases::{Case, RULES},
	oracle,
	support::Random,
};
use crate::{
	log2::PAYOFF_ERROR,
	payoff::{payoff, LogRules, Pool},
	prepared::PreparedStrategy,
	*,
};
use num_bigint::BigUint;
use std::vec;

#[test]
fn payoffs_are_within_their_error_bound_over_the_whole_range() {
	let mut random = Random(4);
	let (mut worst, mut worst_prepared, mut balanced): (f64, f64, u32) = (0.0, 0.0, 0);
	for _ in 0..40_000 {
		let case = Case::random(&mut random);
		let Case {
			rules,
			household,
			others,
		} = &case;
		household.check(rules.resolution_wh).unwrap();
		rules.check().unwrap();
		let rules = LogRules::new(rules);
		let strategy = case.strategy();
		let defined = payoff(&rules, household, &strategy, *others);
		let prepared = PreparedStrategy::new(&rules, household, 0, &strategy);
		let from_parts = prepared.payoff(&rules, others);
		if household.comfort_of(&strategy).numerator == 0 {
			assert_eq!(
				(defined, Log2(from_parts)),
				(Log2::NEG_INFINITY, Log2::NEG_INFINITY)
			);
			continue;
		}
		let exact = case.exact_payoff();
		worst = worst.max(oracle::error(defined.0, &exact).abs());
		worst_prepared = worst_prepared.max(oracle::error(from_parts, &exact).abs());
		balanced += u32::from(case.is_balanced());
		assert!(
			from_parts <= prepared.max_payoff + PAYOFF_ERROR.0,
			"{household:?} {others:?}"
		);
	}
	std::println!("largest error of a payoff: {worst:.3}, prepared {worst_prepared:.3} units of 2^-32");
	assert!(balanced > 4_000);
	assert!(worst <= PAYOFF_ERROR.0 as f64);
	assert!(worst_prepared <= PAYOFF_ERROR.0 as f64);
}

#[test]
fn delivered_payoffs_are_within_their_error_bound_over_the_whole_range() {
	let mut random = Random(10);
	let mut worst: f64 = 0.0;
	for _ in 0..40_000 {
		let Case { rules, household, .. } = Case::random(&mut random);
		let temperature_centi_c = household.strategies[0].temperature_centi_c;
		let mut energy = || {
			let any = (random.next() >> random.within(32, 63)) as u32;
			random.of(&[
				any,
				any,
				0,
				rules.resolution_wh - 1,
				rules.resolution_wh,
				u32::MAX,
			])
		};
		let (community_wh, main_wh) = (energy(), energy());
		let buys = random.within(0, 1) == 0;
		let signed_wh = if buys {
			-i64::from(community_wh)
		} else {
			community_wh.into()
		};
		let comfort_model = household.comfort.as_ref();
		let delivered = delivered(&rules, comfort_model, temperature_centi_c, signed_wh, main_wh);
		let comfort = household.comfort_of(&household.strategies[0]);
		let millionths = u128::from(comfort.numerator) * 1_000_000;
		let denominator = u128::from(comfort.denominator);
		let reported = u128::from(delivered.comfort_ppm) * denominator;
		assert!(reported <= millionths && millionths < reported + denominator);
		if comfort.numerator == 0 {
			assert_eq!(delivered.payoff, Log2::NEG_INFINITY);
			continue;
		}
		// With V = |E_in| and |x| = L = |E_in| + |E_main|, the pool's formulas give exactly the delivered energies.
		let x = u64::from(community_wh) + u64::from(main_wh);
		let expected = oracle::Payoff {
			lambda: rules.lambda,
			resolution_wh: rules.resolution_wh,
			comfort,
			x,
			buys,
			rationed: (x > 0).then_some(oracle::Rationed {
				traded_wh: community_wh.into(),
				own_wh: x,
			}),
		};
		worst = worst.max(oracle::error(delivered.payoff.0, &expected.exact()).abs());
	}
	std::println!("largest error of a delivered payoff: {worst:.3} units of 2^-32");
	assert!(worst <= 2.4);
}

#[test]
fn the_balanced_branch_begins_exactly_below_the_resolution() {
	let rules = LogRules::new(&RULES);
	// For a seller of 100 Wh alone, x (L - V) / L is 10 Wh with a request of 90 Wh, and less with one of 91 Wh.
	let strategy = Strategy {
		kind: Kind::SellToCommunity,
		consumption_wh: 0,
		temperature_centi_c: 0,
	};
	let household = |comfort| Household {
		generation_wh: 100,
		comfort,
		strategies: vec![strategy],
	};
	let payoff_with = |comfort, requested_wh| {
		let others = Pool {
			offered_wh: 0,
			requested_wh,
		};
		payoff(&rules, &household(comfort), &strategy, others)
	};
	// With C = 1, both branches give 4^0.09 * 100 at 10 Wh, so half the comfort tells them apart.
	let half = Some(Comfort {
		min_centi_c: -100,
		max_centi_c: 100,
		a: Ratio {
			numerator: 1,
			denominator: 2,
		},
	});
	let difference = payoff_with(None, 90).0 - payoff_with(half, 90).0;
	assert!(difference.abs_diff(Log2::ONE.0) <= 16);
	assert_eq!(payoff_with(None, 91), payoff_with(half, 91));
	assert!(payoff_with(None, 91) > payoff_with(None, 90));
}

/// A payoff of a random seller, alone against a request of E_in.
struct Sale {
	payoff: Log2,
	/// The exact value of mu = lambda^E_in * C / |E_main|, as a fraction.
	numerator: BigUint,
	denominator: BigUint,
}

impl Sale {
	fn random(random: &mut Random) -> Self {
		let e_in_wh = random.within(0, 3) as u64 * 1000;
		let e_main_wh = random.of(&[1, 2, 3, 4, 16, 64]) * random.of(&[10u64, 15, 250]);
		let strategy = Strategy {
			kind: Kind::SellToCommunity,
			consumption_wh: 0,
			temperature_centi_c: 0,
		};
		let household = Household {
			generation_wh: (e_in_wh + e_main_wh) as u32,
			comfort: None,
			strategies: vec![strategy],
		};
		let others = Pool {
			offered_wh: 0,
			requested_wh: e_in_wh,
		};
		Self {
			payoff: payoff(&LogRules::new(&RULES), &household, &strategy, others),
			numerator: BigUint::from(4u8).pow((e_in_wh / 1000) as u32) * 1000u32,
			denominator: BigUint::from(e_main_wh),
		}
	}
}

#[test]
fn payoffs_have_the_same_order_as_exact_fractions() {
	// With E_in in whole kWh and lambda an integer, lambda^E_in is an integer, so payoffs are exact fractions.
	let mut random = Random(6);
	let mut ties = 0;
	for _ in 0..20_000 {
		let (left, right) = (Sale::random(&mut random), Sale::random(&mut random));
		let exact = (&left.numerator * &right.denominator).cmp(&(&right.numerator * &left.denominator));
		if exact == core::cmp::Ordering::Equal {
			ties += 1;
			assert!((left.payoff.0 - right.payoff.0).abs() <= 2 * PAYOFF_ERROR.0);
		} else {
			// The closest unequal payoffs differ by a factor of 24/25, far more than the rounding error.
			assert_eq!(left.payoff.cmp(&right.payoff), exact);
		}
	}
	assert!(ties > 500, "{ties}");
}

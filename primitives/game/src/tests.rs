//! The error bounds, against big integers.

use crate::{
	log2::{exp2_of_minus, precise, Log2, PAYOFF_ERROR},
	payoff::{payoff, Pool, Worth},
	prepared::Move,
	search::Sweep,
	*,
};
use num_bigint::{BigInt, BigUint};
use std::{vec, vec::Vec};

#[path = "../tests/support/oracle.rs"]
mod oracle;
#[path = "../tests/support/mod.rs"]
mod support;
use support::Random;

fn log2_error(n: u128) -> f64 {
	let value = if n >> 64 == 0 {
		Log2::of(n as u64)
	} else {
		Log2::of_wide(n)
	};
	oracle::error(value.0, &oracle::log2(&BigUint::from(n))).abs()
}

#[test]
fn log2_keeps_its_bound_over_the_whole_range() {
	let mut worst: f64 = 0.0;
	// Small integers, and every power of two with its neighbours.
	for n in 1..=2_000 {
		worst = worst.max(log2_error(n));
	}
	for exponent in 0..128 {
		let power = 1u128 << exponent;
		for n in [power.saturating_sub(1).max(1), power, power.saturating_add(1)] {
			worst = worst.max(log2_error(n));
		}
	}
	worst = worst.max(log2_error(u128::MAX)).max(log2_error(u64::MAX.into()));
	// Both ends and the inside of each interval of the table, at the top and in the middle of the range.
	let mut random = Random(1);
	for interval in 0..256u128 {
		for width in [40u32, 64, 128] {
			let start = (256 + interval) << (width - 9);
			let length = 1u128 << (width - 9);
			let inside = (0..40).map(|_| u128::from(random.next()) % length);
			for offset in [0, 1, length / 2 - 1, length / 2, length - 1]
				.into_iter()
				.chain(inside)
			{
				worst = worst.max(log2_error(start + offset));
			}
		}
	}
	for _ in 0..20_000 {
		worst = worst.max(log2_error(
			u128::from(random.next() >> random.within(0, 63)).max(1),
		));
	}
	std::println!("largest error of log2: {worst:.4} units of 2^-32");
	assert!(worst <= 0.6);
}

#[test]
fn log2_of_powers_is_exact_and_of_nothing_is_below_everything() {
	for exponent in 0..64 {
		assert_eq!(Log2::of(1 << exponent), Log2(exponent << 32));
	}
	assert_eq!(Log2::of(0), Log2::NEG_INFINITY);
	assert_eq!(Log2::of_ratio(0, 1), Log2::NEG_INFINITY);
	assert_eq!(Log2::of_ratio(1, 0), Log2::MAX);
	assert!(Log2::NEG_INFINITY < Log2(-(1 << 60)));
}

#[test]
fn log2_never_falls() {
	let mut random = Random(2);
	for _ in 0..200_000 {
		let n = random.next() >> random.within(0, 62);
		assert!(Log2::of(n) <= Log2::of(n + 1), "{n}");
	}
}

#[test]
fn precise_log2_is_within_a_unit() {
	let mut random = Random(3);
	for _ in 0..5_000 {
		let n = (random.next() >> random.within(0, 62)).max(1);
		let exact: BigInt = oracle::log2(&BigUint::from(n)) >> (oracle::BITS - log2::PRECISE_BITS);
		let error = i64::try_from(BigInt::from(precise(n)) - exact).unwrap();
		assert!((-1..=1).contains(&error), "{n}: {error}");
	}
}

#[test]
fn powers_keep_their_bound_and_never_rise_with_the_exponent() {
	// log2 of the exact power, 2^32 times 2^-exponent, in units of 2^-96; the oracle may be off by a few of them.
	let exact =
		|exponent: u64| (BigInt::from(32) << oracle::BITS) - (BigInt::from(exponent) << (oracle::BITS - 32));
	let slack = BigInt::from(8);
	let check = |exponent: u64| {
		let power = exp2_of_minus(exponent);
		if power > 0 {
			assert!(
				oracle::log2(&power.into()) <= exact(exponent) + &slack,
				"{exponent}: {power} is above"
			);
		}
		// power + 1 + 2^-25
		let above = ((BigUint::from(power) + 1u8) << 25) + 1u8;
		let above = oracle::log2(&above) - (BigInt::from(25) << oracle::BITS);
		assert!(above + &slack > exact(exponent), "{exponent}: {power} is below");
		assert!(exp2_of_minus(exponent + 1) <= power, "{exponent}");
	};
	let mut random = Random(9);
	for bit in 0..38 {
		let power = 1u64 << bit;
		[power - 1, power, power + 1].into_iter().for_each(check);
		(0..300).for_each(|_| check(random.next() % power));
	}
	// Every whole exponent and its neighbours, and both sides of where the last unit is lost.
	for whole in 1..40u64 {
		[(whole << 32) - 1, whole << 32, (whole << 32) + 1]
			.into_iter()
			.for_each(check);
	}
	(0..20_000).for_each(|_| check(random.next() % (34 << 32)));
	for (exponent, power) in [(0, 1 << 32), (32 << 32, 1), ((32 << 32) + 1, 0), (u64::MAX, 0)] {
		assert_eq!(exp2_of_minus(exponent), power);
	}
}

#[test]
fn log2_is_shown_in_decimals() {
	for (value, text) in [
		(Log2::ONE, "1.0000000000"),
		(Log2(-(3 << 31)), "-1.5000000000"),
		(Log2(1), "0.0000000002"),
		(Log2(-1), "-0.0000000002"),
		(Log2::ZERO, "0.0000000000"),
		(Log2::MAX, "inf"),
		(Log2::NEG_INFINITY, "-inf"),
		(Log2(i64::MIN + 1), "-2147483647.9999999998"),
	] {
		assert_eq!(std::format!("{value}"), text);
	}
}

#[test]
fn gains_saturate_at_nothing() {
	let (nothing, one) = (Log2::NEG_INFINITY, Log2::ONE);
	assert_eq!(one.gain_over(nothing), Log2::MAX);
	assert_eq!(nothing.gain_over(one), Log2::NEG_INFINITY);
	assert_eq!(nothing.gain_over(nothing), Log2::ZERO);
	assert_eq!(one.gain_over(Log2(1)), Log2((1 << 32) - 1));
}

const LAMBDAS: [(u32, u32); 9] = [
	(4, 1),
	(2, 1),
	(3, 2),
	(11, 10),
	(65_536, 1),
	(u32::MAX, 65_536),
	(u32::MAX, u32::MAX - 1),
	(1_000_001, 1_000_000),
	(65_535, 1),
];

/// One household's strategy against a pool, over the whole range of both; energies spread over all magnitudes.
fn random_case(random: &mut Random) -> (Rules, Household, Pool) {
	let (numerator, denominator) = random.of(&LAMBDAS);
	let resolution_wh = random.of(&[1, 10, 999, 1_000]);
	let magnitude = random.within(0, 29);
	let x = (random.within(1, 1 << 30) >> magnitude).clamp(1, MAX_ENERGY_WH.into()) as u32;
	let largest = (MAX_HOUSEHOLDS as i64 - 1) * i64::from(MAX_ENERGY_WH);
	let side = |random: &mut Random| random.within(0, largest) as u64 >> random.within(0, 46);
	let (mut offered_wh, mut requested_wh) = (side(random), side(random));
	// Every second case is close to balance, where the branch changes.
	if random.within(0, 1) == 0 {
		let long = offered_wh + u64::from(x);
		requested_wh = (long - (long * u64::from(resolution_wh) / u64::from(x)).min(long))
			.saturating_add_signed(random.within(-2, 2))
			.min(largest as u64);
	}
	let sells = random.within(0, 1) == 0;
	if !sells {
		core::mem::swap(&mut offered_wh, &mut requested_wh);
	}
	let (pool_kind, main_kind) = if sells {
		(Kind::SellToCommunity, Kind::SellToMain)
	} else {
		(Kind::BuyFromCommunity, Kind::BuyFromMain)
	};
	let kind = if random.within(0, 9) == 0 {
		main_kind
	} else {
		pool_kind
	};
	let comfort = random.of(&[
		None,
		Some((1500, 2700, 1, 36)),
		Some((1500, 2700, 1, u32::MAX)),
		Some((-30_000, 32_000, 1, 100_000)),
		Some((2000, 2001, 40_000, 1)),
	]);
	let comfort = comfort.map(|(min_centi_c, max_centi_c, numerator, denominator)| Comfort {
		min_centi_c,
		max_centi_c,
		a: Ratio {
			numerator,
			denominator,
		},
	});
	let temperature_centi_c = random.of(&[1501, 2000, 2100, 2699, -29_999, 31_999]);
	let (generation_wh, consumption_wh) = if sells { (x, 0) } else { (0, x) };
	let strategy = Strategy {
		kind,
		consumption_wh,
		temperature_centi_c,
	};
	let rules = Rules {
		lambda: Ratio {
			numerator,
			denominator,
		},
		resolution_wh,
	};
	(
		rules,
		Household {
			generation_wh,
			comfort,
			strategies: vec![strategy],
		},
		Pool {
			offered_wh,
			requested_wh,
		},
	)
}

/// Whether the pool leaves less than the meter resolution of the household's position to the main grid.
fn is_balanced(household: &Household, others: Pool, resolution_wh: u32) -> bool {
	let strategy = household.strategies[0];
	let net = strategy.net_wh(household.generation_wh);
	let pool = others.with(strategy.kind, net);
	let (own, opposite) = match strategy.kind {
		Kind::SellToCommunity => (pool.offered_wh, pool.requested_wh),
		Kind::BuyFromCommunity => (pool.requested_wh, pool.offered_wh),
		_ => (1, 0),
	};
	let left = u128::from(net.unsigned_abs()) * u128::from(own.saturating_sub(opposite));
	left < u128::from(resolution_wh) * u128::from(own)
}

fn exact(rules: &Rules, household: &Household, others: Pool) -> BigInt {
	let strategy = household.strategies[0];
	let net = strategy.net_wh(household.generation_wh);
	let pool = others.with(strategy.kind, net);
	let rationed = match strategy.kind {
		Kind::SellToCommunity => Some((pool.offered_wh.min(pool.requested_wh), pool.offered_wh)),
		Kind::BuyFromCommunity => Some((pool.offered_wh.min(pool.requested_wh), pool.requested_wh)),
		_ => None,
	};
	let case = oracle::Case {
		lambda: (rules.lambda.numerator, rules.lambda.denominator),
		resolution_wh: rules.resolution_wh,
		comfort: household.comfort_of(&strategy),
		x: net.unsigned_abs(),
		buys: strategy.kind == Kind::BuyFromCommunity,
		rationed,
	};
	case.payoff()
}

#[test]
fn payoffs_keep_their_bound_over_the_whole_range() {
	let mut random = Random(4);
	let (mut worst, mut worst_prepared, mut balanced): (f64, f64, u32) = (0.0, 0.0, 0);
	for _ in 0..40_000 {
		let (rules, household, others) = random_case(&mut random);
		household.check(rules.resolution_wh).unwrap();
		rules.check().unwrap();
		let worth = Worth::new(&rules);
		let strategy = household.strategies[0];
		let value = payoff(&worth, &household, &strategy, others);
		let prepared = Move::new(&worth, &household, 0, &strategy);
		let quick = prepared.payoff(&worth, &others);
		if household.comfort_of(&strategy).0 == 0 {
			assert_eq!((value, Log2(quick)), (Log2::NEG_INFINITY, Log2::NEG_INFINITY));
			continue;
		}
		let exact = exact(&rules, &household, others);
		worst = worst.max(oracle::error(value.0, &exact).abs());
		worst_prepared = worst_prepared.max(oracle::error(quick, &exact).abs());
		balanced += u32::from(is_balanced(&household, others, rules.resolution_wh));
		assert!(
			quick <= prepared.bound + PAYOFF_ERROR.0,
			"{household:?} {others:?}"
		);
	}
	std::println!("largest error of a payoff: {worst:.3}, prepared {worst_prepared:.3} units of 2^-32");
	assert!(balanced > 4_000);
	assert!(worst <= PAYOFF_ERROR.0 as f64);
	assert!(worst_prepared <= PAYOFF_ERROR.0 as f64);
}

#[test]
fn delivered_payoffs_keep_their_bound_over_the_whole_range() {
	let mut random = Random(10);
	let mut worst: f64 = 0.0;
	for _ in 0..40_000 {
		let (rules, household, _) = random_case(&mut random);
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
		let delivered = delivered(
			&rules,
			household.comfort.as_ref(),
			temperature_centi_c,
			if buys {
				-i64::from(community_wh)
			} else {
				community_wh.into()
			},
			main_wh,
		);
		let comfort = household.comfort_of(&household.strategies[0]);
		let (part, whole) = (u128::from(comfort.0) * 1_000_000, u128::from(comfort.1));
		let shown = u128::from(delivered.comfort_ppm) * whole;
		assert!(shown <= part && part < shown + whole);
		if comfort.0 == 0 {
			assert_eq!(delivered.payoff, Log2::NEG_INFINITY);
			continue;
		}
		// |E_in| = |x| V / L and |E_main| = |x| (L - V) / L are the two for |x| = L = their sum.
		let (volume, x) = (community_wh.into(), u64::from(community_wh) + u64::from(main_wh));
		let case = oracle::Case {
			lambda: (rules.lambda.numerator, rules.lambda.denominator),
			resolution_wh: rules.resolution_wh,
			comfort,
			x,
			buys,
			rationed: (x > 0).then_some((volume, x)),
		};
		worst = worst.max(oracle::error(delivered.payoff.0, &case.payoff()).abs());
	}
	std::println!("largest error of a delivered payoff: {worst:.3} units of 2^-32");
	assert!(worst <= 2.4);
}

#[test]
fn the_balanced_branch_begins_exactly_below_the_resolution() {
	let rules = Rules {
		lambda: Ratio {
			numerator: 4,
			denominator: 1,
		},
		resolution_wh: 10,
	};
	let worth = Worth::new(&rules);
	// x (L - V) / L is 100 * 10 / 100 = 10 alone with a request of 90, and less with one of 91.
	let strategy = Strategy {
		kind: Kind::SellToCommunity,
		consumption_wh: 0,
		temperature_centi_c: 0,
	};
	let household = Household {
		generation_wh: 100,
		comfort: None,
		strategies: vec![strategy],
	};
	let at = |requested_wh| {
		payoff(
			&worth,
			&household,
			&strategy,
			Pool {
				offered_wh: 0,
				requested_wh,
			},
		)
	};
	// 4^0.09 * 100 is what both branches say at 10 Wh, as C = 1; half the comfort tells them apart.
	let cool = Comfort {
		min_centi_c: -100,
		max_centi_c: 100,
		a: Ratio {
			numerator: 1,
			denominator: 2,
		},
	};
	let half = Household {
		comfort: Some(cool),
		..household.clone()
	};
	let half_at = |requested_wh| {
		payoff(
			&worth,
			&half,
			&strategy,
			Pool {
				offered_wh: 0,
				requested_wh,
			},
		)
	};
	assert!((at(90).0 - half_at(90).0).abs_diff(Log2::ONE.0) <= 16);
	assert_eq!(at(91), half_at(91));
	assert!(at(91) > at(90));
}

/// The largest gain in a game, exact to 2^-90, in units of 2^-96. `None` when a household at nothing could earn.
fn exact_max_gain(game: &Game, profile: &[u8]) -> Option<BigInt> {
	let chosen = game.chosen(profile).unwrap();
	let pool = verify::pool_of(game, &chosen);
	let mut best = BigInt::from(0);
	for ((household, current), choice) in game.households().iter().zip(&chosen).zip(profile) {
		let others = pool.without(current.kind, current.net_wh(household.generation_wh));
		let of = |strategy: &Strategy| {
			let single = Household {
				strategies: vec![*strategy],
				..household.clone()
			};
			(household.comfort_of(strategy).0 > 0).then(|| exact(game.rules(), &single, others))
		};
		let now = of(current);
		for (index, strategy) in household.strategies.iter().enumerate() {
			match (&now, of(strategy)) {
				_ if index == usize::from(*choice) => {}
				(_, None) => {}
				(None, Some(_)) => return None,
				(Some(now), Some(then)) => best = best.max(then - now),
			}
		}
	}
	Some(best)
}

#[test]
fn a_near_tie_never_makes_a_false_certificate() {
	let mut random = Random(5);
	let mut verdicts = [0u32; 2];
	for _ in 0..150 {
		let game = support::sized_community(&mut random, 4, 3);
		// The equilibrium, and profiles around it whose gains are neither zero nor infinite.
		let mut profile = solve(&game, &SolverConfig::default(), None).profile;
		for turn in 0..4 {
			let certificate = verify(&game, &profile, Log2::ZERO).unwrap();
			let Some(exact) = exact_max_gain(&game, &profile) else {
				assert_eq!(certificate.max_gain, Log2::MAX);
				continue;
			};
			assert!(oracle::error(certificate.max_gain.0, &exact).abs() <= 2.0 * PAYOFF_ERROR.0 as f64);
			for offset in -40..=40 {
				let epsilon = Log2((certificate.max_gain.0 + offset).max(0));
				let status = verify(&game, &profile, epsilon).unwrap().status;
				verdicts[status as usize] += 1;
				if status == Status::Equilibrium {
					assert!(exact <= (BigInt::from(epsilon.0) << 64), "{game:?} {profile:?}");
				} else {
					// And it is refused only when the gain is within the rounding of epsilon or above it.
					let nearly: BigInt = BigInt::from(epsilon.0 - 4 * PAYOFF_ERROR.0) << 64;
					assert!(exact >= nearly || epsilon.0 < 4 * PAYOFF_ERROR.0);
				}
			}
			let household = &game.households()[turn];
			profile[turn] = random.within(0, household.strategies.len() as i64 - 1) as u8;
		}
	}
	assert!(verdicts.iter().all(|count| *count > 1_000), "{verdicts:?}");
}

#[test]
fn order_agrees_with_exact_rational_arithmetic() {
	// With E_in in whole kWh and lambda an integer, lambda^E_in is an integer, and payoffs compare as fractions.
	let mut random = Random(6);
	let worth = Worth::new(&Rules {
		lambda: Ratio {
			numerator: 4,
			denominator: 1,
		},
		resolution_wh: 10,
	});
	let mut ties = 0;
	let pick = |random: &mut Random| {
		// Alone against a request of V: E_in = V and E_main = x - V.
		let volume = random.within(0, 3) as u64 * 1000;
		let x = volume + random.of(&[1, 2, 3, 4, 16, 64]) * random.of(&[10u64, 15, 250]);
		let strategy = Strategy {
			kind: Kind::SellToCommunity,
			consumption_wh: 0,
			temperature_centi_c: 0,
		};
		let household = Household {
			generation_wh: x as u32,
			comfort: None,
			strategies: vec![strategy],
		};
		let value = payoff(
			&worth,
			&household,
			&strategy,
			Pool {
				offered_wh: 0,
				requested_wh: volume,
			},
		);
		let top = BigUint::from(4u8).pow((volume / 1000) as u32) * 1000u32;
		(value, top, BigUint::from(x - volume))
	};
	for _ in 0..20_000 {
		let (left, right) = (pick(&mut random), pick(&mut random));
		let exact = (&left.1 * &right.2).cmp(&(&right.1 * &left.2));
		if exact == core::cmp::Ordering::Equal {
			ties += 1;
			assert!((left.0 .0 - right.0 .0).abs() <= 2 * PAYOFF_ERROR.0);
		} else {
			// The closest unequal ones here are a factor of 15/16 apart, far more than the rounding.
			assert_eq!(left.0.cmp(&right.0), exact);
		}
	}
	assert!(ties > 500, "{ties}");
}

#[test]
fn the_solver_prepares_what_the_definition_says() {
	let mut random = Random(7);
	for _ in 0..200 {
		let game = support::sized_community(&mut random, 12, 8);
		let profile: Vec<u8> = game
			.households()
			.iter()
			.map(|household| random.within(0, household.strategies.len() as i64 - 1) as u8)
			.collect();
		let pool = verify::pool_of(&game, &game.chosen(&profile).unwrap());
		let worth = Worth::new(game.rules());
		for (index, household) in game.households().iter().enumerate() {
			let current = Move::new(
				&worth,
				household,
				profile[index],
				&household.strategies[usize::from(profile[index])],
			);
			let mut others = pool;
			current.leave(&mut others);
			for (strategy, slow) in household
				.strategies
				.iter()
				.zip(explain(&game, &profile, index).unwrap())
			{
				let quick = Move::new(&worth, household, 0, strategy).payoff(&worth, &others);
				assert!(
					quick.abs_diff(slow.0) <= 8,
					"{strategy:?}: {} and {slow}",
					Log2(quick)
				);
			}
		}
	}
}

#[test]
fn a_new_start_forgets_the_visits_of_the_last() {
	// One household decides, the other one has no choice, so what the first sees of the others never changes.
	let strategy = |kind, consumption_wh| Strategy {
		kind,
		consumption_wh,
		temperature_centi_c: 0,
	};
	let seller = vec![strategy(Kind::SellToCommunity, 0), strategy(Kind::SellToMain, 0)];
	let buyer = vec![strategy(Kind::BuyFromCommunity, 1_000)];
	let rules = Rules {
		lambda: Ratio {
			numerator: 4,
			denominator: 1,
		},
		resolution_wh: 10,
	};
	let household = |generation_wh, strategies| Household {
		generation_wh,
		comfort: None,
		strategies,
	};
	let game = Game::new(rules, vec![household(1_000, seller), household(0, buyer)]).unwrap();
	let mut search = search::Search::new(&game, SolverConfig::default().epsilon, 1_000);
	search.begin_in_pool();
	assert_eq!(search.sweep(), Sweep::Settled);
	search.begin_from(&game, &[1, 0]);
	assert_eq!(
		search.sweep(),
		Sweep::Restless,
		"on the main grid the seller would gain"
	);
	assert_eq!(search.sweep(), Sweep::Settled);
	assert_eq!(search.into_profile(None), [0, 0]);
}

/// Payoffs really evaluated against those that a solution says, over arbitrary games and budgets.
#[test]
fn no_solve_evaluates_more_than_its_budget() {
	let mut random = Random(11);
	let (mut exhausted, mut searched) = (0, 0);
	for seed in 0..3_000 {
		let households = random.within(0, 30) as usize;
		let game = match seed % 3 {
			0 => support::sized_community(&mut random, households, 8),
			1 => support::wild_community(&mut random, households, true),
			_ => support::wild_community(&mut random, households, false),
		};
		let config = SolverConfig {
			max_sweeps: random.within(0, 40) as u32,
			max_starts: random.within(0, 40) as u32,
			max_evaluations: 1 << random.within(0, 18),
			..Default::default()
		};
		let strategies: usize = game
			.households()
			.iter()
			.map(|household| household.strategies.len())
			.sum();
		let certificate = (game.households().len() + strategies) as u64;
		payoff::counted::take();
		let solution = solve(&game, &config, None);
		let counted = payoff::counted::take();
		assert!(
			counted <= solution.evaluations,
			"{counted}, not {}: {game:?}",
			solution.evaluations
		);
		assert!(
			solution.evaluations <= config.max_evaluations.max(certificate),
			"{config:?} {game:?}"
		);
		exhausted += u32::from(solution.evaluations + 300 > config.max_evaluations);
		searched += u32::from(solution.evaluations > 100 * certificate);
	}
	// Both budgets that end the work and games that take much of it are among them.
	assert!(exhausted > 300 && searched > 50, "{exhausted} {searched}");
}

/// A purchase's range against its payoffs in between, and its least where it lies inside.
#[test]
fn ranges_hold_every_payoff_in_between() {
	let mut random = Random(12);
	let slack = 2 * PAYOFF_ERROR.0;
	let (mut inside, mut jumps) = (0, 0);
	for _ in 0..20_000 {
		let (rules, household, first) = random_case(&mut random);
		let (_, _, second) = random_case(&mut random);
		// Every second pair is close, so that the ends of the range are as well.
		let second = match random.within(0, 1) {
			0 => second,
			_ => Pool {
				offered_wh: first.offered_wh + random.within(0, 2_000) as u64,
				requested_wh: first.requested_wh + random.within(0, 2_000) as u64,
			},
		};
		let worth = Worth::new(&rules);
		let choice = Move::new(&worth, &household, 0, &household.strategies[0]);
		let ends = |of: fn(&Pool) -> u64| (of(&first).min(of(&second)), of(&first).max(of(&second)));
		let (offered, requested) = (ends(|pool| pool.offered_wh), ends(|pool| pool.requested_wh));
		let surplus = Pool {
			offered_wh: offered.1,
			requested_wh: requested.0,
		};
		let shortage = Pool {
			offered_wh: offered.0,
			requested_wh: requested.1,
		};
		let (least, most) = match choice.side {
			prepared::Side::Requests => (shortage, surplus),
			_ => (surplus, shortage),
		};
		let (low, high) = choice.range(&worth, &least, &most);
		let (at_least, at_most) = (choice.payoff(&worth, &least), choice.payoff(&worth, &most));
		inside += u32::from(low < at_least.min(at_most));
		jumps += u32::from(high > at_least.max(at_most));
		let mut between = |(low, high): (u64, u64)| low + random.next() % (high - low + 1);
		for _ in 0..20 {
			let others = Pool {
				offered_wh: between(offered),
				requested_wh: between(requested),
			};
			let payoff = choice.payoff(&worth, &others);
			assert!(
				low.saturating_sub(slack) <= payoff && payoff <= high + slack,
				"{rules:?} {household:?} {others:?}"
			);
			assert!(
				payoff <= choice.bound + PAYOFF_ERROR.0,
				"{rules:?} {household:?} {others:?}"
			);
		}
	}
	assert!(inside > 500 && jumps > 500, "{inside} {jumps}");
}

/// By hand: lambda 4, a purchase of 2 kWh. It earns least with 1 / ln 4 = 0.7213 kWh from the main grid, where it is
/// log2(e ln 4) - 2 * 2 = 1.91393 - 4; half served it earns -2, which is more, and unserved -1.
#[test]
fn a_purchase_earns_least_in_between() {
	let rules = Rules {
		lambda: Ratio {
			numerator: 4,
			denominator: 1,
		},
		resolution_wh: 10,
	};
	let worth = Worth::new(&rules);
	assert_eq!(worth.turn_wh, 721);
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
	let choice = Move::new(&worth, &household, 0, &strategy);
	let offers = |offered_wh| Pool {
		offered_wh,
		requested_wh: 0,
	};
	let near = |value: i64, expected: f64| {
		assert!(
			(value as f64 / 4_294_967_296.0 - expected).abs() < 1e-8,
			"{value} is not {expected}"
		)
	};
	let (low, high) = choice.range(&worth, &offers(0), &offers(1_980));
	near(low, (core::f64::consts::E * 4f64.ln()).log2() - 4.0);
	// 20 Wh from the main grid: 1.98 kWh at 4^-1.98 / 0.02.
	near(high, -3.96 - 0.02f64.log2());
	// The limit of the balanced branch is at 10 Wh: 1.99 kWh, and then full service at 2 kWh.
	near(
		choice.range(&worth, &offers(0), &offers(2_000)).1,
		100f64.log2() - 3.98,
	);
	near(choice.full, 100f64.log2() - 4.0);
	near(choice.bound, 100f64.log2() - 3.98);
	near(choice.payoff(&worth, &offers(1_000)), -2.0);
	near(choice.base, -1.0);
}

/// Purchases of one household: the one with less energy and more comfort is never worse, whatever the others do.
#[test]
fn a_purchase_of_less_with_as_much_comfort_dominates() {
	let mut random = Random(13);
	for _ in 0..20_000 {
		let (rules, household, others) = random_case(&mut random);
		let worth = Worth::new(&rules);
		let more = random.within(1, MAX_ENERGY_WH.into()) as u32;
		let less = random.within(1, more.into()) as u32;
		let buy = |consumption_wh| Strategy {
			kind: Kind::BuyFromCommunity,
			consumption_wh,
			..household.strategies[0]
		};
		let buyer = Household {
			generation_wh: 0,
			..household.clone()
		};
		let of = |strategy| payoff(&worth, &buyer, &strategy, others);
		let (small, large) = (of(buy(less)), of(buy(more)));
		assert!(
			small.0 >= large.0.saturating_sub(2 * PAYOFF_ERROR.0),
			"{rules:?} {buyer:?} {others:?} {less} {more}"
		);
	}
}

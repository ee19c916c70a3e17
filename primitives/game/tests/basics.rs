//! Examples worked by hand.

use commonwatt_game::*;

fn rules() -> Rules {
	Rules {
		lambda: Ratio {
			numerator: 4,
			denominator: 1,
		},
		resolution_wh: 10,
	}
}

fn strategy(kind: Kind, consumption_wh: u32) -> Strategy {
	Strategy {
		kind,
		consumption_wh,
		temperature_centi_c: 2100,
	}
}

fn household(generation_wh: u32, strategies: &[Strategy]) -> Household {
	Household {
		generation_wh,
		comfort: None,
		strategies: strategies.to_vec(),
	}
}

/// Converts to units of 2^-32.
fn log2(value: f64) -> i64 {
	(value * 4_294_967_296.0).round() as i64
}

fn assert_near(left: Log2, right: f64) {
	assert!((left.0 - log2(right)).abs() <= 8, "{left} is not {right}");
}

#[test]
fn payoffs_equal_those_worked_by_hand() {
	// The seller offers 2 kWh and the buyer requests 1 kWh, so the seller has E_in = 1 kWh and E_main = 1 kWh.
	let seller = household(
		3000,
		&[
			strategy(Kind::SellToCommunity, 1000),
			strategy(Kind::SellToMain, 1000),
			strategy(Kind::Neutral, 3000),
		],
	);
	let buyer = household(
		0,
		&[
			strategy(Kind::BuyFromCommunity, 1000),
			strategy(Kind::BuyFromMain, 1000),
		],
	);
	let game = Game::new(rules(), vec![seller, buyer]).unwrap();
	let payoffs = explain(&game, &[0, 0], 0).unwrap();
	assert_near(payoffs[0], 2.0); // 4^1 * 1 / 1
	assert_near(payoffs[1], -1.0); // 1 / 2
	assert_near(payoffs[2], 100f64.log2()); // omega
	let payoffs = explain(&game, &[0, 0], 1).unwrap();
	assert_near(payoffs[0], -2.0 + 100f64.log2()); // 100 * 4^-1: bought, so E_in = -1
	assert_near(payoffs[1], 0.0); // 1 / 1
}

/// Asserts that a payoff is within two units of 2^-32 (4.7e-10) of the ten decimals in the specification.
fn assert_decimals(payoff: Log2, decimals: &str) {
	let exact: f64 = decimals.parse().unwrap();
	assert!((payoff.0 - log2(exact)).abs() <= 2, "{payoff} is not {decimals}");
}

/// The specification's eleven examples: lambda 4, resolution 10 Wh, comfort 1 at 21 degrees.
#[test]
fn payoffs_equal_the_eleven_examples_of_the_specification() {
	let comfort = Some(Comfort {
		min_centi_c: 1500,
		max_centi_c: 2700,
		a: Ratio {
			numerator: 1,
			denominator: 36,
		},
	});
	let household = |generation_wh, kind, consumption_wh| Household {
		generation_wh,
		comfort,
		strategies: vec![strategy(kind, consumption_wh)],
	};
	let seller = |x| household(x, Kind::SellToCommunity, 0);
	let buyer = |x| household(0, Kind::BuyFromCommunity, x);
	let from_main = |x| household(0, Kind::BuyFromMain, x);
	// The household, what the others (offer, request), its (E_in, |E_main|), all in Wh, and its payoff.
	let examples = [
		(seller(2_100), (0, 2_100), (2_100, 0), "10.8438561898"),
		(buyer(2_100), (2_100, 0), (-2_100, 0), "2.4438561898"),
		(buyer(1_500), (1_500, 0), (-1_500, 0), "3.6438561898"),
		(from_main(1_500), (0, 0), (0, 1_500), "-0.5849625007"),
		(buyer(2_000), (1_000, 0), (-1_000, 1_000), "-2.0000000000"),
		(from_main(2_000), (0, 0), (0, 2_000), "-1.0000000000"),
		(buyer(500), (250, 0), (-250, 250), "1.5000000000"),
		(from_main(500), (0, 0), (0, 500), "1.0000000000"),
		(buyer(5_000), (5_000, 0), (-5_000, 0), "-3.3561438102"),
		(from_main(5_000), (0, 0), (0, 5_000), "-2.3219280949"),
		(
			household(1_000, Kind::Neutral, 1_000),
			(0, 0),
			(0, 0),
			"6.6438561898",
		),
	];
	for (household, (offered_wh, requested_wh), (community_wh, main_wh), expected) in examples {
		let mut households = vec![household];
		if offered_wh > 0 {
			households.push(seller(offered_wh));
		}
		if requested_wh > 0 {
			households.push(buyer(requested_wh));
		}
		let game = Game::new(rules(), households).unwrap();
		let profile = vec![0; game.households().len()];
		assert_decimals(explain(&game, &profile, 0).unwrap()[0], expected);
		let share = allocate(&game, &profile).unwrap()[0];
		assert_eq!(
			(share.community_wh, share.main_wh.abs()),
			(community_wh, i64::from(main_wh))
		);
		let delivered = delivered(&rules(), comfort.as_ref(), 2100, community_wh, main_wh);
		assert_decimals(delivered.payoff, expected);
	}
}

/// The sign of E_in makes this true. The paper: "those who buy less power have higher returns than those who buy more".
#[test]
fn buying_less_and_selling_more_raise_the_payoff() {
	let payoff_of = |wh: i64| delivered(&rules(), None, 2100, wh, 0).payoff;
	assert!(payoff_of(-1_000) > payoff_of(-2_000));
	assert!(payoff_of(2_000) > payoff_of(1_000));
	assert!(payoff_of(-1_000) < payoff_of(0));
}

#[test]
fn comfort_is_one_in_the_middle_of_the_range_and_zero_at_the_ends() {
	let comfort = Some(Comfort {
		min_centi_c: 1500,
		max_centi_c: 2700,
		a: Ratio {
			numerator: 1,
			denominator: 36,
		},
	});
	let at = |temperature_centi_c| Strategy {
		kind: Kind::BuyFromMain,
		consumption_wh: 1000,
		temperature_centi_c,
	};
	let player = Household {
		generation_wh: 0,
		comfort,
		strategies: vec![at(2100), at(1500), at(2700), at(1800)],
	};
	let game = Game::new(rules(), vec![player]).unwrap();
	let payoffs = explain(&game, &[0], 0).unwrap();
	assert_near(payoffs[0], 0.0);
	assert_eq!(payoffs[1], Log2::NEG_INFINITY);
	assert_eq!(payoffs[2], Log2::NEG_INFINITY);
	assert_near(payoffs[3], 0.75f64.log2()); // 3 * 9 / 36
	assert_eq!(verify(&game, &[1], Log2::ZERO).unwrap().max_gain, Log2::MAX);
}

#[test]
fn delivered_payoffs_equal_those_worked_by_hand() {
	let comfort = Comfort {
		min_centi_c: 1500,
		max_centi_c: 2700,
		a: Ratio {
			numerator: 1,
			denominator: 36,
		},
	};
	let at = |temperature_centi_c, community_wh, main_wh| {
		delivered(
			&rules(),
			Some(&comfort),
			temperature_centi_c,
			community_wh,
			main_wh,
		)
	};
	let near = |delivered: Delivered, comfort_ppm, payoff| {
		assert_eq!(delivered.comfort_ppm, comfort_ppm);
		assert_near(delivered.payoff, payoff);
	};
	near(at(2100, 2000, 500), 1_000_000, 5.0); // 4^2 * 1 / 0.5
	near(at(1800, 2000, 500), 750_000, 5.0 + 0.75f64.log2());
	near(at(1800, 2000, 10), 750_000, 4.0 + 75f64.log2()); // 4^2 * 0.75 / 0.01
	near(at(1800, 2000, 9), 750_000, 4.0 + 100f64.log2()); // below the resolution: 4^2 * omega
	near(at(1800, -2000, 500), 750_000, -3.0 + 0.75f64.log2()); // bought: 4^-2 * 0.75 / 0.5
	near(at(1800, -2000, 9), 750_000, -4.0 + 100f64.log2());
	near(at(1800, 0, 0), 750_000, 100f64.log2());
	near(at(1600, 0, 1000), 305_555, (11.0f64 / 36.0).log2());
	for temperature_centi_c in [1500, 2700, i16::MIN, i16::MAX] {
		let nothing = Delivered {
			comfort_ppm: 0,
			payoff: Log2::NEG_INFINITY,
		};
		assert_eq!(at(temperature_centi_c, 2000, 0), nothing);
	}
	near(delivered(&rules(), None, -4000, 0, 4000), 1_000_000, -2.0);
}

#[test]
fn the_delivered_payoff_equals_that_of_the_game_if_the_forecast_is_met() {
	// A seller of 2 kWh and a buyer of 1 kWh, who deliver exactly what they announced.
	let seller = household(3000, &[strategy(Kind::SellToCommunity, 1000)]);
	let buyer = household(0, &[strategy(Kind::BuyFromCommunity, 1000)]);
	let game = Game::new(rules(), vec![seller, buyer]).unwrap();
	for (index, allocation) in allocate(&game, &[0, 0]).unwrap().iter().enumerate() {
		let main_wh = allocation.main_wh.unsigned_abs() as u32;
		let delivered = delivered(&rules(), None, 2100, allocation.community_wh, main_wh);
		assert_eq!([delivered.payoff], *explain(&game, &[0, 0], index).unwrap());
	}
}

#[test]
fn shares_equal_the_powers_worked_by_hand() {
	let one = Log2::ONE.0;
	assert_eq!(
		shares(&[
			Log2(3 * one),
			Log2(2 * one),
			Log2(5 * one / 2),
			Log2::NEG_INFINITY
		]),
		[1 << 32, 1 << 31, 3_037_000_499, 0] // 1, 1/2, 2^-0.5 = 0.70710678118
	);
	assert_eq!(
		shares(&[Log2(0), Log2(-32 * one), Log2(-33 * one), Log2(i64::MIN + 1)]),
		[1 << 32, 1, 0, 0]
	);
	assert_eq!(shares(&[Log2(-7)]), [1 << 32]);
	assert_eq!(shares(&[Log2::NEG_INFINITY; 2]), [0, 0]);
	assert!(shares(&[]).is_empty());
	// The largest possible difference.
	assert_eq!(shares(&[Log2(i64::MIN + 1), Log2::MAX]), [0, 1 << 32]);
}

#[test]
fn an_empty_game_has_an_equilibrium() {
	let game = Game::new(rules(), vec![]).unwrap();
	let solution = solve(&game, &SolverConfig::default(), None);
	assert!(solution.profile.is_empty());
	assert_eq!(solution.certificate.status, Status::Equilibrium);
}

#[test]
fn ration_rounds_down_and_gives_the_rest_to_the_largest_remainders() {
	assert_eq!(ration(&[1, 1, 1], 2), [1, 1, 0]);
	assert_eq!(ration(&[3, 0, 7], 5), [2, 0, 3]); // 1.5 and 3.5 are a tie, so the lower index comes first
	assert_eq!(ration(&[3, 7], 20), [3, 7]);
	assert_eq!(ration(&[], 20), [0u64; 0]);
	assert_eq!(
		ration(&[u64::MAX, u64::MAX], u64::MAX),
		[u64::MAX / 2 + 1, u64::MAX / 2]
	);
}

#[test]
fn a_preference_gives_three_levels_with_two_kinds_each() {
	let preference = Preference {
		flexible_down_percent: 50,
		flexible_up_percent: 20,
		response_centi_c_per_kwh: 100,
		trade_with_community: true,
	};
	let at = |kind, consumption_wh, temperature_centi_c| Strategy {
		kind,
		consumption_wh,
		temperature_centi_c,
	};
	assert_eq!(
		preference.strategies(10, 500, 1000, 2100),
		[
			at(Kind::BuyFromCommunity, 1000, 2100),
			at(Kind::BuyFromMain, 1000, 2100),
			at(Kind::Neutral, 500, 2050),
			at(Kind::BuyFromCommunity, 1200, 2120),
			at(Kind::BuyFromMain, 1200, 2120),
		]
	);
}

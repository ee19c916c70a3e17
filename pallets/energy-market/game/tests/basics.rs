//! Vectors worked by hand, and small games against full enumeration.

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

/// In units of 2^-32, from a decimal.
fn log2(value: f64) -> i64 {
	(value * 4_294_967_296.0).round() as i64
}

fn assert_near(left: Log2, right: f64) {
	assert!((left.0 - log2(right)).abs() <= 8, "{left} is not {right}");
}

#[test]
fn payoffs_are_those_worked_by_hand() {
	// A sells 2 kWh, B asks for 1 kWh: A places half of it, so E_in = 1 and E_main = 1 kWh.
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
	assert_near(payoffs[0], 2.0 + 100f64.log2()); // 100 * 4^1
	assert_near(payoffs[1], 0.0); // 1 / 1
}

#[test]
fn the_papers_comfort_is_one_in_the_middle_and_nothing_at_the_ends() {
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
fn an_empty_game_is_solved() {
	let game = Game::new(rules(), vec![]).unwrap();
	let solution = solve(&game, &SolverConfig::default(), None);
	assert!(solution.profile.is_empty());
	assert_eq!(solution.certificate.status, Status::Equilibrium);
}

#[test]
fn shares_are_floored_and_the_rest_goes_to_the_largest_remainders() {
	assert_eq!(ration(&[1, 1, 1], 2), [1, 1, 0]);
	assert_eq!(ration(&[3, 0, 7], 5), [2, 0, 3]); // 1.5 and 3.5: a tie, the lowest index first
	assert_eq!(ration(&[3, 7], 20), [3, 7]);
	assert_eq!(ration(&[], 20), [0u64; 0]);
	assert_eq!(
		ration(&[u64::MAX, u64::MAX], u64::MAX),
		[u64::MAX / 2 + 1, u64::MAX / 2]
	);
}

#[test]
fn a_preference_gives_three_levels_of_two_kinds() {
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

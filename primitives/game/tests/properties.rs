//! Properties that hold for every solution.

mod support;
use commonwatt_game::{Strategy, *};
use proptest::prelude::*;
use support::{sized_community, Random};

fn config() -> SolverConfig {
	SolverConfig::default()
}

/// Energies of a profile in Wh.
#[derive(Debug, PartialEq)]
struct Energies {
	offered: u64,
	requested: u64,
	traded: u64,
	main: u64,
}

fn energies(game: &Game, profile: &[u8]) -> Energies {
	let certificate = verify(game, profile, config().epsilon).unwrap();
	let main = allocate(game, profile)
		.unwrap()
		.iter()
		.map(|share| share.main_wh.unsigned_abs())
		.sum();
	Energies {
		offered: certificate.offered_wh,
		requested: certificate.requested_wh,
		traded: certificate.traded_wh,
		main,
	}
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(1_000))]

	#[test]
	fn community_energy_sums_to_zero_and_every_position_is_allocated(seed: u64, size in 1usize..40) {
		let game = sized_community(&mut Random(seed), size, 8);
		let solution = solve(&game, &config(), None);
		let shares = allocate(&game, &solution.profile).unwrap();
		let mut traded = 0;
		for ((household, choice), share) in game.households().iter().zip(&solution.profile).zip(&shares) {
			let strategy = household.strategies[usize::from(*choice)];
			let net = strategy.net_wh(household.generation_wh);
			prop_assert_eq!(share.community_wh + share.main_wh, net);
			prop_assert!(share.community_wh.abs() <= net.abs());
			prop_assert!(share.community_wh * net >= 0);
			traded += share.community_wh.max(0);
		}
		prop_assert_eq!(shares.iter().map(|share| share.community_wh).sum::<i64>(), 0);
		prop_assert_eq!(traded as u64, solution.certificate.traded_wh);
	}

	#[test]
	fn verify_returns_the_certificate_of_the_solution(seed: u64, size in 1usize..40) {
		let game = sized_community(&mut Random(seed), size, 8);
		let solution = solve(&game, &config(), None);
		prop_assert_eq!(verify(&game, &solution.profile, config().epsilon), Ok(solution.certificate));
		prop_assert!(solution.certificate.max_gain >= Log2::ZERO);
		prop_assert_eq!(
			solution.certificate.status == Status::Equilibrium,
			solution.certificate.max_gain <= config().epsilon
		);
	}

	#[test]
	fn verify_agrees_with_floating_point(seed: u64, size in 1usize..20) {
		// For random profiles, not only for solutions.
		let mut random = Random(seed);
		let game = sized_community(&mut random, size, 8);
		let choose = |household: &Household| random.within(0, household.strategies.len() as i64 - 1) as u8;
		let profile: Vec<u8> = game.households().iter().map(choose).collect();
		let certificate = verify(&game, &profile, config().epsilon).unwrap();
		let float = support::FloatGame::new(&game);
		let pool = float.pool(&profile);
		let gains = profile.iter().enumerate().map(|(index, choice)| float.gain(index, *choice, pool));
		let gain = gains.fold(0.0, f64::max);
		let expected = certificate.max_gain.0 as f64 / 4_294_967_296.0;
		// Another test covers the exact border of the balanced branch.
		prop_assert!(
			(gain - expected).abs() < 1e-8 || (gain.is_infinite() && certificate.max_gain == Log2::MAX),
			"{} {}", gain, expected
		);
	}

	#[test]
	fn explained_payoffs_give_the_largest_gain(seed: u64, size in 1usize..20) {
		let game = sized_community(&mut Random(seed), size, 8);
		let solution = solve(&game, &config(), None);
		let mut largest = Log2::ZERO;
		for (index, choice) in solution.profile.iter().enumerate() {
			let payoffs = explain(&game, &solution.profile, index).unwrap();
			let mine = payoffs[usize::from(*choice)];
			largest = payoffs.iter().map(|payoff| payoff.gain_over(mine)).fold(largest, Log2::max);
		}
		prop_assert_eq!(largest, solution.certificate.max_gain);
	}

	#[test]
	fn a_strategy_without_comfort_is_never_chosen_if_another_has_some(seed: u64, size in 1usize..20) {
		let mut random = Random(seed);
		let game = sized_community(&mut random, size, 8);
		// Adds a copy of each strategy at a temperature with C = 0.
		let rules = *game.rules();
		let freeze = |household: Household| {
			let mut strategies = household.strategies.clone();
			let frozen = |strategy: &Strategy| Strategy { temperature_centi_c: 1500, ..*strategy };
			strategies.splice(0..0, household.strategies.iter().map(frozen));
			let comfort = Comfort { min_centi_c: 1500, max_centi_c: 2700, a: Ratio { numerator: 1, denominator: 36 } };
			Household { comfort: Some(comfort), strategies, ..household }
		};
		let game = Game::new(rules, game.into_households().into_iter().map(freeze).collect()).unwrap();
		let solution = solve(&game, &config(), None);
		for (household, choice) in game.households().iter().zip(&solution.profile) {
			let warm = |strategy: &Strategy| strategy.temperature_centi_c > 1500 && strategy.temperature_centi_c < 2700;
			if household.strategies.iter().any(warm) {
				prop_assert!(warm(&household.strategies[usize::from(*choice)]));
			}
		}
	}

	#[test]
	fn a_dominated_strategy_is_never_chosen(seed: u64, size in 1usize..20) {
		// Adds two purchases from the main grid with equal comfort. The first takes twice the energy of the second, so
		// its payoff is half as large, whatever the others do.
		let mut random = Random(seed);
		let game = sized_community(&mut random, size, 4);
		let rules = *game.rules();
		let add = |household: Household| {
			let mut strategies = household.strategies.clone();
			let consumption_wh = household.generation_wh + 100_000;
			for (kind, more) in [(Kind::BuyFromMain, 100_000), (Kind::BuyFromMain, 0)] {
				let temperature_centi_c = 2100;
				strategies.push(Strategy { kind, consumption_wh: consumption_wh + more, temperature_centi_c });
			}
			Household { strategies, ..household }
		};
		let game = Game::new(rules, game.into_households().into_iter().map(add).collect()).unwrap();
		let solution = solve(&game, &config(), None);
		for (household, choice) in game.households().iter().zip(&solution.profile) {
			prop_assert_ne!(usize::from(*choice), household.strategies.len() - 2);
		}
	}

	#[test]
	fn permuting_households_permutes_payoffs_and_shares(seed: u64, size in 1usize..12) {
		// The payoffs of a profile do not depend on the order of households. The solver visits them in order, so it may
		// find another profile, but with the same status.
		let mut random = Random(seed);
		let game = sized_community(&mut random, size, 6);
		let solution = solve(&game, &config(), None);
		let mut order: Vec<usize> = (0..size).collect();
		for last in (1..size).rev() {
			order.swap(last, random.within(0, last as i64) as usize);
		}
		let shuffled = order.iter().map(|index| game.households()[*index].clone()).collect();
		let shuffled = Game::new(*game.rules(), shuffled).unwrap();
		let profile: Vec<u8> = order.iter().map(|index| solution.profile[*index]).collect();
		prop_assert_eq!(verify(&shuffled, &profile, config().epsilon), Ok(solution.certificate));
		for (at, index) in order.iter().enumerate() {
			prop_assert_eq!(explain(&shuffled, &profile, at), explain(&game, &solution.profile, *index));
		}
		let shares = allocate(&game, &solution.profile).unwrap();
		let shuffled_shares = allocate(&shuffled, &profile).unwrap();
		for (at, index) in order.iter().enumerate() {
			// Among equal remainders the index decides, which changes a share by at most one Wh.
			prop_assert!((shuffled_shares[at].community_wh - shares[*index].community_wh).abs() <= 1);
		}
		let again = solve(&shuffled, &config(), None);
		prop_assert_eq!(again.certificate.status, solution.certificate.status);
	}

	#[test]
	fn equal_games_have_equal_solutions(seed: u64) {
		let game = sized_community(&mut Random(seed), 10, 6);
		let solution = solve(&game, &config(), None);
		prop_assert_eq!(solve(&game.clone(), &config(), None), solution);
	}

	#[test]
	fn doubling_energies_and_taking_the_root_of_lambda_keeps_the_solution(seed: u64, size in 1usize..12) {
		// If energies and resolution are multiplied by k and lambda becomes lambda^(1/k), then E_in log2(lambda) stays
		// the same, and every payoff falls by log2 k. Here k = 2, with lambda 16 and 4.
		let mut random = Random(seed);
		let game = sized_community(&mut random, size, 6);
		let double = |household: &Household| Household {
			generation_wh: household.generation_wh * 2,
			comfort: household.comfort,
			strategies: household
				.strategies
				.iter()
				.map(|strategy| Strategy { consumption_wh: strategy.consumption_wh * 2, ..*strategy })
				.collect(),
		};
		let rules = |numerator, factor| Rules {
			lambda: Ratio { numerator, denominator: 1 },
			resolution_wh: game.rules().resolution_wh * factor,
		};
		let small = Game::new(rules(16, 1), game.households().to_vec()).unwrap();
		let large = Game::new(rules(4, 2), game.households().iter().map(double).collect()).unwrap();
		let (one, two) = (solve(&small, &config(), None), solve(&large, &config(), None));
		let (left, right) = (energies(&small, &one.profile), energies(&large, &one.profile));
		prop_assert_eq!(
			(left.offered * 2, left.requested * 2, left.traded * 2),
			(right.offered, right.requested, right.traded)
		);
		for index in 0..size {
			let small = explain(&small, &one.profile, index).unwrap();
			let large = explain(&large, &one.profile, index).unwrap();
			for (small, large) in small.into_iter().zip(large) {
				prop_assert!(
					(small.is_negative_infinity() && large.is_negative_infinity())
						|| (small.0 - large.0 - Log2::ONE.0).abs() <= 16
				);
			}
		}
		prop_assert_eq!(one.certificate.status, two.certificate.status);
	}

	#[test]
	fn rationed_shares_are_within_one_wh_of_the_exact_ones(
		wanted in proptest::collection::vec(0u64.., 0..50),
		available: u64,
	) {
		let shares = ration(&wanted, available);
		let total: u128 = wanted.iter().map(|wanted| u128::from(*wanted)).sum();
		prop_assert_eq!(shares.iter().map(|share| u128::from(*share)).sum::<u128>(), total.min(available.into()));
		for (share, wanted) in shares.iter().zip(&wanted) {
			prop_assert!(share <= wanted);
			if total > u128::from(available) {
				let floor = u128::from(*wanted) * u128::from(available) / total;
				prop_assert!((floor..=floor + 1).contains(&u128::from(*share)));
			}
		}
	}

	#[test]
	fn preferences_always_give_valid_strategies(
		down: u8, up: u8, response: i16, trade: bool,
		resolution in 1u32..=1_000, generation in 0u32..=MAX_ENERGY_WH, consumption: u32, indoor: i16,
	) {
		let preference = Preference {
			flexible_down_percent: down,
			flexible_up_percent: up,
			response_centi_c_per_kwh: response,
			trade_with_community: trade,
		};
		let strategies = preference.strategies(resolution, generation, consumption, indoor);
		prop_assert!((1..=MAX_PREFERENCE_STRATEGIES as usize).contains(&strategies.len()));
		for strategy in strategies {
			prop_assert_eq!(strategy.check(generation, resolution), Ok(()));
			prop_assert!(trade || !matches!(strategy.kind, Kind::SellToCommunity | Kind::BuyFromCommunity));
		}
	}

	#[test]
	fn small_games_are_certified_exactly_if_they_have_an_equilibrium(seed: u64, size in 2usize..5) {
		let game = sized_community(&mut Random(seed), size, 4);
		let solution = solve(&game, &config(), None);
		let enumerated = support::enumerate(&game, 1.0 / 65_536.0);
		prop_assert_eq!(enumerated.is_some(), solution.certificate.status == Status::Equilibrium);
	}

	#[test]
	fn the_previous_profile_is_an_additional_start(seed: u64, size in 2usize..20) {
		let game = sized_community(&mut Random(seed), size, 6);
		let first = solve(&game, &config(), None);
		let again = solve(&game, &config(), Some(&first.profile));
		prop_assert_eq!(again.certificate.status, first.certificate.status);
		if first.certificate.status == Status::Equilibrium {
			prop_assert!(energies(&game, &again.profile).main <= energies(&game, &first.profile).main);
		}
		// A profile that does not fit the game is ignored.
		prop_assert_eq!(solve(&game, &config(), Some(&[250; 3])), first);
	}

	#[test]
	fn solves_stay_within_their_limits(
		seed: u64,
		size in 1usize..20,
		max_sweeps in 0u32..4,
		max_starts in 0u32..4,
		epsilon in -1i64..2,
	) {
		let game = sized_community(&mut Random(seed), size, 8);
		let config = SolverConfig { epsilon: Log2(epsilon), max_sweeps, max_starts, max_evaluations: 1 << 16 };
		let solution = solve(&game, &config, None);
		prop_assert!(solution.starts <= max_starts.max(1));
		prop_assert!(solution.sweeps <= max_starts.max(1) * max_sweeps);
		prop_assert!(verify(&game, &solution.profile, config.epsilon) == Ok(solution.certificate));
	}
}

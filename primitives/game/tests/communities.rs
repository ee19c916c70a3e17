//! Random communities: how many results are certified, and whether the others have an equilibrium.
//!
//! The default run is short. The figures of `docs/measurements/game.md` come from
//! `COMMONWATT_COMMUNITIES=100000 cargo test --release -p commonwatt-game --test communities -- --nocapture`.

mod support;
use commonwatt_game::*;
use support::branch_and_bound::Verdict;

/// Profiles up to which the test enumerates a game without a certificate.
const ENUMERABLE: u64 = 20_000_000;

/// The default epsilon.
const TOLERANCE: f64 = 1.0 / 65_536.0;

fn count(default: u64) -> u64 {
	std::env::var("COMMONWATT_COMMUNITIES")
		.ok()
		.and_then(|count| count.parse().ok())
		.unwrap_or(default)
}

#[derive(Debug, Default)]
struct Tally {
	games: u64,
	certified: u64,
	certified_by_the_first_start: u64,
	/// Certified, but nothing is traded although there are sellers and buyers.
	idle: u64,
	/// Not certified, and proved to have no equilibrium, by enumeration or by a complete branch and bound.
	without_equilibrium: u64,
	/// Seeds of the games that are not certified although they have an equilibrium.
	missed: Vec<u64>,
	/// Not certified, and too large for a proof.
	unknown: u64,
	/// Of all games that are not certified.
	largest_gain_left: Log2,
	most_sweeps: u32,
	sweeps: u64,
	/// The number of games for each number of starts.
	starts: Vec<u32>,
}

fn has_both_sides(game: &Game) -> bool {
	let has = |kind| {
		let mut strategies = game
			.households()
			.iter()
			.flat_map(|household| &household.strategies);
		strategies.any(|strategy| strategy.kind == kind)
	};
	has(Kind::SellToCommunity) && has(Kind::BuyFromCommunity)
}

/// Enumerates the game if it is small enough, and searches it by branch and bound otherwise.
fn find_equilibrium(game: &Game) -> Verdict {
	match support::profiles(game).filter(|profiles| *profiles <= ENUMERABLE) {
		Some(_) => support::enumerate(game, TOLERANCE).map_or(Verdict::None, Verdict::Equilibrium),
		None => support::FloatGame::new(game).search(TOLERANCE, 500),
	}
}

/// Solves the games that `make` returns for the seeds from 0.
fn run(make: fn(u64) -> Game, games: u64) -> Tally {
	let config = SolverConfig::default();
	let mut tally = Tally {
		games,
		starts: vec![0; config.max_starts as usize + 1],
		..Default::default()
	};
	for seed in 0..games {
		let game = make(seed);
		let solution = solve(&game, &config, None);
		let verified = verify(&game, &solution.profile, config.epsilon);
		assert_eq!(verified, Ok(solution.certificate), "seed {seed}");
		tally.sweeps += u64::from(solution.sweeps);
		tally.most_sweeps = tally.most_sweeps.max(solution.sweeps);
		tally.starts[solution.starts as usize] += 1;
		let first = solve(
			&game,
			&SolverConfig {
				max_starts: 1,
				..config
			},
			None,
		);
		tally.certified_by_the_first_start += u64::from(first.certificate.status == Status::Equilibrium);
		if solution.certificate.status == Status::Equilibrium {
			tally.certified += 1;
			tally.idle += u64::from(has_both_sides(&game) && solution.certificate.traded_wh == 0);
			continue;
		}
		tally.largest_gain_left = tally.largest_gain_left.max(solution.certificate.max_gain);
		match find_equilibrium(&game) {
			Verdict::Equilibrium(_) => tally.missed.push(seed),
			Verdict::None => tally.without_equilibrium += 1,
			Verdict::Unknown => tally.unknown += 1,
		}
	}
	println!("{tally:?}");
	tally
}

#[test]
fn results_are_certified_if_every_pool_strategy_has_a_main_grid_counterpart() {
	let tally = run(support::community, count(3_000));
	assert!(
		tally.missed.is_empty(),
		"equilibria missed, by seed: {:?}",
		tally.missed
	);
	// At least 99.99 % are certified.
	assert!(
		(tally.games - tally.certified) * 10_000 <= tally.games,
		"{tally:?}"
	);
}

#[test]
fn results_of_arbitrary_communities_are_mostly_certified_or_proved_impossible() {
	let tally = run(support::arbitrary_community, count(1_000));
	// The solver misses an equilibrium only in games that are too large to enumerate.
	for seed in &tally.missed {
		assert!(support::profiles(&support::arbitrary_community(*seed))
			.is_none_or(|profiles| profiles > ENUMERABLE));
	}
	// All but five in a thousand games are certified or proved to have no equilibrium.
	let unclear = tally.missed.len() as u64 + tally.unknown;
	assert!(unclear * 200 <= tally.games.max(1_000), "{tally:?}");
}

/// Each of these communities has a household that earns nothing whatever it does. It is indifferent, but its choice
/// matters to the others. An earlier solver put such a household into the pool in advance; these communities have an
/// equilibrium only if it chooses something else.
#[test]
fn an_indifferent_household_keeps_all_its_strategies() {
	for seed in [12_039, 23_869, 24_377, 29_731, 74_473, 74_981, 80_203] {
		let game = support::community(seed);
		let solution = solve(&game, &SolverConfig::default(), None);
		assert_eq!(solution.certificate.status, Status::Equilibrium, "seed {seed}");
	}
}

/// Counts communities in which the first four starts find no equilibrium with trade, and a later start or branch and
/// bound finds an equilibrium.
#[test]
fn later_starts_and_branch_and_bound_find_further_equilibria() {
	let config = SolverConfig::default();
	let mut found = 0;
	for seed in 0..2_000 {
		let game = support::arbitrary_community(seed);
		let solution = solve(&game, &config, None);
		found += u32::from(solution.starts > 4 && solution.certificate.status == Status::Equilibrium);
	}
	assert!(found >= 20, "{found}");
}

/// Whether another strategy of the household is at least as good, to within rounding, against every choice of the only
/// other household. The solver drops such a strategy.
fn is_dominated(game: &Game, household: usize, strategy: u8) -> bool {
	let neighbour = 1 - household;
	let payoffs: Vec<Vec<Log2>> = (0..game.households()[neighbour].strategies.len() as u8)
		.map(|choice| {
			let mut profile = [0, 0];
			(profile[household], profile[neighbour]) = (strategy, choice);
			explain(game, &profile, household).unwrap()
		})
		.collect();
	let others =
		(0..game.households()[household].strategies.len()).filter(|other| *other != usize::from(strategy));
	let mut better = others.map(|other| {
		payoffs
			.iter()
			.all(|row| row[other].0 + 16 >= row[usize::from(strategy)].0)
	});
	better.any(|better| better)
}

/// A game of two households without a pure equilibrium. The result is `Approximate`, and no profile of strategies that
/// are not dominated has a smaller largest gain.
#[test]
fn a_game_without_an_equilibrium_ends_with_the_best_approximation() {
	let config = SolverConfig::default();
	let game = (0..20_000)
		.map(|seed| support::wild_community(&mut support::Random(seed), 2, false))
		.find(|game| support::enumerate(game, TOLERANCE).is_none())
		.expect("one in a few thousand has no equilibrium");
	let solution = solve(&game, &config, None);
	assert_eq!(solution.certificate.status, Status::Approximate);
	assert!(solution.certificate.max_gain > config.epsilon);
	let [first, second] = game.households() else {
		panic!("the game has two households")
	};
	let mut compared = 0;
	for left in 0..first.strategies.len() as u8 {
		for right in 0..second.strategies.len() as u8 {
			if is_dominated(&game, 0, left) || is_dominated(&game, 1, right) {
				continue;
			}
			compared += 1;
			let other = verify(&game, &[left, right], config.epsilon).unwrap();
			assert!(
				other.max_gain.0 >= solution.certificate.max_gain.0 - 16,
				"{left} {right}"
			);
		}
	}
	assert!(compared >= 4, "{compared}");
}

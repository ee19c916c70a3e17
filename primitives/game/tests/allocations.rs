//! What a solve allocates: as much for many sweeps as for one, and so much for each household.
//!
//! `allocation-counter`, because it counts by thread behind a safe interface and has no dependencies.

mod support;
use allocation_counter::{measure, AllocationInfo};
use commonwatt_game::*;
use support::{
	measured::{leaning, settling},
	wild_community, Lean, Random,
};

fn measured(game: &Game, max_starts: u32, max_sweeps: u32) -> (Solution, AllocationInfo) {
	let config = SolverConfig {
		max_starts,
		max_sweeps,
		..Default::default()
	};
	let mut solution = None;
	let allocations = measure(|| solution = Some(solve(game, &config, None)));
	(solution.expect("was just solved"), allocations)
}

#[test]
fn sweeps_allocate_nothing() {
	// One start makes plain sweeps only, most of sixteen make scattered ones.
	for starts in [1, 16] {
		let game = (0..200)
			.map(|seed| wild_community(&mut Random(seed), 100, false))
			.find(|game| measured(game, starts, 16).0.sweeps >= 15 * starts)
			.expect("one in some does not settle soon");
		let runs = [1, 4, 16].map(|sweeps| measured(&game, starts, sweeps));
		let sweeps = runs.each_ref().map(|(solution, _)| solution.sweeps);
		let counts = runs.each_ref().map(|(_, allocations)| allocations.count_total);
		println!("{starts} starts: {sweeps:?} sweeps, {counts:?} allocations");
		assert!(
			sweeps[2] >= 10 * sweeps[0],
			"the game settles too soon to tell: {sweeps:?}"
		);
		assert_eq!(counts, [counts[0]; 3], "in {sweeps:?} sweeps");
	}
}

#[test]
fn memory_is_linear_in_households() {
	let each = [100, 1_000, 10_000].map(|households| {
		let (game, _) = settling(1, households).pop().expect("as many as were asked for");
		let (_, allocations) = measured(&game, 16, 32);
		assert_eq!(
			allocations.bytes_current, households as i64,
			"what is left is the profile"
		);
		[allocations.bytes_max, allocations.bytes_total].map(|bytes| bytes as f64 / households as f64)
	});
	println!("bytes for each household, at once and in all: {each:?}");
	for figures in each {
		for (figure, first) in figures.into_iter().zip(each[0]) {
			assert!((figure / first - 1.0).abs() < 0.1, "{each:?}");
		}
	}
}

#[test]
fn memory_is_linear_in_strategies() {
	let game = leaning(Lean::Surplus, 0, 1_000);
	let each = [4, 8, 16].map(|strategies| {
		let mut households = game.households().to_vec();
		for household in &mut households {
			household.strategies.truncate(strategies);
		}
		let game = Game::new(*game.rules(), households).expect("fewer strategies are fine");
		let (_, allocations) = measured(&game, 16, 32);
		allocations.bytes_max as f64 / 1_000.0
	});
	println!("bytes for each household with 4, 8 and 16 strategies, at once: {each:?}");
	let [few, some, many] = each;
	assert!(((many - some) / (some - few) / 2.0 - 1.0).abs() < 0.1, "{each:?}");
}

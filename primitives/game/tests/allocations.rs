//! Memory of a solve: sweeps allocate nothing, and memory is linear in households and in strategies.
//!
//! The crate `allocation-counter` counts for each thread, has a safe interface and no dependencies.

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
	(solution.expect("the closure has run"), allocations)
}

#[test]
fn sweeps_allocate_nothing() {
	// With one start all sweeps are plain; with sixteen, most are scattered.
	for starts in [1, 16] {
		let game = (0..200)
			.map(|seed| wild_community(&mut Random(seed), 100, false))
			.find(|game| measured(game, starts, 16).0.sweeps >= 15 * starts)
			.expect("some of these games do not settle");
		let runs = [1, 4, 16].map(|sweeps| measured(&game, starts, sweeps));
		let sweeps = runs.each_ref().map(|(solution, _)| solution.sweeps);
		let counts = runs.each_ref().map(|(_, allocations)| allocations.count_total);
		println!("{starts} starts: {sweeps:?} sweeps, {counts:?} allocations");
		assert!(
			sweeps[2] >= 10 * sweeps[0],
			"the game settles too soon for a comparison: {sweeps:?}"
		);
		assert_eq!(counts, [counts[0]; 3], "allocations in {sweeps:?} sweeps");
	}
}

#[test]
fn memory_is_linear_in_households() {
	let each = [100, 1_000, 10_000].map(|households| {
		let (game, _) = settling(1, households).pop().expect("settling returns one game");
		let (_, allocations) = measured(&game, 16, 32);
		assert_eq!(
			allocations.bytes_current, households as i64,
			"only the profile remains allocated"
		);
		[allocations.bytes_max, allocations.bytes_total].map(|bytes| bytes as f64 / households as f64)
	});
	println!("bytes for each household, peak and total: {each:?}");
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
		let game = Game::new(*game.rules(), households).expect("a game with fewer strategies is valid");
		let (_, allocations) = measured(&game, 16, 32);
		allocations.bytes_max as f64 / 1_000.0
	});
	println!("peak bytes for each household with 4, 8 and 16 strategies: {each:?}");
	let [few, some, many] = each;
	assert!(((many - some) / (some - few) / 2.0 - 1.0).abs() < 0.1, "{each:?}");
}

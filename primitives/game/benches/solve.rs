//! Measures how long it takes to solve and verify a community, and what fixed-point arithmetic costs compared with f64.
//!
//! `cargo bench -p commonwatt-game` measures with criterion. `cargo bench -p commonwatt-game -- --table` instead prints
//! the tables of `docs/measurements/weights-and-speed.md`, from medians of interleaved runs.

use commonwatt_game::*;
use criterion::{BenchmarkId, Criterion, Throughput};
use std::{hint::black_box, time::Duration};

#[path = "../tests/support/mod.rs"]
mod support;
#[path = "../tests/support/twin.rs"]
mod twin;
use support::{
	measured::{leaning, medians, millis, on_chain, settling, two_starts, STRATEGIES},
	Lean,
};

/// Medians for one size of community.
struct Row {
	households: usize,
	solve_ms: f64,
	twin_ms: f64,
	verify_ms: f64,
	/// Time of the solver divided by time of the twin.
	ratio: f64,
	sweeps: f64,
}

impl Row {
	fn measure(households: usize, games: usize) -> Self {
		let config = two_starts();
		let games = settling(games, households);
		let mut sweeps = 0;
		for (game, solution) in &games {
			let twin = twin::solve(game);
			assert_eq!(
				(&twin.profile, twin.sweeps),
				(&solution.profile, solution.sweeps),
				"the twin took another path than the solver"
			);
			assert!(twin.max_gain < 1.0 / 65_536.0);
			sweeps += solution.sweeps;
		}
		let [solve_time, twin_time, verify_time] = medians(
			15,
			[
				&mut || {
					games
						.iter()
						.for_each(|(game, _)| drop(black_box(solve(black_box(game), &config, None))))
				},
				&mut || {
					games
						.iter()
						.for_each(|(game, _)| drop(black_box(twin::solve(black_box(game)))))
				},
				&mut || {
					for (game, solution) in &games {
						let _ = black_box(verify(black_box(game), &solution.profile, config.epsilon));
					}
				},
			],
		);
		let count = games.len() as f64;
		let per_game = |time: Duration| millis(time) / count;
		Self {
			households,
			solve_ms: per_game(solve_time),
			twin_ms: per_game(twin_time),
			verify_ms: per_game(verify_time),
			ratio: solve_time.as_secs_f64() / twin_time.as_secs_f64(),
			sweeps: f64::from(sweeps) / count,
		}
	}

	fn ns_per_household(&self) -> f64 {
		self.solve_ms * 1e6 / self.households as f64
	}
}

fn table() {
	// The same total number of households at every size, so that caches and branch predictors are as cold at 100
	// households as at 10,000.
	let rows =
		[(100, 400), (1_000, 40), (10_000, 4)].map(|(households, games)| Row::measure(households, games));
	println!("| ratio | measured | at most |");
	println!("|---|---|---|");
	for Row {
		households, ratio, ..
	} in &rows
	{
		println!("| fixed point to f64 twin, {households} households x {STRATEGIES} | {ratio:.2} | 1.50 |");
	}
	let [first, .., last] = &rows;
	println!(
		"| time per household, {} to {} households | {:.2} | 1.30 |",
		last.households,
		first.households,
		last.ns_per_household() / first.ns_per_household()
	);
	println!();
	println!(
		"| households x {STRATEGIES} strategies | solve, ms | per household, ns | f64 twin, ms | verify, ms | sweeps |"
	);
	println!("|---|---|---|---|---|---|");
	for row in &rows {
		println!(
			"| {} | {:.3} | {:.0} | {:.3} | {:.3} | {:.1} |",
			row.households,
			row.solve_ms,
			row.ns_per_household(),
			row.twin_ms,
			row.verify_ms,
			row.sweeps
		);
	}
	println!();
	balance_table();
}

fn balance_table() {
	println!("| 1000 households x {STRATEGIES} in balance, under the chain's bounds | ms |");
	println!("|---|---|");
	for seed in 0..3 {
		let game = leaning(Lean::Balance, seed, 1_000);
		let config = on_chain(&game);
		let solution = solve(&game, &config, None);
		let [time] = medians(
			5,
			[&mut || drop(black_box(solve(black_box(&game), &config, None)))],
		);
		let Solution {
			certificate: Certificate {
				status, traded_wh, ..
			},
			sweeps,
			starts,
			..
		} = solution;
		let result = format!("{status:?}, {traded_wh} Wh traded, {starts} starts, {sweeps} sweeps");
		println!("| {result} | {:.1} |", millis(time));
	}
}

fn measure(criterion: &mut Criterion) {
	let config = two_starts();
	let mut group = criterion.benchmark_group("community");
	group
		.sample_size(20)
		.warm_up_time(Duration::from_millis(500))
		.measurement_time(Duration::from_secs(2));
	for households in [100, 1_000, 10_000] {
		let Some((game, solution)) = settling(1, households).pop() else {
			continue;
		};
		group.throughput(Throughput::Elements(households as u64));
		let id = |name: &str| BenchmarkId::new(name, households);
		group.bench_function(id("solve"), |b| b.iter(|| solve(black_box(&game), &config, None)));
		group.bench_function(id("f64 twin"), |b| b.iter(|| twin::solve(black_box(&game))));
		group.bench_function(id("verify"), |b| {
			b.iter(|| verify(black_box(&game), &solution.profile, config.epsilon))
		});
	}
	group.finish();
	criterion.bench_function("log2", |b| b.iter(|| Log2::of(black_box(0x1234_5678_9ABC))));
	criterion.bench_function("f64 log2", |b| {
		b.iter(|| black_box(20_015_998_343_868.0f64).log2())
	});
}

fn main() {
	if std::env::args().any(|argument| argument == "--table") {
		return table();
	}
	let mut criterion = Criterion::default().configure_from_args();
	measure(&mut criterion);
	criterion.final_summary();
}

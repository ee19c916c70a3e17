//! How fast a community is solved and verified, and what fixed point costs against plain f64.
//!
//! `cargo bench -p commonwatt-game` measures with criterion; `cargo bench -p commonwatt-game -- --table` prints the
//! table of `docs/measurements/weights-and-speed.md` instead, from medians of interleaved runs.

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

fn table() {
	let config = two_starts();
	// The same total of households at every size, so that caches and branch predictors are as cold at 100 as at 10,000.
	let mut sizes = Vec::new();
	let mut ratios = Vec::new();
	for (households, games) in [(100, 400), (1_000, 40), (10_000, 4)] {
		let games = settling(games, households);
		let mut sweeps = 0;
		for (game, solution) in &games {
			let (profile, gain, twin_sweeps) = twin::solve(game);
			assert_eq!(
				(&profile, twin_sweeps),
				(&solution.profile, solution.sweeps),
				"the twin went another way"
			);
			assert!(gain < 1.0 / 65_536.0);
			sweeps += solution.sweeps;
		}
		let [fixed, float, check] = medians(
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
		let each = |time: Duration| millis(time) / count;
		ratios.push((households, fixed.as_secs_f64() / float.as_secs_f64()));
		sizes.push((
			households,
			each(fixed),
			each(float),
			each(check),
			f64::from(sweeps) / count,
		));
	}
	let per_household =
		|(households, fixed, ..): &(usize, f64, f64, f64, f64)| fixed * 1e6 / *households as f64;
	println!("| ratio | measured | at most |");
	println!("|---|---|---|");
	for (households, ratio) in &ratios {
		println!("| fixed point to f64 twin, {households} households x {STRATEGIES} | {ratio:.2} | 1.50 |");
	}
	if let [first, .., last] = sizes.as_slice() {
		let growth = per_household(last) / per_household(first);
		println!(
			"| time per household, {} to {} households | {growth:.2} | 1.30 |",
			last.0, first.0
		);
	}
	println!();
	println!("| households x {STRATEGIES} strategies | solve, ms | per household, ns | f64 twin, ms | verify, ms | sweeps |");
	println!("|---|---|---|---|---|---|");
	for size in &sizes {
		let (households, fixed, float, check, sweeps) = size;
		let each = per_household(size);
		println!("| {households} | {fixed:.3} | {each:.0} | {float:.3} | {check:.3} | {sweeps:.1} |");
	}
	println!();
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

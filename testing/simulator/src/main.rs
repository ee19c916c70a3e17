//! `commonwatt-simulator`: the simulated year, run from `scripts/soak.sh`.

use clap::Parser;
use std::time::Instant;

/// Eras of a year.
const YEAR: u64 = 365 * 48;

/// Lets a community of 17 households live on the real runtime, with everything that goes wrong in a year, and checks
/// every block. The same seed gives the same run.
#[derive(Parser)]
struct Options {
	/// What the run follows from; by default a random one.
	#[arg(long)]
	seed: Option<u64>,
	/// Eras to play, of half an hour each; by default a year's.
	#[arg(long, default_value_t = YEAR)]
	eras: u64,
}

fn main() {
	let Options { seed, eras } = Options::parse();
	let seed = seed.unwrap_or_else(rand::random);
	println!("seed {seed}, {eras} eras");
	let started = Instant::now();
	let mut told = 0;
	let (tally, root) = commonwatt_simulator::run(seed, eras, |tally| {
		if tally.eras / 1_000 > told {
			told = tally.eras / 1_000;
			println!(
				"{:6} eras, {:6} blocks, {:4} s",
				tally.eras,
				tally.blocks,
				started.elapsed().as_secs()
			);
		}
	});
	println!("{tally}");
	println!("state root      {root}");
	if eras >= YEAR {
		tally.assert_nothing_untried();
	}
	println!("every check held; {} s", started.elapsed().as_secs());
}

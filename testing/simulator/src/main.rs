//! `commonwatt-simulator`: the simulated year. `scripts/soak.sh` runs it.

use clap::Parser;
use std::time::Instant;

/// Eras of a year.
const YEAR: u64 = 365 * 48;

/// Simulates a community of 17 households, and ten small ones with cheats and honest twins, on the real runtime, with
/// everything that goes wrong in a year. Checks every block. The same seed gives the same run.
#[derive(Parser)]
struct Options {
	/// Seed of the run [default: a random one, which is printed]
	#[arg(long)]
	seed: Option<u64>,
	/// Number of half-hour eras to simulate; the default is a year
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
	println!("all checks passed in {} s", started.elapsed().as_secs());
}

//! The simulation for a week; `scripts/soak.sh` runs it for a year.

use commonwatt_simulator::{run, Tally};

const WEEK: u64 = 7 * 48;

fn a_week(seed: u64) -> Tally {
	println!("seed {seed}");
	let (tally, _) = run(seed, WEEK, |_| ());
	println!("{tally}");
	tally
}

#[test]
fn week_from_a_fixed_seed_tries_everything_and_passes_every_check() {
	a_week(1).assert_nothing_untried();
}

#[test]
fn week_from_a_random_seed_passes_every_check() {
	a_week(rand::random());
}

#[test]
fn same_seed_gives_the_same_tally_and_state_root() {
	let [first, second, other] = [7, 7, 8].map(|seed| run(seed, 100, |_| ()));
	assert_eq!(first, second);
	assert_ne!(first.1, other.1);
}

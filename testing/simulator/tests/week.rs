//! The simulation for a week; `scripts/soak.sh` runs it for a year.

use commonwatt_simulator::{run, Tally};

/// A day of half hours.
const DAY: u64 = 48;

fn simulate(seed: u64, eras: u64) -> Tally {
	println!("seed {seed}");
	let (tally, _) = run(seed, eras, |_| ());
	println!("{tally}");
	tally
}

#[test]
fn week_from_a_fixed_seed_tries_everything_and_passes_every_check() {
	simulate(1, 7 * DAY).assert_nothing_untried();
}

#[test]
fn days_from_a_random_seed_pass_every_check() {
	simulate(rand::random(), 3 * DAY);
}

#[test]
fn same_seed_gives_the_same_tally_and_state_root() {
	let [first, second, other] = [7, 7, 8].map(|seed| run(seed, DAY, |_| ()));
	assert_eq!(first, second);
	assert_ne!(first.1, other.1);
}

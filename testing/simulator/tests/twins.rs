//! No household ends ahead of its honest twin.

use commonwatt_simulator::twins::{gain, gains_with_operator, Persona, CHEATS};

/// Five days.
const ERAS: u32 = 240;

#[test]
fn no_cheat_ends_ahead_of_its_honest_twin() {
	let seed = rand::random();
	let honest = gain(Persona::Honest, seed, ERAS);
	println!("seed {seed}: honest {honest}");
	let mut ahead = Vec::new();
	for cheat in CHEATS {
		let gained = gain(cheat, seed, ERAS);
		println!("{cheat:?} {gained}, {} less than honest", honest - gained);
		if gained > honest {
			ahead.push(cheat);
		}
	}
	assert!(
		ahead.is_empty(),
		"seed {seed}: ahead of the honest twin: {ahead:?}"
	);
}

#[test]
fn greedy_operator_gains_nothing_and_changes_no_bill() {
	let seed = rand::random();
	let honest = gains_with_operator(false, seed, ERAS / 2);
	println!("seed {seed}: the operator earns {}", honest.operator);
	assert_eq!(gains_with_operator(true, seed, ERAS / 2), honest, "seed {seed}");
	assert!(honest.operator > 0);
}

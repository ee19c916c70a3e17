//! No household ends ahead of its honest twin.

use commonwatt_simulator::twins::{gain, Persona, CHEATS};

/// Ten days.
const ERAS: u32 = 480;

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

//! Random communities: how many end certified, and what becomes of the rest.
//!
//! A short run by default. The full one:
//! `COMMONWATT_COMMUNITIES=100000 cargo test --release -p commonwatt-game --test communities -- --nocapture`

mod support;
use commonwatt_game::*;

/// Profiles up to which a game without a certificate is enumerated.
const ENUMERABLE: u64 = 20_000_000;

fn count(default: u64) -> u64 {
	std::env::var("COMMONWATT_COMMUNITIES")
		.ok()
		.and_then(|count| count.parse().ok())
		.unwrap_or(default)
}

#[derive(Debug, Default)]
struct Tally {
	games: u64,
	certified: u64,
	certified_by_the_first_start: u64,
	/// No certificate, and enumeration finds no equilibrium either.
	without_equilibrium: u64,
	/// No certificate, though enumeration finds an equilibrium.
	missed: Vec<u64>,
	/// No certificate, and too many profiles to enumerate.
	unknown: Vec<u64>,
	largest_gain_left: Log2,
	most_sweeps: u32,
	sweeps: u64,
	starts: [u32; 17],
}

fn run(make: fn(u64) -> Game, games: u64) -> Tally {
	let config = SolverConfig::default();
	let mut tally = Tally {
		games,
		..Default::default()
	};
	for seed in 0..games {
		let game = make(seed);
		let solution = solve(&game, &config, None);
		let verified = verify(&game, &solution.profile, config.epsilon);
		assert_eq!(verified, Ok(solution.certificate), "seed {seed}");
		tally.sweeps += u64::from(solution.sweeps);
		tally.most_sweeps = tally.most_sweeps.max(solution.sweeps);
		tally.starts[solution.starts as usize] += 1;
		let first = solve(
			&game,
			&SolverConfig {
				max_starts: 1,
				..config
			},
			None,
		);
		tally.certified_by_the_first_start += u64::from(first.certificate.status == Status::Equilibrium);
		if solution.certificate.status == Status::Equilibrium {
			tally.certified += 1;
			continue;
		}
		tally.largest_gain_left = tally.largest_gain_left.max(solution.certificate.max_gain);
		match support::profiles(&game).filter(|profiles| *profiles <= ENUMERABLE) {
			None => tally.unknown.push(seed),
			Some(_) if support::enumerate(&game, 1.0 / 65_536.0).is_some() => tally.missed.push(seed),
			Some(_) => tally.without_equilibrium += 1,
		}
	}
	println!("{tally:?}");
	tally
}

#[test]
fn communities_of_the_model_end_certified() {
	let tally = run(support::community, count(3_000));
	assert!(
		tally.missed.is_empty(),
		"equilibria that were not found: {:?}",
		tally.missed
	);
	// At least 99.99 % of all.
	assert!(
		(tally.games - tally.certified) * 10_000 <= tally.games,
		"{tally:?}"
	);
}

#[test]
fn arbitrary_communities_end_certified_where_an_equilibrium_is_known() {
	let tally = run(support::arbitrary_community, count(1_000));
	// What is missed sits in games with more profiles than the solver walks.
	for seed in &tally.missed {
		assert!(
			support::profiles(&support::arbitrary_community(*seed)).is_none_or(|profiles| profiles > 65_536)
		);
	}
	assert!(
		(tally.games - tally.certified) * 100 <= tally.games.max(1_000),
		"{tally:?}"
	);
}

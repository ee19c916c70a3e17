//! Random communities: how many end certified, and what becomes of the rest.
//!
//! A short run by default. The full one:
//! `COMMONWATT_COMMUNITIES=100000 cargo test --release -p commonwatt-game --test communities -- --nocapture`

mod support;
use commonwatt_game::*;
use support::boxes::Verdict;

/// Profiles up to which a game without a certificate is enumerated.
const ENUMERABLE: u64 = 20_000_000;

/// Epsilon, 2^-16.
const TOLERANCE: f64 = 1.0 / 65_536.0;

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
	/// Certified, but nothing is traded although both sides are there.
	idle: u64,
	/// No certificate, and there is none to have: by enumeration, or by a complete search over totals.
	without_equilibrium: u64,
	/// No certificate, though there is an equilibrium.
	missed: Vec<u64>,
	/// No certificate, and too large for either.
	unknown: u64,
	largest_gain_left: Log2,
	most_sweeps: u32,
	sweeps: u64,
	starts: Vec<u32>,
}

fn run(make: fn(u64) -> Game, games: u64) -> Tally {
	let config = SolverConfig::default();
	let mut tally = Tally {
		games,
		starts: vec![0; config.max_starts as usize + 1],
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
			let side = |kind| {
				game.households()
					.iter()
					.any(|h| h.strategies.iter().any(|s| s.kind == kind))
			};
			let both = side(Kind::SellToCommunity) && side(Kind::BuyFromCommunity);
			tally.idle += u64::from(both && solution.certificate.traded_wh == 0);
			continue;
		}
		tally.largest_gain_left = tally.largest_gain_left.max(solution.certificate.max_gain);
		let float = support::Float::new(&game);
		let verdict = match support::profiles(&game).filter(|profiles| *profiles <= ENUMERABLE) {
			Some(_) => support::enumerate(&game, TOLERANCE).map_or(Verdict::None, Verdict::Equilibrium),
			None => float.search(TOLERANCE, 500),
		};
		match verdict {
			Verdict::Equilibrium(_) => tally.missed.push(seed),
			Verdict::None => tally.without_equilibrium += 1,
			Verdict::Unknown => tally.unknown += 1,
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
	// What is missed is too large to be enumerated: the tests' own search over totals found it.
	for seed in &tally.missed {
		assert!(support::profiles(&support::arbitrary_community(*seed))
			.is_none_or(|profiles| profiles > ENUMERABLE));
	}
	// All but five in a thousand are certified, or proved to have no equilibrium.
	let unclear = tally.missed.len() as u64 + tally.unknown;
	assert!(unclear * 200 <= tally.games.max(1_000), "{tally:?}");
}

/// A household that earns nothing whatever it does used to be put into the pool for good. It is indifferent, but the
/// others are not, and in these communities only its other choice leaves them an equilibrium.
#[test]
fn an_indifferent_household_is_not_decided_for() {
	for seed in [12_039, 23_869, 24_377, 29_731, 74_473, 74_981, 80_203] {
		let game = support::community(seed);
		let solution = solve(&game, &SolverConfig::default(), None);
		assert_eq!(solution.certificate.status, Status::Equilibrium, "seed {seed}");
	}
}

/// No path of best responses in household order leads to the equilibria of these: the scattered starts or the search
/// over totals find them.
#[test]
fn equilibria_off_the_beaten_path_are_found() {
	let config = SolverConfig::default();
	let mut found = 0;
	for seed in 0..2_000 {
		let game = support::arbitrary_community(seed);
		let solution = solve(&game, &config, None);
		found += u32::from(solution.starts > 4 && solution.certificate.status == Status::Equilibrium);
	}
	assert!(found >= 20, "{found}");
}

/// Whether another strategy of the household is at least as good against everything that its only neighbour may do: such
/// a strategy is not looked at.
fn is_dominated(game: &Game, household: usize, strategy: u8) -> bool {
	let neighbour = 1 - household;
	let payoffs: Vec<Vec<Log2>> = (0..game.households()[neighbour].strategies.len() as u8)
		.map(|choice| {
			let mut profile = [0, 0];
			(profile[household], profile[neighbour]) = (strategy, choice);
			explain(game, &profile, household).unwrap()
		})
		.collect();
	let others =
		(0..game.households()[household].strategies.len()).filter(|other| *other != usize::from(strategy));
	let mut better = others.map(|other| {
		payoffs
			.iter()
			.all(|row| row[other].0 + 16 >= row[usize::from(strategy)].0)
	});
	better.any(|better| better)
}

/// Two households that chase each other: the smallest game found that has no pure equilibrium. It ends `Approximate`
/// with the smallest largest gain of all profiles whose strategies are not dominated.
#[test]
fn a_game_without_an_equilibrium_says_so() {
	let config = SolverConfig::default();
	let smallest = (0..20_000)
		.map(|seed| support::wild_community(&mut support::Random(seed), 2, false))
		.find(|game| support::enumerate(game, TOLERANCE).is_none())
		.expect("one in some thousand is");
	let solution = solve(&smallest, &config, None);
	assert_eq!(solution.certificate.status, Status::Approximate);
	assert!(solution.certificate.max_gain > config.epsilon);
	let [first, second] = smallest.households() else {
		panic!("made with two")
	};
	let mut compared = 0;
	for left in 0..first.strategies.len() as u8 {
		for right in 0..second.strategies.len() as u8 {
			if is_dominated(&smallest, 0, left) || is_dominated(&smallest, 1, right) {
				continue;
			}
			compared += 1;
			let other = verify(&smallest, &[left, right], config.epsilon).unwrap();
			assert!(
				other.max_gain.0 >= solution.certificate.max_gain.0 - 16,
				"{left} {right}"
			);
		}
	}
	assert!(compared >= 4, "{compared}");
}

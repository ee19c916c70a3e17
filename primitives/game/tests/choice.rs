//! Which of several equilibria the solver returns, under the limits of the chain.
//!
//! Compares small games with all their pure equilibria, and larger communities with a search that has a hundred times
//! the budget. The default run is short. The figures of `docs/measurements/game.md` come from
//! `COMMONWATT_GAMES=3000 cargo test --release -p commonwatt-game --test choice -- --nocapture`.

mod support;
use commonwatt_game::*;
use std::fmt;
use support::{measured::on_chain, sized_community, wild_community, Random};

/// The number of games of each kind.
fn count(default: u64) -> u64 {
	std::env::var("COMMONWATT_GAMES")
		.ok()
		.and_then(|count| count.parse().ok())
		.unwrap_or(default)
}

/// The order of profiles; the smallest is the best.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
	is_uncertified: bool,
	is_idle: bool,
	main_wh: u64,
}

impl Rank {
	const WORST: Self = Self {
		is_uncertified: true,
		is_idle: true,
		main_wh: 0,
	};
}

fn rank(game: &Game, profile: &[u8]) -> Rank {
	let certificate = verify(game, profile, SolverConfig::default().epsilon).unwrap();
	let shares = allocate(game, profile).unwrap();
	let main_wh = shares.iter().map(|share| share.main_wh.unsigned_abs()).sum();
	Rank {
		is_uncertified: certificate.status == Status::Approximate,
		is_idle: certificate.traded_wh == 0,
		main_wh,
	}
}

#[derive(Default)]
struct Tally {
	games: u64,
	with_equilibrium: u64,
	best: u64,
	/// Games whose excess is at most a thousandth of all energy exchanged, the best included.
	close: u64,
	missed: u64,
	idle: u64,
	idle_although_trade_was_possible: u64,
	found_wh: u64,
	best_wh: u64,
	/// Sum over the games of the excess divided by all energy that the households exchange. The excess is the energy
	/// exchanged with the main grid above that of the best equilibrium.
	excess: f64,
	evaluations: u64,
	most_evaluations: u64,
}

impl Tally {
	fn add(&mut self, game: &Game, solution: &Solution, best: Rank) {
		self.games += 1;
		self.evaluations += solution.evaluations;
		self.most_evaluations = self.most_evaluations.max(solution.evaluations);
		if best.is_uncertified {
			return;
		}
		self.with_equilibrium += 1;
		let found = rank(game, &solution.profile);
		if found.is_uncertified {
			self.missed += 1;
			return;
		}
		self.idle += u64::from(found.is_idle);
		self.idle_although_trade_was_possible += u64::from(found.is_idle && !best.is_idle);
		if found <= best {
			self.best += 1;
			self.close += 1;
			return self.add_energies(found.main_wh, found.main_wh, 1);
		}
		let traded_wh = 2 * solution.certificate.traded_wh;
		let all_wh = found.main_wh + traded_wh;
		self.close += u64::from((found.main_wh - best.main_wh) * 1_000 <= all_wh);
		self.add_energies(found.main_wh, best.main_wh, all_wh);
	}

	fn add_energies(&mut self, found_wh: u64, best_wh: u64, all_wh: u64) {
		self.found_wh += found_wh;
		self.best_wh += best_wh;
		self.excess += found_wh.saturating_sub(best_wh) as f64 / all_wh.max(1) as f64;
	}

	fn percent_best(&self) -> f64 {
		100.0 * self.best as f64 / self.with_equilibrium.max(1) as f64
	}

	/// Excess of all games together, in percent of the energy that the best equilibria exchange with the main grid.
	fn excess_of_main(&self) -> f64 {
		100.0 * (self.found_wh as f64 / self.best_wh.max(1) as f64 - 1.0)
	}

	/// Mean over the games of the excess, in percent of all energy exchanged.
	fn excess_of_all(&self) -> f64 {
		100.0 * self.excess / self.with_equilibrium.max(1) as f64
	}
}

impl fmt::Display for Tally {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(
			f,
			"{} games, {} with an equilibrium: {} best ({:.2} %), {} within 0.1 %, {} missed, {} idle, {} of them \
			 although trade was possible; excess {:.3} % of the main grid's energy, {:.3} % of all energy in the mean; \
			 evaluations {} in the mean, {} at most",
			self.games,
			self.with_equilibrium,
			self.best,
			self.percent_best(),
			self.close,
			self.missed,
			self.idle,
			self.idle_although_trade_was_possible,
			self.excess_of_main(),
			self.excess_of_all(),
			self.evaluations / self.games.max(1),
			self.most_evaluations
		)
	}
}

const KINDS: [&str; 3] = [
	"households that may always use the main grid",
	"the same, with strategies of every sort",
	"arbitrary strategy sets",
];

fn community(kind: usize, random: &mut Random, households: usize, levels: i64) -> Game {
	match kind {
		0 => sized_community(random, households, levels),
		1 => wild_community(random, households, true),
		_ => wild_community(random, households, false),
	}
}

/// Compares with every pure equilibrium of games with at most 20,000 profiles.
#[test]
fn the_solver_finds_the_best_equilibrium_of_small_games() {
	for (kind, name) in KINDS.iter().enumerate() {
		let mut tally = Tally::default();
		for seed in 0.. {
			if tally.games == count(300) {
				break;
			}
			let mut random = Random(seed * 3 + kind as u64);
			let households = random.within(2, 6) as usize;
			let game = community(kind, &mut random, households, 4);
			if support::profiles(&game).is_none_or(|profiles| profiles > 20_000) {
				continue;
			}
			let equilibria = support::all_equilibria(&game, 1.0 / 65_536.0);
			let best = equilibria.iter().map(|profile| rank(&game, profile)).min();
			let solution = solve(&game, &on_chain(&game), None);
			tally.add(&game, &solution, best.unwrap_or(Rank::WORST));
		}
		println!("{name}: {tally}");
		assert!(tally.percent_best() >= 99.0, "{name}: {tally}");
		assert!(tally.excess_of_main() <= 0.5, "{name}: {tally}");
		assert_eq!(
			(tally.missed, tally.idle_although_trade_was_possible),
			(0, 0),
			"{name}: {tally}"
		);
	}
}

/// The best of a hundred solves under the limits of the chain, each with a random profile as an additional start.
fn hundredfold(game: &Game, first: &Solution, random: &mut Random) -> Rank {
	let mut best = rank(game, &first.profile);
	for _ in 1..100 {
		let any = |household: &Household| random.within(0, household.strategies.len() as i64 - 1) as u8;
		let profile: Vec<u8> = game.households().iter().map(any).collect();
		let solution = solve(game, &on_chain(game), Some(&profile));
		best = best.min(rank(game, &solution.profile));
	}
	best
}

/// Compares with a search that has a hundred times the budget, for 12 to 200 households. That search may miss the best
/// equilibrium; no method can prove it at this size.
#[test]
fn the_solver_comes_close_to_a_hundredfold_search_of_communities() {
	for (kind, name) in KINDS.iter().enumerate() {
		let mut tally = Tally::default();
		for seed in 0..count(300) / 10 {
			let mut random = Random(seed * 3 + kind as u64);
			let households = random.within(12, 200) as usize;
			let game = community(kind, &mut random, households, 8);
			let solution = solve(&game, &on_chain(&game), None);
			let best = hundredfold(&game, &solution, &mut random);
			tally.add(&game, &solution, best);
		}
		println!("12 to 200, {name}: {tally}");
		// Many equilibria differ by a few Wh, and a hundred solves usually find a better one of them than a single
		// solve. The energy lost this way must stay small.
		assert!(tally.excess_of_all() <= 5.0, "{name}: {tally}");
		// Ordinary communities have stricter limits. The figures of the other kinds are published as they are.
		if kind == 0 {
			assert!(tally.percent_best() >= 90.0, "{name}: {tally}");
			assert!(tally.excess_of_all() <= 0.5, "{name}: {tally}");
			assert_eq!(tally.idle_although_trade_was_possible, 0, "{name}: {tally}");
		}
	}
}

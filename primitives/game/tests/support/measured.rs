//! The communities that speed and memory are measured on, and how to take the time of several runs.

use super::{Lean, Random};
use commonwatt_game::*;
use std::time::{Duration, Instant};

/// The bounds of the chain for a game, as the runtime sets them.
pub fn on_chain(game: &Game) -> SolverConfig {
	SolverConfig {
		max_evaluations: 65_536 + 1_024 * game.households().len() as u64,
		..SolverConfig::default()
	}
}

/// In every household.
pub const STRATEGIES: i64 = 16;

/// A community with 16 strategies in every household: eight levels of consumption, each in the pool and on the main
/// grid, the temperature following the consumption. By turns in surplus and in shortage.
pub fn community(seed: u64, households: usize) -> Game {
	leaning(
		if seed.is_multiple_of(2) {
			Lean::Surplus
		} else {
			Lean::Shortage
		},
		seed,
		households,
	)
}

/// The same with a lean of one's choice. One in balance may use every start and box that it is allowed.
pub fn leaning(lean: Lean, seed: u64, households: usize) -> Game {
	let mut random = Random(seed);
	let mut player = || {
		let load = random.within(200, 4_000);
		let generation = match lean {
			Lean::Surplus => random.within(load / 2, 3 * load),
			Lean::Shortage => random.within(0, 3 * load / 2),
			Lean::Balance => random.within(0, 2 * load),
		};
		let indoor = random.within(1_800, 2_400);
		let mut strategies = Vec::new();
		while (strategies.len() as i64) < STRATEGIES {
			let consumption = load + load * random.within(-40, 40) / 100;
			let temperature_centi_c = (indoor + (consumption - load) / 10) as i16;
			let kinds = match generation - consumption {
				10.. => [Kind::SellToCommunity, Kind::SellToMain],
				..=-10 => [Kind::BuyFromCommunity, Kind::BuyFromMain],
				_ => [Kind::Neutral; 2],
			};
			strategies.extend(kinds.map(|kind| Strategy {
				kind,
				consumption_wh: consumption as u32,
				temperature_centi_c,
			}));
		}
		let a = Ratio {
			numerator: 1,
			denominator: 36,
		};
		let comfort = Some(Comfort {
			min_centi_c: 1500,
			max_centi_c: 2700,
			a,
		});
		Household {
			generation_wh: generation as u32,
			comfort,
			strategies,
		}
	};
	let players = (0..households).map(|_| player()).collect();
	Game::new(
		Rules {
			lambda: Ratio {
				numerator: 4,
				denominator: 1,
			},
			resolution_wh: 10,
		},
		players,
	)
	.unwrap()
}

/// The first two starts, which the f64 twin makes too.
pub fn two_starts() -> SolverConfig {
	SolverConfig {
		max_starts: 2,
		..SolverConfig::default()
	}
}

/// The first `games` communities in which both of the first two starts settle and a trading equilibrium is found, each
/// with its solution.
pub fn settling(games: usize, households: usize) -> Vec<(Game, Solution)> {
	let solved = (1..).map(|seed| {
		let game = community(seed, households);
		let solution = solve(&game, &two_starts(), None);
		(game, solution)
	});
	let settles = |(_, solution): &(Game, Solution)| {
		let certificate = solution.certificate;
		certificate.status == Status::Equilibrium && certificate.traded_wh > 0 && solution.sweeps < 16
	};
	solved.filter(settles).take(games).collect()
}

/// Medians of `rounds` runs of each; the runs take turns, so that whatever else the machine does hits all alike.
pub fn medians<const N: usize>(rounds: usize, mut runs: [&mut dyn FnMut(); N]) -> [Duration; N] {
	let mut times = vec![[Duration::ZERO; N]; rounds];
	for round in &mut times {
		for (time, run) in round.iter_mut().zip(&mut runs) {
			let start = Instant::now();
			run();
			*time = start.elapsed();
		}
	}
	std::array::from_fn(|run| {
		let mut column: Vec<Duration> = times.iter().map(|round| round[run]).collect();
		column.sort_unstable();
		column[rounds / 2]
	})
}

pub fn millis(time: Duration) -> f64 {
	time.as_secs_f64() * 1e3
}

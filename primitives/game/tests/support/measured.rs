//! Communities for measuring speed and memory, and a stopwatch that compares several runs.

use super::{communities::Lean, random::Random};
use commonwatt_game::*;
use std::time::{Duration, Instant};

/// The limits that the runtime sets for a game on the chain.
pub fn on_chain(game: &Game) -> SolverConfig {
	SolverConfig {
		max_evaluations: 65_536 + 1_024 * game.households().len() as u64,
		..SolverConfig::default()
	}
}

/// Strategies of every household.
pub const STRATEGIES: i64 = 16;

/// A community in surplus for an even seed and in shortage for an odd one, see [`leaning`].
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

/// A community with 16 strategies in every household: eight levels of consumption, each in the pool and on the main
/// grid, with a temperature that follows the consumption. A community in balance may take the whole budget.
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

/// Limits with two starts, as many as the f64 twin makes.
pub fn two_starts() -> SolverConfig {
	SolverConfig {
		max_starts: 2,
		..SolverConfig::default()
	}
}

/// The first `games` communities in which both starts settle and the solver finds an equilibrium with trade, each with
/// its solution.
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

/// The median time of each run over `rounds` rounds. The runs alternate, so that other load on the machine affects all
/// of them alike.
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

//! The search: its memory of visits, and its budget.

use super::{
	cases::RULES,
	support::{self, Random},
};
use crate::{payoff::counted, search::Search, sweep::Sweep, *};
use std::vec;

#[test]
fn a_new_start_forgets_the_visits_of_the_previous_one() {
	// The buyer has no choice, so the others' pool never changes for the seller.
	let strategy = |kind, consumption_wh| Strategy {
		kind,
		consumption_wh,
		temperature_centi_c: 0,
	};
	let seller = vec![strategy(Kind::SellToCommunity, 0), strategy(Kind::SellToMain, 0)];
	let buyer = vec![strategy(Kind::BuyFromCommunity, 1_000)];
	let household = |generation_wh, strategies| Household {
		generation_wh,
		comfort: None,
		strategies,
	};
	let game = Game::new(RULES, vec![household(1_000, seller), household(0, buyer)]).unwrap();
	let mut search = Search::new(&game, SolverConfig::default().epsilon, 1_000);
	search.begin_in_pool();
	assert_eq!(search.sweep(), Sweep::Settled);
	search.begin_from(&game, &[1, 0]);
	assert_eq!(
		search.sweep(),
		Sweep::Unsettled,
		"the seller gains by leaving the main grid"
	);
	assert_eq!(search.sweep(), Sweep::Settled);
	assert_eq!(search.into_profile(None), [0, 0]);
}

/// Counts the payoffs that are actually evaluated, over arbitrary games and budgets.
#[test]
fn no_solve_evaluates_more_than_its_budget() {
	let mut random = Random(11);
	let (mut exhausted, mut searched) = (0, 0);
	for seed in 0..3_000 {
		let households = random.within(0, 30) as usize;
		let game = match seed % 3 {
			0 => support::sized_community(&mut random, households, 8),
			1 => support::wild_community(&mut random, households, true),
			_ => support::wild_community(&mut random, households, false),
		};
		let config = SolverConfig {
			max_sweeps: random.within(0, 40) as u32,
			max_starts: random.within(0, 40) as u32,
			max_evaluations: 1 << random.within(0, 18),
			..Default::default()
		};
		let strategies: usize = game
			.households()
			.iter()
			.map(|household| household.strategies.len())
			.sum();
		let certificate = (game.households().len() + strategies) as u64;
		counted::take();
		let solution = solve(&game, &config, None);
		let counted = counted::take();
		assert!(
			counted <= solution.evaluations,
			"{counted} evaluations, but the solution says {}: {game:?}",
			solution.evaluations
		);
		assert!(
			solution.evaluations <= config.max_evaluations.max(certificate),
			"{config:?} {game:?}"
		);
		exhausted += u32::from(solution.evaluations + 300 > config.max_evaluations);
		searched += u32::from(solution.evaluations > 100 * certificate);
	}
	// The test covers budgets that run out and games that take much work.
	assert!(exhausted > 300 && searched > 50, "{exhausted} {searched}");
}

//! The state that every part of the solver works on: the households that have a choice, their strategies, the current
//! profile and the remaining budget. [`crate::sweep`] and [`crate::branch_and_bound`] change the profile.

use crate::{
	game::{Game, Household},
	log2::{Log2, PAYOFF_ERROR},
	payoff::{LogRules, Pool},
	prepared::{best_response, PreparedStrategy, Side},
};
use alloc::vec::Vec;
use core::cmp::Reverse;

/// Consecutive entries of a list that all players share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
	pub first: u32,
	pub length: u32,
}

/// A household that has more than one strategy to choose from after preparation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Player {
	/// Index of the household in the game.
	pub household: u32,
	/// Its pool strategies in [`Search::options`], highest `max_payoff` first.
	options: Span,
	/// The best of its strategies outside the pool, whose payoffs do not depend on the others.
	pub outside: Option<PreparedStrategy>,
	/// Its choice in the current profile.
	pub current: PreparedStrategy,
	/// The others' pool at the last visit, if `current` was the best response to it then. The next sweep skips the
	/// player if the pool is still the same.
	pub seen: Option<Pool>,
	/// Its part of [`Search::candidates`]; the length is the number of candidates left.
	pub candidates: Span,
	/// Position of `current` among the candidates while [`crate::branch_and_bound`] enumerates profiles.
	pub digit: u32,
}

impl Player {
	/// Its pool strategies; `all` is [`Search::options`].
	pub fn options<'a>(&self, all: &'a [PreparedStrategy]) -> &'a [PreparedStrategy] {
		let first = self.options.first as usize;
		all.get(first..first + self.options.length as usize)
			.unwrap_or_default()
	}

	/// The pool strategy with this index; for any larger index the strategy outside the pool.
	pub fn choice(&self, all: &[PreparedStrategy], index: u32) -> Option<PreparedStrategy> {
		self.options(all).get(index as usize).copied().or(self.outside)
	}

	/// The number of strategies to choose from, at most 255.
	pub fn choices(&self) -> u32 {
		self.options.length + u32::from(self.outside.is_some())
	}

	/// Upper bound of the evaluations that [`Search::gain`] or a best response takes.
	pub fn max_evaluations(&self) -> u64 {
		u64::from(self.options.length) + VISIT
	}
}

/// Evaluations that visiting a player costs besides those of its options: one for the payoff of its current strategy,
/// and one for the visit itself.
pub(crate) const VISIT: u64 = 2;

/// The state of a search. Its memory is linear in the number of strategies; [`Search::new`] allocates all of it.
pub(crate) struct Search {
	pub rules: LogRules,
	/// The pool strategies of all players.
	pub options: Vec<PreparedStrategy>,
	pub players: Vec<Player>,
	/// For each player, room for the indices of all its choices. [`crate::branch_and_bound`] keeps those in it that it
	/// has not ruled out.
	pub candidates: Vec<u8>,
	/// Choices of the households that are not players. The entries of players are placeholders.
	profile: Vec<u8>,
	/// The positions in the pool of the households that are not players.
	pub decided: Pool,
	/// The energy that the households that are not players exchange with the main grid outside the pool.
	pub decided_outside_wh: u64,
	/// The pool of the current profile.
	pub pool: Pool,
	/// A player moves only if it gains more than this. Epsilon minus the rounding on both sides of three comparisons:
	/// the one made here, the one in [`crate::verify`], and the margin of its verdict. So a profile that nobody leaves
	/// here is certified there.
	pub threshold: Log2,
	/// Indices of the players, in the order in which a sweep visits them.
	pub order: Vec<u32>,
	/// State of the pseudo-random sequence of a scattered start; `None` in a plain one.
	pub scatter: Option<u64>,
	/// The player that refuted the previous profile.
	last_refuter: usize,
	/// Evaluations left in the budget, see [`crate::SolverConfig::max_evaluations`].
	pub evaluations_left: u64,
}

impl Search {
	/// Prepares all strategies. `epsilon` is the gain that an equilibrium may leave, `budget` the evaluations allowed.
	pub fn new(game: &Game, epsilon: Log2, budget: u64) -> Self {
		let households = game.households();
		let strategies = households
			.iter()
			.map(|household| household.strategies.len())
			.sum();
		let mut search = Self {
			rules: LogRules::new(game.rules()),
			options: Vec::with_capacity(strategies),
			players: Vec::with_capacity(households.len()),
			candidates: Vec::with_capacity(strategies),
			profile: Vec::with_capacity(households.len()),
			decided: Pool::default(),
			decided_outside_wh: 0,
			pool: Pool::default(),
			// If the subtraction saturates, the result is negative, and the maximum makes it zero.
			threshold: Log2(epsilon.0.saturating_sub(6 * PAYOFF_ERROR.0).max(0)),
			order: Vec::with_capacity(households.len()),
			scatter: None,
			last_refuter: 0,
			evaluations_left: budget,
		};
		let mut open = Vec::new();
		for (index, household) in (0u32..).zip(households) {
			search.add(index, household, &mut open);
		}
		search
	}

	/// Prepares one household: drops its dominated strategies and, if a single one remains, decides for it. `open` is
	/// scratch space.
	fn add(&mut self, index: u32, household: &Household, open: &mut Vec<PreparedStrategy>) {
		let outside = self.prepare(household, open);
		let current = open
			.first()
			.copied()
			.or(outside)
			.expect("a checked household has a strategy, in the pool or outside; qed");
		self.profile.push(current.choice);
		let choices = open.len() + usize::from(outside.is_some());
		if open.is_empty() || choices == 1 {
			current.join(&mut self.decided);
			if current.side == Side::Outside {
				self.decided_outside_wh += u64::from(current.x_wh);
			}
			return;
		}
		// At most 65,535 * 255 strategies, which fits 32 bits.
		let options = Span {
			first: self.options.len() as u32,
			length: open.len() as u32,
		};
		self.options.extend_from_slice(open);
		let candidates = Span {
			first: self.candidates.len() as u32,
			length: 0,
		};
		self.candidates.resize(self.candidates.len() + choices, 0);
		// There are at most 65,535 players.
		self.order.push(self.players.len() as u32);
		self.players.push(Player {
			household: index,
			options,
			outside,
			current,
			seen: None,
			candidates,
			digit: 0,
		});
	}

	/// Fills `open` with the household's pool strategies that are not dominated, highest `max_payoff` first, and
	/// returns its best strategy outside the pool.
	fn prepare(&self, household: &Household, open: &mut Vec<PreparedStrategy>) -> Option<PreparedStrategy> {
		open.clear();
		let mut outside: Option<PreparedStrategy> = None;
		let prepared = || {
			let strategies = (0u8..=u8::MAX).zip(&household.strategies);
			strategies
				.map(|(choice, strategy)| PreparedStrategy::new(&self.rules, household, choice, strategy))
		};
		// A household that earns nothing whatever it does is indifferent, but its choice matters to the others. So all
		// its strategies stay open, and it stays where a start puts it.
		let earns = prepared().any(|strategy| strategy.earns());
		for strategy in prepared().filter(|strategy| strategy.earns() == earns) {
			// Of equal payoffs outside the pool, the one that exchanges least with the main grid.
			let rank = |strategy: &PreparedStrategy| (strategy.served_payoff, Reverse(strategy.x_wh));
			if strategy.side != Side::Outside {
				open.push(strategy);
			} else if outside.is_none_or(|best| rank(&strategy) > rank(&best)) {
				outside = Some(strategy);
			}
		}
		drop_dominated(household, open);
		let floor = outside.map_or(Log2::NEG_INFINITY.0, |best| best.served_payoff);
		open.retain(|option| option.max_payoff > floor || !earns);
		open.sort_unstable_by_key(|option| {
			(
				Reverse(option.max_payoff),
				option.side,
				option.x_wh,
				option.choice,
			)
		});
		outside
	}

	/// The number of profiles of the players, saturating at 2^64 - 1.
	pub fn profiles(&self) -> u64 {
		let choices = self.players.iter().map(Player::choices);
		choices.fold(1, |product, choices| product.saturating_mul(choices.into()))
	}

	/// Whether energy is traded in the current profile.
	pub fn trades(&self) -> bool {
		self.pool.traded_wh() > 0
	}

	/// Whether the game has a seller to the pool and a buyer from it: a player with such a strategy, or a household
	/// that has no other choice.
	pub fn could_trade(&self) -> bool {
		let could = |player: &Player, side| {
			player
				.options(&self.options)
				.iter()
				.any(|option| option.side == side)
		};
		let anyone = |side| self.players.iter().any(|player| could(player, side));
		(self.decided.offered_wh > 0 || anyone(Side::Offers))
			&& (self.decided.requested_wh > 0 || anyone(Side::Requests))
	}

	/// What a player gains by its best change of strategy; `None` if the budget does not cover finding out.
	fn gain(&mut self, index: usize) -> Option<Log2> {
		let player = self.players.get(index)?;
		if self.evaluations_left < player.max_evaluations() {
			return None;
		}
		let mut others = self.pool;
		player.current.leave(&mut others);
		let now = player.current.payoff(&self.rules, &others);
		let best = best_response(
			&self.rules,
			player.options(&self.options),
			player.outside,
			&others,
		);
		self.evaluations_left -= best.evaluations + VISIT;
		Some(Log2(best.payoff).gain_over(Log2(now)))
	}

	/// The largest gain of any player by changing alone; `None` if the budget runs out first.
	pub fn largest_gain(&mut self) -> Option<Log2> {
		let mut largest = Log2::ZERO;
		for index in 0..self.players.len() {
			largest = largest.max(self.gain(index)?);
		}
		Some(largest)
	}

	/// Whether some player gains more than `limit` by changing alone; `None` if the budget runs out first.
	pub fn is_refuted(&mut self, limit: Log2) -> Option<bool> {
		// The player that refuted the previous profile usually refutes the next one too, so it goes first.
		let first = self.last_refuter.min(self.players.len());
		let order = (first..self.players.len()).take(1).chain(0..self.players.len());
		for index in order {
			if self.gain(index)? > limit {
				self.last_refuter = index;
				return Some(true);
			}
		}
		Some(false)
	}

	/// Energy that the current profile exchanges with the main grid in either direction, in Wh.
	pub fn main_wh(&self) -> u64 {
		let outside = self
			.players
			.iter()
			.filter(|player| player.current.side == Side::Outside);
		let players: u64 = outside.map(|player| u64::from(player.current.x_wh)).sum();
		self.decided_outside_wh + players + (self.pool.long_wh() - self.pool.traded_wh())
	}

	/// The current choice of each player.
	pub fn picks(&self) -> impl Iterator<Item = u8> + '_ {
		self.players.iter().map(|player| player.current.choice)
	}

	/// The profile of the whole game in which the players choose `picks`, or their current strategies for `None`.
	pub fn into_profile(self, picks: Option<Vec<u8>>) -> Vec<u8> {
		let picks = picks.unwrap_or_else(|| self.picks().collect());
		let mut profile = self.profile;
		for (player, pick) in self.players.iter().zip(picks) {
			if let Some(choice) = profile.get_mut(player.household as usize) {
				*choice = pick;
			}
		}
		profile
	}
}

/// Drops pool strategies for which another one of the household is never worse: of equal sales, those with less
/// comfort; of purchases, those with at least the energy and at most the comfort of another (point 4 of "What a buyer's
/// payoff looks like" in [`crate::payoff`]). If all comfort is zero, it drops only duplicates.
fn drop_dominated(household: &Household, open: &mut Vec<PreparedStrategy>) {
	let comfort = |option: &PreparedStrategy| {
		let strategy = household.strategies.get(usize::from(option.choice));
		// All strategies of a household share one comfort model and so one denominator.
		strategy.map_or(0, |strategy| household.comfort_of(strategy).numerator)
	};
	open.sort_unstable_by_key(|option| (option.side, option.x_wh, Reverse(comfort(option)), option.choice));
	open.dedup_by_key(|option| (option.side, option.x_wh));
	let mut most = None;
	open.retain(|option| {
		if option.side != Side::Requests || !option.earns() {
			return true;
		}
		let comfort = Some(comfort(option));
		let better = comfort > most;
		most = most.max(comfort);
		better
	});
}

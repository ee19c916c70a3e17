//! Looking for an equilibrium with bounded work.
//!
//! # What makes it fast
//! - On the main grid, when neutral and on the short side of the pool a payoff does not depend on the others; it is
//!   computed once. Only the long side of the pool is computed during a sweep.
//! - Each pool strategy has an upper bound on what it can ever earn. Pool strategies are kept in the order of that bound,
//!   and a best response stops at the first bound that cannot beat what it has.
//! - Pool strategies that another strategy of the household is never worse than are dropped before the first sweep, and a
//!   household with one strategy left is decided.
//! - A household is skipped when S and B of the others are what they were at its last visit.
//! - Nothing is allocated during a sweep.

use crate::{
	boxes::Ask,
	game::Game,
	log2::Log2,
	search::{Search, Sweep},
	verify::{verify, Certificate},
};
use alloc::vec::Vec;

/// Bounds of a solve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
	feature = "scale",
	derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking)
)]
#[cfg_attr(feature = "scale", derive(codec::MaxEncodedLen, scale_info::TypeInfo))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SolverConfig {
	/// Largest gain from changing alone that an equilibrium may leave, part of the definition of one.
	pub epsilon: Log2,
	/// Most sweeps from one start; of those that are not scattered there are at most 16.
	pub max_sweeps: u32,
	/// Most starts. The first is always made.
	pub max_starts: u32,
	/// Most evaluations of a payoff in the whole solve: sweeps, search over totals, judging and certifying. Looking at a
	/// household without need for a payoff counts as well. The certificate is always made, and taken off first: one
	/// evaluation for each household and each strategy. At the end of the budget the best that was found is the result.
	pub max_evaluations: u64,
}

impl Default for SolverConfig {
	/// Epsilon 2^-16, 128 sweeps from each of at most 32 starts, 2^21 evaluations.
	fn default() -> Self {
		Self {
			epsilon: Log2(1 << 16),
			max_sweeps: 128,
			max_starts: 32,
			max_evaluations: 1 << 21,
		}
	}
}

/// What a solve found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
	feature = "scale",
	derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking)
)]
#[cfg_attr(feature = "scale", derive(scale_info::TypeInfo))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Solution {
	/// The strategy of each household, as an index into its set.
	pub profile: Vec<u8>,
	/// The certificate of that profile, made by [`verify`].
	pub certificate: Certificate,
	/// Sweeps made over all starts.
	pub sweeps: u32,
	/// Starts made.
	pub starts: u32,
	/// Evaluations of a payoff, as [`SolverConfig::max_evaluations`] counts them.
	pub evaluations: u64,
}

/// Sweeps after which a start is taken not to settle soon, and what it visits becomes a candidate for the fallback.
const PATIENCE: u32 = 8;
/// Most sweeps from a start that is not scattered: the rare one that has not settled by then mostly goes round in circles.
const PLAIN_SWEEPS: u32 = 16;
/// Games with at most so many profiles, not counting strategies that are never better than another one, are searched
/// through for the best equilibrium as far as the budget reaches.
const SMALL: u64 = 1 << 16;

/// Where a start puts the players.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start<'a> {
	/// In the pool, each with the strategy that could earn most.
	Pool,
	/// In the pool, each with as much energy as its best strategy outside of it.
	Twins,
	/// Each with its best response to a pool that serves buyers in full and sellers half.
	Surplus,
	/// Each with its best response to a pool that serves sellers in full and buyers half.
	Shortage,
	/// As in the era before.
	Previous(&'a [u8]),
	/// Outside of the pool.
	MainGrid,
	/// A mixture that is different for every number.
	Scattered(u32),
}

impl<'a> Start<'a> {
	/// The starts in their order.
	fn all(previous: Option<&'a [u8]>) -> impl Iterator<Item = Self> {
		[Self::Pool, Self::Twins, Self::Surplus, Self::Shortage]
			.into_iter()
			.chain(previous.map(Self::Previous))
			.chain([Self::MainGrid])
			.chain((0..).map(Self::Scattered))
	}

	/// Whether it is made when an equilibrium was found with which nothing is left to wish for.
	fn is_made_anyway(&self) -> bool {
		!matches!(self, Self::MainGrid | Self::Scattered(_))
	}

	/// The most sweeps that are worth making.
	fn max_sweeps(&self, config: &SolverConfig) -> u32 {
		match self {
			Self::Scattered(_) => config.max_sweeps,
			_ => config.max_sweeps.min(PLAIN_SWEEPS),
		}
	}

	fn begin(self, game: &Game, search: &mut Search) {
		match self {
			Self::Pool => search.begin_in_pool(),
			Self::Twins => search.begin_as_twins(),
			Self::Surplus => search.begin_responding(2, 1),
			Self::Shortage => search.begin_responding(1, 2),
			Self::Previous(profile) => search.begin_from(game, profile),
			Self::MainGrid => search.begin_on_main_grid(),
			Self::Scattered(number) => search.begin_scattered(number),
		}
	}
}

/// Solves a game: looks for a profile in which no household gains more than epsilon by changing alone.
///
/// Starts are deterministic. From each, sweeps are made in which every household in turn moves to its best strategy if
/// that gains more than epsilon:
///
/// 1. everyone in the pool, with the strategy that could earn most and then with the energy of its best strategy outside;
///    everyone with its best response to a pool with a surplus and to one with a shortage; `previous` (the last era's
///    profile; one that does not fit the game is ignored);
/// 2. as long as nothing is found that trades, though both sides could: everyone on the main grid, and scattered starts
///    that are different every time.
///
/// Then the totals S and B are searched by a bounded branch and bound, if nothing was found that trades, and in a game
/// with few profiles in any case: it is complete if the budget lasts.
///
/// Of the equilibria found, one that trades is kept before one with an idle pool, then the one with the least energy
/// exchanged with the main grid, then the earliest. If there is none, the result is the visited profile with the smallest
/// largest gain, as `Approximate`; in a game with few profiles all are visited, but for strategies that are dropped. The certificate is made at the end, by [`verify`], of the profile that is returned.
///
/// # Work
/// At most [`SolverConfig::max_evaluations`] of payoffs, or what the certificate takes if that is more. Besides, each
/// strategy is prepared once, and households are put in order once for each start.
pub fn solve(game: &Game, config: &SolverConfig, previous: Option<&[u8]>) -> Solution {
	let previous = previous.filter(|profile| game.chosen(profile).is_ok());
	let certifying = certifying(game);
	let budget = config.max_evaluations.saturating_sub(certifying);
	let mut search = Search::new(game, config.epsilon, budget);
	let mut outcome = Outcome::new(&search);
	let is_small = search.profiles() <= SMALL;
	let (mut sweeps, mut starts) = (0u32, 0u32);
	for start in Start::all(previous).take(config.max_starts.max(1) as usize) {
		if outcome.suffices() && !start.is_made_anyway() {
			break;
		}
		if is_small && matches!(start, Start::Scattered(_)) {
			break;
		}
		starts += 1;
		let max_sweeps = start.max_sweeps(config);
		start.begin(game, &mut search);
		// At most `max_starts * max_sweeps`, and each takes an evaluation: saturation is out of reach.
		sweeps = sweeps.saturating_add(settle(&mut search, max_sweeps, &mut outcome));
	}
	if is_small || !outcome.suffices() {
		// What was found idle need not be found again.
		let least_traded_wh = u64::from(outcome.found().is_some() && outcome.could_trade);
		let ask = outcome.ask();
		search.search_boxes(least_traded_wh, ask, |search| outcome.judge(search));
	}
	if is_small && outcome.found().is_none() {
		// There is no equilibrium, or none within the budget: what is left of it goes to the best approximation.
		search.walk_all(|search| outcome.judge(search));
	}
	let evaluations = certifying + (budget - search.left);
	let profile = search.into_profile(outcome.into_picks());
	let certificate = verify(game, &profile, config.epsilon)
		.expect("each entry is the index of a strategy of its household; qed");
	Solution {
		profile,
		certificate,
		sweeps,
		starts,
		evaluations,
	}
}

/// Evaluations that the certificate of a game takes: each strategy, and each household's chosen one again.
fn certifying(game: &Game) -> u64 {
	let households = game.households();
	let strategies: usize = households
		.iter()
		.map(|household| household.strategies.len())
		.sum();
	(households.len() + strategies) as u64
}

/// Sweeps until nobody wants to move or a bound is reached. Returns the sweeps made.
fn settle(search: &mut Search, max_sweeps: u32, outcome: &mut Outcome) -> u32 {
	for sweep in 1..=max_sweeps {
		match search.sweep() {
			Sweep::Settled => {
				outcome.settle(search);
				return sweep;
			}
			Sweep::Restless if sweep >= PATIENCE.min(max_sweeps) => outcome.offer(search),
			Sweep::Restless => {}
			Sweep::Exhausted => return sweep,
		}
	}
	max_sweeps
}

/// The best that was found so far.
struct Outcome {
	/// Whether the game has something to trade.
	could_trade: bool,
	best: Best,
	/// The players' choices in it.
	picks: Vec<u8>,
}

/// What is known of the best profile so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Best {
	/// There is no profile yet.
	None,
	/// The visited profile with the smallest largest gain.
	Approximate { gain: Log2 },
	/// A profile from which nobody gains.
	Equilibrium(Rank),
}

/// How good an equilibrium is, the better the less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
	is_idle: bool,
	main_wh: u64,
}

impl Outcome {
	fn new(search: &Search) -> Self {
		Self {
			could_trade: search.could_trade(),
			best: Best::None,
			picks: Vec::with_capacity(search.players.len()),
		}
	}

	/// The best equilibrium, if one was found.
	fn found(&self) -> Option<Rank> {
		match self.best {
			Best::Equilibrium(rank) => Some(rank),
			Best::Approximate { .. } | Best::None => None,
		}
	}

	/// Whether there is no need to look further. That nobody enters a pool which nobody else is in is mostly an
	/// equilibrium, found at once from the main grid. It must not end the search where energy could be traded.
	fn suffices(&self) -> bool {
		self.found()
			.is_some_and(|rank| !rank.is_idle || !self.could_trade)
	}

	/// What a search over totals can still improve.
	fn ask(&self) -> Ask {
		match self.found() {
			Some(rank) if self.suffices() => Ask::Below(rank.main_wh),
			_ => Ask::Below(u64::MAX),
		}
	}

	fn keep(&mut self, best: Best, search: &Search) {
		self.best = best;
		self.picks.clear();
		self.picks.extend(search.picks());
	}

	/// Keeps a settled profile if it is better than what was found before.
	fn settle(&mut self, search: &Search) {
		let rank = Rank {
			is_idle: !search.trades(),
			main_wh: search.main_wh(),
		};
		if self.found().is_none_or(|found| rank < found) {
			self.keep(Best::Equilibrium(rank), search);
		}
	}

	/// Keeps the present profile if there is no equilibrium and its largest gain is the smallest so far.
	fn offer(&mut self, search: &mut Search) {
		if self.found().is_some() {
			return;
		}
		let Some(gain) = search.largest_gain() else { return };
		match self.best {
			Best::Approximate { gain: least } if least <= gain => {}
			_ => self.keep(Best::Approximate { gain }, search),
		}
	}

	/// Takes a profile of the search over totals for an equilibrium, for the best approximation, or for neither.
	fn judge(&mut self, search: &mut Search) -> Ask {
		let threshold = search.threshold();
		let limit = match self.best {
			Best::Equilibrium(_) => threshold,
			// An approximation has a gain above zero.
			Best::Approximate { gain } => threshold.max(Log2(gain.0.saturating_sub(1))),
			Best::None => Log2::MAX,
		};
		let mut is_refuted = search.is_refuted(limit);
		if is_refuted == Some(false) && limit > threshold {
			is_refuted = search.is_refuted(threshold);
			if is_refuted == Some(true) {
				self.offer(search);
			}
		}
		match is_refuted {
			Some(true) => self.ask(),
			Some(false) => {
				self.settle(search);
				self.ask()
			}
			None => Ask::Nothing,
		}
	}

	/// The choices to return, if there are any.
	fn into_picks(self) -> Option<Vec<u8>> {
		(self.best != Best::None).then_some(self.picks)
	}
}

//! The solver: looks for an equilibrium with a bounded amount of work.
//!
//! # What makes it fast
//! - On the main grid, when neutral and on the short side of the pool, a payoff does not depend on the others, so it is
//!   computed once. A sweep computes payoffs only on the long side of the pool.
//! - Each pool strategy has an upper bound of its payoff, and the strategies of a household are sorted by it. A best
//!   response stops at the first strategy whose bound cannot beat the best so far.
//! - Pool strategies for which another one is never worse are dropped before the first sweep. A household with one
//!   strategy left is decided.
//! - A sweep skips a household if the others' S and B are the same as at its last visit.
//! - A sweep allocates nothing.

use crate::{
	branch_and_bound::Next,
	game::Game,
	log2::Log2,
	search::Search,
	sweep::Sweep,
	verify::{verify, Certificate},
};
use alloc::vec::Vec;

crate::stored_types! {
	/// Limits of a solve.
	#[derive(Copy)]
	pub struct SolverConfig {
		/// The most that a household may still gain by changing alone, in a profile that counts as an equilibrium.
		pub epsilon: Log2,
		/// Most sweeps from one start. A start that is not scattered makes at most 16 sweeps.
		pub max_sweeps: u32,
		/// Most starts. The solver always makes the first one.
		pub max_starts: u32,
		/// Most evaluations of a payoff in the whole solve: in sweeps, in branch and bound, in comparing profiles and in
		/// certifying the result. Visiting a household counts too, even if no payoff is needed. The certificate is always
		/// made and is reserved first: one evaluation for each household and each strategy. When the budget runs out, the
		/// result is the best profile found so far.
		pub max_evaluations: u64,
	}
}

impl Default for SolverConfig {
	/// Epsilon 2^-16, 32 sweeps per start, 32 starts, 2^21 evaluations.
	fn default() -> Self {
		Self {
			epsilon: Log2(1 << 16),
			max_sweeps: 32,
			max_starts: 32,
			max_evaluations: 1 << 21,
		}
	}
}

crate::view_types! {
	/// The result of a solve.
	pub struct Solution {
		/// The strategy of each household, as an index into its set.
		pub profile: Vec<u8>,
		/// The certificate of that profile, computed by [`verify`].
		pub certificate: Certificate,
		/// Sweeps made, summed over all starts.
		pub sweeps: u32,
		/// Starts made.
		pub starts: u32,
		/// Evaluations of a payoff, as [`SolverConfig::max_evaluations`] counts them.
		pub evaluations: u64,
	}
}

/// Number of sweeps after which an unsettled start is unlikely to settle soon, so the profiles that it visits become
/// candidates for the best approximation.
const PATIENT_SWEEPS: u32 = 8;
/// Most sweeps from a start that is not scattered. The few starts that have not settled by then usually cycle.
const PLAIN_SWEEPS: u32 = 16;
/// Games with at most this many profiles, dominated strategies not counted, are searched completely for the best
/// equilibrium, as far as the budget reaches.
const SMALL_GAME_PROFILES: u64 = 1 << 16;

/// Where a start puts the players.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start<'a> {
	/// In the pool, each with the strategy that could earn most.
	Pool,
	/// In the pool, each with about the energy of its best strategy outside the pool.
	OutsideEnergy,
	/// Each with its best response to a pool that serves buyers in full and sellers by half.
	Surplus,
	/// Each with its best response to a pool that serves sellers in full and buyers by half.
	Shortage,
	/// As in the previous era.
	Previous(&'a [u8]),
	/// Outside the pool.
	MainGrid,
	/// A pseudo-random profile that depends on the number.
	Scattered(u32),
}

impl<'a> Start<'a> {
	/// All starts in the order in which the solver makes them.
	fn all(previous: Option<&'a [u8]>) -> impl Iterator<Item = Self> {
		[Self::Pool, Self::OutsideEnergy, Self::Surplus, Self::Shortage]
			.into_iter()
			.chain(previous.map(Self::Previous))
			.chain([Self::MainGrid])
			.chain((0..).map(Self::Scattered))
	}

	/// Whether the solver makes this start even after it has found a good enough equilibrium.
	fn is_always_made(&self) -> bool {
		!matches!(self, Self::MainGrid | Self::Scattered(_))
	}

	fn max_sweeps(&self, config: &SolverConfig) -> u32 {
		match self {
			Self::Scattered(_) => config.max_sweeps,
			_ => config.max_sweeps.min(PLAIN_SWEEPS),
		}
	}

	fn begin(self, game: &Game, search: &mut Search) {
		match self {
			Self::Pool => search.begin_in_pool(),
			Self::OutsideEnergy => search.begin_with_outside_energy(),
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
/// The solver tries several deterministic starts. From each it makes sweeps, in which every household in turn moves to
/// its best strategy if that gains more than epsilon:
///
/// 1. everyone in the pool, with the strategy that could earn most; the same with about the energy of each household's
///    best strategy outside the pool; everyone's best response to a pool with a surplus, and to one with a shortage;
///    `previous`, the profile of the previous era (ignored if it does not fit the game);
/// 2. if no equilibrium with trade has been found although both sides exist: everyone on the main grid, then scattered
///    starts, each a different pseudo-random profile. Games with at most 65,536 profiles skip the scattered starts.
///
/// A branch and bound over the totals S and B follows in games with at most 65,536 profiles, and in larger ones if no
/// equilibrium with trade has been found although both sides exist. It is complete if the budget lasts.
///
/// Of several equilibria, the result is one with trade rather than one with an idle pool, then the one that exchanges
/// the least energy with the main grid, then the one found first. If none is found, the result is the visited profile
/// whose largest gain is smallest, with status `Approximate`; games with at most 65,536 profiles visit all of them,
/// except for dominated strategies, as far as the budget reaches. At the end, [`verify`] makes the certificate of the
/// result.
///
/// # Work
/// At most [`SolverConfig::max_evaluations`] payoffs, or as many as the certificate takes if that is more. In addition,
/// each strategy is prepared once, and each start sets every household's strategy once.
pub fn solve(game: &Game, config: &SolverConfig, previous: Option<&[u8]>) -> Solution {
	let previous = previous.filter(|profile| game.chosen(profile).is_ok());
	let reserved = certificate_evaluations(game);
	let budget = config.max_evaluations.saturating_sub(reserved);
	let mut search = Search::new(game, config.epsilon, budget);
	let mut best = BestSoFar::new(&search);
	let is_small = search.profiles() <= SMALL_GAME_PROFILES;
	let (mut sweeps, mut starts) = (0u32, 0u32);
	for start in Start::all(previous).take(config.max_starts.max(1) as usize) {
		if best.is_good_enough() && !start.is_always_made() {
			break;
		}
		if is_small && matches!(start, Start::Scattered(_)) {
			break;
		}
		starts += 1;
		let max_sweeps = start.max_sweeps(config);
		start.begin(game, &mut search);
		// Each sweep takes an evaluation, so the budget ends the solve long before the sum could saturate.
		sweeps = sweeps.saturating_add(settle(&mut search, max_sweeps, &mut best));
	}
	if is_small || !best.is_good_enough() {
		// If an idle equilibrium is known, only one with trade can improve on it.
		let least_traded_wh = u64::from(best.equilibrium().is_some() && best.could_trade);
		let next = best.next();
		search.branch_and_bound(least_traded_wh, next, |search| best.judge(search));
	}
	if is_small && best.equilibrium().is_none() {
		// There is no equilibrium, or the budget ran out: what is left of it goes to the best approximation.
		search.enumerate_all(|search| best.judge(search));
	}
	let evaluations = reserved + (budget - search.evaluations_left);
	let profile = search.into_profile(best.into_picks());
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

/// Evaluations that the certificate takes: one for each strategy, and one more for each household's current strategy.
fn certificate_evaluations(game: &Game) -> u64 {
	let households = game.households();
	let strategies: usize = households
		.iter()
		.map(|household| household.strategies.len())
		.sum();
	(households.len() + strategies) as u64
}

/// Sweeps until nobody moves, `max_sweeps` is reached or the budget runs out. Returns the number of sweeps made.
fn settle(search: &mut Search, max_sweeps: u32, best: &mut BestSoFar) -> u32 {
	for sweep in 1..=max_sweeps {
		match search.sweep() {
			Sweep::Settled => {
				best.record_equilibrium(search);
				return sweep;
			}
			Sweep::Unsettled if sweep >= PATIENT_SWEEPS.min(max_sweeps) => best.record_approximation(search),
			Sweep::Unsettled => {}
			Sweep::Exhausted => return sweep,
		}
	}
	max_sweeps
}

/// The best profile found so far.
struct BestSoFar {
	/// Whether the game has a seller and a buyer for the pool.
	could_trade: bool,
	quality: Quality,
	/// The players' choices in that profile.
	picks: Vec<u8>,
}

/// How good the best profile so far is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quality {
	/// There is no profile yet.
	None,
	/// No equilibrium is known; this profile has the smallest largest gain.
	Approximate {
		max_gain: Log2,
	},
	Equilibrium(Rank),
}

/// The order of equilibria; the smallest is the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
	is_idle: bool,
	main_wh: u64,
}

impl BestSoFar {
	fn new(search: &Search) -> Self {
		Self {
			could_trade: search.could_trade(),
			quality: Quality::None,
			picks: Vec::with_capacity(search.players.len()),
		}
	}

	/// The best equilibrium, if one was found.
	fn equilibrium(&self) -> Option<Rank> {
		match self.quality {
			Quality::Equilibrium(rank) => Some(rank),
			Quality::Approximate { .. } | Quality::None => None,
		}
	}

	/// Whether the search may end: there is an equilibrium, and it trades if the game has both sides. An idle pool is
	/// usually an equilibrium, because a household that enters it alone trades nothing, and the start on the main grid
	/// finds it at once. It must not end the search if energy could be traded.
	fn is_good_enough(&self) -> bool {
		self.equilibrium()
			.is_some_and(|rank| !rank.is_idle || !self.could_trade)
	}

	/// What branch and bound must achieve to improve on the best profile so far.
	fn next(&self) -> Next {
		match self.equilibrium() {
			Some(rank) if self.is_good_enough() => Next::MainBelow(rank.main_wh),
			_ => Next::MainBelow(u64::MAX),
		}
	}

	fn keep(&mut self, quality: Quality, search: &Search) {
		self.quality = quality;
		self.picks.clear();
		self.picks.extend(search.picks());
	}

	/// Keeps the current profile, an equilibrium, if it is better than the best equilibrium so far.
	fn record_equilibrium(&mut self, search: &Search) {
		let rank = Rank {
			is_idle: !search.trades(),
			main_wh: search.main_wh(),
		};
		if self.equilibrium().is_none_or(|best| rank < best) {
			self.keep(Quality::Equilibrium(rank), search);
		}
	}

	/// Keeps the current profile if no equilibrium is known and its largest gain is the smallest so far.
	fn record_approximation(&mut self, search: &mut Search) {
		if self.equilibrium().is_some() {
			return;
		}
		let Some(max_gain) = search.largest_gain() else {
			return;
		};
		match self.quality {
			Quality::Approximate { max_gain: smallest } if smallest <= max_gain => {}
			_ => self.keep(Quality::Approximate { max_gain }, search),
		}
	}

	/// Checks a profile of branch and bound: records it if it is an equilibrium or the best approximation so far.
	fn judge(&mut self, search: &mut Search) -> Next {
		let threshold = search.threshold;
		// Gains above the limit make the profile useless, so one comparison is enough for most profiles.
		let limit = match self.quality {
			Quality::Equilibrium(_) => threshold,
			// A better approximation has a smaller largest gain.
			Quality::Approximate { max_gain } => threshold.max(Log2(max_gain.0.saturating_sub(1))),
			Quality::None => Log2::MAX,
		};
		let mut is_refuted = search.is_refuted(limit);
		if is_refuted == Some(false) && limit > threshold {
			is_refuted = search.is_refuted(threshold);
			if is_refuted == Some(true) {
				self.record_approximation(search);
			}
		}
		match is_refuted {
			Some(true) => self.next(),
			Some(false) => {
				self.record_equilibrium(search);
				self.next()
			}
			None => Next::Stop,
		}
	}

	/// The choices to return; `None` if no profile was recorded.
	fn into_picks(self) -> Option<Vec<u8>> {
		(self.quality != Quality::None).then_some(self.picks)
	}
}

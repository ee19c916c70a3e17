//! Best-response sweeps with bounded work.
//!
//! # What makes it fast
//! - On the main grid, when neutral and on the short side of the pool a payoff does not depend on the others; it is
//!   computed once ([`Move::bound`]). Only the long side of the pool is computed during a sweep.
//! - The short-side payoff of a pool strategy is also the most that it can ever earn: E_in is at most |x|, C at most
//!   1 and 1/|E_main| at most omega. Pool strategies are kept in the order of that bound, and a best response stops at
//!   the first bound that cannot beat what it has.
//! - A household whose pool strategies can never beat its best fixed one is decided before the first sweep.
//! - A household is skipped when S and B of the others are what they were at its last visit.
//!
//! Memory is linear in the number of strategies and is allocated before the first sweep.

use crate::{
	game::{Game, Household},
	log2::{Log2, PAYOFF_ERROR},
	payoff::{Pool, Worth, TRADE_BITS},
	types::Kind,
	verify::{verify, Certificate, Status},
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
	/// Most sweeps from one start.
	pub max_sweeps: u32,
	/// Most starts. The first is always made.
	pub max_starts: u32,
}

impl Default for SolverConfig {
	/// Epsilon 2^-16, 32 sweeps from each of at most 16 starts.
	fn default() -> Self {
		Self {
			epsilon: Log2(1 << 16),
			max_sweeps: 32,
			max_starts: 16,
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
}

/// Solves a game: looks for a profile in which no household gains more than epsilon by changing alone.
///
/// Starts are deterministic: everyone in the pool, everyone on the main grid, `previous` (the last era's profile; one
/// that does not fit the game is ignored), then mixtures with rotated visiting orders for as long as no equilibrium
/// has been certified. Each start makes sweeps in household order in which every household in turn moves to its best
/// strategy if that gains more than epsilon. Among the equilibria found the one with the least energy exchanged with
/// the main grid is kept, the earliest among equals; if there is none, the visited profile with the smallest largest
/// gain, as `Approximate`.
///
/// Work is at most `max_starts * (2 * max_sweeps + 1) + 1` passes over the strategies of the game.
pub fn solve(game: &Game, config: &SolverConfig, previous: Option<&[u8]>) -> Solution {
	let mut search = Search::new(game, config.epsilon);
	let previous = previous.filter(|profile| game.chosen(profile).is_ok());
	let named = 2 + u32::from(previous.is_some());
	let mut found: Option<Found> = None;
	let mut fallback = Fallback {
		gain: Log2::MAX,
		profile: Vec::new(),
	};
	let (mut sweeps, mut starts) = (0, 0);
	for start in 0..config.max_starts.max(1) {
		if start >= named && found.is_some() {
			break;
		}
		starts += 1;
		match (start, previous) {
			(0, _) => search.begin_in_pool(),
			(1, _) => search.begin_on_main_grid(),
			(2, Some(profile)) => search.begin_from(game, profile),
			_ => search.begin_mixed(start),
		}
		let settled = search.settle(config.max_sweeps, found.is_none(), &mut fallback, &mut sweeps);
		if settled {
			search.certify(game, config.epsilon, &mut found, &mut fallback);
		}
	}
	let (profile, certificate) = match found {
		Some(found) => (found.profile, found.certificate),
		None => {
			let certificate = certificate_of(game, &fallback.profile, config.epsilon);
			(fallback.profile, certificate)
		}
	};
	Solution {
		profile,
		certificate,
		sweeps,
		starts,
	}
}

fn certificate_of(game: &Game, profile: &[u8], epsilon: Log2) -> Certificate {
	verify(game, profile, epsilon).expect("every entry was the index of a strategy of its household; qed")
}

/// A certified equilibrium.
struct Found {
	profile: Vec<u8>,
	certificate: Certificate,
	main_wh: u64,
}

/// The visited profile with the smallest largest gain.
struct Fallback {
	gain: Log2,
	profile: Vec<u8>,
}

/// Where a strategy puts its net position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
	Offers,
	Requests,
	Outside,
}

/// A strategy, prepared.
#[derive(Clone, Copy, Debug)]
struct Move {
	/// Payoff outside the pool and on its short side; the most that the strategy can earn. `i64::MIN` when C = 0.
	bound: i64,
	/// Payoff in a pool that gives nothing.
	base: i64,
	/// |x| in Wh.
	x: u32,
	side: Side,
	choice: u8,
}

impl Move {
	fn new(worth: &Worth, household: &Household, choice: u8, strategy: &crate::Strategy) -> Self {
		let (comfort, comfort_unit) = household.comfort_of(strategy);
		let x = household.generation_wh.abs_diff(strategy.consumption_wh);
		let side = match strategy.kind {
			Kind::SellToCommunity => Side::Offers,
			Kind::BuyFromCommunity => Side::Requests,
			Kind::Neutral | Kind::BuyFromMain | Kind::SellToMain => Side::Outside,
		};
		if comfort == 0 {
			let nothing = Log2::NEG_INFINITY.0;
			return Self {
				bound: nothing,
				base: nothing,
				x,
				side,
				choice,
			};
		}
		let base = if x < worth.resolution_wh {
			worth.log2_omega
		} else {
			Log2::of_ratio(
				u128::from(comfort) * 1_000,
				u128::from(comfort_unit) * u128::from(x),
			)
		};
		let bound = match side {
			Side::Outside => base.0,
			Side::Offers | Side::Requests => worth.log2_omega.0 + worth.of_trade(u64::from(x) << TRADE_BITS),
		};
		Self {
			bound,
			base: base.0,
			x,
			side,
			choice,
		}
	}

	/// Adds the position to the pool.
	fn join(&self, pool: &mut Pool) {
		match self.side {
			Side::Offers => pool.offered_wh += u64::from(self.x),
			Side::Requests => pool.requested_wh += u64::from(self.x),
			Side::Outside => {}
		}
	}

	/// Takes a position that was added before out of the pool.
	fn leave(&self, pool: &mut Pool) {
		match self.side {
			Side::Offers => pool.offered_wh -= u64::from(self.x),
			Side::Requests => pool.requested_wh -= u64::from(self.x),
			Side::Outside => {}
		}
	}
}

/// A household that has something to decide.
#[derive(Clone, Copy, Debug)]
struct Player {
	household: u32,
	/// Its pool strategies, as a range of [`Search::options`], highest bound first.
	options: (u32, u32),
	/// The best of the strategies whose payoff is fixed, the lowest index among equals.
	fixed: Option<Move>,
	current: Move,
	/// The others' pool at the last visit.
	seen: Option<Pool>,
}

/// The state of a search. Everything is allocated by [`Search::new`].
struct Search {
	worth: Worth,
	options: Vec<Move>,
	players: Vec<Player>,
	/// Choices of the households that have nothing to decide; of the players only after [`Search::write_profile`].
	profile: Vec<u8>,
	/// Sum of the positions of the households that have nothing to decide, in and outside the pool.
	decided: Pool,
	decided_outside_wh: u64,
	pool: Pool,
	/// A move must gain more than this. Below epsilon by more than the rounding of both sides of a comparison in here
	/// and in [`verify`], so that what settles here is certified there.
	threshold: i64,
	rotation: usize,
}

impl Search {
	fn new(game: &Game, epsilon: Log2) -> Self {
		let worth = Worth::new(game.rules());
		let strategies = game
			.households()
			.iter()
			.map(|household| household.strategies.len())
			.sum();
		let mut search = Self {
			worth,
			options: Vec::with_capacity(strategies),
			players: Vec::with_capacity(game.households().len()),
			profile: Vec::with_capacity(game.households().len()),
			decided: Pool::default(),
			decided_outside_wh: 0,
			pool: Pool::default(),
			threshold: epsilon.0.saturating_sub(4 * PAYOFF_ERROR.0).max(0),
			rotation: 0,
		};
		for (index, household) in (0u32..).zip(game.households()) {
			search.add(index, household);
		}
		search
	}

	/// Prepares one household.
	fn add(&mut self, index: u32, household: &Household) {
		let first = self.options.len();
		let mut fixed: Option<Move> = None;
		for (choice, strategy) in (0u8..=u8::MAX).zip(&household.strategies) {
			let prepared = Move::new(&self.worth, household, choice, strategy);
			if prepared.side != Side::Outside && prepared.bound != Log2::NEG_INFINITY.0 {
				self.options.push(prepared);
			} else if fixed.is_none_or(|best| prepared.bound > best.bound) {
				fixed = Some(prepared);
			}
		}
		let floor = fixed.map_or(Log2::NEG_INFINITY.0, |best| best.bound);
		let options = self.options.get_mut(first..).unwrap_or_default();
		options.sort_unstable_by_key(|option| (core::cmp::Reverse(option.bound), option.choice));
		let useful = options.partition_point(|option| option.bound > floor);
		self.options.truncate(first + useful);
		let options = self.options.get(first..).unwrap_or_default();
		let current = match (options.first(), fixed) {
			(Some(option), _) => *option,
			(None, Some(fixed)) => fixed,
			// A checked household has a strategy, and one that is no option is fixed.
			(None, None) => return,
		};
		self.profile.push(current.choice);
		let decided = options.is_empty() || (options.len() == 1 && fixed.is_none());
		if decided {
			self.options.truncate(first);
			current.join(&mut self.decided);
			if current.side == Side::Outside {
				self.decided_outside_wh += u64::from(current.x);
			}
			return;
		}
		// At most 65,535 * 255 strategies.
		let options = (first as u32, self.options.len() as u32);
		self.players.push(Player {
			household: index,
			options,
			fixed,
			current,
			seen: None,
		});
	}

	fn begin_in_pool(&mut self) {
		self.begin(|options, fixed, _| options.first().copied().or(fixed));
	}

	fn begin_on_main_grid(&mut self) {
		self.begin(|options, fixed, _| fixed.or(options.first().copied()));
	}

	fn begin_from(&mut self, game: &Game, profile: &[u8]) {
		let worth = self.worth;
		self.begin(|_, _, index| {
			let index = index as usize;
			let (household, choice) = (game.households().get(index)?, *profile.get(index)?);
			let strategy = household.strategies.get(usize::from(choice))?;
			Some(Move::new(&worth, household, choice, strategy))
		});
	}

	/// A mixture of pool and main grid that is different for every `start`, visited from another household on.
	fn begin_mixed(&mut self, start: u32) {
		self.begin(|options, fixed, index| {
			// Fibonacci hashing of the pair: any fixed scattering does.
			let hash = (index.wrapping_mul(31) ^ start.wrapping_mul(0x9E37_79B9)).wrapping_mul(0x85EB_CA6B);
			let skip = (hash >> 24) as usize % (options.len() + 1);
			options.get(skip).copied().or(fixed).or(options.first().copied())
		});
		let players = self.players.len().max(1);
		self.rotation = (start as usize).wrapping_mul(40_503) % players;
	}

	/// Sets every player to what `pick` says and forgets the last visits.
	fn begin(&mut self, mut pick: impl FnMut(&[Move], Option<Move>, u32) -> Option<Move>) {
		self.rotation = 0;
		self.pool = self.decided;
		for player in &mut self.players {
			let options = options_of(&self.options, player);
			player.current = pick(options, player.fixed, player.household).unwrap_or(player.current);
			player.current.join(&mut self.pool);
			player.seen = None;
		}
	}

	/// Sweeps until nobody moves or the bound is reached; says whether nobody moved. From the eighth sweep on, when
	/// most games have long settled, the profile after each sweep is a candidate for the fallback (if wanted), as is
	/// the last one.
	fn settle(
		&mut self,
		max_sweeps: u32,
		want_fallback: bool,
		fallback: &mut Fallback,
		sweeps: &mut u32,
	) -> bool {
		const PATIENCE: u32 = 8;
		for sweep in 1..=max_sweeps {
			*sweeps += 1;
			if !self.sweep() {
				return true;
			}
			if want_fallback && sweep >= PATIENCE && sweep < max_sweeps {
				self.offer(fallback);
			}
		}
		if want_fallback {
			self.offer(fallback);
		}
		false
	}

	/// One visit to each player; says whether any of them moved.
	fn sweep(&mut self) -> bool {
		let Self {
			worth,
			options,
			players,
			pool,
			threshold,
			..
		} = self;
		let first = self.rotation.min(players.len());
		let (head, tail) = players.split_at_mut(first);
		let mut moved = false;
		for player in tail.iter_mut().chain(head) {
			let mut others = *pool;
			player.current.leave(&mut others);
			if player.seen == Some(others) {
				continue;
			}
			player.seen = Some(others);
			let now = payoff(worth, &player.current, others);
			let (best, then) = best_response(worth, options_of(options, player), player.fixed, others);
			if Log2(then).gain_over(Log2(now)).0 > *threshold {
				if let Some(best) = best {
					player.current = best;
					best.join(&mut others);
					*pool = others;
					moved = true;
				}
			}
		}
		moved
	}

	/// The largest gain that any player could make by moving alone.
	fn largest_gain(&self) -> Log2 {
		let gains = self.players.iter().map(|player| {
			let mut others = self.pool;
			player.current.leave(&mut others);
			let now = payoff(&self.worth, &player.current, others);
			let options = options_of(&self.options, player);
			let (_, then) = best_response(&self.worth, options, player.fixed, others);
			Log2(then).gain_over(Log2(now))
		});
		gains.max().unwrap_or(Log2::ZERO)
	}

	/// Keeps the present profile if it is the best so far.
	fn offer(&mut self, fallback: &mut Fallback) {
		let gain = self.largest_gain();
		if fallback.profile.len() != self.profile.len() || gain < fallback.gain {
			self.write_profile();
			fallback.gain = gain;
			fallback.profile.clone_from(&self.profile);
		}
	}

	/// Has a settled profile certified and keeps it if it exchanges less with the main grid than what was found
	/// before. One that is refused (it would take an error in here) is a candidate for the fallback like any other.
	fn certify(&mut self, game: &Game, epsilon: Log2, found: &mut Option<Found>, fallback: &mut Fallback) {
		let main_wh = self.main_wh();
		if found.as_ref().is_some_and(|found| found.main_wh <= main_wh) {
			return;
		}
		self.write_profile();
		let certificate = certificate_of(game, &self.profile, epsilon);
		if certificate.status == Status::Equilibrium {
			*found = Some(Found {
				profile: self.profile.clone(),
				certificate,
				main_wh,
			});
		} else {
			self.offer(fallback);
		}
	}

	/// Energy exchanged with the main grid in either direction, Wh.
	fn main_wh(&self) -> u64 {
		let outside = self
			.players
			.iter()
			.filter(|player| player.current.side == Side::Outside);
		let players: u64 = outside.map(|player| u64::from(player.current.x)).sum();
		self.decided_outside_wh + players + self.pool.long_wh() - self.pool.traded_wh()
	}

	fn write_profile(&mut self) {
		for player in &self.players {
			if let Some(choice) = self.profile.get_mut(player.household as usize) {
				*choice = player.current.choice;
			}
		}
	}
}

fn options_of<'a>(options: &'a [Move], player: &Player) -> &'a [Move] {
	options
		.get(player.options.0 as usize..player.options.1 as usize)
		.unwrap_or_default()
}

/// The best strategy against the others' pool and its payoff. Equal payoffs go to the fixed one, then to the higher
/// bound, then to the lower index.
fn best_response(worth: &Worth, options: &[Move], fixed: Option<Move>, others: Pool) -> (Option<Move>, i64) {
	let mut best = (fixed, fixed.map_or(Log2::NEG_INFINITY.0, |fixed| fixed.bound));
	for option in options {
		if option.bound <= best.1 {
			break;
		}
		let payoff = payoff(worth, option, others);
		if payoff > best.1 {
			best = (Some(*option), payoff);
		}
	}
	best
}

/// The payoff of a prepared strategy against the others' pool; [`crate::payoff`] in prepared parts.
#[inline]
fn payoff(worth: &Worth, option: &Move, others: Pool) -> i64 {
	let x = u64::from(option.x);
	let (own, opposite) = match option.side {
		Side::Offers => (others.offered_wh + x, others.requested_wh),
		Side::Requests => (others.requested_wh + x, others.offered_wh),
		Side::Outside => return option.bound,
	};
	if own <= opposite || option.bound == Log2::NEG_INFINITY.0 {
		return option.bound;
	}
	if opposite == 0 {
		return option.base;
	}
	let spare = own - opposite;
	let trade = worth.of_trade(trade(x, opposite, own));
	// A product that does not fit is above anything that the right side can be, which is below 2^56.
	let balanced = x
		.checked_mul(spare)
		.is_some_and(|main| main < u64::from(worth.resolution_wh) * own);
	if balanced {
		return trade + worth.log2_omega.0;
	}
	trade + option.base + Log2::of(own).0 - Log2::of(spare).0
}

/// x V / L in units of 2^-26 Wh, rounded down; V is below L and both are below 2^46, x below 2^30.
#[inline]
fn trade(x: u64, volume: u64, long: u64) -> u64 {
	match x.checked_mul(volume) {
		Some(product) if product < 1 << (64 - TRADE_BITS) => (product << TRADE_BITS) / long,
		_ => (((u128::from(x) * u128::from(volume)) << TRADE_BITS) / u128::from(long)) as u64,
	}
}

//! The state that sweeps work on.

use crate::{
	game::{Game, Household},
	log2::{Log2, PAYOFF_ERROR},
	payoff::{Pool, Worth},
	prepared::{best_response, Move, Side},
};
use alloc::vec::Vec;
use core::cmp::Reverse;

/// A household that has something to decide.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Player {
	household: u32,
	/// Its pool strategies, as a range of [`Search::options`], highest bound first.
	pub(crate) options: (u32, u32),
	/// The best of the strategies whose payoff is fixed, the lowest index among equals.
	pub(crate) fixed: Option<Move>,
	pub(crate) current: Move,
	/// The others' pool at the last visit, if `current` is the best response to it.
	seen: Option<Pool>,
	/// Its part of [`Search::candidates`]: where it begins and how much of it is in use.
	pub(crate) candidates: (u32, u32),
	/// Which of its candidates the present profile of a walk has.
	pub(crate) digit: u32,
}

impl Player {
	pub fn options<'a>(&self, all: &'a [Move]) -> &'a [Move] {
		all.get(self.options.0 as usize..self.options.1 as usize)
			.unwrap_or_default()
	}

	/// The option at an index, the fixed strategy after the last one.
	pub fn choice(&self, all: &[Move], index: u32) -> Option<Move> {
		self.options(all).get(index as usize).copied().or(self.fixed)
	}

	/// How many strategies are worth considering: at most 255.
	pub fn choices(&self) -> u32 {
		self.options.1 - self.options.0 + u32::from(self.fixed.is_some())
	}

	/// What [`Self::gain`] may cost at most.
	fn cost(&self) -> u64 {
		u64::from(self.options.1 - self.options.0) + VISIT
	}

	/// The most that can be gained by moving alone, and what finding it out cost.
	fn gain(&self, worth: &Worth, all: &[Move], pool: &Pool) -> (Log2, u64) {
		let mut others = *pool;
		self.current.leave(&mut others);
		let now = self.current.payoff(worth, &others);
		let (_, then, evaluated) = best_response(worth, self.options(all), self.fixed, &others);
		(Log2(then).gain_over(Log2(now)), evaluated + VISIT)
	}
}

/// What a sweep came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sweep {
	/// Nobody could gain.
	Settled,
	/// Somebody gained, or could have.
	Restless,
	/// The budget ended on the way.
	Exhausted,
}

/// What looking at a household costs, whether or not a payoff is evaluated: its present one, and finding its place.
pub(crate) const VISIT: u64 = 2;

/// The state of a search. Memory is linear in the number of strategies and all of it is allocated by [`Search::new`].
pub(crate) struct Search {
	pub(crate) worth: Worth,
	pub(crate) options: Vec<Move>,
	pub(crate) players: Vec<Player>,
	/// For each player room for the indices of all its choices: those that [`crate::boxes`] has not ruled out.
	pub(crate) candidates: Vec<u8>,
	/// Choices of the households that have nothing to decide; those of the players in it mean nothing.
	profile: Vec<u8>,
	/// What the households that have nothing to decide put into the pool, and what outside of it.
	pub(crate) decided: Pool,
	pub(crate) decided_outside_wh: u64,
	pub(crate) pool: Pool,
	/// A move must gain more than this: epsilon less the rounding of both sides of a comparison in here, in
	/// [`crate::verify`] and in its verdict, so that what settles here is certified there.
	pub(crate) threshold: Log2,
	/// The player that is visited first.
	first: usize,
	/// State of the sequence by which scattered sweeps hesitate; `None` in plain ones.
	scatter: Option<u64>,
	/// The player that refuted the last profile looked at.
	suspect: usize,
	/// Evaluations of a payoff that are left, see [`crate::SolverConfig::max_evaluations`].
	pub(crate) left: u64,
}

impl Search {
	pub fn new(game: &Game, epsilon: Log2, budget: u64) -> Self {
		let households = game.households();
		let strategies = households
			.iter()
			.map(|household| household.strategies.len())
			.sum();
		let mut search = Self {
			worth: Worth::new(game.rules()),
			options: Vec::with_capacity(strategies),
			players: Vec::with_capacity(households.len()),
			candidates: Vec::with_capacity(strategies),
			profile: Vec::with_capacity(households.len()),
			decided: Pool::default(),
			decided_outside_wh: 0,
			pool: Pool::default(),
			// Saturation at the far negative end is undone by the maximum.
			threshold: Log2(epsilon.0.saturating_sub(6 * PAYOFF_ERROR.0).max(0)),
			first: 0,
			scatter: None,
			suspect: 0,
			left: budget,
		};
		let mut open = Vec::new();
		for (index, household) in (0u32..).zip(households) {
			search.add(index, household, &mut open);
		}
		search
	}

	/// Prepares one household: drops the strategies that another one is never worse than whatever the others do, and
	/// decides for the household if a single one is left. `open` is room to work in.
	fn add(&mut self, index: u32, household: &Household, open: &mut Vec<Move>) {
		open.clear();
		let mut fixed: Option<Move> = None;
		let prepared = || {
			let strategies = (0u8..=u8::MAX).zip(&household.strategies);
			strategies.map(|(choice, strategy)| Move::new(&self.worth, household, choice, strategy))
		};
		// A household that earns nothing whatever it does is indifferent, but not without effect on the others: all
		// that it can do stays open, and it stays where a start puts it.
		let earns = prepared().any(|choice| choice.earns());
		for choice in prepared().filter(|choice| choice.earns() == earns) {
			if choice.side != Side::Outside {
				open.push(choice);
			} else if fixed.is_none_or(|best| (choice.full, Reverse(choice.x)) > (best.full, Reverse(best.x)))
			{
				// Of equal payoffs the one that takes least from the main grid or gives least to it.
				fixed = Some(choice);
			}
		}
		self.drop_dominated(household, open);
		let floor = fixed.map_or(Log2::NEG_INFINITY.0, |best| best.full);
		open.retain(|option| option.bound > floor || !earns);
		open.sort_unstable_by_key(|option| (Reverse(option.bound), option.side, option.x, option.choice));
		let current = open
			.first()
			.copied()
			.or(fixed)
			.expect("a checked household has a strategy, open or fixed; qed");
		self.profile.push(current.choice);
		let room = open.len() + usize::from(fixed.is_some());
		if open.is_empty() || room == 1 {
			current.join(&mut self.decided);
			if current.side == Side::Outside {
				self.decided_outside_wh += u64::from(current.x);
			}
			return;
		}
		// At most 65,535 * 255 strategies, which fits.
		let first = self.options.len() as u32;
		self.options.extend_from_slice(open);
		let options = (first, self.options.len() as u32);
		let candidates = (self.candidates.len() as u32, 0);
		self.candidates.resize(self.candidates.len() + room, 0);
		self.players.push(Player {
			household: index,
			options,
			fixed,
			current,
			seen: None,
			candidates,
			digit: 0,
		});
	}

	/// Drops pool strategies that another one of the household is never worse than: the same sale with less comfort, and a
	/// purchase of as much or more with as much comfort or less (point 4 of what [`crate::payoff`] says of a buyer). Where
	/// all comfort is zero, only what is the same is dropped.
	fn drop_dominated(&self, household: &Household, open: &mut Vec<Move>) {
		let comfort = |option: &Move| {
			let strategy = household.strategies.get(usize::from(option.choice));
			// One model, so one denominator.
			strategy.map_or(0, |strategy| household.comfort_of(strategy).0)
		};
		open.sort_unstable_by_key(|option| (option.side, option.x, Reverse(comfort(option)), option.choice));
		open.dedup_by_key(|option| (option.side, option.x));
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

	/// Everyone in the pool, where that can be good at all, with the strategy that could earn most.
	pub fn begin_in_pool(&mut self) {
		self.begin(|options, player| player.choice(options, 0));
	}

	/// How many profiles there are, at most 2^64 - 1.
	pub fn profiles(&self) -> u64 {
		let choices = self.players.iter().map(Player::choices);
		choices.fold(1, |product, choices| product.saturating_mul(choices.into()))
	}

	/// Whether both sides of the pool have something in the present profile.
	pub fn trades(&self) -> bool {
		self.pool.traded_wh() > 0
	}

	/// Whether somebody could sell to the pool and somebody else buy from it, or would have to.
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

	/// Everyone outside the pool who has a strategy there, with the one that earns most.
	pub fn begin_on_main_grid(&mut self) {
		self.begin(|options, player| player.fixed.or(player.choice(options, 0)));
	}

	/// From a profile of the game.
	pub fn begin_from(&mut self, game: &Game, profile: &[u8]) {
		let worth = self.worth;
		self.begin(|_, player| {
			let index = player.household as usize;
			let (household, choice) = (game.households().get(index)?, *profile.get(index)?);
			let strategy = household.strategies.get(usize::from(choice))?;
			Some(Move::new(&worth, household, choice, strategy))
		});
	}

	/// Everyone who has a strategy outside of the pool with the one in it that is closest to the best of these in energy.
	pub fn begin_as_twins(&mut self) {
		self.begin(|options, player| {
			let Some(fixed) = player.fixed else {
				return player.choice(options, 0);
			};
			let own = player.options(options).iter();
			own.min_by_key(|option| option.x.abs_diff(fixed.x)).copied()
		});
	}

	/// Everyone with its best response to a pool so large that its own position does not matter, offers and requests in
	/// the given proportion. Players for which the budget does not suffice stay where they are.
	pub fn begin_responding(&mut self, offers: u64, requests: u64) {
		// Far above any position, which is below 2^30, and below what totals are proved for, 2^46.
		const UNIT_WH: u64 = 1 << 40;
		let totals = Pool {
			offered_wh: offers * UNIT_WH,
			requested_wh: requests * UNIT_WH,
		};
		let (worth, mut left) = (self.worth, self.left);
		self.begin(|options, player| {
			if left < player.cost() {
				return None;
			}
			let (best, _, evaluated) = best_response(&worth, player.options(options), player.fixed, &totals);
			left -= evaluated + VISIT;
			best
		});
		self.left = left;
	}

	/// A mixture that is different for every `start`, swept in scattered fashion from another household on.
	pub fn begin_scattered(&mut self, start: u32) {
		let mut state = u64::from(start);
		self.begin(|options, player| player.choice(options, below(&mut state, player.choices())));
		let players = self.players.len() as u32;
		self.first = below(&mut state, players.max(1)) as usize;
		self.scatter = Some(state);
	}

	/// Puts every player where `pick` says, or leaves it where it is, and forgets all visits.
	fn begin(&mut self, mut pick: impl FnMut(&[Move], &Player) -> Option<Move>) {
		self.first = 0;
		self.scatter = None;
		self.pool = self.decided;
		for player in &mut self.players {
			player.current = pick(&self.options, player).unwrap_or(player.current);
			player.current.join(&mut self.pool);
			player.seen = None;
		}
	}

	/// Visits each player once and lets it move to its best strategy if that gains enough.
	///
	/// In scattered sweeps every second one that could gain stays put, and every fourth of the rest tries any of its
	/// strategies and takes it if it gains. That breaks cycles: where a path of single gainful moves leads to an
	/// equilibrium, such a walk finds it sooner or later, which best responses in a fixed order need not.
	pub fn sweep(&mut self) -> Sweep {
		let Self {
			worth,
			options,
			players,
			pool,
			threshold,
			scatter,
			first,
			left,
			..
		} = self;
		let first = (*first).min(players.len());
		let (head, tail) = players.split_at_mut(first);
		let mut sweep = Sweep::Settled;
		for player in tail.iter_mut().chain(head) {
			// One more for the strategy that a scattered sweep tries.
			if *left < player.cost() + 1 {
				return Sweep::Exhausted;
			}
			let mut others = *pool;
			player.current.leave(&mut others);
			if player.seen == Some(others) {
				*left -= 1;
				continue;
			}
			player.seen = Some(others);
			let now = Log2(player.current.payoff(worth, &others));
			let (best, then, evaluated) =
				best_response(worth, player.options(options), player.fixed, &others);
			*left -= evaluated + VISIT;
			let Some(mut best) = best.filter(|_| Log2(then).gain_over(now) > *threshold) else {
				continue;
			};
			sweep = Sweep::Restless;
			if let Some(state) = scatter {
				player.seen = None;
				if below(state, 2) == 0 {
					continue;
				}
				if below(state, 4) == 0 {
					*left -= 1;
					let any = player.choice(options, below(state, player.choices()));
					let gains = |any: &Move| Log2(any.payoff(worth, &others)).gain_over(now) > *threshold;
					best = any.filter(gains).unwrap_or(best);
				}
			}
			player.current = best;
			best.join(&mut others);
			*pool = others;
		}
		sweep
	}

	/// The most that any player could gain by moving alone; `None` if the budget does not suffice to tell.
	pub fn largest_gain(&mut self) -> Option<Log2> {
		let mut largest = Log2::ZERO;
		let Self {
			worth,
			options,
			players,
			pool,
			left,
			..
		} = self;
		for player in players {
			if *left < player.cost() {
				return None;
			}
			let (gain, cost) = player.gain(worth, options, pool);
			*left -= cost;
			largest = largest.max(gain);
		}
		Some(largest)
	}

	/// What a move must gain to be made.
	pub fn threshold(&self) -> Log2 {
		self.threshold
	}

	/// Whether some player gains more than `limit`; `None` if the budget does not suffice to tell. The one that said so
	/// last is asked first: neighbouring profiles mostly fall to the same player.
	pub fn is_refuted(&mut self, limit: Log2) -> Option<bool> {
		let Self {
			worth,
			options,
			players,
			pool,
			suspect,
			left,
			..
		} = self;
		let first = (*suspect).min(players.len());
		let order = (first..players.len()).take(1).chain(0..players.len());
		for index in order {
			let Some(player) = players.get(index) else {
				continue;
			};
			if *left < player.cost() {
				return None;
			}
			let (gain, cost) = player.gain(worth, options, pool);
			*left -= cost;
			if gain > limit {
				*suspect = index;
				return Some(true);
			}
		}
		Some(false)
	}

	/// Energy exchanged with the main grid in either direction, Wh.
	pub fn main_wh(&self) -> u64 {
		let outside = self
			.players
			.iter()
			.filter(|player| player.current.side == Side::Outside);
		let players: u64 = outside.map(|player| u64::from(player.current.x)).sum();
		self.decided_outside_wh + players + (self.pool.long_wh() - self.pool.traded_wh())
	}

	/// The present choice of each player.
	pub fn picks(&self) -> impl Iterator<Item = u8> + '_ {
		self.players.iter().map(|player| player.current.choice)
	}

	/// The profile of the game in which the players choose so, or as they do at present.
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

/// A number below `bound` from SplitMix64 (Steele, Lea and Flood 2014): seeded by the start, so equal everywhere.
fn below(state: &mut u64, bound: u32) -> u32 {
	*state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
	let mut mixed = *state;
	mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
	mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
	mixed ^= mixed >> 31;
	// The high half times the bound, so the result is below it.
	(((mixed >> 32) * u64::from(bound)) >> 32) as u32
}

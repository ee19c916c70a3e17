//! Best-response sweeps, and the profiles that they start from.

use crate::{
	game::Game,
	log2::Log2,
	payoff::Pool,
	prepared::{best_response, PreparedStrategy},
	search::{Player, Search, VISIT},
};

/// How a sweep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sweep {
	/// No player could gain more than the threshold.
	Settled,
	/// Some player moved, or could have moved.
	Unsettled,
	/// The budget ran out.
	Exhausted,
}

impl Search {
	/// Starts with every player in the pool, if it has a pool strategy, at its strategy with the highest `max_payoff`.
	pub fn begin_in_pool(&mut self) {
		self.begin(|options, player| player.choice(options, 0));
	}

	/// Starts with every player at its best strategy outside the pool, if it has one.
	pub fn begin_on_main_grid(&mut self) {
		self.begin(|options, player| player.outside.or(player.choice(options, 0)));
	}

	/// Starts from a profile of the game.
	pub fn begin_from(&mut self, game: &Game, profile: &[u8]) {
		let rules = self.rules;
		self.begin(|_, player| {
			let index = player.household as usize;
			let (household, choice) = (game.households().get(index)?, *profile.get(index)?);
			let strategy = household.strategies.get(usize::from(choice))?;
			Some(PreparedStrategy::new(&rules, household, choice, strategy))
		});
	}

	/// Starts with every player in the pool, at the strategy whose energy is closest to that of its best strategy
	/// outside the pool. A player without a strategy outside takes the one with the highest `max_payoff`.
	pub fn begin_with_outside_energy(&mut self) {
		self.begin(|options, player| {
			let Some(outside) = player.outside else {
				return player.choice(options, 0);
			};
			let own = player.options(options).iter();
			own.min_by_key(|option| option.x_wh.abs_diff(outside.x_wh))
				.copied()
		});
	}

	/// Starts with every player at its best response to a pool so large that its own position does not matter, with
	/// offers and requests in proportion `offers` to `requests`. When the budget runs out, the remaining players keep
	/// their strategies.
	pub fn begin_responding(&mut self, offers: u64, requests: u64) {
		// Far above any position, which is below 2^30; the totals stay below the 2^46 for which arithmetic is proved.
		const UNIT_WH: u64 = 1 << 40;
		let totals = Pool {
			offered_wh: offers * UNIT_WH,
			requested_wh: requests * UNIT_WH,
		};
		let (rules, mut left) = (self.rules, self.evaluations_left);
		self.begin(|options, player| {
			if left < player.max_evaluations() {
				return None;
			}
			let best = best_response(&rules, player.options(options), player.outside, &totals);
			left -= best.evaluations + VISIT;
			best.strategy
		});
		self.evaluations_left = left;
	}

	/// Starts from a pseudo-random profile that depends on `start`. The sweeps that follow are scattered, see
	/// [`Self::sweep`].
	pub fn begin_scattered(&mut self, start: u32) {
		let mut state = u64::from(start);
		self.begin(|options, player| player.choice(options, below(&mut state, player.choices())));
		self.scatter = Some(state);
	}

	/// Gives every player the strategy that `pick` returns (for `None` its current one) and forgets all visits.
	fn begin(&mut self, mut pick: impl FnMut(&[PreparedStrategy], &Player) -> Option<PreparedStrategy>) {
		for (place, index) in self.order.iter_mut().zip(0..) {
			*place = index;
		}
		self.scatter = None;
		self.pool = self.decided;
		for player in &mut self.players {
			player.current = pick(&self.options, player).unwrap_or(player.current);
			player.current.join(&mut self.pool);
			player.seen = None;
		}
	}

	/// Visits each player once and moves it to its best response if that gains more than the threshold.
	///
	/// Each sweep of a scattered start visits the players in a new pseudo-random order. In one fixed order, best responses
	/// of large communities often cycle. New orders break most of these cycles. Of the ways that we tried, they find the
	/// most equilibria for the same work.
	pub fn sweep(&mut self) -> Sweep {
		if let Some(state) = &mut self.scatter {
			shuffle(&mut self.order, state);
		}
		let mut sweep = Sweep::Settled;
		for index in &self.order {
			let Some(player) = self.players.get_mut(*index as usize) else {
				continue;
			};
			if self.evaluations_left < player.max_evaluations() {
				return Sweep::Exhausted;
			}
			let mut others = self.pool;
			player.current.leave(&mut others);
			if player.seen == Some(others) {
				self.evaluations_left -= 1;
				continue;
			}
			player.seen = Some(others);
			let now = Log2(player.current.payoff(&self.rules, &others));
			let options = player.options(&self.options);
			let best = best_response(&self.rules, options, player.outside, &others);
			self.evaluations_left -= best.evaluations + VISIT;
			let gain = Log2(best.payoff).gain_over(now);
			let Some(next) = best.strategy.filter(|_| gain > self.threshold) else {
				continue;
			};
			sweep = Sweep::Unsettled;
			player.current = next;
			next.join(&mut others);
			self.pool = others;
		}
		sweep
	}
}

/// Puts the entries into a pseudo-random order (Fisher and Yates).
fn shuffle(order: &mut [u32], state: &mut u64) {
	// There are at most 65,535 players.
	for end in (1..order.len()).rev() {
		order.swap(end, below(state, end as u32 + 1) as usize);
	}
}

/// A pseudo-random number below `bound`, by SplitMix64 (Steele, Lea and Flood 2014). The start seeds the sequence, so
/// it is the same on every machine.
fn below(state: &mut u64, bound: u32) -> u32 {
	*state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
	let mut mixed = *state;
	mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
	mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
	mixed ^= mixed >> 31;
	// The high 32 bits times the bound, divided by 2^32.
	(((mixed >> 32) * u64::from(bound)) >> 32) as u32
}

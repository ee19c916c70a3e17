//! Branch and bound over the totals S and B: finds equilibria that no path of best responses leads to.
//!
//! Such equilibria exist. For example, if the pool balances to within the meter resolution, some household may prefer
//! to change in every neighbouring profile. But a household sees the others only through S and B. So an equilibrium is
//! a pair of totals, and for each household a strategy that is a best response at these totals, such that the positions
//! of all strategies add up to the totals. The search looks for these pairs by splitting a rectangle of totals:
//!
//! - **Bound.** The share that a pool strategy is served never rises with the total of its own side and never falls
//!   with that of the other side. So two corners of the rectangle serve it least and most, and
//!   [`PreparedStrategy::range`] bounds its payoff between them. A strategy whose highest payoff is below the lowest
//!   payoff of another one is not a best response anywhere in the rectangle.
//! - **Narrow.** The remaining strategies, the *candidates*, can add up to certain totals only. The rectangle shrinks
//!   to these, which rules out more strategies, until nothing changes. The search drops an empty rectangle, and one in
//!   which at least as much energy is exchanged with the main grid as in the best equilibrium so far.
//! - **Branch.** If few profiles of candidates remain, the search checks each. Otherwise it halves the rectangle along
//!   its longer side.
//!
//! A profile counts as an equilibrium by the same test as after a sweep, and [`crate::verify`] certifies it like any
//! other.

use crate::{
	limits::{MAX_ENERGY_WH, MAX_HOUSEHOLDS},
	log2::PAYOFF_ERROR,
	payoff::{LogRules, Pool},
	prepared::{PayoffRange, PreparedStrategy, ServiceRange, Side},
	search::{Player, Search},
};
use alloc::vec::Vec;

/// Largest number of profiles for which the search checks each of them instead of splitting the rectangle.
const MAX_ENUMERATED: u64 = 256;

/// Upper bound of S and B in any game.
const MAX_TOTAL_WH: u64 = MAX_HOUSEHOLDS as u64 * MAX_ENERGY_WH as u64;

/// Most rectangles in the stack: each of at most 2 * 46 halvings on the way down leaves one behind.
const MAX_STACK: usize = 2 * 46 + 1;

/// Evaluations that one [`PreparedStrategy::range`] counts for: the payoffs at both ends, and those between them.
const RANGE_EVALUATIONS: u64 = 3;

/// A range of energies in Wh, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct EnergyRange {
	low: u64,
	high: u64,
}

/// A rectangle of totals of the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Totals {
	offered: EnergyRange,
	requested: EnergyRange,
}

/// What the candidates of all players can add up to.
struct Reach {
	totals: Totals,
	/// Lower bound of the energy that they exchange with the main grid outside the pool.
	outside_wh: u64,
}

/// How the search continues after a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
	/// Only an equilibrium that exchanges less than this with the main grid, in Wh, is an improvement.
	MainBelow(u64),
	/// The search ends.
	Stop,
}

impl EnergyRange {
	/// Contains nothing; the identity of [`Self::including`].
	const EMPTY: Self = Self {
		low: u64::MAX,
		high: 0,
	};

	const fn exactly(wh: u64) -> Self {
		Self { low: wh, high: wh }
	}

	fn including(self, wh: u64) -> Self {
		Self {
			low: self.low.min(wh),
			high: self.high.max(wh),
		}
	}

	/// The range of sums of one energy of each range.
	fn plus(self, other: Self) -> Self {
		// Sums over a checked game stay below 2^46.
		Self {
			low: self.low + other.low,
			high: self.high + other.high,
		}
	}

	/// The totals without a position of this size; `None` if every total is smaller than the position.
	fn without(self, position_wh: u64) -> Option<Self> {
		Some(Self {
			low: self.low.saturating_sub(position_wh),
			high: self.high.checked_sub(position_wh)?,
		})
	}

	/// What both ranges contain; `None` if they do not overlap.
	fn intersection(self, other: Self) -> Option<Self> {
		let (low, high) = (self.low.max(other.low), self.high.min(other.high));
		(low <= high).then_some(Self { low, high })
	}

	fn width(self) -> u64 {
		self.high - self.low
	}

	fn halves(self) -> [Self; 2] {
		let middle = self.low + self.width() / 2;
		[
			Self { high: middle, ..self },
			Self {
				low: middle + 1,
				..self
			},
		]
	}
}

/// The position of a strategy as a pool with nothing else in it.
fn position(strategy: &PreparedStrategy) -> Pool {
	let mut pool = Pool::default();
	strategy.join(&mut pool);
	pool
}

impl Totals {
	/// The totals of the other households, given that this strategy is part of the totals; `None` if its position is
	/// larger than the totals allow.
	fn without(&self, strategy: &PreparedStrategy) -> Option<Self> {
		let position = position(strategy);
		Some(Self {
			offered: self.offered.without(position.offered_wh)?,
			requested: self.requested.without(position.requested_wh)?,
		})
	}

	fn intersection(&self, other: &Self) -> Option<Self> {
		Some(Self {
			offered: self.offered.intersection(other.offered)?,
			requested: self.requested.intersection(other.requested)?,
		})
	}

	/// With this rectangle as the others' totals, the corners that serve a side least and most.
	fn corners(&self, side: Side) -> ServiceRange {
		let surplus = Pool {
			offered_wh: self.offered.high,
			requested_wh: self.requested.low,
		};
		let shortage = Pool {
			offered_wh: self.offered.low,
			requested_wh: self.requested.high,
		};
		match side {
			Side::Offers | Side::Outside => ServiceRange {
				least_served: surplus,
				most_served: shortage,
			},
			Side::Requests => ServiceRange {
				least_served: shortage,
				most_served: surplus,
			},
		}
	}

	/// Bounds of a strategy's payoff with this rectangle as the others' totals.
	fn payoff_range(&self, rules: &LogRules, strategy: &PreparedStrategy) -> PayoffRange {
		strategy.range(rules, &self.corners(strategy.side))
	}

	/// Lower bound of the energy by which the long side exceeds the short side.
	fn least_excess_wh(&self) -> u64 {
		let surplus = self.offered.low.saturating_sub(self.requested.high);
		let shortage = self.requested.low.saturating_sub(self.offered.high);
		surplus.max(shortage)
	}

	/// Both halves along the longer side; `None` for a single point.
	fn halves(&self) -> Option<[Self; 2]> {
		if self.offered.width() == 0 && self.requested.width() == 0 {
			None
		} else if self.offered.width() >= self.requested.width() {
			Some(self.offered.halves().map(|offered| Self { offered, ..*self }))
		} else {
			Some(
				self.requested
					.halves()
					.map(|requested| Self { requested, ..*self }),
			)
		}
	}
}

impl Player {
	/// Whether a strategy of the player could be a best response, to within `slack`, somewhere in the rectangle; and the
	/// number of evaluations that finding out took. `all` is [`Search::options`].
	fn could_choose(
		&self,
		rules: &LogRules,
		all: &[PreparedStrategy],
		strategy: &PreparedStrategy,
		totals: &Totals,
		slack: i64,
	) -> (bool, u64) {
		let Some(others) = totals.without(strategy) else {
			return (false, 1);
		};
		// Payoffs are far from the ends of i64, except for minus infinity, which stays below every payoff with slack.
		let highest = others.payoff_range(rules, strategy).high.saturating_add(slack);
		let mut evaluations = RANGE_EVALUATIONS;
		if self
			.outside
			.is_some_and(|outside| outside.served_payoff > highest)
		{
			return (false, evaluations);
		}
		for other in self.options(all) {
			if other.max_payoff <= highest {
				break;
			}
			evaluations += RANGE_EVALUATIONS;
			if others.payoff_range(rules, other).low > highest {
				return (false, evaluations);
			}
		}
		(true, evaluations)
	}

	/// Makes the candidate at position `digit` the current strategy.
	fn select_candidate(&mut self, all: &[PreparedStrategy], candidates: &[u8]) {
		let index = candidates
			.get((self.candidates.first + self.digit) as usize)
			.copied()
			.unwrap_or_default();
		self.current = self.choice(all, index.into()).unwrap_or(self.current);
	}
}

impl Search {
	/// Searches all totals of the game whose S and B are both at least `least_traded_wh`, until the search is complete,
	/// the budget runs out or `judge` stops it.
	///
	/// `judge` sees every profile of candidates that remains. `next` is what the first improvement must achieve, and
	/// `judge` returns the same for the following ones. The search drops rectangles that cannot achieve it.
	pub fn branch_and_bound(
		&mut self,
		least_traded_wh: u64,
		mut next: Next,
		mut judge: impl FnMut(&mut Self) -> Next,
	) {
		let side = EnergyRange {
			low: least_traded_wh,
			high: MAX_TOTAL_WH,
		};
		// Depth first, with capacity for the deepest search, so that the allocation does not depend on the depth.
		let mut stack = Vec::with_capacity(MAX_STACK);
		stack.push(Totals {
			offered: side,
			requested: side,
		});
		while let Some(totals) = stack.pop() {
			let Some(Reach { totals, outside_wh }) = self.narrow(totals) else {
				continue;
			};
			let Next::MainBelow(main_wh) = next else { return };
			if outside_wh + totals.least_excess_wh() >= main_wh {
				continue;
			}
			let profiles = self.players.iter().fold(1u64, |product, player| {
				// If the product saturates, it is far above the limit anyway.
				product.saturating_mul(u64::from(player.candidates.length))
			});
			match totals.halves() {
				Some(halves) if profiles > MAX_ENUMERATED => stack.extend(halves),
				_ => next = self.enumerate_candidates(profiles, &mut judge),
			}
		}
	}

	/// Shows every profile of the players to `judge`, until it stops or the budget runs out.
	pub fn enumerate_all(&mut self, mut judge: impl FnMut(&mut Self) -> Next) {
		for player in &mut self.players {
			let room = self.candidates.get_mut(player.candidates.first as usize..);
			let choices = player.choices();
			for (slot, index) in room.unwrap_or_default().iter_mut().zip(0..choices) {
				// A household has at most 255 choices.
				*slot = index as u8;
			}
			player.candidates.length = choices;
		}
		let profiles = self.profiles();
		self.enumerate_candidates(profiles, &mut judge);
	}

	/// Alternates between ruling out strategies and shrinking the rectangle, until nothing changes. `None` if no
	/// equilibrium can lie in it or the budget runs out.
	fn narrow(&mut self, mut totals: Totals) -> Option<Reach> {
		loop {
			let reach = self.narrow_players(&totals)?;
			let next = totals.intersection(&reach.totals)?;
			if next == totals {
				return Some(Reach { totals, ..reach });
			}
			totals = next;
		}
	}

	/// One round: finds the candidates of every player in the rectangle, and what they can add up to. `None` if a
	/// player has no candidate or the budget runs out.
	fn narrow_players(&mut self, totals: &Totals) -> Option<Reach> {
		// A best response may fall short of the best payoff by the threshold. Four roundings: both sides of that
		// comparison, and both of the one made here.
		let slack = self.threshold.0.saturating_add(4 * PAYOFF_ERROR.0);
		let mut reach = Reach {
			totals: Totals {
				offered: EnergyRange::exactly(self.decided.offered_wh),
				requested: EnergyRange::exactly(self.decided.requested_wh),
			},
			outside_wh: self.decided_outside_wh,
		};
		// Without players, a round still costs something.
		self.evaluations_left = self.evaluations_left.checked_sub(1)?;
		for player in &mut self.players {
			let room = self
				.candidates
				.get_mut(player.candidates.first as usize..)
				.unwrap_or_default();
			let (mut offered, mut requested) = (EnergyRange::EMPTY, EnergyRange::EMPTY);
			let mut outside_wh = u64::MAX;
			let mut count = 0;
			for index in 0..player.choices() {
				let Some(strategy) = player.choice(&self.options, index) else {
					continue;
				};
				let (is_possible, evaluations) =
					player.could_choose(&self.rules, &self.options, &strategy, totals, slack);
				self.evaluations_left = self.evaluations_left.checked_sub(evaluations)?;
				if !is_possible {
					continue;
				}
				if let Some(slot) = room.get_mut(count as usize) {
					// A household has at most 255 choices.
					*slot = index as u8;
					count += 1;
				}
				let position = position(&strategy);
				offered = offered.including(position.offered_wh);
				requested = requested.including(position.requested_wh);
				let outside = strategy.side == Side::Outside;
				outside_wh = outside_wh.min(if outside { strategy.x_wh.into() } else { 0 });
			}
			player.candidates.length = count;
			if count == 0 {
				return None;
			}
			reach.totals.offered = reach.totals.offered.plus(offered);
			reach.totals.requested = reach.totals.requested.plus(requested);
			reach.outside_wh += outside_wh;
		}
		Some(reach)
	}

	/// Shows each of the `profiles` profiles of candidates to `judge`, until it stops or the budget runs out.
	fn enumerate_candidates(&mut self, profiles: u64, judge: &mut impl FnMut(&mut Self) -> Next) -> Next {
		self.pool = self.decided;
		for player in &mut self.players {
			player.digit = 0;
			player.select_candidate(&self.options, &self.candidates);
			player.current.join(&mut self.pool);
		}
		let mut next = Next::Stop;
		for _ in 0..profiles {
			next = judge(self);
			if next == Next::Stop || !self.advance() {
				return next;
			}
		}
		next
	}

	/// Moves to the next profile of candidates, like an odometer whose fastest digit is the first player. Returns false
	/// if the budget runs out.
	fn advance(&mut self) -> bool {
		for player in &mut self.players {
			let Some(left) = self.evaluations_left.checked_sub(1) else {
				return false;
			};
			self.evaluations_left = left;
			player.digit = (player.digit + 1) % player.candidates.length.max(1);
			player.current.leave(&mut self.pool);
			player.select_candidate(&self.options, &self.candidates);
			player.current.join(&mut self.pool);
			if player.digit > 0 {
				return true;
			}
		}
		true
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::Log2;

	#[test]
	fn halves_cover_the_rectangle_without_overlap() {
		let whole = Totals {
			offered: EnergyRange { low: 3, high: 9 },
			requested: EnergyRange { low: 1, high: 4 },
		};
		let [low, high] = whole.halves().unwrap();
		assert_eq!(low.offered, EnergyRange { low: 3, high: 6 });
		assert_eq!(high.offered, EnergyRange { low: 7, high: 9 });
		assert_eq!(
			(low.requested, high.requested),
			(whole.requested, whole.requested)
		);
		let point = Totals {
			offered: EnergyRange::exactly(3),
			requested: EnergyRange::exactly(4),
		};
		assert_eq!(point.halves(), None);
	}

	#[test]
	fn minus_infinity_plus_slack_is_below_every_payoff() {
		assert!(Log2::NEG_INFINITY.0.saturating_add(1 << 40) < -(1 << 60));
	}
}

//! Looking for an equilibrium by its totals, when no best-response path leads to one.
//!
//! Some equilibria have no path to them: one on which the pool balances to within the meter resolution can be such that
//! from every neighbouring profile somebody prefers to go elsewhere. But a household sees the others only through S and
//! B, so an equilibrium is a pair of totals and a strategy for each household that is a best response at these totals
//! and together with the others' adds up to them. That is what is searched, by halving boxes of totals:
//!
//! - Two corners of a box serve a pool strategy least and most, since the share that it is served never rises with the
//!   total of its own side and never falls with the other side's. A seller's payoff rises with that share. A buyer's is
//!   convex in it, with a jump where it balances, and [`Move::range`] bounds it from both ends and what lies between.
//!   A strategy that even at its best is below what another one earns at its worst is no best response anywhere in the
//!   box.
//! - What the remaining strategies can add up to shrinks the box, which rules out more; an empty box is dropped, and so
//!   is one in which at least as much is exchanged with the main grid as in the best equilibrium found.
//! - Few remaining profiles are looked at one by one. Otherwise the box is halved along its longer side.
//!
//! A profile is an equilibrium here by the same test as after a sweep, and is certified like any other.

use crate::{
	log2::PAYOFF_ERROR,
	payoff::{Pool, Worth},
	prepared::{Move, Side},
	search::{Player, Search},
	types::{MAX_ENERGY_WH, MAX_HOUSEHOLDS},
};
use alloc::vec::Vec;

/// Profiles that are looked at one by one in one box, unless it is a single point.
const PROFILES_PER_BOX: u64 = 256;

/// No game has totals above this, in Wh.
const MAX_TOTAL_WH: u64 = MAX_HOUSEHOLDS as u64 * MAX_ENERGY_WH as u64;
/// No more boxes than this wait at a time: one is left behind by each of at most 2 * 46 halvings on the way down.
const MOST_BOXES: usize = 2 * 46 + 1;

/// A range of totals, ends included: of S and of B.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Box {
	offered: (u64, u64),
	requested: (u64, u64),
}

/// What the candidates of all players can add up to.
struct Reach {
	totals: Box,
	/// The least that they exchange with the main grid outside of the pool.
	outside_wh: u64,
}

fn position(choice: &Move) -> (u64, u64) {
	let mut pool = Pool::default();
	choice.join(&mut pool);
	(pool.offered_wh, pool.requested_wh)
}

fn wider(range: (u64, u64), by: (u64, u64)) -> (u64, u64) {
	// Sums over a checked game stay below 2^46.
	(range.0 + by.0, range.1 + by.1)
}

fn common(left: (u64, u64), right: (u64, u64)) -> Option<(u64, u64)> {
	let (low, high) = (left.0.max(right.0), left.1.min(right.1));
	(low <= high).then_some((low, high))
}

impl Box {
	/// The totals of the others, if this choice is one of those that make up totals in here.
	fn without(&self, choice: &Move) -> Option<Self> {
		let (offered, requested) = position(choice);
		let less = |range: (u64, u64), own| Some((range.0.saturating_sub(own), range.1.checked_sub(own)?));
		Some(Self {
			offered: less(self.offered, offered)?,
			requested: less(self.requested, requested)?,
		})
	}

	/// Of the others' totals in here those that serve a side least, and those that serve it most.
	fn corners(&self, side: Side) -> (Pool, Pool) {
		let surplus = Pool {
			offered_wh: self.offered.1,
			requested_wh: self.requested.0,
		};
		let shortage = Pool {
			offered_wh: self.offered.0,
			requested_wh: self.requested.1,
		};
		match side {
			Side::Offers | Side::Outside => (surplus, shortage),
			Side::Requests => (shortage, surplus),
		}
	}

	/// The least and the most that a choice earns in here.
	fn range(&self, worth: &Worth, choice: &Move) -> (i64, i64) {
		let (least, most) = self.corners(choice.side);
		choice.range(worth, &least, &most)
	}

	/// The least that the longer side of the pool has over.
	fn least_spare_wh(&self) -> u64 {
		let surplus = self.offered.0.saturating_sub(self.requested.1);
		let shortage = self.requested.0.saturating_sub(self.offered.1);
		surplus.max(shortage)
	}

	/// Both halves along the longer side; a box that is one point has none.
	fn halves(&self) -> Option<[Self; 2]> {
		let split = |(low, high): (u64, u64)| {
			let middle = low + (high - low) / 2;
			[(low, middle), (middle + 1, high)]
		};
		let (wide, tall) = (
			self.offered.1 - self.offered.0,
			self.requested.1 - self.requested.0,
		);
		if wide == 0 && tall == 0 {
			None
		} else if wide >= tall {
			Some(split(self.offered).map(|offered| Self { offered, ..*self }))
		} else {
			Some(split(self.requested).map(|requested| Self { requested, ..*self }))
		}
	}
}

impl Player {
	/// Whether a choice could be a best response, to within `slack`, at totals in the box; and what it cost to tell.
	fn could_choose(
		&self,
		worth: &Worth,
		options: &[Move],
		choice: &Move,
		totals: &Box,
		slack: i64,
	) -> (bool, u64) {
		let Some(others) = totals.without(choice) else {
			return (false, 1);
		};
		// Far from the ends of the range, or at its lower end and then still far below everything else.
		let most = others.range(worth, choice).1.saturating_add(slack);
		let mut cost = RANGE;
		if self.fixed.is_some_and(|fixed| fixed.full > most) {
			return (false, cost);
		}
		for other in self.options(options) {
			if other.bound <= most {
				break;
			}
			cost += RANGE;
			if others.range(worth, other).0 > most {
				return (false, cost);
			}
		}
		(true, cost)
	}
}

/// Evaluations that a range of payoffs over a box counts for: two payoffs, and what lies between them.
const RANGE: u64 = 3;

impl Search {
	/// Looks through the totals of the whole game, from `least_traded_wh` up on either side, while the budget lasts.
	/// Every profile that remains is shown to `judge`, which says what further ones must come below: the energy
	/// exchanged with the main grid. Boxes that can only come to as much are not opened.
	pub fn search_boxes(
		&mut self,
		least_traded_wh: u64,
		mut ask: Ask,
		mut judge: impl FnMut(&mut Self) -> Ask,
	) {
		let everything = Box {
			offered: (least_traded_wh, MAX_TOTAL_WH),
			requested: (least_traded_wh, MAX_TOTAL_WH),
		};
		// Depth first, with room for all, so that what is allocated does not depend on how deep it goes.
		let mut boxes = Vec::with_capacity(MOST_BOXES);
		boxes.push(everything);
		while let Some(totals) = boxes.pop() {
			let Some((totals, outside_wh)) = self.narrow(totals) else {
				continue;
			};
			let Ask::Below(main_wh) = ask else { return };
			if outside_wh + totals.least_spare_wh() >= main_wh {
				continue;
			}
			let profiles = self.players.iter().fold(1u64, |product, player| {
				// Saturated is as good as any other number that is too large.
				product.saturating_mul(u64::from(player.candidates.1))
			});
			match totals.halves() {
				Some(halves) if profiles > PROFILES_PER_BOX => boxes.extend(halves),
				_ => ask = self.walk(profiles, &mut judge),
			}
		}
	}

	/// Shows every profile of the players' choices to `judge`, while it asks for more.
	pub fn walk_all(&mut self, mut judge: impl FnMut(&mut Self) -> Ask) {
		for player in &mut self.players {
			let room = self.candidates.get_mut(player.candidates.0 as usize..);
			let choices = player.choices();
			for (slot, index) in room.unwrap_or_default().iter_mut().zip(0..choices) {
				// A household has at most 255 choices.
				*slot = index as u8;
			}
			player.candidates.1 = choices;
		}
		let profiles = self.profiles();
		self.walk(profiles, &mut judge);
	}

	/// Rules out what cannot be a best response in the box and shrinks the box to what is left, until nothing changes.
	/// Also says what the remaining candidates exchange with the main grid at least, outside of the pool. `None` if
	/// nothing is left or the budget is used up.
	fn narrow(&mut self, mut totals: Box) -> Option<(Box, u64)> {
		loop {
			let reach = self.narrow_players(&totals)?;
			let next = Box {
				offered: common(totals.offered, reach.totals.offered)?,
				requested: common(totals.requested, reach.totals.requested)?,
			};
			if next == totals {
				return Some((totals, reach.outside_wh));
			}
			totals = next;
		}
	}

	/// One round: the candidates of every player, the totals that they can add up to, and the least energy that they
	/// exchange with the main grid outside of the pool.
	fn narrow_players(&mut self, totals: &Box) -> Option<Reach> {
		// A strategy may fall short by what counts as no gain, and both sides of the comparison may be rounded.
		let slack = self.threshold.0.saturating_add(4 * PAYOFF_ERROR.0);
		let Self {
			worth,
			options,
			players,
			candidates,
			decided,
			decided_outside_wh,
			left,
			..
		} = self;
		let mut offered = (decided.offered_wh, decided.offered_wh);
		let mut requested = (decided.requested_wh, decided.requested_wh);
		let mut outside_wh = *decided_outside_wh;
		// Where every player is decided there is one box.
		*left = left.checked_sub(1)?;
		for player in players {
			let room = candidates
				.get_mut(player.candidates.0 as usize..)
				.unwrap_or_default();
			let (mut own_offered, mut own_requested) = ((u64::MAX, 0), (u64::MAX, 0));
			let mut own_outside = u64::MAX;
			let mut count = 0;
			for index in 0..player.choices() {
				let Some(choice) = player.choice(options, index) else {
					continue;
				};
				let (could, cost) = player.could_choose(worth, options, &choice, totals, slack);
				*left = left.checked_sub(cost)?;
				if !could {
					continue;
				}
				if let Some(slot) = room.get_mut(count as usize) {
					// A household has at most 255 choices.
					*slot = index as u8;
					count += 1;
				}
				let (offers, requests) = position(&choice);
				own_offered = (offers.min(own_offered.0), offers.max(own_offered.1));
				own_requested = (requests.min(own_requested.0), requests.max(own_requested.1));
				let outside = if choice.side == Side::Outside { choice.x } else { 0 };
				own_outside = own_outside.min(outside.into());
			}
			player.candidates.1 = count;
			if count == 0 {
				return None;
			}
			offered = wider(offered, own_offered);
			requested = wider(requested, own_requested);
			outside_wh += own_outside;
		}
		Some(Reach {
			totals: Box { offered, requested },
			outside_wh,
		})
	}

	/// Shows all profiles of the candidates to `judge`, while it asks for more.
	fn walk(&mut self, profiles: u64, judge: &mut impl FnMut(&mut Self) -> Ask) -> Ask {
		self.pool = self.decided;
		let Self {
			options,
			players,
			candidates,
			pool,
			..
		} = self;
		for player in players {
			player.digit = 0;
			player.take(options, candidates);
			player.current.join(pool);
		}
		let mut ask = Ask::Nothing;
		for _ in 0..profiles {
			ask = judge(self);
			if matches!(ask, Ask::Nothing) || !self.advance() {
				return ask;
			}
		}
		ask
	}

	/// The next profile, by an odometer whose first wheel is the first player. False if the budget does not suffice.
	fn advance(&mut self) -> bool {
		let Self {
			options,
			players,
			candidates,
			pool,
			left,
			..
		} = self;
		for player in players {
			let Some(less) = left.checked_sub(1) else {
				return false;
			};
			*left = less;
			player.digit = (player.digit + 1) % player.candidates.1.max(1);
			player.current.leave(pool);
			player.take(options, candidates);
			player.current.join(pool);
			if player.digit > 0 {
				return true;
			}
		}
		true
	}
}

/// What a search over totals is still asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
	/// An equilibrium that exchanges less than this with the main grid, Wh.
	Below(u64),
	/// Nothing.
	Nothing,
}

impl Player {
	/// Makes the candidate that `digit` points to the current choice.
	fn take(&mut self, options: &[Move], candidates: &[u8]) {
		let index = candidates
			.get((self.candidates.0 + self.digit) as usize)
			.copied()
			.unwrap_or_default();
		self.current = self.choice(options, index.into()).unwrap_or(self.current);
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::Log2;

	#[test]
	fn halves_cover_a_box_and_do_not_overlap() {
		let whole = Box {
			offered: (3, 9),
			requested: (1, 4),
		};
		let [low, high] = whole.halves().unwrap();
		assert_eq!((low.offered, high.offered), ((3, 6), (7, 9)));
		assert_eq!(
			(low.requested, high.requested),
			(whole.requested, whole.requested)
		);
		assert_eq!(
			Box {
				offered: (3, 3),
				requested: (4, 4)
			}
			.halves(),
			None
		);
	}

	#[test]
	fn earning_nothing_is_below_any_slack() {
		assert!(Log2::NEG_INFINITY.0.saturating_add(1 << 40) < -(1 << 60));
	}
}

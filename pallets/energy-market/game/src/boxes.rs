//! Looking for an equilibrium by its totals, when no best-response path leads to one.
//!
//! Some equilibria have no path to them: one on which the pool balances to within the meter resolution can be such that
//! from every neighbouring profile somebody prefers to go elsewhere. But a household sees the others only through S and
//! B, so an equilibrium is a pair of totals and a strategy for each household that is a best response at these totals
//! and together with the others' adds up to them. That is what is searched, by halving boxes of totals:
//!
//! - The payoff of a pool strategy never rises with the total of its own side and never falls with the other side's.
//!   Over a box it lies between its values at two corners. A strategy that even at its best is below what another one
//!   earns at its worst is no best response anywhere in the box.
//! - What the remaining strategies can add up to shrinks the box, which rules out more; an empty box is dropped.
//! - Few remaining profiles are looked at one by one. Otherwise the box is halved along its longer side.
//!
//! Nothing that is found here is believed: it is certified like any other profile.

use crate::{
	log2::PAYOFF_ERROR,
	payoff::{Pool, Worth},
	prepared::{Move, Side},
	search::{Player, Search},
	types::{MAX_ENERGY_WH, MAX_HOUSEHOLDS},
};
use alloc::vec::Vec;

/// Profiles that are looked at one by one in one box; in the first one, which is the whole game, as many as are allowed.
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

	/// The corner where a choice earns least, and the one where it earns most.
	fn corners(&self, side: Side) -> (Pool, Pool) {
		let crowded = Pool {
			offered_wh: self.offered.1,
			requested_wh: self.requested.0,
		};
		let wanted = Pool {
			offered_wh: self.offered.0,
			requested_wh: self.requested.1,
		};
		match side {
			Side::Offers | Side::Outside => (crowded, wanted),
			Side::Requests => (wanted, crowded),
		}
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
	/// Whether a choice could be a best response, to within `slack`, at totals in the box.
	fn could_choose(&self, worth: &Worth, options: &[Move], choice: &Move, totals: &Box, slack: i64) -> bool {
		let Some(others) = totals.without(choice) else {
			return false;
		};
		let (_, best) = others.corners(choice.side);
		// Far from the ends of the range, or at its lower end and then still far below everything else.
		let most = choice.payoff(worth, &best).saturating_add(slack);
		if self.fixed.is_some_and(|fixed| fixed.bound > most) {
			return false;
		}
		for other in self.options(options) {
			if other.bound <= most {
				break;
			}
			let (worst, _) = others.corners(other.side);
			if other.payoff(worth, &worst) > most {
				return false;
			}
		}
		true
	}
}

impl Search {
	/// Looks through the totals of the whole game, from `least_traded_wh` up on either side, at no more than `budget`
	/// candidates: choices of players in a box, and profiles. Every profile that remains is shown to `judge`, until that
	/// says that it is satisfied; boxes are not opened after that.
	pub fn search_boxes(
		&mut self,
		budget: u64,
		least_traded_wh: u64,
		mut judge: impl FnMut(&mut Self) -> bool,
	) {
		let everything = Box {
			offered: (least_traded_wh, MAX_TOTAL_WH),
			requested: (least_traded_wh, MAX_TOTAL_WH),
		};
		let mut left = budget;
		let mut most_profiles = budget;
		// Depth first, with room for all, so that what is allocated does not depend on how deep it goes.
		let mut boxes = Vec::with_capacity(MOST_BOXES);
		boxes.push(everything);
		while let Some(totals) = boxes.pop() {
			let Some(totals) = self.narrow(totals, &mut left) else {
				continue;
			};
			let profiles = self.players.iter().fold(1u64, |product, player| {
				// Saturated is as good as any other number that is too large.
				product.saturating_mul(u64::from(player.candidates.1))
			});
			if profiles <= most_profiles.min(left) {
				left -= profiles;
				if self.walk(profiles, &mut judge) {
					return;
				}
			} else if let Some(halves) = totals.halves() {
				boxes.extend(halves);
			}
			most_profiles = PROFILES_PER_BOX;
		}
	}

	/// Rules out what cannot be a best response in the box and shrinks the box to what is left, until nothing changes.
	/// `None` if nothing is left or the budget, of which every round takes the players' choices, is used up.
	fn narrow(&mut self, mut totals: Box, left: &mut u64) -> Option<Box> {
		let choices: u64 = self.players.iter().map(|player| player.choices() as u64).sum();
		// Where every player is decided there is one box, and one round for it.
		let choices = choices.max(1);
		while let Some(less) = left.checked_sub(choices) {
			*left = less;
			let (offered, requested) = self.narrow_players(&totals)?;
			let next = Box {
				offered: common(totals.offered, offered)?,
				requested: common(totals.requested, requested)?,
			};
			if next == totals {
				return Some(totals);
			}
			totals = next;
		}
		None
	}

	/// One round: the candidates of every player, and the totals that they can add up to.
	fn narrow_players(&mut self, totals: &Box) -> Option<((u64, u64), (u64, u64))> {
		// A strategy may fall short by what counts as no gain, and both sides of the comparison may be rounded.
		let slack = self.threshold.0.saturating_add(4 * PAYOFF_ERROR.0);
		let Self {
			worth,
			options,
			players,
			candidates,
			decided,
			..
		} = self;
		let mut offered = (decided.offered_wh, decided.offered_wh);
		let mut requested = (decided.requested_wh, decided.requested_wh);
		for player in players {
			let room = candidates
				.get_mut(player.candidates.0 as usize..)
				.unwrap_or_default();
			let (mut own_offered, mut own_requested) = ((u64::MAX, 0), (u64::MAX, 0));
			let mut count = 0;
			for index in 0..player.choices() {
				let Some(choice) = player.choice(options, index) else {
					continue;
				};
				if !player.could_choose(worth, options, &choice, totals, slack) {
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
			}
			player.candidates.1 = count;
			if count == 0 {
				return None;
			}
			offered = wider(offered, own_offered);
			requested = wider(requested, own_requested);
		}
		Some((offered, requested))
	}

	/// Shows all profiles of the candidates to `judge`; says whether it was ever satisfied.
	fn walk(&mut self, profiles: u64, judge: &mut impl FnMut(&mut Self) -> bool) -> bool {
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
		let mut satisfied = false;
		for _ in 0..profiles {
			satisfied |= judge(self);
			self.advance();
		}
		satisfied
	}

	/// The next profile, by an odometer whose first wheel is the first player.
	fn advance(&mut self) {
		let Self {
			options,
			players,
			candidates,
			pool,
			..
		} = self;
		for player in players {
			player.digit = (player.digit + 1) % player.candidates.1.max(1);
			player.current.leave(pool);
			player.take(options, candidates);
			player.current.join(pool);
			if player.digit > 0 {
				return;
			}
		}
	}
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

//! Strategies prepared for the solver, and the best response among them.

use crate::{
	game::Household,
	log2::Log2,
	payoff::{signed, Pool, Worth, TRADE_BITS},
	types::{Kind, Strategy},
};

const NOTHING: i64 = Log2::NEG_INFINITY.0;

/// Where a strategy puts its net position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
	Offers,
	Requests,
	Outside,
}

/// A strategy with everything computed that does not depend on the others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Move {
	/// No payoff of the strategy is above this, whatever the others do; [`Log2::NEG_INFINITY`] when C = 0. For a seller
	/// it is `full`: E_in is at most x, C at most 1 and 1/|E_main| at most omega. For a buyer it is the larger of `base`
	/// and the limit of the balanced branch, see "What a buyer's payoff looks like" in [`crate::payoff`].
	pub bound: i64,
	/// Payoff on the short side of the pool, and outside of the pool.
	pub full: i64,
	/// Payoff in a pool that gives nothing.
	pub base: i64,
	/// |x| in Wh.
	pub x: u32,
	pub side: Side,
	pub choice: u8,
}

impl Move {
	pub fn new(worth: &Worth, household: &Household, choice: u8, strategy: &Strategy) -> Self {
		let (comfort, comfort_unit) = household.comfort_of(strategy);
		let x = household.generation_wh.abs_diff(strategy.consumption_wh);
		let side = match strategy.kind {
			Kind::SellToCommunity => Side::Offers,
			Kind::BuyFromCommunity => Side::Requests,
			Kind::Neutral | Kind::BuyFromMain | Kind::SellToMain => Side::Outside,
		};
		if comfort == 0 {
			return Self {
				bound: NOTHING,
				full: NOTHING,
				base: NOTHING,
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
		let balanced = |traded_wh: u32| {
			let trade = worth.of_trade(u64::from(traded_wh) << TRADE_BITS);
			signed(side == Side::Requests, trade) + worth.log2_omega.0
		};
		let (bound, full) = match side {
			Side::Outside => (base.0, base.0),
			Side::Offers => (balanced(x), balanced(x)),
			Side::Requests => {
				let limit = balanced(x.saturating_sub(worth.resolution_wh));
				(base.0.max(limit), balanced(x))
			}
		};
		Self {
			bound,
			full,
			base: base.0,
			x,
			side,
			choice,
		}
	}

	/// Whether it earns anything, that is C > 0.
	pub fn earns(&self) -> bool {
		self.bound != NOTHING
	}

	/// Adds the position to the pool.
	#[inline]
	pub fn join(&self, pool: &mut Pool) {
		match self.side {
			Side::Offers => pool.offered_wh += u64::from(self.x),
			Side::Requests => pool.requested_wh += u64::from(self.x),
			Side::Outside => {}
		}
	}

	/// Takes a position out of the pool that was added before.
	#[inline]
	pub fn leave(&self, pool: &mut Pool) {
		match self.side {
			Side::Offers => pool.offered_wh -= u64::from(self.x),
			Side::Requests => pool.requested_wh -= u64::from(self.x),
			Side::Outside => {}
		}
	}

	/// The total of the own side with this position in it, and that of the other side; `None` outside of the pool.
	#[inline]
	fn sides(&self, others: &Pool) -> Option<(u64, u64)> {
		let x = u64::from(self.x);
		match self.side {
			Side::Offers => Some((others.offered_wh + x, others.requested_wh)),
			Side::Requests => Some((others.requested_wh + x, others.offered_wh)),
			Side::Outside => None,
		}
	}

	/// The payoff against the others' pool: [`crate::payoff`] in prepared parts. On the long side
	/// log2 |E_main| = log2 |x| + log2(L - V) - log2 L, the first of which is in `base`.
	///
	/// Error in units of 2^-32: 2.1 for the trade, 1.2 for `base` and 1.2 for both logarithms, below the 8 that
	/// [`crate::log2::PAYOFF_ERROR`] promises.
	#[inline]
	pub fn payoff(&self, worth: &Worth, others: &Pool) -> i64 {
		#[cfg(test)]
		crate::payoff::counted::add();
		let Some((own, opposite)) = self.sides(others) else {
			return self.full;
		};
		if own <= opposite || self.full == NOTHING {
			return self.full;
		}
		if opposite == 0 {
			return self.base;
		}
		let x = u64::from(self.x);
		let spare = own - opposite;
		let trade = worth.of_trade(trade(x, opposite, own));
		let trade = signed(self.side == Side::Requests, trade);
		// A product that does not fit is above anything that the right side can be, which is below 2^56.
		if x.checked_mul(spare)
			.is_some_and(|main| main < u64::from(worth.resolution_wh) * own)
		{
			return trade + worth.log2_omega.0;
		}
		trade + self.base + (Log2::of(own).0 - Log2::of(spare).0)
	}

	/// |E_main| against the others' pool in Wh, rounded down.
	fn main_wh(&self, others: &Pool) -> u64 {
		let x = u64::from(self.x);
		match self.sides(others) {
			None => x,
			Some((own, opposite)) if own <= opposite => 0,
			Some((own, opposite)) => {
				let spare = own - opposite;
				match x.checked_mul(spare) {
					Some(product) => product / own,
					// At most x, since the spare part is at most the whole.
					None => (u128::from(x) * u128::from(spare) / u128::from(own)) as u64,
				}
			}
		}
	}

	/// The least and the most that the strategy earns while what it is served lies anywhere between two pools of the
	/// others: one that serves it `least` and one that serves it `most`. Outwards of the true values but for rounding.
	///
	/// A seller earns more the more it is served. A purchase is convex where it is not balanced, so its most is at an end
	/// or where the balanced branch begins, and its least at an end, where the balanced branch begins, or at the turn in
	/// between; see "What a buyer's payoff looks like" in [`crate::payoff`].
	pub fn range(&self, worth: &Worth, least: &Pool, most: &Pool) -> (i64, i64) {
		let ends = (self.payoff(worth, least), self.payoff(worth, most));
		let resolution_wh = worth.resolution_wh;
		if self.side != Side::Requests || self.base == NOTHING || self.x < resolution_wh {
			return (ends.0.min(ends.1), ends.0.max(ends.1));
		}
		let (mut low, mut high) = (ends.0.min(ends.1), ends.0.max(ends.1));
		// |E_main|, at its most where least is served.
		let (least_main_wh, most_main_wh) = (self.main_wh(most), self.main_wh(least));
		if least_main_wh < resolution_wh.into() && u64::from(resolution_wh) <= most_main_wh {
			// Both branches where |E_main| is the resolution; the unbalanced one has comfort in it, at most 1.
			let trade = worth.of_trade(u64::from(self.x - resolution_wh) << TRADE_BITS);
			high = high.max(worth.log2_omega.0 - trade);
			let unbalanced = self.base + (Log2::of(self.x.into()).0 - Log2::of(resolution_wh.into()).0);
			low = low.min(unbalanced - trade);
		}
		// In whole Wh the turn is between these two.
		let (before, after) = (worth.turn_wh, worth.turn_wh.saturating_add(1));
		if least_main_wh <= after && before <= most_main_wh && u64::from(resolution_wh) <= after {
			low = low.min(self.base + worth.turn(self.x));
		}
		(low, high)
	}
}

/// x V / L in units of 2^-26 Wh, rounded down. V is below L, L below 2^46 and x below 2^30, so the result is below
/// 2^56. Energies of ordinary communities take the path without a 128-bit division.
#[inline]
fn trade(x: u64, volume: u64, long: u64) -> u64 {
	match x.checked_mul(volume) {
		Some(product) if product < 1 << (64 - TRADE_BITS) => (product << TRADE_BITS) / long,
		_ => (((u128::from(x) * u128::from(volume)) << TRADE_BITS) / u128::from(long)) as u64,
	}
}

/// The best strategy against the others' pool, its payoff, and how many payoffs were evaluated. Equal payoffs go to the
/// fixed one, then to the higher bound, then to the lower index. `options` are in descending order of their bound, and
/// the search stops at the first that cannot beat what it has.
#[inline]
pub(crate) fn best_response(
	worth: &Worth,
	options: &[Move],
	fixed: Option<Move>,
	others: &Pool,
) -> (Option<Move>, i64, u64) {
	let (mut best, mut most) = (fixed, fixed.map_or(NOTHING, |fixed| fixed.full));
	let mut evaluated = 0;
	for option in options {
		if option.bound <= most {
			break;
		}
		evaluated += 1;
		let payoff = option.payoff(worth, others);
		if payoff > most {
			(best, most) = (Some(*option), payoff);
		}
	}
	(best, most, evaluated)
}

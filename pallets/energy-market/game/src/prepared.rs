//! Strategies prepared for the solver, and the best response among them.

use crate::{
	game::Household,
	log2::Log2,
	payoff::{Pool, Worth, TRADE_BITS},
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
	/// Payoff outside the pool and on its short side, [`Log2::NEG_INFINITY`] when C = 0. It is the most that the
	/// strategy can earn: E_in is at most |x|, C at most 1 and 1/|E_main| at most omega.
	pub bound: i64,
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
		let bound = match side {
			Side::Outside => base.0,
			Side::Offers | Side::Requests => worth.of_trade(u64::from(x) << TRADE_BITS) + worth.log2_omega.0,
		};
		Self {
			bound,
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

	/// The payoff against the others' pool: [`crate::payoff`] in prepared parts. On the long side
	/// log2 |E_main| = log2 |x| + log2(L - V) - log2 L, the first of which is in `base`.
	///
	/// Error in units of 2^-32: 2.1 for the trade, 1.2 for `base` and 1.2 for both logarithms, below the 8 that
	/// [`crate::log2::PAYOFF_ERROR`] promises.
	#[inline]
	pub fn payoff(&self, worth: &Worth, others: &Pool) -> i64 {
		let x = u64::from(self.x);
		let (own, opposite) = match self.side {
			Side::Offers => (others.offered_wh + x, others.requested_wh),
			Side::Requests => (others.requested_wh + x, others.offered_wh),
			Side::Outside => return self.bound,
		};
		if own <= opposite || self.bound == NOTHING {
			return self.bound;
		}
		if opposite == 0 {
			return self.base;
		}
		let spare = own - opposite;
		let trade = worth.of_trade(trade(x, opposite, own));
		// A product that does not fit is above anything that the right side can be, which is below 2^56.
		if x.checked_mul(spare)
			.is_some_and(|main| main < u64::from(worth.resolution_wh) * own)
		{
			return trade + worth.log2_omega.0;
		}
		trade + self.base + (Log2::of(own).0 - Log2::of(spare).0)
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

/// The best strategy against the others' pool and its payoff. Equal payoffs go to the fixed one, then to the higher
/// bound, then to the lower index. `options` are in descending order of their bound, and the search stops at the first
/// that cannot beat what it has.
#[inline]
pub(crate) fn best_response(
	worth: &Worth,
	options: &[Move],
	fixed: Option<Move>,
	others: &Pool,
) -> (Option<Move>, i64) {
	let mut best = (fixed, fixed.map_or(NOTHING, |fixed| fixed.bound));
	for option in options {
		if option.bound <= best.1 {
			break;
		}
		let payoff = option.payoff(worth, others);
		if payoff > best.1 {
			best = (Some(*option), payoff);
		}
	}
	best
}

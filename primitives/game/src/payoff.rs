//! The payoff of one strategy, straight from the definition.
//!
//! With x the net position (positive for a seller, **negative for a buyer**), S the energy offered to the pool, B the
//! energy requested from it, V = min(S, B) and L = max(S, B), the long side is rationed pro rata and the short side is
//! served in full:
//!
//! - E_in = x V / L and E_main = x (L - V) / L on the long side, E_in = x and E_main = 0 on the short side;
//! - E_in = 0 and E_main = x on the main grid and when neutral.
//!
//! E_in has the sign of x. The paper: it "takes a positive value if energy is sold to other participants through the
//! community grid, and a negative value if energy is obtained from other participants". So a seller earns more by
//! selling more to its neighbours, and a buyer earns more by being served by them and by needing less.
//!
//! Eq. (1) of the paper in the log domain, energies in kWh, C from eq. (2), omega = 1 kWh / meter resolution:
//!
//! - u = E_in log2(lambda) + log2(C) - log2 |E_main| when |E_main| is at least the meter resolution,
//! - u = E_in log2(lambda) + log2(omega) when it is below,
//! - minus infinity whenever C = 0.
//!
//! A household's own position is part of S or B, so a change of strategy can turn the long side into the short one;
//! S and B here are always those of the others plus the strategy that is being judged.
//!
//! # What a buyer's payoff looks like
//! The solver's bounds and its pruning rest on the following; r = V / B is the share that a buyer of |x| is served, and
//! m = |E_main| = |x| (1 - r) what it takes from the main grid.
//!
//! 1. With m at or above the resolution, u(m) = (m - |x|) log2(lambda) - log2(m) + log2(C). Its second derivative
//!    1 / (m^2 ln 2) is positive: u is **convex** in m, and so in r. Its least value is where m = 1 / ln(lambda) kWh
//!    ([`Worth::turn_wh`]), its largest over an interval at one of the ends.
//! 2. With m below the resolution, u(m) = (m - |x|) log2(lambda) + log2(omega) rises with m. So over all r the largest
//!    balanced payoff is at the smallest r that balances, and stays below
//!    -(|x| - resolution) log2(lambda) + log2(omega).
//! 3. At m = resolution the first branch is the limit in 2 plus log2(C), which is at most 0. With 1 and 2, no r earns more
//!    than the larger of the payoff at r = 0 and that limit.
//! 4. For fixed totals of the others, a buyer that needs less is served no more (E_in = min(x, S x / (B + x)) never
//!    falls with |x|) and takes no more from the main grid, and both lower u. So among purchases from the pool one with
//!    at most the energy and at least the comfort of another is never worse than it, whatever the others do.
//!
//! Every quantity is an exact fraction of 128-bit integers until the one logarithm of the quotient; the test for the
//! balanced branch is exact. [`crate::solve`] computes the same values from prepared parts; nothing is shared with it
//! but the logarithm itself.

use crate::{
	game::Household,
	log2::{precise, Log2, FRACTION_BITS, PRECISE_BITS},
	types::{Kind, Rules, Strategy},
};

/// Fractional bits of [`Worth::log2_lambda`].
pub(crate) const WORTH_BITS: u32 = 68;
/// Fractional bits of a traded energy in Wh.
pub(crate) const TRADE_BITS: u32 = 26;

/// Energy offered to and asked of the community pool, Wh. Sums over a checked game stay below 2^46.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pool {
	/// S, the sellers' sum.
	pub offered_wh: u64,
	/// B, the buyers' sum.
	pub requested_wh: u64,
}

impl Pool {
	/// V, what changes hands.
	pub const fn traded_wh(&self) -> u64 {
		if self.offered_wh < self.requested_wh {
			self.offered_wh
		} else {
			self.requested_wh
		}
	}

	/// L, the larger of both sides.
	pub const fn long_wh(&self) -> u64 {
		if self.offered_wh < self.requested_wh {
			self.requested_wh
		} else {
			self.offered_wh
		}
	}

	/// The pool with one more position in it.
	#[must_use]
	pub fn with(mut self, kind: Kind, net_wh: i64) -> Self {
		match kind {
			Kind::SellToCommunity => self.offered_wh += net_wh.unsigned_abs(),
			Kind::BuyFromCommunity => self.requested_wh += net_wh.unsigned_abs(),
			Kind::Neutral | Kind::BuyFromMain | Kind::SellToMain => {}
		}
		self
	}

	/// The pool without a position that is in it.
	#[must_use]
	pub fn without(mut self, kind: Kind, net_wh: i64) -> Self {
		match kind {
			Kind::SellToCommunity => self.offered_wh -= net_wh.unsigned_abs(),
			Kind::BuyFromCommunity => self.requested_wh -= net_wh.unsigned_abs(),
			Kind::Neutral | Kind::BuyFromMain | Kind::SellToMain => {}
		}
		self
	}
}

/// What community energy is worth: the parts of a payoff that depend on the rules alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Worth {
	/// log2(lambda) per Wh, in units of 2^-68; at most 2^62.
	log2_lambda: u64,
	/// log2(omega).
	pub log2_omega: Log2,
	/// Meter resolution, Wh.
	pub resolution_wh: u32,
	/// 1 kWh / ln(lambda) in Wh, rounded down: what a buyer takes from the main grid where its payoff is least.
	pub turn_wh: u64,
	/// The base-2 logarithm of the same in Wh, not rounded to whole Wh.
	turn_log2: Log2,
}

/// log2(e) in units of 2^-32, to the nearest.
const LOG2_E: i64 = 6_196_328_019;

impl Worth {
	pub fn new(rules: &Rules) -> Self {
		let numerator = precise(u64::from(rules.lambda.numerator));
		let denominator = precise(u64::from(rules.lambda.denominator));
		// Lambda above one, so the difference is not negative; per Wh, so a thousandth of it.
		let log2_lambda = u128::from(numerator.saturating_sub(denominator));
		let per_wh = (log2_lambda << (WORTH_BITS - PRECISE_BITS)) / 1_000;
		// 1 / ln(lambda) = log2(e) / log2(lambda), and the latter is per Wh already.
		let top = u128::from(LOG2_E.unsigned_abs()) << (WORTH_BITS - FRACTION_BITS);
		let turn_wh = top.checked_div(per_wh).unwrap_or(u128::MAX);
		Self {
			log2_lambda: per_wh as u64,
			log2_omega: Log2::of_ratio(1_000, u128::from(rules.resolution_wh)),
			resolution_wh: rules.resolution_wh,
			turn_wh: u64::try_from(turn_wh).unwrap_or(u64::MAX),
			turn_log2: Log2::of_ratio(top, per_wh),
		}
	}

	/// The least that the unbalanced branch of a purchase of `x_wh` comes to: where
	/// |E_main| = 1 / ln(lambda) it is |E_main| log2(lambda) = log2(e), so -|x| log2(lambda) + log2(e) - log2 |E_main|.
	/// Relative to the payoff at r = 0, which is -log2 |x| + log2(C).
	pub fn turn(&self, x_wh: u32) -> i64 {
		let all = self.of_trade(u64::from(x_wh) << TRADE_BITS);
		LOG2_E - all + (Log2::of(x_wh.into()).0 - self.turn_log2.0)
	}

	/// |E_in| log2(lambda), |E_in| in units of 2^-26 Wh and at most 2^32 Wh, that is 2^58 units; in a game at most 10^9 Wh.
	/// A seller adds it to its payoff, a buyer subtracts it ([`signed`]).
	/// Rounding down costs at most one unit of 2^-32, rounding E_in down before at most 1.03 (2^-26 Wh times 16/1000 per
	/// Wh), log2(lambda) at most 0.2 (2^32 Wh times 2^-66.4; 0.05 in a game).
	pub fn of_trade(&self, trade: u64) -> i64 {
		const SHIFT: u32 = WORTH_BITS + TRADE_BITS - FRACTION_BITS;
		((u128::from(trade) * u128::from(self.log2_lambda)) >> SHIFT) as i64
	}
}

/// What a traded energy is worth with the sign of E_in: less than nothing to a buyer.
#[inline]
pub(crate) const fn signed(buys: bool, worth: i64) -> i64 {
	// At most 2^58 in size, so it has an opposite.
	if buys {
		-worth
	} else {
		worth
	}
}

/// The payoff of `strategy` when the others of the community make up the pool `others`.
pub(crate) fn payoff(worth: &Worth, household: &Household, strategy: &Strategy, others: Pool) -> Log2 {
	#[cfg(test)]
	counted::add();
	let net = strategy.net_wh(household.generation_wh);
	let x = u128::from(net.unsigned_abs());
	let pool = others.with(strategy.kind, net);
	let (volume, long) = (u128::from(pool.traded_wh()), u128::from(pool.long_wh()));
	// E_in = x inside / whole and |E_main| = x outside / whole.
	let (inside, outside, whole) = match strategy.kind {
		Kind::SellToCommunity if pool.offered_wh > pool.requested_wh => (volume, long - volume, long),
		Kind::BuyFromCommunity if pool.requested_wh > pool.offered_wh => (volume, long - volume, long),
		Kind::SellToCommunity | Kind::BuyFromCommunity => (1, 0, 1),
		Kind::Neutral | Kind::BuyFromMain | Kind::SellToMain => (0, 1, 1),
	};
	// x < 2^30 and both sides < 2^46, so x times a side stays below 2^76, and with 26 bits of fraction below 2^102.
	let trade = (((x * inside) << TRADE_BITS) / whole) as u64;
	let trade = signed(strategy.kind == Kind::BuyFromCommunity, worth.of_trade(trade));
	worth_of(worth, household.comfort_of(strategy), trade, (x * outside, whole))
}

/// Eq. (1) for given energies: `trade` is E_in log2(lambda) with its sign; comfort and |E_main| in Wh are fractions. In a
/// checked game, and for delivered energies up to 2^32 Wh, the parts of |E_main| are below 2^76 and 2^46.
pub(crate) fn worth_of(worth: &Worth, comfort: (u64, u64), trade: i64, main: (u128, u128)) -> Log2 {
	let (comfort, comfort_unit) = comfort;
	if comfort == 0 {
		return Log2::NEG_INFINITY;
	}
	let (main, whole) = main;
	if main < u128::from(worth.resolution_wh) * whole {
		return Log2(trade + worth.log2_omega.0);
	}
	// C / |E_main| per kWh: the numerator is below 2^62 * 2^10 * 2^46, the denominator below 2^46 * 2^76.
	let quotient = Log2::of_ratio(
		u128::from(comfort) * 1_000 * whole,
		u128::from(comfort_unit) * main,
	);
	// Saturates for rules and models that no check accepts, where the quotient may stand for an infinity.
	Log2(trade.saturating_add(quotient.0))
}

/// How many payoffs this thread has evaluated, by whatever part of the crate: what the tests hold the budget against.
#[cfg(test)]
pub(crate) mod counted {
	use std::{cell::Cell, thread_local};

	thread_local!(static EVALUATIONS: Cell<u64> = const { Cell::new(0) });

	pub fn add() {
		EVALUATIONS.set(EVALUATIONS.get() + 1);
	}

	/// The count since it was last taken.
	pub fn take() -> u64 {
		EVALUATIONS.take()
	}
}

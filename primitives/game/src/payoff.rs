//! The payoff of one strategy, computed directly from its definition.
//!
//! Let x be the net position (positive for a seller, **negative for a buyer**), S the energy offered to the pool, B
//! the energy requested from it, V = min(S, B) and L = max(S, B). The pool serves the short side in full and rations
//! the long side pro rata:
//!
//! - long side: E_in = x V / L and E_main = x (L - V) / L;
//! - short side: E_in = x and E_main = 0;
//! - main grid, or neutral: E_in = 0 and E_main = x.
//!
//! E_in has the sign of x. The paper: it "takes a positive value if energy is sold to other participants through the
//! community grid, and a negative value if energy is obtained from other participants". So a seller earns more by
//! selling more to its neighbours; a buyer earns more by being served by them and by needing less.
//!
//! Eq. (1) of the paper as a base-2 logarithm, with energies in kWh, C from eq. (2) and
//! omega = 1 kWh / meter resolution:
//!
//! - u = E_in log2(lambda) + log2(C) - log2 |E_main| if |E_main| is at least the meter resolution,
//! - u = E_in log2(lambda) + log2(omega) if it is below (the *balanced branch*),
//! - u = minus infinity if C = 0.
//!
//! A household's own position is part of S or B, so a change of strategy can turn the long side into the short one.
//! Here, S and B always consist of the other households' positions plus the strategy whose payoff is computed.
//!
//! # What a buyer's payoff looks like
//! The solver's upper bounds and its pruning rely on the following. Let r = V / B be the share of its request that a
//! buyer receives, and m = |E_main| = |x| (1 - r) the energy that it takes from the main grid.
//!
//! 1. For m at or above the resolution, u(m) = (m - |x|) log2(lambda) - log2(m) + log2(C). Its second derivative,
//!    1 / (m^2 ln 2), is positive, so u is **convex** in m and therefore in r. Its minimum is at m = 1 / ln(lambda) kWh
//!    (`LogRules::turning_point_wh`); its maximum over an interval is at one of the ends.
//! 2. For m below the resolution, u(m) = (m - |x|) log2(lambda) + log2(omega) rises with m. So the largest balanced
//!    payoff is at the smallest r that balances, and it stays below
//!    -(|x| - resolution) log2(lambda) + log2(omega).
//! 3. At m = resolution, the first branch equals the limit in 2 plus log2(C), which is at most 0. With 1 and 2 it
//!    follows that no r earns more than the larger of the payoff at r = 0 and that limit.
//! 4. For fixed totals of the others, a buyer that requests less receives no more (E_in = min(x, S x / (B + x)) never
//!    falls with |x|) and takes no more from the main grid; a lower value of either raises u. So of two purchases from
//!    the pool, the one with at most the energy and at least the comfort is never worse, whatever the others do.
//!
//! Every quantity is an exact fraction of 128-bit integers up to the single logarithm of the quotient, and the
//! comparison that selects the balanced branch is exact. [`crate::solve`] computes the same values from prepared parts
//! and shares only the logarithm with this function, so that each can check the other.

use crate::{
	game::{Game, Household},
	log2::{precise_log2, Log2, FRACTION_BITS, PRECISE_BITS},
	types::{Fraction, Kind, Rules, Strategy},
};

/// Fractional bits of [`LogRules::log2_lambda_per_wh`].
pub(crate) const LAMBDA_BITS: u32 = 68;
/// Fractional bits of a traded energy in Wh.
pub(crate) const TRADE_BITS: u32 = 26;

/// Energy offered to and requested from the community pool, in Wh. In a checked game each sum is below 2^46.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pool {
	/// S, the sum of the sellers' positions.
	pub offered_wh: u64,
	/// B, the sum of the buyers' positions.
	pub requested_wh: u64,
}

impl Pool {
	/// The pool that results from each household's chosen strategy.
	pub(crate) fn of(game: &Game, chosen: &[Strategy]) -> Self {
		let pairs = game.households().iter().zip(chosen);
		pairs.fold(Self::default(), |pool, (household, strategy)| {
			pool.with(strategy.kind, strategy.net_wh(household.generation_wh))
		})
	}

	/// V = min(S, B), the traded energy.
	pub fn traded_wh(&self) -> u64 {
		self.offered_wh.min(self.requested_wh)
	}

	/// L = max(S, B), the total of the long side.
	pub fn long_wh(&self) -> u64 {
		self.offered_wh.max(self.requested_wh)
	}

	/// Adds one position. Kinds that do not trade with the community leave the pool unchanged.
	#[must_use]
	pub fn with(mut self, kind: Kind, net_wh: i64) -> Self {
		match kind {
			Kind::SellToCommunity => self.offered_wh += net_wh.unsigned_abs(),
			Kind::BuyFromCommunity => self.requested_wh += net_wh.unsigned_abs(),
			Kind::Neutral | Kind::BuyFromMain | Kind::SellToMain => {}
		}
		self
	}

	/// Removes one position, which must be part of the pool.
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

/// The parts of a payoff that depend only on the rules, as logarithms.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogRules {
	/// log2(lambda) per Wh, in units of 2^-68. At most 0.016 Wh^-1, which is below 2^62.04 units.
	log2_lambda_per_wh: u64,
	pub log2_omega: Log2,
	pub resolution_wh: u32,
	/// 1 kWh / ln(lambda) in Wh, rounded down: the |E_main| at which a buyer's payoff is lowest.
	pub turning_point_wh: u64,
	/// Base-2 logarithm of the turning point in Wh, without rounding to whole Wh.
	turning_point_log2: Log2,
}

/// log2(e) in units of 2^-32, rounded to nearest.
const LOG2_E: i64 = 6_196_328_019;

impl LogRules {
	pub fn new(rules: &Rules) -> Self {
		let numerator = precise_log2(u64::from(rules.lambda.numerator));
		let denominator = precise_log2(u64::from(rules.lambda.denominator));
		// Lambda is above 1, so the difference is not negative. Per Wh it is a thousandth of the value per kWh.
		let log2_lambda = u128::from(numerator.saturating_sub(denominator));
		let per_wh = (log2_lambda << (LAMBDA_BITS - PRECISE_BITS)) / 1_000;
		// 1 / ln(lambda) = log2(e) / log2(lambda); dividing by the value per Wh gives Wh.
		let log2_e = u128::from(LOG2_E.unsigned_abs()) << (LAMBDA_BITS - FRACTION_BITS);
		let turning_point_wh = log2_e.checked_div(per_wh).unwrap_or(u128::MAX);
		Self {
			log2_lambda_per_wh: per_wh as u64,
			log2_omega: Log2::of_ratio(1_000, u128::from(rules.resolution_wh)),
			resolution_wh: rules.resolution_wh,
			turning_point_wh: u64::try_from(turning_point_wh).unwrap_or(u64::MAX),
			turning_point_log2: Log2::of_ratio(log2_e, per_wh),
		}
	}

	/// Payoff of a purchase of `x_wh` at the turning point, relative to its payoff when the pool serves nothing, in
	/// units of 2^-32.
	///
	/// At |E_main| = 1 / ln(lambda), the term |E_main| log2(lambda) equals log2(e), so the payoff is
	/// -|x| log2(lambda) + log2(e) - log2 |E_main| + log2(C). The payoff at r = 0 is -log2 |x| + log2(C).
	pub fn relative_turning_point_payoff(&self, x_wh: u32) -> i64 {
		let all = self.trade_term(u64::from(x_wh) << TRADE_BITS);
		LOG2_E - all + (Log2::of(x_wh.into()).0 - self.turning_point_log2.0)
	}

	/// |E_in| log2(lambda) in units of 2^-32, without the sign that [`signed_term`] adds.
	///
	/// `trade` is |E_in| in units of 2^-26 Wh, at most 2^58 units (2^32 Wh). In a checked game it is at most 10^9 Wh.
	///
	/// Error in units of 2^-32: at most 1 for rounding the result down, 1.03 for rounding E_in down to 2^-26 Wh (times
	/// at most 0.016 per Wh), and 0.2 for log2(lambda) (2^32 Wh times 2^-66.4; 0.05 in a checked game).
	pub fn trade_term(&self, trade: u64) -> i64 {
		const SHIFT: u32 = LAMBDA_BITS + TRADE_BITS - FRACTION_BITS;
		((u128::from(trade) * u128::from(self.log2_lambda_per_wh)) >> SHIFT) as i64
	}
}

/// Gives a [`LogRules::trade_term`] the sign of E_in: negative for a buyer.
#[inline]
pub(crate) const fn signed_term(buys: bool, term: i64) -> i64 {
	// The term is not negative and below 2^59, so its negation fits.
	if buys {
		-term
	} else {
		term
	}
}

/// The payoff of `strategy` when the other households make up the pool `others`.
pub(crate) fn payoff(rules: &LogRules, household: &Household, strategy: &Strategy, others: Pool) -> Log2 {
	#[cfg(test)]
	counted::add();
	let net = strategy.net_wh(household.generation_wh);
	let x = u128::from(net.unsigned_abs());
	let pool = others.with(strategy.kind, net);
	let (volume, long) = (u128::from(pool.traded_wh()), u128::from(pool.long_wh()));
	// |E_in| = x inside / whole and |E_main| = x outside / whole.
	let (inside, outside, whole) = match strategy.kind {
		Kind::SellToCommunity if pool.offered_wh > pool.requested_wh => (volume, long - volume, long),
		Kind::BuyFromCommunity if pool.requested_wh > pool.offered_wh => (volume, long - volume, long),
		Kind::SellToCommunity | Kind::BuyFromCommunity => (1, 0, 1),
		Kind::Neutral | Kind::BuyFromMain | Kind::SellToMain => (0, 1, 1),
	};
	// x < 2^30 and both sides < 2^46, so x times a side stays below 2^76, and with 26 bits of fraction below 2^102.
	let trade = (((x * inside) << TRADE_BITS) / whole) as u64;
	let trade_term = signed_term(strategy.kind == Kind::BuyFromCommunity, rules.trade_term(trade));
	let main_wh = Fraction {
		numerator: x * outside,
		denominator: whole,
	};
	payoff_of_energies(rules, household.comfort_of(strategy), trade_term, main_wh)
}

/// Eq. (1) for given energies.
///
/// `trade_term` is E_in log2(lambda) with its sign, and `main_wh` is |E_main|. In a checked game, and for delivered
/// energies up to 2^32 Wh, the numerator of `main_wh` is below 2^76 and its denominator below 2^46.
pub(crate) fn payoff_of_energies(
	rules: &LogRules,
	comfort: Fraction<u64>,
	trade_term: i64,
	main_wh: Fraction<u128>,
) -> Log2 {
	if comfort.numerator == 0 {
		return Log2::NEG_INFINITY;
	}
	if main_wh.numerator < u128::from(rules.resolution_wh) * main_wh.denominator {
		return Log2(trade_term + rules.log2_omega.0);
	}
	// C / |E_main| with |E_main| in kWh. Numerator below 2^62 * 2^10 * 2^46, denominator below 2^46 * 2^76.
	let quotient = Log2::of_ratio(
		u128::from(comfort.numerator) * 1_000 * main_wh.denominator,
		u128::from(comfort.denominator) * main_wh.numerator,
	);
	// Saturates only for unchecked rules or comfort models, where the quotient may be infinite.
	Log2(trade_term.saturating_add(quotient.0))
}

/// Counts the payoffs that this thread evaluates anywhere in the crate. Tests compare the count with the budget.
#[cfg(test)]
pub(crate) mod counted {
	use std::{cell::Cell, thread_local};

	thread_local!(static EVALUATIONS: Cell<u64> = const { Cell::new(0) });

	pub fn add() {
		EVALUATIONS.set(EVALUATIONS.get() + 1);
	}

	/// Returns the count and resets it to zero.
	pub fn take() -> u64 {
		EVALUATIONS.take()
	}
}

//! The payoff of one strategy, straight from the definition.
//!
//! With x the net position, S the energy offered to the pool, B the energy asked of it and V = min(S, B), the long
//! side (L = max(S, B)) is rationed pro rata and the short side gets all it wants:
//!
//! - E_in = |x| V / L and |E_main| = |x| (L - V) / L on the long side, E_in = |x| and E_main = 0 on the short side;
//! - E_in = 0 and |E_main| = |x| on the main grid and when neutral.
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
}

impl Worth {
	pub fn new(rules: &Rules) -> Self {
		let numerator = precise(u64::from(rules.lambda.numerator));
		let denominator = precise(u64::from(rules.lambda.denominator));
		// Lambda above one, so the difference is not negative; per Wh, so a thousandth of it.
		let log2_lambda = u128::from(numerator.saturating_sub(denominator));
		let per_wh = (log2_lambda << (WORTH_BITS - PRECISE_BITS)) / 1_000;
		Self {
			log2_lambda: per_wh as u64,
			log2_omega: Log2::of_ratio(1_000, u128::from(rules.resolution_wh)),
			resolution_wh: rules.resolution_wh,
		}
	}

	/// E_in log2(lambda), E_in in units of 2^-26 Wh and at most 2^32 Wh, that is 2^58 units; in a game at most 10^9 Wh.
	/// Rounding down costs at most one unit of 2^-32, rounding E_in down before at most 1.03 (2^-26 Wh times 16/1000 per
	/// Wh), log2(lambda) at most 0.2 (2^32 Wh times 2^-66.4; 0.05 in a game).
	pub fn of_trade(&self, trade: u64) -> i64 {
		const SHIFT: u32 = WORTH_BITS + TRADE_BITS - FRACTION_BITS;
		((u128::from(trade) * u128::from(self.log2_lambda)) >> SHIFT) as i64
	}
}

/// The payoff of `strategy` when the others of the community make up the pool `others`.
pub(crate) fn payoff(worth: &Worth, household: &Household, strategy: &Strategy, others: Pool) -> Log2 {
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
	worth_of(worth, household.comfort_of(strategy), trade, (x * outside, whole))
}

/// Eq. (1) for given energies: E_in in units of 2^-26 Wh, and comfort and |E_main| in Wh as fractions. In a checked game,
/// and for delivered energies up to 2^32 Wh, the parts of |E_main| are below 2^76 and 2^46.
pub(crate) fn worth_of(worth: &Worth, comfort: (u64, u64), trade: u64, main: (u128, u128)) -> Log2 {
	let (comfort, comfort_unit) = comfort;
	if comfort == 0 {
		return Log2::NEG_INFINITY;
	}
	let trade = worth.of_trade(trade);
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

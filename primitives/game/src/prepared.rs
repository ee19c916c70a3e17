//! Strategies prepared for the solver, and the best response among them.

use crate::{
	game::Household,
	log2::Log2,
	payoff::{signed_term, LogRules, Pool, TRADE_BITS},
	types::{Kind, Strategy},
};

const NEG_INFINITY: i64 = Log2::NEG_INFINITY.0;

/// Where a strategy puts its net position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
	/// Sells to the community pool.
	Offers,
	/// Buys from the community pool.
	Requests,
	/// Does not use the pool: main grid, or neutral.
	Outside,
}

/// A strategy together with every part of its payoff that does not depend on the other households.
///
/// Payoffs are base-2 logarithms in units of 2^-32.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PreparedStrategy {
	/// Upper bound of the payoff, whatever the others do; [`Log2::NEG_INFINITY`] if C = 0.
	///
	/// For a seller this is `served_payoff`, since E_in is at most x, C at most 1 and 1/|E_main| at most omega. For a
	/// buyer it is the larger of `unserved_payoff` and the limit of the balanced branch, see "What a buyer's payoff
	/// looks like" in [`crate::payoff`].
	pub max_payoff: i64,
	/// Payoff on the short side of the pool, which is served in full. Outside the pool, the only payoff.
	pub served_payoff: i64,
	/// Payoff if the pool serves nothing of the position.
	pub unserved_payoff: i64,
	/// |x| in Wh.
	pub x_wh: u32,
	pub side: Side,
	/// Index in the household's strategy set.
	pub choice: u8,
}

/// Two pools of the other households: among all pools under consideration, the ones that serve a strategy the smallest
/// and the largest share of its position.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServiceRange {
	pub least_served: Pool,
	pub most_served: Pool,
}

/// Bounds of a payoff, in units of 2^-32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PayoffRange {
	pub low: i64,
	pub high: i64,
}

impl PreparedStrategy {
	pub fn new(rules: &LogRules, household: &Household, choice: u8, strategy: &Strategy) -> Self {
		let comfort = household.comfort_of(strategy);
		let x_wh = household.generation_wh.abs_diff(strategy.consumption_wh);
		let side = match strategy.kind {
			Kind::SellToCommunity => Side::Offers,
			Kind::BuyFromCommunity => Side::Requests,
			Kind::Neutral | Kind::BuyFromMain | Kind::SellToMain => Side::Outside,
		};
		let prepared = |max_payoff, served_payoff, unserved_payoff| Self {
			max_payoff,
			served_payoff,
			unserved_payoff,
			x_wh,
			side,
			choice,
		};
		if comfort.numerator == 0 {
			return prepared(NEG_INFINITY, NEG_INFINITY, NEG_INFINITY);
		}
		let unserved = if x_wh < rules.resolution_wh {
			rules.log2_omega
		} else {
			Log2::of_ratio(
				u128::from(comfort.numerator) * 1_000,
				u128::from(comfort.denominator) * u128::from(x_wh),
			)
		};
		let balanced = |traded_wh: u32| {
			let term = rules.trade_term(u64::from(traded_wh) << TRADE_BITS);
			signed_term(side == Side::Requests, term) + rules.log2_omega.0
		};
		let (max_payoff, served_payoff) = match side {
			Side::Outside => (unserved.0, unserved.0),
			Side::Offers => (balanced(x_wh), balanced(x_wh)),
			Side::Requests => {
				let limit = balanced(x_wh.saturating_sub(rules.resolution_wh));
				(unserved.0.max(limit), balanced(x_wh))
			}
		};
		prepared(max_payoff, served_payoff, unserved.0)
	}

	/// Whether the strategy can earn anything, that is, whether C > 0.
	pub fn earns(&self) -> bool {
		self.max_payoff != NEG_INFINITY
	}

	/// Adds the position to the pool.
	#[inline]
	pub fn join(&self, pool: &mut Pool) {
		match self.side {
			Side::Offers => pool.offered_wh += u64::from(self.x_wh),
			Side::Requests => pool.requested_wh += u64::from(self.x_wh),
			Side::Outside => {}
		}
	}

	/// Removes the position from the pool, to which it must have been added before.
	#[inline]
	pub fn leave(&self, pool: &mut Pool) {
		match self.side {
			Side::Offers => pool.offered_wh -= u64::from(self.x_wh),
			Side::Requests => pool.requested_wh -= u64::from(self.x_wh),
			Side::Outside => {}
		}
	}

	/// Totals of the strategy's own side of the pool, its position included, and of the opposite side, in Wh. `None`
	/// outside the pool.
	#[inline]
	fn sides(&self, others: &Pool) -> Option<(u64, u64)> {
		let x = u64::from(self.x_wh);
		match self.side {
			Side::Offers => Some((others.offered_wh + x, others.requested_wh)),
			Side::Requests => Some((others.requested_wh + x, others.offered_wh)),
			Side::Outside => None,
		}
	}

	/// The payoff against the other households' pool: the same value as [`crate::payoff`] computes, from prepared
	/// parts. On the long side, log2 |E_main| = log2 |x| + log2(L - V) - log2 L, and `unserved_payoff` contains the
	/// first term.
	///
	/// Error in units of 2^-32: 2.1 for the trade, 1.2 for `unserved_payoff` and 1.2 for both logarithms, which is
	/// below the 8 of [`crate::log2::PAYOFF_ERROR`].
	#[inline]
	pub fn payoff(&self, rules: &LogRules, others: &Pool) -> i64 {
		#[cfg(test)]
		crate::payoff::counted::add();
		let Some((own_wh, opposite_wh)) = self.sides(others) else {
			return self.served_payoff;
		};
		if own_wh <= opposite_wh || self.served_payoff == NEG_INFINITY {
			return self.served_payoff;
		}
		if opposite_wh == 0 {
			return self.unserved_payoff;
		}
		let x = u64::from(self.x_wh);
		let excess_wh = own_wh - opposite_wh;
		let term = rules.trade_term(traded_energy(x, opposite_wh, own_wh));
		let term = signed_term(self.side == Side::Requests, term);
		// The right-hand side is below 2^56, so a product that overflows 64 bits is certainly larger.
		if x.checked_mul(excess_wh)
			.is_some_and(|main| main < u64::from(rules.resolution_wh) * own_wh)
		{
			return term + rules.log2_omega.0;
		}
		term + self.unserved_payoff + (Log2::of(own_wh).0 - Log2::of(excess_wh).0)
	}

	/// |E_main| against the other households' pool in Wh, rounded down.
	fn main_wh(&self, others: &Pool) -> u64 {
		let x = u64::from(self.x_wh);
		let Some((own_wh, opposite_wh)) = self.sides(others) else {
			return x;
		};
		if own_wh <= opposite_wh {
			return 0;
		}
		let excess_wh = own_wh - opposite_wh;
		match x.checked_mul(excess_wh) {
			Some(product) => product / own_wh,
			// At most x, because the excess is at most the whole side.
			None => (u128::from(x) * u128::from(excess_wh) / u128::from(own_wh)) as u64,
		}
	}

	/// Bounds of the payoff while the share that the strategy is served lies anywhere between its shares in the two
	/// pools of `others`. Except for rounding, the true values lie within these bounds.
	///
	/// A seller's payoff rises with its share. A buyer's payoff is convex where it is not balanced. So its maximum is
	/// at an end or where the balanced branch begins, and its minimum at an end, where the balanced branch begins, or
	/// at the turning point; see "What a buyer's payoff looks like" in [`crate::payoff`].
	pub fn range(&self, rules: &LogRules, others: &ServiceRange) -> PayoffRange {
		let at_least = self.payoff(rules, &others.least_served);
		let at_most = self.payoff(rules, &others.most_served);
		let (mut low, mut high) = (at_least.min(at_most), at_least.max(at_most));
		let resolution_wh = rules.resolution_wh;
		if self.side != Side::Requests || self.unserved_payoff == NEG_INFINITY || self.x_wh < resolution_wh {
			return PayoffRange { low, high };
		}
		// The more a buyer is served, the less it takes from the main grid.
		let min_main_wh = self.main_wh(&others.most_served);
		let max_main_wh = self.main_wh(&others.least_served);
		if min_main_wh < resolution_wh.into() && u64::from(resolution_wh) <= max_main_wh {
			// Both branches at |E_main| = resolution. Only the unbalanced one contains the comfort, which is at most 1.
			let term = rules.trade_term(u64::from(self.x_wh - resolution_wh) << TRADE_BITS);
			high = high.max(rules.log2_omega.0 - term);
			let unbalanced =
				self.unserved_payoff + (Log2::of(self.x_wh.into()).0 - Log2::of(resolution_wh.into()).0);
			low = low.min(unbalanced - term);
		}
		// The turning point lies between these two whole numbers of Wh.
		let (before, after) = (rules.turning_point_wh, rules.turning_point_wh.saturating_add(1));
		if min_main_wh <= after && before <= max_main_wh && u64::from(resolution_wh) <= after {
			low = low.min(self.unserved_payoff + rules.relative_turning_point_payoff(self.x_wh));
		}
		PayoffRange { low, high }
	}
}

/// x V / L in units of 2^-26 Wh, rounded down. With V < L < 2^46 and x < 2^30, the result is below 2^56.
#[inline]
fn traded_energy(x: u64, volume: u64, long: u64) -> u64 {
	match x.checked_mul(volume) {
		// The energies of ordinary communities fit here and need no 128-bit division.
		Some(product) if product < 1 << (64 - TRADE_BITS) => (product << TRADE_BITS) / long,
		_ => (((u128::from(x) * u128::from(volume)) << TRADE_BITS) / u128::from(long)) as u64,
	}
}

/// A best response and the work that finding it took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BestResponse {
	/// `None` if no pool strategy earns anything and the household has no strategy outside the pool.
	pub strategy: Option<PreparedStrategy>,
	/// Its payoff in units of 2^-32.
	pub payoff: i64,
	/// Payoffs evaluated.
	pub evaluations: u64,
}

/// The best strategy against the other households' pool, out of `options` and `outside`.
///
/// `options` must be in descending order of [`PreparedStrategy::max_payoff`], so that the search can stop at the first
/// that cannot beat the best so far. Equal payoffs go to `outside`, then to the higher bound, then to the lower index.
#[inline]
pub(crate) fn best_response(
	rules: &LogRules,
	options: &[PreparedStrategy],
	outside: Option<PreparedStrategy>,
	others: &Pool,
) -> BestResponse {
	let mut best = BestResponse {
		strategy: outside,
		payoff: outside.map_or(NEG_INFINITY, |outside| outside.served_payoff),
		evaluations: 0,
	};
	for option in options {
		if option.max_payoff <= best.payoff {
			break;
		}
		best.evaluations += 1;
		let payoff = option.payoff(rules, others);
		if payoff > best.payoff {
			best.strategy = Some(*option);
			best.payoff = payoff;
		}
	}
	best
}

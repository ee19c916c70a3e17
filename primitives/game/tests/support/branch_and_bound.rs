//! Branch and bound over the totals S and B, written independently of the solver in f64, to prove that a game has no
//! equilibrium.
//!
//! For a rectangle of totals it finds the candidates: the strategies that could be best responses somewhere in it. It
//! shrinks the rectangle to the totals that candidates can add up to, checks the remaining profiles if they are few,
//! and otherwise halves the rectangle.
//!
//! Two corners of the rectangle serve a strategy least and most. A seller's payoff lies between its values there. A
//! buyer's payoff is convex in the energy that it takes from the main grid, and jumps where that energy falls below the
//! meter resolution. So the bounds of a buyer's payoff are among its values at the two corners, at both sides of the
//! jump, and at the minimum of the convex part. A strategy whose highest payoff is below the lowest payoff of another
//! one is not a candidate.

use super::float::{FloatGame, FloatPool, FloatSide, FloatStrategy};

#[derive(Debug, PartialEq)]
pub enum Verdict {
	Equilibrium(Vec<u8>),
	/// The game has no equilibrium.
	None,
	/// The budget ran out, or too many profiles remained to check.
	Unknown,
}

/// Profiles of candidates up to which the search checks each instead of splitting the rectangle.
const FEW_PROFILES: u64 = 256;
/// Profiles of candidates up to which the search checks each if the rectangle is too small to split.
const MAX_PROFILES: u64 = 1 << 12;

/// An interval with both ends included.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Range {
	low: f64,
	high: f64,
}

/// A rectangle of totals, in Wh.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Totals {
	offered: Range,
	requested: Range,
}

/// For each household, the indices of its strategies that are not ruled out.
type Candidates = Vec<Vec<u8>>;

struct Narrowed {
	totals: Totals,
	candidates: Candidates,
}

impl Range {
	const ZERO: Self = Self { low: 0.0, high: 0.0 };

	fn of(values: impl Iterator<Item = f64>) -> Self {
		let empty = Self {
			low: f64::INFINITY,
			high: 0.0,
		};
		values.fold(empty, |range, value| Self {
			low: range.low.min(value),
			high: range.high.max(value),
		})
	}

	fn plus(self, other: Self) -> Self {
		Self {
			low: self.low + other.low,
			high: self.high + other.high,
		}
	}

	fn without(self, position: f64) -> Self {
		Self {
			low: (self.low - position).max(0.0),
			high: self.high - position,
		}
	}

	/// What both contain; empty, with `low` above `high`, if they do not overlap.
	fn intersection(self, other: Self) -> Self {
		Self {
			low: self.low.max(other.low),
			high: self.high.min(other.high),
		}
	}

	fn is_empty(self) -> bool {
		self.low > self.high
	}

	fn width(self) -> f64 {
		self.high - self.low
	}

	/// Both halves, split between two whole numbers.
	fn halves(self) -> [Self; 2] {
		let middle = ((self.low + self.high) / 2.0).floor();
		[
			Self {
				low: self.low,
				high: middle,
			},
			Self {
				low: middle + 1.0,
				high: self.high,
			},
		]
	}
}

impl Totals {
	/// Both halves along the longer side.
	fn halves(self) -> [Self; 2] {
		if self.offered.width() >= self.requested.width() {
			self.offered.halves().map(|offered| Self { offered, ..self })
		} else {
			self.requested
				.halves()
				.map(|requested| Self { requested, ..self })
		}
	}
}

impl FloatGame {
	/// Searches for an equilibrium to within `tolerance`, in at most `budget` rectangles.
	pub fn search(&self, tolerance: f64, mut budget: u32) -> Verdict {
		let all = |side: fn(FloatPool) -> f64| {
			let most = |strategies: &Vec<FloatStrategy>| {
				let positions = strategies.iter().map(|strategy| side(strategy.position()));
				positions.fold(0.0, f64::max)
			};
			Range {
				low: 0.0,
				high: self.strategies.iter().map(most).sum(),
			}
		};
		let mut stack = vec![Totals {
			offered: all(|pool| pool.offered),
			requested: all(|pool| pool.requested),
		}];
		let mut unknown = false;
		while let Some(totals) = stack.pop() {
			if budget == 0 {
				return Verdict::Unknown;
			}
			budget -= 1;
			let Some(Narrowed { totals, candidates }) = self.narrow(totals, tolerance) else {
				continue;
			};
			let profiles = candidates
				.iter()
				.try_fold(1u64, |product, some| product.checked_mul(some.len() as u64));
			let is_point = totals.offered.width() < 1.0 && totals.requested.width() < 1.0;
			if !is_point && profiles.is_none_or(|profiles| profiles > FEW_PROFILES) {
				stack.extend(totals.halves());
				continue;
			}
			if profiles.is_none_or(|profiles| profiles > MAX_PROFILES) {
				unknown = true;
				continue;
			}
			if let Some(profile) = self.equilibrium_among(&candidates, tolerance) {
				return Verdict::Equilibrium(profile);
			}
		}
		if unknown {
			Verdict::Unknown
		} else {
			Verdict::None
		}
	}

	/// Alternates between finding candidates and shrinking the rectangle, until nothing changes. `None` if no
	/// equilibrium can lie in it.
	fn narrow(&self, mut totals: Totals, tolerance: f64) -> Option<Narrowed> {
		loop {
			let mut reach = Totals {
				offered: Range::ZERO,
				requested: Range::ZERO,
			};
			let mut candidates = Vec::with_capacity(self.strategies.len());
			for strategies in &self.strategies {
				let some = self.candidates(strategies, totals, tolerance);
				if some.is_empty() {
					return None;
				}
				let positions = || {
					some.iter()
						.map(|index| strategies[usize::from(*index)].position())
				};
				reach.offered = reach
					.offered
					.plus(Range::of(positions().map(|pool| pool.offered)));
				reach.requested = reach
					.requested
					.plus(Range::of(positions().map(|pool| pool.requested)));
				candidates.push(some);
			}
			let next = Totals {
				offered: totals.offered.intersection(reach.offered),
				requested: totals.requested.intersection(reach.requested),
			};
			if next.offered.is_empty() || next.requested.is_empty() {
				return None;
			}
			if next == totals {
				return Some(Narrowed { totals, candidates });
			}
			totals = next;
		}
	}

	/// The strategies of a household that could be best responses, to within `tolerance`, somewhere in the rectangle.
	fn candidates(&self, strategies: &[FloatStrategy], totals: Totals, tolerance: f64) -> Vec<u8> {
		let could = |strategy: &FloatStrategy| {
			let position = strategy.position();
			if position.offered > totals.offered.high || position.requested > totals.requested.high {
				return false;
			}
			let others = Totals {
				offered: totals.offered.without(position.offered),
				requested: totals.requested.without(position.requested),
			};
			let highest = self.payoff_range(*strategy, others).high;
			strategies
				.iter()
				.all(|other| self.payoff_range(*other, others).low <= highest + tolerance)
		};
		(0u8..)
			.zip(strategies)
			.filter(|(_, strategy)| could(strategy))
			.map(|(index, _)| index)
			.collect()
	}

	/// Bounds of a strategy's payoff over a rectangle of the others' totals.
	fn payoff_range(&self, strategy: FloatStrategy, others: Totals) -> Range {
		let FloatStrategy {
			side,
			x,
			log2_comfort,
		} = strategy;
		let surplus = FloatPool {
			offered: others.offered.high,
			requested: others.requested.low,
		};
		let shortage = FloatPool {
			offered: others.offered.low,
			requested: others.requested.high,
		};
		let (at_surplus, at_shortage) = (self.payoff(strategy, surplus), self.payoff(strategy, shortage));
		let mut range = Range {
			low: at_surplus.min(at_shortage),
			high: at_surplus.max(at_shortage),
		};
		if side != FloatSide::Requests || log2_comfort == f64::NEG_INFINITY || x < self.resolution_wh {
			return range;
		}
		let main = |pool: FloatPool| x * (1.0 - (pool.offered / (pool.requested + x)).min(1.0));
		let (least, most) = (main(surplus), main(shortage));
		let trade_term = |main: f64| (main - x) * self.log2_lambda_per_wh;
		let unbalanced = |main: f64| trade_term(main) + log2_comfort - (main / 1000.0).log2();
		// The margin of 1 Wh is far above the rounding error.
		if least < self.resolution_wh + 1.0 && self.resolution_wh - 1.0 < most {
			range.high = range.high.max(trade_term(self.resolution_wh) + self.log2_omega);
			range.low = range.low.min(unbalanced(self.resolution_wh));
		}
		// The minimum of the convex part: 1 / ln(lambda) kWh from the main grid.
		let turning_point = 1.0 / (core::f64::consts::LN_2 * self.log2_lambda_per_wh);
		if least < turning_point + 1.0 && turning_point - 1.0 < most {
			range.low = range.low.min(unbalanced(turning_point));
		}
		range
	}

	/// The first equilibrium among all profiles of candidates.
	fn equilibrium_among(&self, candidates: &Candidates, tolerance: f64) -> Option<Vec<u8>> {
		let mut digits = vec![0usize; candidates.len()];
		loop {
			let profile: Vec<u8> = digits
				.iter()
				.zip(candidates)
				.map(|(digit, some)| some[*digit])
				.collect();
			let pool = self.pool(&profile);
			let mut choices = profile.iter().enumerate();
			if choices.all(|(index, choice)| self.gain(index, *choice, pool) <= tolerance) {
				return Some(profile);
			}
			let mut turn = 0;
			loop {
				let digit = digits.get_mut(turn)?;
				*digit += 1;
				if *digit < candidates[turn].len() {
					break;
				}
				*digit = 0;
				turn += 1;
			}
		}
	}
}

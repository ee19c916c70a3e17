//! A complete search for equilibria that needs no luck: which strategies could be best responses if the totals S and B
//! lay in a given box, whether such strategies can add up to totals in the box, and if so, the halves of the box.
//!
//! Two corners of a box serve a strategy least and most. A seller's payoff lies between what it is there. A buyer's is convex
//! in what it takes from the main grid, with a jump where the meters no longer see it, so its range is spanned by
//! the ends, both sides of the jump, and the lowest point of the convex part. A strategy that is below another one's least even at its best is no best
//! response anywhere in the box. What is left at the end is enumerated. In f64, for tests.

use super::Float;

type Entry = (i8, f64, f64);

#[derive(Debug, PartialEq)]
pub enum Verdict {
	Equilibrium(Vec<u8>),
	/// There is none.
	None,
	/// The budget did not suffice.
	Unknown,
}

#[derive(Clone, Copy, Debug)]
struct Totals {
	/// Least and largest S.
	s: (f64, f64),
	/// Least and largest B.
	b: (f64, f64),
}

fn positions((sign, x, _): Entry) -> (f64, f64) {
	match sign {
		1 => (x, 0.0),
		-1 => (0.0, x),
		_ => (0.0, 0.0),
	}
}

impl Float {
	/// Least and largest payoff of a strategy over the others' totals.
	fn range(&self, entry: Entry, others: Totals) -> (f64, f64) {
		let (sign, x, log2_comfort) = entry;
		let surplus = (others.s.1, others.b.0);
		let shortage = (others.s.0, others.b.1);
		let (low, high) = (
			self.payoff(entry, surplus.0, surplus.1),
			self.payoff(entry, shortage.0, shortage.1),
		);
		let (mut low, mut high) = (low.min(high), low.max(high));
		if sign != -1 || log2_comfort == f64::NEG_INFINITY || x < self.resolution {
			return (low, high);
		}
		// What a buyer takes from the main grid when it is served most and when it is served least.
		let main = |(s, b): (f64, f64)| x * (1.0 - (s / (b + x)).min(1.0));
		let (least, most) = (main(surplus), main(shortage));
		let traded = |main: f64| (main - x) * self.log2_lambda_per_wh;
		let unbalanced = |main: f64| traded(main) + log2_comfort - (main / 1000.0).log2();
		// A Wh is far more than a float may be off by.
		if least < self.resolution + 1.0 && self.resolution - 1.0 < most {
			high = high.max(traded(self.resolution) + self.log2_omega);
			low = low.min(unbalanced(self.resolution));
		}
		// The convex part is lowest where the main grid gives 1 / ln(lambda) kWh.
		let turn = 1.0 / (core::f64::consts::LN_2 * self.log2_lambda_per_wh);
		if least < turn + 1.0 && turn - 1.0 < most {
			low = low.min(unbalanced(turn));
		}
		(low, high)
	}

	/// The strategies of a household that could be best responses, within `tolerance`, in the box.
	fn candidates(&self, strategies: &[Entry], totals: Totals, tolerance: f64) -> Vec<u8> {
		let could = |entry: &Entry| {
			let (s, b) = positions(*entry);
			if s > totals.s.1 || b > totals.b.1 {
				return false;
			}
			let less = |range: (f64, f64), own: f64| ((range.0 - own).max(0.0), range.1 - own);
			let others = Totals {
				s: less(totals.s, s),
				b: less(totals.b, b),
			};
			let most = self.range(*entry, others).1;
			strategies
				.iter()
				.all(|other| self.range(*other, others).0 <= most + tolerance)
		};
		(0u8..)
			.zip(strategies)
			.filter(|(_, entry)| could(entry))
			.map(|(index, _)| index)
			.collect()
	}

	/// Looks at `budget` boxes at most.
	pub fn search(&self, tolerance: f64, mut budget: u32) -> Verdict {
		let all = |side: fn(Entry) -> f64| {
			let most =
				|strategies: &Vec<Entry>| strategies.iter().map(|entry| side(*entry)).fold(0.0, f64::max);
			(0.0, self.strategies.iter().map(most).sum())
		};
		let mut boxes = vec![Totals {
			s: all(|entry| positions(entry).0),
			b: all(|entry| positions(entry).1),
		}];
		let mut unknown = false;
		while let Some(totals) = boxes.pop() {
			if budget == 0 {
				return Verdict::Unknown;
			}
			budget -= 1;
			let Some((totals, candidates)) = self.narrow(totals, tolerance) else {
				continue;
			};
			let product = candidates
				.iter()
				.try_fold(1u64, |product, some| product.checked_mul(some.len() as u64));
			let (wide_s, wide_b) = (totals.s.1 - totals.s.0, totals.b.1 - totals.b.0);
			if product.is_some_and(|product| product <= 256) || (wide_s < 1.0 && wide_b < 1.0) {
				match product {
					Some(product) if product <= 1 << 12 => {
						if let Some(profile) = self.among(&candidates, tolerance) {
							return Verdict::Equilibrium(profile);
						}
					}
					_ => unknown = true,
				}
				continue;
			}
			let halves = |(low, high): (f64, f64)| {
				let middle = ((low + high) / 2.0).floor();
				[(low, middle), (middle + 1.0, high)]
			};
			if wide_s >= wide_b {
				boxes.extend(halves(totals.s).map(|s| Totals { s, ..totals }));
			} else {
				boxes.extend(halves(totals.b).map(|b| Totals { b, ..totals }));
			}
		}
		if unknown {
			Verdict::Unknown
		} else {
			Verdict::None
		}
	}

	/// Shrinks a box to what its candidates can add up to, or to nothing.
	fn narrow(&self, mut totals: Totals, tolerance: f64) -> Option<(Totals, Vec<Vec<u8>>)> {
		loop {
			let mut reach = Totals {
				s: (0.0, 0.0),
				b: (0.0, 0.0),
			};
			let mut candidates = Vec::with_capacity(self.strategies.len());
			for strategies in &self.strategies {
				let some = self.candidates(strategies, totals, tolerance);
				let of = |side: fn((f64, f64)) -> f64| {
					let sides = some
						.iter()
						.map(|index| side(positions(strategies[usize::from(*index)])));
					sides.fold((f64::INFINITY, 0.0f64), |range, own| {
						(range.0.min(own), range.1.max(own))
					})
				};
				let (s, b) = (of(|position| position.0), of(|position| position.1));
				reach.s = (reach.s.0 + s.0, reach.s.1 + s.1);
				reach.b = (reach.b.0 + b.0, reach.b.1 + b.1);
				if some.is_empty() {
					return None;
				}
				candidates.push(some);
			}
			let both = |left: (f64, f64), right: (f64, f64)| (left.0.max(right.0), left.1.min(right.1));
			let next = Totals {
				s: both(totals.s, reach.s),
				b: both(totals.b, reach.b),
			};
			if next.s.0 > next.s.1 || next.b.0 > next.b.1 {
				return None;
			}
			if next.s == totals.s && next.b == totals.b {
				return Some((totals, candidates));
			}
			totals = next;
		}
	}

	/// An equilibrium among all combinations of candidates.
	fn among(&self, candidates: &[Vec<u8>], tolerance: f64) -> Option<Vec<u8>> {
		let mut wheels = vec![0usize; candidates.len()];
		loop {
			let profile: Vec<u8> = wheels
				.iter()
				.zip(candidates)
				.map(|(wheel, some)| some[*wheel])
				.collect();
			let (s, b) = self.pool(&profile);
			if profile
				.iter()
				.enumerate()
				.all(|(index, choice)| self.gain(index, *choice, s, b) <= tolerance)
			{
				return Some(profile);
			}
			let mut turn = 0;
			loop {
				let wheel = wheels.get_mut(turn)?;
				*wheel += 1;
				if *wheel < candidates[turn].len() {
					break;
				}
				*wheel = 0;
				turn += 1;
			}
		}
	}
}

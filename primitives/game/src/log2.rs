//! Base-2 logarithms of integers and fractions, in integer arithmetic.
//!
//! # Error bounds
//! One unit is 2^-32.
//! - [`Log2::of`] and [`Log2::of_wide`] are within 0.6 units of the logarithm for every argument. Half a unit of that
//!   is the final rounding.
//! - [`Log2::of_ratio`] is the difference of two such logarithms and within 1.2 units.
//! - A payoff ([`crate::payoff`], [`crate::solve`], [`crate::delivered`]) is within [`PAYOFF_ERROR`] = 8 units = 2^-29.
//!
//! # Method
//! Shift the argument to m in [1, 2). The eight bits after the leading one select one of 256 intervals with middle c; a
//! table, computed at compile time, holds 1/c and log2 c. Then r = m/c - 1 lies within 2^-9 of zero, and
//! log2 m = log2 c + log2(1 + r) with log2(1 + r) = (r - r^2/2 + r^3/3) / ln 2.
//!
//! Errors in units: 0.023 for ending the series there, 0.034 for truncating m to 40 bits and r to 2^-38, 0.02 for the
//! coefficients and the table, and half a unit for the final rounding. All products fit 64 bits, because wider ones are
//! slow in wasm.

use core::fmt;

/// Fractional bits of a [`Log2`].
pub const FRACTION_BITS: u32 = 32;
/// Largest absolute error of any payoff of a checked game: 2^-29.
pub const PAYOFF_ERROR: Log2 = Log2(8);

crate::stored_types! {
	/// A base-2 logarithm in units of 2^-32.
	#[derive(Copy, Default, PartialOrd, Ord, Hash)]
	pub struct Log2(pub i64);
}

impl Log2 {
	/// The logarithm of zero, below every other value.
	pub const NEG_INFINITY: Self = Self(i64::MIN);
	/// An unbounded gain, above every other value.
	pub const MAX: Self = Self(i64::MAX);
	/// The logarithm of one.
	pub const ZERO: Self = Self(0);
	/// The logarithm of two.
	pub const ONE: Self = Self(1 << FRACTION_BITS);

	/// The logarithm of an integer, or [`Self::NEG_INFINITY`] for zero.
	pub const fn of(n: u64) -> Self {
		if n == 0 {
			return Self::NEG_INFINITY;
		}
		let zeros = n.leading_zeros();
		mantissa_log2(n << zeros, 63 - zeros)
	}

	/// The logarithm of a wide integer, or [`Self::NEG_INFINITY`] for zero.
	pub const fn of_wide(n: u128) -> Self {
		if n == 0 {
			return Self::NEG_INFINITY;
		}
		let zeros = n.leading_zeros();
		// Dropping the low bits changes the value by less than one part in 2^63.
		mantissa_log2(((n << zeros) >> 64) as u64, 127 - zeros)
	}

	/// The logarithm of a fraction. A zero numerator gives [`Self::NEG_INFINITY`]; otherwise, a zero denominator gives
	/// [`Self::MAX`].
	pub const fn of_ratio(numerator: u128, denominator: u128) -> Self {
		if numerator == 0 {
			return Self::NEG_INFINITY;
		}
		if denominator == 0 {
			return Self::MAX;
		}
		// Both are from 0 to 2^39 units.
		Self(Self::of_wide(numerator).0 - Self::of_wide(denominator).0)
	}

	/// How much better this payoff is than `other`, negative if it is worse.
	///
	/// If only `other` is minus infinity, the gain is [`Self::MAX`]; if only this payoff is, it is
	/// [`Self::NEG_INFINITY`]; if both are, it is zero. The difference saturates, which payoffs of a checked game never
	/// reach.
	pub const fn gain_over(self, other: Self) -> Self {
		match (self.is_negative_infinity(), other.is_negative_infinity()) {
			(true, true) => Self::ZERO,
			(true, false) => Self::NEG_INFINITY,
			(false, true) => Self::MAX,
			(false, false) => Self(self.0.saturating_sub(other.0)),
		}
	}

	/// Whether this is [`Self::NEG_INFINITY`], the logarithm of zero.
	pub const fn is_negative_infinity(self) -> bool {
		self.0 == i64::MIN
	}
}

/// Ten decimals, rounded to nearest, so that any two values differ in print. `-inf` and `inf` stand for
/// [`Log2::NEG_INFINITY`] and [`Log2::MAX`].
impl fmt::Display for Log2 {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		if self.is_negative_infinity() {
			return f.write_str("-inf");
		}
		if *self == Self::MAX {
			return f.write_str("inf");
		}
		let magnitude = u128::from(self.0.unsigned_abs());
		let scaled = (magnitude * 10_000_000_000 + (1 << (FRACTION_BITS - 1))) >> FRACTION_BITS;
		let sign = if self.0 < 0 && scaled > 0 { "-" } else { "" };
		write!(
			f,
			"{sign}{}.{:010}",
			scaled / 10_000_000_000,
			scaled % 10_000_000_000
		)
	}
}

const TABLE_BITS: u32 = 8;
const TABLE_LEN: usize = 1 << TABLE_BITS;
/// Fractional bits of [`Interval::reciprocal`].
const RECIPROCAL_BITS: u32 = 23;
/// Fractional bits of intermediate results, before the final rounding to 32.
const INNER_BITS: u32 = 40;
/// 1/ln 2, 1/(2 ln 2) and 1/(3 ln 2), in units of 2^-30.
const C1: i64 = 1_549_082_005;
const C2: i64 = 774_541_002;
const C3: i64 = 516_360_668;

/// One entry of the table, for the interval with middle c.
#[derive(Clone, Copy)]
struct Interval {
	/// 1/c in units of 2^-23.
	reciprocal: u32,
	/// Minus log2 of the rounded reciprocal, in units of 2^-40.
	log2: u64,
}

static TABLE: [Interval; TABLE_LEN] = table();

const fn table() -> [Interval; TABLE_LEN] {
	let mut table = [Interval {
		reciprocal: 0,
		log2: 0,
	}; TABLE_LEN];
	let mut i = 0;
	while i < TABLE_LEN {
		// c = (2 i + 513) / 512
		let reciprocal = ((512u64 << (RECIPROCAL_BITS + 1)) / (2 * i as u64 + 513)).div_ceil(2);
		let fraction = precise_log2(reciprocal);
		// log2(reciprocal / 2^23) lies in (-1, 0).
		let log2 = ((RECIPROCAL_BITS as u64) << PRECISE_BITS) - fraction;
		let drop = PRECISE_BITS - INNER_BITS;
		table[i] = Interval {
			reciprocal: reciprocal as u32,
			log2: (log2 + (1 << (drop - 1))) >> drop,
		};
		i += 1;
	}
	table
}

/// log2(m / 2^63) + exponent, for an `m` whose top bit is set, so that m / 2^63 lies in [1, 2).
#[inline]
const fn mantissa_log2(m: u64, exponent: u32) -> Log2 {
	// The mask keeps the index below the length of the table.
	let interval = &TABLE[((m >> (63 - TABLE_BITS)) & (TABLE_LEN as u64 - 1)) as usize];
	// m with 40 bits in units of 2^-39, times the reciprocal with at most 23 bits in units of 2^-23. The product, in
	// units of 2^-62, is within 2^-8.9 of one.
	let product = (m >> 24) * interval.reciprocal as u64;
	let r = (product as i64 - (1 << 62)) >> 24;
	// In units of 2^-38, |r| < 2^30, so every product below stays under 2^62.
	let p = ((C3 * r) >> 38) - C2;
	let p = ((p * r) >> 38) + C1;
	let inner =
		((p * r) >> (38 + 30 - INNER_BITS)) + interval.log2 as i64 + ((exponent as i64) << INNER_BITS);
	Log2((inner + (1 << (INNER_BITS - FRACTION_BITS - 1))) >> (INNER_BITS - FRACTION_BITS))
}

/// Fractional bits of [`precise_log2`]. The integer part of the logarithm of a `u64` takes the other six bits.
pub(crate) const PRECISE_BITS: u32 = 58;

/// The logarithm of a positive integer in units of 2^-58, with an error of at most one unit; zero for zero.
///
/// Computes one bit at a time: squaring the mantissa doubles its logarithm, whose integer part is then the next bit.
/// The k-th squaring truncates less than 2^-62 of its value, which changes the result by 2^-k of that. This is slow and
/// serves only for the table and, once per game, for log2(lambda).
pub(crate) const fn precise_log2(n: u64) -> u64 {
	if n == 0 {
		return 0;
	}
	let zeros = n.leading_zeros();
	let mut m = n << zeros;
	let mut log2 = (63 - zeros) as u64;
	let mut bit = 0;
	while bit < PRECISE_BITS {
		let square = m as u128 * m as u128;
		// m / 2^63 is in [1, 2), so the square / 2^126 is in [1, 4).
		let carry = (square >> 127) as u64;
		m = (square >> (63 + carry as u32)) as u64;
		log2 = (log2 << 1) | carry;
		bit += 1;
	}
	log2
}

/// 2^(-2^-k) in units of 2^-64, for k from 1 to 32. The first is the square root of 1/2, and each further one the
/// square root of the one before it.
static ROOTS: [u64; FRACTION_BITS as usize] = roots();

const fn roots() -> [u64; FRACTION_BITS as usize] {
	let mut roots = [0; FRACTION_BITS as usize];
	let mut square: u128 = 1 << 127;
	let mut k = 0;
	while k < roots.len() {
		// The root is below 2^64, because its square is below 2^128.
		let root = square.isqrt();
		roots[k] = root as u64;
		square = root << 64;
		k += 1;
	}
	roots
}

/// 2^-exponent, rounded down, with both numbers in units of 2^-32: 2^32 for zero, and 0 for an exponent above 32.
///
/// Multiplies the roots that correspond to the bits of the exponent's fraction. A root is too small by less than 2.5
/// units of 2^-64 (its own rounding, and 0.6 of the error of the one before), and each of at most 32 products by one
/// more. So the result is never above the exact power, and below it by less than 1 + 2^-25 units of 2^-32. It never
/// rises with the exponent: before the final shift, the powers of neighbouring exponents are at least 2^-33.6 apart,
/// far more than that error.
pub(crate) fn exp2_neg(exponent: u64) -> u64 {
	let halvings = exponent >> FRACTION_BITS;
	if halvings > u64::from(FRACTION_BITS) {
		return 0;
	}
	let mut power: u128 = 1 << 64;
	for (root, k) in ROOTS.iter().zip(1..) {
		if (exponent >> (FRACTION_BITS - k)) & 1 == 1 {
			power = (power * u128::from(*root)) >> 64;
		}
	}
	// At most 2^64 before the shift, which is by at least 32 bits, so the result fits 64 bits.
	(power >> (64 - u64::from(FRACTION_BITS) + halvings)) as u64
}

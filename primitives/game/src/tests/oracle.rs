//! Logarithms and payoffs in big integers, computed independently of the crate: 96 fractional bits, mantissas of 160.

use crate::types::{Fraction, Ratio};
use num_bigint::{BigInt, BigUint};

pub const BITS: u32 = 96;
const MANTISSA: u64 = 160;

/// log2 of a positive integer in units of 2^-96, rounded down, with an error of at most a few units.
pub fn log2(n: &BigUint) -> BigInt {
	let exponent = n.bits() - 1;
	let mut m: BigUint = if exponent > MANTISSA {
		n >> (exponent - MANTISSA)
	} else {
		n << (MANTISSA - exponent)
	};
	let mut log2 = BigUint::from(exponent);
	for _ in 0..BITS {
		m = (&m * &m) >> MANTISSA;
		let carry = m.bits() > MANTISSA + 1;
		log2 <<= 1;
		if carry {
			m >>= 1;
			log2 += 1u8;
		}
	}
	BigInt::from(log2)
}

/// `value`, in units of 2^-32, minus `exact`, in units of 2^-96. The result is in units of 2^-32.
pub fn error(value: i64, exact: &BigInt) -> f64 {
	let difference: BigInt = (BigInt::from(value) << 64) - exact;
	// The difference is small, so a float has no use for its last 32 bits.
	i128::try_from(difference >> 32).map_or(f64::INFINITY, |units| units as f64 / 4_294_967_296.0)
}

/// The input of a payoff.
#[derive(Clone, Debug)]
pub struct Payoff {
	pub lambda: Ratio,
	pub resolution_wh: u32,
	/// C, which must not be zero.
	pub comfort: Fraction<u64>,
	/// |x| in Wh.
	pub x: u64,
	/// Whether x is a purchase, so that E_in is negative.
	pub buys: bool,
	/// `None` outside the pool.
	pub rationed: Option<Rationed>,
}

/// The pool with the household's position in it: the traded energy, and the total of the household's side.
#[derive(Clone, Copy, Debug)]
pub struct Rationed {
	pub traded_wh: u64,
	pub own_wh: u64,
}

impl Payoff {
	/// The payoff by eq. (1), in units of 2^-96.
	pub fn exact(&self) -> BigInt {
		let outside = Rationed {
			traded_wh: 0,
			own_wh: 1,
		};
		let Rationed { traded_wh, own_wh } = self.rationed.unwrap_or(outside);
		let big = |n: u64| BigUint::from(n);
		let log2_lambda =
			log2(&big(self.lambda.numerator.into())) - log2(&big(self.lambda.denominator.into()));
		// |E_in| = |x| traded / own in Wh.
		let term =
			BigInt::from(big(self.x) * big(traded_wh)) * log2_lambda / BigInt::from(big(own_wh) * 1000u32);
		let term = if self.buys { -term } else { term };
		// |E_main| = main / own in Wh.
		let main = big(self.x) * big(own_wh - traded_wh);
		if main < big(self.resolution_wh.into()) * big(own_wh) {
			return term + log2(&big(1000)) - log2(&big(self.resolution_wh.into()));
		}
		let numerator = big(self.comfort.numerator) * big(own_wh) * 1000u32;
		term + log2(&numerator) - log2(&(big(self.comfort.denominator) * main))
	}
}

//! Logarithms and payoffs in big integers, by other means than the crate: 96 fractional bits, mantissas of 160.
#![allow(dead_code, missing_docs)]

use num_bigint::{BigInt, BigUint};

pub const BITS: u32 = 96;
const MANTISSA: u64 = 160;

/// log2 of a positive integer in units of 2^-96, rounded down, wrong by at most a few units.
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

/// How far `value`, in units of 2^-32, is from `exact`, in units of 2^-96; in units of 2^-32.
pub fn error(value: i64, exact: &BigInt) -> f64 {
	let difference: BigInt = (BigInt::from(value) << 64) - exact;
	// The difference is small, so dropping the last 32 bits keeps all that a float can show.
	i128::try_from(difference >> 32).map_or(f64::INFINITY, |units| units as f64 / 4_294_967_296.0)
}

/// What a payoff depends on.
#[derive(Clone, Debug)]
pub struct Case {
	pub lambda: (u32, u32),
	pub resolution_wh: u32,
	/// C as a fraction; a zero numerator is not a case for logarithms.
	pub comfort: (u64, u64),
	pub x: u64,
	/// Whether the position is a purchase, so that E_in is negative.
	pub buys: bool,
	/// V and L of the pool with this household in it; `None` outside of the pool.
	pub rationed: Option<(u64, u64)>,
}

impl Case {
	/// The payoff by eq. (1), in units of 2^-96.
	pub fn payoff(&self) -> BigInt {
		let (volume, long) = self.rationed.unwrap_or((0, 1));
		let big = |n: u64| BigUint::from(n);
		let log2_lambda = log2(&big(self.lambda.0.into())) - log2(&big(self.lambda.1.into()));
		// |E_in| = |x| V / L Wh, below zero for a buyer.
		let size = BigInt::from(big(self.x) * big(volume)) * log2_lambda / BigInt::from(big(long) * 1000u32);
		let trade = if self.buys { -size } else { size };
		let main = big(self.x) * big(long - volume);
		if main < big(self.resolution_wh.into()) * big(long) {
			return trade + log2(&big(1000)) - log2(&big(self.resolution_wh.into()));
		}
		let top = big(self.comfort.0) * big(long) * 1000u32;
		trade + log2(&top) - log2(&(big(self.comfort.1) * main))
	}
}

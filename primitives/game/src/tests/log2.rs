//! Logarithms and powers against big integers.

use super::{oracle, support::Random};
use crate::log2::{exp2_neg, precise_log2, Log2, PRECISE_BITS};
use num_bigint::{BigInt, BigUint};

/// Absolute error of a logarithm in units of 2^-32.
fn log2_error(n: u128) -> f64 {
	let value = if n >> 64 == 0 {
		Log2::of(n as u64)
	} else {
		Log2::of_wide(n)
	};
	oracle::error(value.0, &oracle::log2(&BigUint::from(n))).abs()
}

#[test]
fn log2_is_within_its_error_bound_over_the_whole_range() {
	let mut worst: f64 = 0.0;
	// Small integers, and every power of two with its neighbours.
	for n in 1..=2_000 {
		worst = worst.max(log2_error(n));
	}
	for exponent in 0..128 {
		let power = 1u128 << exponent;
		for n in [power.saturating_sub(1).max(1), power, power.saturating_add(1)] {
			worst = worst.max(log2_error(n));
		}
	}
	worst = worst.max(log2_error(u128::MAX)).max(log2_error(u64::MAX.into()));
	// Both ends and the inside of each interval of the table, for integers of 40, 64 and 128 bits.
	let mut random = Random(1);
	for interval in 0..256u128 {
		for width in [40u32, 64, 128] {
			let start = (256 + interval) << (width - 9);
			let length = 1u128 << (width - 9);
			let inside = (0..40).map(|_| u128::from(random.next()) % length);
			for offset in [0, 1, length / 2 - 1, length / 2, length - 1]
				.into_iter()
				.chain(inside)
			{
				worst = worst.max(log2_error(start + offset));
			}
		}
	}
	for _ in 0..20_000 {
		worst = worst.max(log2_error(
			u128::from(random.next() >> random.within(0, 63)).max(1),
		));
	}
	std::println!("largest error of log2: {worst:.4} units of 2^-32");
	assert!(worst <= 0.6);
}

#[test]
fn log2_of_powers_of_two_is_exact_and_log2_of_zero_is_below_every_payoff() {
	for exponent in 0..64 {
		assert_eq!(Log2::of(1 << exponent), Log2(exponent << 32));
	}
	assert_eq!(Log2::of(0), Log2::NEG_INFINITY);
	assert_eq!(Log2::of_ratio(0, 1), Log2::NEG_INFINITY);
	assert_eq!(Log2::of_ratio(1, 0), Log2::MAX);
	assert!(Log2::NEG_INFINITY < Log2(-(1 << 60)));
}

#[test]
fn log2_is_monotone() {
	let mut random = Random(2);
	for _ in 0..200_000 {
		let n = random.next() >> random.within(0, 62);
		assert!(Log2::of(n) <= Log2::of(n + 1), "{n}");
	}
}

#[test]
fn precise_log2_is_within_one_unit() {
	let mut random = Random(3);
	for _ in 0..5_000 {
		let n = (random.next() >> random.within(0, 62)).max(1);
		let exact: BigInt = oracle::log2(&BigUint::from(n)) >> (oracle::BITS - PRECISE_BITS);
		let error = i64::try_from(BigInt::from(precise_log2(n)) - exact).unwrap();
		assert!((-1..=1).contains(&error), "{n}: {error}");
	}
}

#[test]
fn exp2_neg_is_within_its_error_bound_and_monotone() {
	// log2 of the exact power, 2^32 times 2^-exponent, in units of 2^-96. The oracle may be off by a few units.
	let exact =
		|exponent: u64| (BigInt::from(32) << oracle::BITS) - (BigInt::from(exponent) << (oracle::BITS - 32));
	let slack = BigInt::from(8);
	let check = |exponent: u64| {
		let power = exp2_neg(exponent);
		if power > 0 {
			assert!(
				oracle::log2(&power.into()) <= exact(exponent) + &slack,
				"{exponent}: {power} is too large"
			);
		}
		// power + 1 + 2^-25
		let above = ((BigUint::from(power) + 1u8) << 25) + 1u8;
		let above = oracle::log2(&above) - (BigInt::from(25) << oracle::BITS);
		assert!(
			above + &slack > exact(exponent),
			"{exponent}: {power} is too small"
		);
		assert!(exp2_neg(exponent + 1) <= power, "{exponent}");
	};
	let mut random = Random(9);
	for bit in 0..38 {
		let power = 1u64 << bit;
		[power - 1, power, power + 1].into_iter().for_each(check);
		(0..300).for_each(|_| check(random.next() % power));
	}
	// Every whole exponent and its neighbours; from 32 to 33 the result falls from one unit to zero.
	for whole in 1..40u64 {
		[(whole << 32) - 1, whole << 32, (whole << 32) + 1]
			.into_iter()
			.for_each(check);
	}
	(0..20_000).for_each(|_| check(random.next() % (34 << 32)));
	for (exponent, power) in [(0, 1 << 32), (32 << 32, 1), ((32 << 32) + 1, 0), (u64::MAX, 0)] {
		assert_eq!(exp2_neg(exponent), power);
	}
}

#[test]
fn log2_is_displayed_with_ten_decimals() {
	for (value, text) in [
		(Log2::ONE, "1.0000000000"),
		(Log2(-(3 << 31)), "-1.5000000000"),
		(Log2(1), "0.0000000002"),
		(Log2(-1), "-0.0000000002"),
		(Log2::ZERO, "0.0000000000"),
		(Log2::MAX, "inf"),
		(Log2::NEG_INFINITY, "-inf"),
		(Log2(i64::MIN + 1), "-2147483647.9999999998"),
	] {
		assert_eq!(std::format!("{value}"), text);
	}
}

#[test]
fn gains_over_and_to_minus_infinity_saturate() {
	let (nothing, one) = (Log2::NEG_INFINITY, Log2::ONE);
	assert_eq!(one.gain_over(nothing), Log2::MAX);
	assert_eq!(nothing.gain_over(one), Log2::NEG_INFINITY);
	assert_eq!(nothing.gain_over(nothing), Log2::ZERO);
	assert_eq!(one.gain_over(Log2(1)), Log2((1 << 32) - 1));
}

//! Amounts of money.

/// An amount in the smallest unit of the chain's balance.
pub type Balance = u128;

/// One whole token, `CWT`, in the smallest unit.
pub const UNIT: Balance = 1_000_000_000_000;
/// A thousandth of a token.
pub const MILLI: Balance = UNIT / 1_000;
/// A millionth of a token.
pub const MICRO: Balance = UNIT / 1_000_000;

/// `whole * numerator / denominator`, rounded down. `whole` where the denominator is 0 or the part would be more than
/// a balance can hold; no caller asks for a part that is larger than the whole.
pub fn part(whole: Balance, numerator: Balance, denominator: Balance) -> Balance {
	use sp_arithmetic::{helpers_128bit::multiply_by_rational_with_rounding, Rounding};
	multiply_by_rational_with_rounding(whole, numerator, denominator, Rounding::Down).unwrap_or(whole)
}

/// Splits an amount in proportion to weights, so that the parts add up to it exactly: each part is the difference of
/// two rounded running sums. The order of the weights decides who gets the remainders.
#[derive(Clone, Copy, Debug)]
pub struct Split {
	amount: Balance,
	total_weight: Balance,
	weight_so_far: Balance,
	amount_so_far: Balance,
}

impl Split {
	/// Splits `amount` by weights that add up to `total_weight`.
	pub fn new(amount: Balance, total_weight: Balance) -> Self {
		Self {
			amount,
			total_weight,
			weight_so_far: 0,
			amount_so_far: 0,
		}
	}

	/// The part of the next weight.
	pub fn next_part(&mut self, weight: Balance) -> Balance {
		if weight == 0 {
			return 0;
		}
		// Weights beyond the announced total get nothing, since no part goes beyond the amount.
		self.weight_so_far = self.weight_so_far.saturating_add(weight).min(self.total_weight);
		let until = part(self.amount, self.weight_so_far, self.total_weight);
		let own = until.saturating_sub(self.amount_so_far);
		self.amount_so_far = until;
		own
	}
}

/// serde for money and for differences of money: written as a string, read from a string or an integer. Most readers
/// of JSON keep only 53 bits of a number.
#[cfg(feature = "serde")]
pub mod serialized {
	use alloc::string::ToString;
	use core::{fmt, fmt::Display, marker::PhantomData, str::FromStr};
	use serde::{
		de::{Error, Visitor},
		Deserializer, Serializer,
	};

	/// Writes an amount as a string of decimal digits.
	pub fn serialize<M: Display, S: Serializer>(money: &M, serializer: S) -> Result<S::Ok, S::Error> {
		serializer.collect_str(money)
	}

	/// Reads an amount from a string of decimal digits, or from an integer.
	pub fn deserialize<'de, M, D>(deserializer: D) -> Result<M, D::Error>
	where
		M: FromStr<Err: Display>,
		D: Deserializer<'de>,
	{
		deserializer.deserialize_any(Amount(PhantomData))
	}

	struct Amount<M>(PhantomData<M>);

	impl<M: FromStr<Err: Display>> Visitor<'_> for Amount<M> {
		type Value = M;

		fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
			f.write_str("an amount of money in the smallest unit, as a string or an integer")
		}

		fn visit_str<E: Error>(self, text: &str) -> Result<M, E> {
			text.parse().map_err(E::custom)
		}

		fn visit_u64<E: Error>(self, amount: u64) -> Result<M, E> {
			self.visit_str(&amount.to_string())
		}

		fn visit_i64<E: Error>(self, amount: i64) -> Result<M, E> {
			self.visit_str(&amount.to_string())
		}

		fn visit_u128<E: Error>(self, amount: u128) -> Result<M, E> {
			self.visit_str(&amount.to_string())
		}

		fn visit_i128<E: Error>(self, amount: i128) -> Result<M, E> {
			self.visit_str(&amount.to_string())
		}
	}
}

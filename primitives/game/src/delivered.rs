//! What an era was worth to a household once it is over, and how such worths compare.

use crate::{
	log2::{exp2_of_minus, Log2},
	payoff::{signed, worth_of, Worth, TRADE_BITS},
	types::{Comfort, Rules},
};
use alloc::vec::Vec;

/// Millionths in one: the unit of [`Delivered::comfort_ppm`].
const MILLION: u128 = 1_000_000;

/// What an era was worth to a household as delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
	feature = "scale",
	derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking)
)]
#[cfg_attr(feature = "scale", derive(codec::MaxEncodedLen, scale_info::TypeInfo))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "client", derive(scale_decode::DecodeAsType, scale_encode::EncodeAsType))]
pub struct Delivered {
	/// Comfort C at the metered temperature, the paper's eq. (2), in millionths rounded down: 0 to 1,000,000. Below one
	/// millionth it shows as 0 while the payoff is still finite.
	pub comfort_ppm: u32,
	/// u, the base-2 logarithm of the payoff, within [`crate::log2::PAYOFF_ERROR`]; [`Log2::NEG_INFINITY`] when C = 0.
	pub payoff: Log2,
}

/// The paper's eq. (1), as [`crate::payoff`] has it, over what was delivered. E_in is `community_wh`, positive when sold to
/// the community and **negative when bought from it**; |E_main| is `main_wh`, the size of what was exchanged with the
/// main grid. Both in Wh. Without a comfort model C = 1.
///
/// Any two energies are fine; a `community_wh` of more than 2^32 Wh either way counts as 2^32. These are 2^58 units of
/// 2^-26 Wh, which times log2(lambda) per Wh (below 2^62) stay below 2^120, and the payoff stays within 2^59. Rules and
/// comfort are such as [`Rules::check`] and [`Comfort::check`] accept; others give figures without meaning.
pub fn delivered(
	rules: &Rules,
	comfort: Option<&Comfort>,
	temperature_centi_c: i16,
	community_wh: i64,
	main_wh: u32,
) -> Delivered {
	let comfort = Comfort::of(comfort, temperature_centi_c);
	let worth = Worth::new(rules);
	let traded = community_wh.unsigned_abs().min(1 << u32::BITS) << TRADE_BITS;
	let trade = signed(community_wh < 0, worth.of_trade(traded));
	let payoff = worth_of(&worth, comfort, trade, (u128::from(main_wh), 1));
	let (part, whole) = (u128::from(comfort.0), u128::from(comfort.1));
	let millionths = (part * MILLION).checked_div(whole).unwrap_or_default();
	Delivered {
		// At most a million, which is a u32.
		comfort_ppm: millionths.min(MILLION) as u32,
		payoff,
	}
}

/// Weights in proportion to the payoffs themselves, mu = 2^u, for sharing something by them: 2^(u - largest u) in units of
/// 2^-32, so 2^32 for the largest. What earns nothing ([`Log2::NEG_INFINITY`]) weighs 0, also when nothing earns anything,
/// and so does what earns less than 2^-32 of the largest.
///
/// Rounded down: never above the exact power of the difference, and below it by less than 1 + 2^-25 units. A larger
/// payoff never weighs less. Errors of the payoffs themselves come on top: twice [`crate::log2::PAYOFF_ERROR`] is
/// 1.1e-8 of a weight at most. The sum of the weights of n households is at most n 2^32.
pub fn shares(payoffs: &[Log2]) -> Vec<u64> {
	let largest = payoffs.iter().copied().max().unwrap_or_default();
	payoffs
		.iter()
		.map(|payoff| match payoff.is_negative_infinity() {
			true => 0,
			false => exp2_of_minus(largest.0.abs_diff(payoff.0)),
		})
		.collect()
}

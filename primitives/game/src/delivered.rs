//! Comfort and payoff of an era as delivered, computed from metered energies, and weights derived from payoffs.

use crate::{
	log2::{exp2_neg, Log2},
	payoff::{payoff_of_energies, signed_term, LogRules, TRADE_BITS},
	types::{Comfort, Fraction, Rules},
};
use alloc::vec::Vec;

const MILLION: u128 = 1_000_000;

crate::stored_types! {
	/// A household's comfort and payoff in an era as delivered.
	#[derive(Copy)]
	pub struct Delivered {
		/// Comfort C at the metered temperature, the paper's eq. (2), in millionths, rounded down: 0 to 1,000,000. If C is
		/// above 0 but below one millionth, this is 0 and the payoff is still finite.
		pub comfort_ppm: u32,
		/// Payoff u as a base-2 logarithm, within [`crate::log2::PAYOFF_ERROR`]; [`Log2::NEG_INFINITY`] if C = 0.
		pub payoff: Log2,
	}
}

/// The paper's eq. (1), as in [`crate::payoff`], for delivered energies in Wh.
///
/// `community_wh` is E_in: positive when sold to the community, **negative when bought from it**. `main_wh` is
/// |E_main|, the energy exchanged with the main grid in either direction. Without a comfort model, C = 1.
///
/// All energies are valid; a `community_wh` above 2^32 Wh in size counts as 2^32 Wh. [`Rules::check`] and
/// [`Comfort::check`] must accept the rules and the comfort model; otherwise the result is meaningless.
pub fn delivered(
	rules: &Rules,
	comfort: Option<&Comfort>,
	temperature_centi_c: i16,
	community_wh: i64,
	main_wh: u32,
) -> Delivered {
	let comfort = Comfort::of(comfort, temperature_centi_c);
	let rules = LogRules::new(rules);
	// At most 2^58 units, times log2(lambda) per Wh below 2^62.04 units: below 2^121, and the term is below 2^59.
	let traded = community_wh.unsigned_abs().min(1 << u32::BITS) << TRADE_BITS;
	let trade_term = signed_term(community_wh < 0, rules.trade_term(traded));
	let main_wh = Fraction {
		numerator: u128::from(main_wh),
		denominator: 1,
	};
	let payoff = payoff_of_energies(&rules, comfort, trade_term, main_wh);
	let millionths = (u128::from(comfort.numerator) * MILLION)
		.checked_div(u128::from(comfort.denominator))
		.unwrap_or_default();
	Delivered {
		// At most a million, which fits a u32.
		comfort_ppm: millionths.min(MILLION) as u32,
		payoff,
	}
}

/// Weights in proportion to the payoffs mu = 2^u, for dividing something among households: 2^(u - largest u) in units
/// of 2^-32.
///
/// The largest payoff has the weight 2^32. [`Log2::NEG_INFINITY`] has the weight 0, even if no payoff is larger, and so
/// has a payoff below 2^-32 of the largest one. The weights of n households add up to at most n 2^32.
///
/// Weights are rounded down: never above the exact power of the difference, and below it by less than 1 + 2^-25 units.
/// A larger payoff never has a smaller weight. If both payoffs are off by [`crate::log2::PAYOFF_ERROR`], their weight
/// changes by at most 2.6e-9 of itself.
pub fn shares(payoffs: &[Log2]) -> Vec<u64> {
	let largest = payoffs.iter().copied().max().unwrap_or_default();
	payoffs
		.iter()
		.map(|payoff| match payoff.is_negative_infinity() {
			true => 0,
			false => exp2_neg(largest.0.abs_diff(payoff.0)),
		})
		.collect()
}

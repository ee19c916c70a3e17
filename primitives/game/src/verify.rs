//! Checking and explaining a profile, from the definition and in one pass.

use crate::{
	fault::ProfileFault,
	game::Game,
	log2::{Log2, PAYOFF_ERROR},
	payoff::{payoff, Pool, Worth},
	types::Strategy,
};
use alloc::vec::Vec;

/// What is known about a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
	feature = "scale",
	derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking)
)]
#[cfg_attr(feature = "scale", derive(codec::MaxEncodedLen, scale_info::TypeInfo))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "client", derive(scale_decode::DecodeAsType, scale_encode::EncodeAsType))]
pub enum Status {
	/// No household gains more than epsilon by changing alone, whatever the rounding; the paper's eq. (3).
	#[cfg_attr(feature = "scale", codec(index = 0))]
	Equilibrium = 0,
	/// Not shown to be an equilibrium; the largest gain says how far off.
	#[cfg_attr(feature = "scale", codec(index = 1))]
	Approximate = 1,
}

/// The result of an era in five numbers, each of which [`verify`] recomputes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
	feature = "scale",
	derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking)
)]
#[cfg_attr(feature = "scale", derive(codec::MaxEncodedLen, scale_info::TypeInfo))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "client", derive(scale_decode::DecodeAsType, scale_encode::EncodeAsType))]
pub struct Certificate {
	/// Whether the profile is an equilibrium for the epsilon that was asked for.
	pub status: Status,
	/// S: what sellers offered to the pool, Wh.
	pub offered_wh: u64,
	/// B: what buyers asked of the pool, Wh.
	pub requested_wh: u64,
	/// V = min(S, B), Wh.
	pub traded_wh: u64,
	/// Largest gain of any household from changing alone, at least zero, [`Log2::MAX`] when a household that earns
	/// nothing could earn something. Within twice [`PAYOFF_ERROR`] of the true value.
	pub max_gain: Log2,
}

/// The pool that the chosen strategies make up.
pub(crate) fn pool_of(game: &Game, chosen: &[Strategy]) -> Pool {
	let pairs = game.households().iter().zip(chosen);
	pairs.fold(Pool::default(), |pool, (household, strategy)| {
		pool.with(strategy.kind, strategy.net_wh(household.generation_wh))
	})
}

/// Computes the certificate of a profile from the definition: every strategy of every household against the others'
/// choices. Work grows with the number of strategies in the game and with nothing else.
///
/// The status is [`Status::Equilibrium`] only if the largest gain stays within epsilon even when every payoff is off
/// by its error bound, so a near-tie cannot make a false certificate. With epsilon zero that means that every
/// alternative is worse by more than the rounding; with a negative epsilon nothing is an equilibrium.
pub fn verify(game: &Game, profile: &[u8], epsilon: Log2) -> Result<Certificate, ProfileFault> {
	let chosen = game.chosen(profile)?;
	let pool = pool_of(game, &chosen);
	let worth = Worth::new(game.rules());
	let mut best = Log2::NEG_INFINITY;
	for ((household, current), choice) in game.households().iter().zip(&chosen).zip(profile) {
		let others = pool.without(current.kind, current.net_wh(household.generation_wh));
		let now = payoff(&worth, household, current, others);
		for (index, strategy) in household.strategies.iter().enumerate() {
			if index == usize::from(*choice) {
				continue;
			}
			let then = payoff(&worth, household, strategy, others);
			// Nothing for nothing is exact and no gain: there is no rounding to allow for.
			if !then.is_negative_infinity() {
				best = best.max(then.gain_over(now));
			}
		}
	}
	Ok(Certificate {
		status: status(best, epsilon),
		offered_wh: pool.offered_wh,
		requested_wh: pool.requested_wh,
		traded_wh: pool.traded_wh(),
		max_gain: best.max(Log2::ZERO),
	})
}

/// The verdict on the best gain (negative when every alternative is worse), rounding against the profile. Saturation
/// happens at both infinities only, and leaves them on their side of epsilon.
fn status(best: Log2, epsilon: Log2) -> Status {
	if epsilon >= Log2::ZERO && best.0.saturating_add(2 * PAYOFF_ERROR.0) <= epsilon.0 {
		Status::Equilibrium
	} else {
		Status::Approximate
	}
}

/// The payoff of each strategy of one household against the others' choices in `profile`: why it chose as it did.
pub fn explain(game: &Game, profile: &[u8], household: usize) -> Result<Vec<Log2>, ProfileFault> {
	let chosen = game.chosen(profile)?;
	let player = game
		.households()
		.get(household)
		.ok_or(ProfileFault::UnknownHousehold)?;
	let current = chosen.get(household).ok_or(ProfileFault::UnknownHousehold)?;
	let others = pool_of(game, &chosen).without(current.kind, current.net_wh(player.generation_wh));
	let worth = Worth::new(game.rules());
	Ok(player
		.strategies
		.iter()
		.map(|strategy| payoff(&worth, player, strategy, others))
		.collect())
}

//! Verifies and explains a profile, directly from the definition of a payoff and in one pass.

use crate::{
	fault::ProfileFault,
	game::Game,
	log2::{Log2, PAYOFF_ERROR},
	payoff::{payoff, LogRules, Pool},
};
use alloc::vec::Vec;

crate::stored_types! {
	/// Whether a profile is certified as an equilibrium.
	#[derive(Copy)]
	pub enum Status {
		/// No household gains more than epsilon by changing alone (the paper's eq. (3)), rounding errors included.
		Equilibrium = 0,
		/// Not certified. [`Certificate::max_gain`] says how far the profile is from an equilibrium.
		Approximate = 1,
	}

	/// The result of a game in five values, which [`verify`] recomputes.
	#[derive(Copy)]
	pub struct Certificate {
		/// Whether the profile is an equilibrium for the given epsilon.
		pub status: Status,
		/// S, the energy that sellers offer to the pool, in Wh.
		pub offered_wh: u64,
		/// B, the energy that buyers request from the pool, in Wh.
		pub requested_wh: u64,
		/// V = min(S, B), the traded energy, in Wh.
		pub traded_wh: u64,
		/// Largest gain of any household from changing alone, at least zero; [`Log2::MAX`] if a household that earns
		/// nothing could earn something. Within twice [`PAYOFF_ERROR`] of the true value.
		pub max_gain: Log2,
	}
}

/// Computes the certificate of a profile: compares every strategy of every household with its choice, against the
/// others' choices. The work is linear in the number of strategies in the game. Fails if the profile does not fit the
/// game.
///
/// The status is [`Status::Equilibrium`] only if the largest gain stays within epsilon even if every payoff is off by
/// its error bound, so a near tie cannot cause a false certificate. With epsilon zero, this means that every
/// alternative is worse by more than the rounding error. With a negative epsilon, no profile is an equilibrium.
pub fn verify(game: &Game, profile: &[u8], epsilon: Log2) -> Result<Certificate, ProfileFault> {
	let chosen = game.chosen(profile)?;
	let pool = Pool::of(game, &chosen);
	let rules = LogRules::new(game.rules());
	let mut best = Log2::NEG_INFINITY;
	for ((household, current), choice) in game.households().iter().zip(&chosen).zip(profile) {
		let others = pool.without(current.kind, current.net_wh(household.generation_wh));
		let now = payoff(&rules, household, current, others);
		for (index, strategy) in household.strategies.iter().enumerate() {
			if index == usize::from(*choice) {
				continue;
			}
			let then = payoff(&rules, household, strategy, others);
			// Minus infinity is exact, so a strategy that earns nothing needs no margin for rounding.
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

/// The status for the best gain, which is negative if every alternative is worse. Rounding counts against the profile.
fn status(best: Log2, epsilon: Log2) -> Status {
	// Saturates only for an infinite gain, which stays on its side of epsilon.
	if epsilon >= Log2::ZERO && best.0.saturating_add(2 * PAYOFF_ERROR.0) <= epsilon.0 {
		Status::Equilibrium
	} else {
		Status::Approximate
	}
}

/// The payoff of each strategy of one household against the others' choices in `profile`. The result explains why the
/// household chooses its strategy. Fails if the profile or the index of the household does not fit the game.
pub fn explain(game: &Game, profile: &[u8], household: usize) -> Result<Vec<Log2>, ProfileFault> {
	let chosen = game.chosen(profile)?;
	let player = game
		.households()
		.get(household)
		.ok_or(ProfileFault::UnknownHousehold)?;
	let current = chosen.get(household).ok_or(ProfileFault::UnknownHousehold)?;
	let others = Pool::of(game, &chosen).without(current.kind, current.net_wh(player.generation_wh));
	let rules = LogRules::new(game.rules());
	Ok(player
		.strategies
		.iter()
		.map(|strategy| payoff(&rules, player, strategy, others))
		.collect())
}

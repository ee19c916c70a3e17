//! Where the chain stands in time, and what is due.

use crate::{CommunityId, EraIndex};

commonwatt_game::stored_types! {
	/// Where the chain stands in time.
	#[derive(Copy)]
	pub struct ClockState {
		/// The running era: its deliveries are under way, and strategies for the next era are taken.
		pub current: EraIndex,
		/// The era that the chain saw before: its readings are taken.
		pub previous: Option<EraIndex>,
	}

	/// The two steps that each community has in a round.
	#[derive(Copy)]
	pub enum Phase {
		/// Solve the game of the era that began.
		#[cfg_attr(feature = "scale", codec(index = 0))]
		Solve,
		/// Settle the era whose readings are in.
		#[cfg_attr(feature = "scale", codec(index = 1))]
		Settle,
	}

	/// A round under way: first every community's clearing, then every community's settlement.
	#[derive(Copy)]
	pub struct RoundState {
		/// The era to solve.
		pub solve_era: EraIndex,
		/// The era to settle, if one is open.
		pub settle_era: Option<EraIndex>,
		/// Number of communities when the round began; later ones wait for the next round.
		pub communities: u32,
		/// The present phase.
		pub phase: Phase,
		/// The community whose step is next.
		pub next: CommunityId,
	}

	/// One step that the current block has room for.
	#[derive(Copy)]
	pub struct PlannedStep {
		/// What to do.
		pub phase: Phase,
		/// For whom.
		pub community: CommunityId,
		/// Number of the community's households that the block's weight covers.
		pub households: u32,
	}
}

//! What a runtime must have measured: the pallet's calls and clearing steps.

use frame_support::weights::Weight;

/// What the calls and steps weigh.
pub trait WeightInfo {
	/// [`crate::Pallet::create_community`].
	fn create_community() -> Weight;
	/// [`crate::Pallet::register_household`].
	fn register_household() -> Weight;
	/// [`crate::Pallet::set_suspended`].
	fn set_suspended() -> Weight;
	/// [`crate::Pallet::replace_meter`].
	fn replace_meter() -> Weight;
	/// [`crate::Pallet::leave`].
	fn leave() -> Weight;
	/// [`crate::Pallet::remove_household`].
	fn remove_household() -> Weight;
	/// [`crate::Pallet::set_terms`].
	fn set_terms() -> Weight;
	/// [`crate::Pallet::set_operator`].
	fn set_operator() -> Weight;
	/// [`crate::Pallet::set_concentrator`].
	fn set_concentrator() -> Weight;
	/// [`crate::Pallet::set_paused`].
	fn set_paused() -> Weight;
	/// [`crate::Pallet::set_comfort`].
	fn set_comfort() -> Weight;
	/// [`crate::Pallet::set_preference`].
	fn set_preference() -> Weight;
	/// [`crate::Pallet::submit_strategies`] with `s` strategies.
	fn submit_strategies(s: u32) -> Weight;
	/// [`crate::Pallet::withdraw_strategies`].
	fn withdraw_strategies() -> Weight;
	/// [`crate::Pallet::submit_reading`].
	fn submit_reading() -> Weight;
	/// [`crate::Pallet::submit_readings`] with `n` items.
	fn submit_readings(n: u32) -> Weight;
	/// [`crate::Pallet::repay_arrears`].
	fn repay_arrears() -> Weight;
	/// Noting a new era, and planning.
	fn latch() -> Weight;
	/// One community's game with `h` households, each with as many strategies as it can have, without
	/// [`Self::evaluate`] for the solver's budget.
	fn solve(h: u32) -> Weight;
	/// `e` evaluations of a payoff by the solver.
	fn evaluate(e: u32) -> Weight;
	/// One community's settlement with `h` households, as many as may of which leave.
	fn settle(h: u32) -> Weight;
}

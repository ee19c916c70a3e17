//! The weights that a runtime must measure: of the calls and of the steps of a round.

use frame_support::weights::Weight;

/// Weights of the calls and the steps, at their worst case.
pub trait WeightInfo {
	/// [`crate::Pallet::create_community`].
	fn create_community() -> Weight;
	/// [`crate::Pallet::offer_membership`].
	fn offer_membership() -> Weight;
	/// [`crate::Pallet::accept_membership`].
	fn accept_membership() -> Weight;
	/// [`crate::Pallet::confirm_meter`].
	fn confirm_meter() -> Weight;
	/// [`crate::Pallet::withdraw_offer`].
	fn withdraw_offer() -> Weight;
	/// [`crate::Pallet::set_max_debit`].
	fn set_max_debit() -> Weight;
	/// [`crate::Pallet::propose_change`].
	fn propose_change() -> Weight;
	/// [`crate::Pallet::accept_change`].
	fn accept_change() -> Weight;
	/// [`crate::Pallet::offer_household`].
	fn offer_household() -> Weight;
	/// [`crate::Pallet::accept_household`].
	fn accept_household() -> Weight;
	/// [`crate::Pallet::write_off_arrears`].
	fn write_off_arrears() -> Weight;
	/// [`crate::Pallet::set_suspended`].
	fn set_suspended() -> Weight;
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
	/// [`crate::Pallet::set_terms_bounds`].
	fn set_terms_bounds() -> Weight;
	/// [`crate::Pallet::set_utility`].
	fn set_utility() -> Weight;
	/// [`crate::Pallet::close_community`] with all ring slots in use.
	fn close_community() -> Weight;
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
	/// [`crate::Pallet::submit_late_reading`] in a full community that retains late statements of all eras.
	fn submit_late_reading() -> Weight;
	/// [`crate::Pallet::submit_readings`] with `n` items.
	fn submit_readings(n: u32) -> Weight;
	/// [`crate::Pallet::repay_arrears`].
	fn repay_arrears() -> Weight;
	/// Planning the steps of a block and noting a new era.
	fn latch() -> Weight;
	/// One community's clearing with `h` households, each with `MaxStrategies` strategies, without the solver's search,
	/// for which [`Self::evaluate`] is added.
	fn solve(h: u32) -> Weight;
	/// `e` payoff evaluations by the solver.
	fn evaluate(e: u32) -> Weight;
	/// One community's settlement with `h` households, of which the maximum number leaves.
	fn settle(h: u32) -> Weight;
}

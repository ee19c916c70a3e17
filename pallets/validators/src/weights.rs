//! The weights that a runtime must measure: of the calls, of a change of sessions, and of a report.

use frame_support::weights::Weight;

/// Weights of calls and hooks, at their worst case.
pub trait WeightInfo {
	/// [`crate::Pallet::admit`].
	fn admit() -> Weight;
	/// [`crate::Pallet::remove`] and [`crate::Pallet::leave`].
	fn remove() -> Weight;
	/// [`crate::Pallet::purge_keys`].
	fn purge_keys() -> Weight;
	/// Noting the author of a block.
	fn note_author() -> Weight;
	/// The hook in which a session of `v` validators ends, all of them silent, and the next begins with other keys.
	fn rotate(v: u32) -> Weight;
	/// Removing a validator that voted twice.
	fn report_offence() -> Weight;
}

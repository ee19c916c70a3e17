//! The weights that this pallet needs. The runtime has the measured ones.

use frame_support::weights::Weight;

/// Weights of the calls.
pub trait WeightInfo {
	/// Weight of `decide`.
	fn decide() -> Weight;
	/// Weight of `object`, in a full council in which all that can object do so.
	fn object() -> Weight;
	/// Weight of `withdraw`, with as many objections.
	fn withdraw() -> Weight;
}

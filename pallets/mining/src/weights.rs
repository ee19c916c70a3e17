//! The weights that a runtime must measure: the end of a mined block.

use frame_support::weights::Weight;

/// Weights of the pallet's hooks, at their worst case.
pub trait WeightInfo {
	/// Recording a mined block, setting the next difficulty, and paying the miner.
	fn finalize_block() -> Weight;
}

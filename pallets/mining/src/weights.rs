//! What a runtime must have measured: the end of a mined block.

use frame_support::weights::Weight;

/// What the hook weighs.
pub trait WeightInfo {
	/// Noting a mined block, setting the next difficulty, and paying the miner.
	fn finalize_block() -> Weight;
}

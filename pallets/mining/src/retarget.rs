//! The difficulty of the next block: a linearly weighted moving average of the rate at which the last ones were hashed.
//!
//! Of n + 1 blocks, the i-th of n intervals took `t_i` and was mined at difficulty `d_i`, which is the mean number of
//! hashes that it took:
//!
//! ```text
//! next = target * (1 d_1 + 2 d_2 + .. + n d_n) / (1 t_1 + 2 t_2 + .. + n t_n)
//! ```
//!
//! So the youngest intervals count most; the weights are those of zawy12's LWMA-1, which many small chains of proof of
//! work use (github.com/zawy12/difficulty-algorithms, issue 3). That one takes the plain mean of the difficulties; with the
//! same weights above and below, the fraction is a hash rate whatever the difficulties were, so that [`WINDOW`] blocks
//! after a change of the hash rate nothing is left of the old one. Each interval counts as 1 ms at least and six targets
//! at most, and the difficulty never more than doubles or halves from one block to the next, so that neither a false
//! timestamp nor a lucky block moves it far.

use codec::{Decode, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::U256;

/// So many intervals between blocks are looked back at.
pub const WINDOW: u32 = 60;

/// An interval counts as so many targets at the most.
const LONGEST_INTERVAL_TARGETS: u64 = 6;

/// The difficulty changes by this factor at the most from one block to the next.
const GREATEST_STEP: u32 = 2;

/// What is remembered of a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Mined {
	/// When its making began, in milliseconds since 1970.
	pub timestamp_ms: u64,
	/// The mean number of hashes that it took.
	pub difficulty: u128,
}

/// The difficulty of the block after the last of these; 1 at least. `recent` is oldest first.
///
/// A block's timestamp is taken when its making begins, so an interval belongs to the difficulty of the block at its
/// beginning.
pub fn next_difficulty(recent: &[Mined], target_ms: u64) -> u128 {
	let Some(last) = recent.last() else { return 1 };
	let longest = target_ms.saturating_mul(LONGEST_INTERVAL_TARGETS).max(1);
	let (mut hashes, mut time, mut weight) = (U256::zero(), U256::zero(), 0u64);
	for (begin, end) in recent.iter().zip(recent.iter().skip(1)) {
		// Neither sum comes near the end of its range: a window of terms, each below 2^128 times a window.
		weight = weight.saturating_add(1);
		let interval = end
			.timestamp_ms
			.saturating_sub(begin.timestamp_ms)
			.clamp(1, longest);
		hashes = hashes.saturating_add(U256::from(begin.difficulty).saturating_mul(weight.into()));
		time = time.saturating_add(U256::from(interval).saturating_mul(weight.into()));
	}
	// Below 2^139 * 2^64. No interval, no change.
	let wanted = match hashes.saturating_mul(target_ms.into()).checked_div(time) {
		Some(wanted) => u128::try_from(wanted).unwrap_or(u128::MAX),
		None => last.difficulty,
	};
	let least = last.difficulty / u128::from(GREATEST_STEP);
	let most = last.difficulty.saturating_mul(GREATEST_STEP.into());
	wanted.clamp(least, most).max(1)
}

//! The difficulty of the next block: a linearly weighted moving average of the hash rate over the last blocks.
//!
//! n + 1 blocks have n intervals between them. Interval i took `t_i`, and its block was mined at difficulty `d_i`,
//! which is its mean number of hashes:
//!
//! ```text
//! next = target * (1 d_1 + 2 d_2 + .. + n d_n) / (1 t_1 + 2 t_2 + .. + n t_n)
//! ```
//!
//! So the newest intervals count most. The weights are those of zawy12's LWMA-1, which many small chains with proof of
//! work use (github.com/zawy12/difficulty-algorithms, issue 3). LWMA-1 takes the plain mean of the difficulties. Here
//! both sums have the same weights, so that their quotient is a hash rate whatever the difficulties were, and
//! [`WINDOW`] blocks after a change of the hash rate no trace of the old one is left.
//!
//! Each interval counts as at least 1 ms and at most six targets, and the difficulty at most doubles or halves from one
//! block to the next. So neither a false timestamp nor a lucky block moves it far.

use codec::{Decode, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::U256;

/// Number of intervals between blocks from which the difficulty is computed.
pub const WINDOW: u32 = 60;

/// Maximum length of an interval, in targets.
const LONGEST_INTERVAL_TARGETS: u64 = 6;

/// Maximum factor by which the difficulty rises or falls from one block to the next.
const GREATEST_STEP: u32 = 2;

/// What the pallet records of a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Mined {
	/// When its miner began to make it: its timestamp, in milliseconds since the Unix epoch.
	pub timestamp_ms: u64,
	/// The mean number of hashes that it took.
	pub difficulty: u128,
}

/// The difficulty of the block after the last of `recent`, which is oldest first; at least 1. `target_ms` is the target
/// for the mean time between blocks.
///
/// A block's timestamp is taken when its making begins, so an interval belongs to the difficulty of the block at its
/// beginning.
pub fn next_difficulty(recent: &[Mined], target_ms: u64) -> u128 {
	let Some(last) = recent.last() else { return 1 };
	let longest = target_ms.saturating_mul(LONGEST_INTERVAL_TARGETS).max(1);
	let (mut hashes, mut time, mut weight) = (U256::zero(), U256::zero(), 0u64);
	for (begin, end) in recent.iter().zip(recent.iter().skip(1)) {
		// Neither sum comes near its limit: each has at most `WINDOW` terms below 2^128 times `WINDOW`.
		weight = weight.saturating_add(1);
		let interval = end
			.timestamp_ms
			.saturating_sub(begin.timestamp_ms)
			.clamp(1, longest);
		hashes = hashes.saturating_add(U256::from(begin.difficulty).saturating_mul(weight.into()));
		time = time.saturating_add(U256::from(interval).saturating_mul(weight.into()));
	}
	// The product is below 2^139 * 2^64. Without an interval the difficulty stays.
	let wanted = match hashes.saturating_mul(target_ms.into()).checked_div(time) {
		Some(wanted) => u128::try_from(wanted).unwrap_or(u128::MAX),
		None => last.difficulty,
	};
	let least = last.difficulty / u128::from(GREATEST_STEP);
	let most = last.difficulty.saturating_mul(GREATEST_STEP.into());
	wanted.clamp(least, most).max(1)
}

//! Chain time on a development chain: the timestamp of the next block.
//!
//! The runtime has three rules. A block's Aura slot is its timestamp divided by the slot duration; each block's slot is
//! later than its parent's; and two timestamps are at least half a slot apart. Everything here is computed from the
//! parent block, never from a counter in this process. So a node that restarts on an old database continues correctly,
//! even if that chain is ahead of the wall clock.

use std::fmt;

/// Maximum step of the clock that a caller may request: ten years.
///
/// A longer step is probably a mistake in the unit, and cannot be undone.
pub const MAX_STEP_MS: u64 = 10 * 365 * 24 * 60 * 60 * 1_000;

/// The time at the head of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadTime {
	/// The head's timestamp, in milliseconds since the Unix epoch.
	pub timestamp_ms: u64,
	/// The runtime's slot duration at the head, ms.
	pub slot_ms: u64,
}

/// Reasons why the next block cannot have the requested timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
	/// The timestamp is not in a later slot than the head's, or is within half a slot of it.
	TooEarly {
		/// The requested timestamp, ms.
		wanted_ms: u64,
		/// The head's timestamp, ms.
		head_ms: u64,
		/// The earliest possible timestamp, ms.
		earliest_ms: u64,
	},
	/// The timestamp is more than [`MAX_STEP_MS`] after the head's.
	TooLate {
		/// The requested timestamp, ms.
		wanted_ms: u64,
		/// The head's timestamp, ms.
		head_ms: u64,
		/// The latest possible timestamp, ms.
		latest_ms: u64,
	},
}

impl fmt::Display for Refusal {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::TooEarly {
				wanted_ms,
				head_ms,
				earliest_ms,
			} => write!(
				f,
				"timestamp {wanted_ms} ms is too early: it must be in a later slot than the head of the chain, at \
				 {head_ms} ms, and at least half a slot after it; the earliest possible is {earliest_ms} ms"
			),
			Self::TooLate {
				wanted_ms,
				head_ms,
				latest_ms,
			} => write!(
				f,
				"timestamp {wanted_ms} ms is too late: it is more than ten years after the head of the chain, at \
				 {head_ms} ms; the latest possible is {latest_ms} ms"
			),
		}
	}
}

impl HeadTime {
	/// The timestamp of the next block if the caller requests none: the wall clock's time, but at least one slot
	/// duration after the head.
	///
	/// One slot duration after the head is always in the very next slot.
	pub fn next(&self, wall_clock_ms: u64) -> u64 {
		// The sum saturates at the maximum; the runtime then refuses the block.
		wall_clock_ms.max(self.timestamp_ms.saturating_add(self.slot_ms))
	}

	/// The earliest timestamp that the runtime accepts: in a later slot, and at least half a slot after the head.
	pub fn earliest(&self) -> u64 {
		let into_slot = self.timestamp_ms.checked_rem(self.slot_ms).unwrap_or(0);
		// Saturates only at the maximum, as in `next`.
		let next_slot = (self.timestamp_ms - into_slot).saturating_add(self.slot_ms);
		next_slot.max(self.timestamp_ms.saturating_add(self.slot_ms / 2))
	}

	/// Checks a timestamp that a caller requests for the next block.
	pub fn check(&self, wanted_ms: u64) -> Result<(), Refusal> {
		let head_ms = self.timestamp_ms;
		let earliest_ms = self.earliest();
		if wanted_ms < earliest_ms {
			return Err(Refusal::TooEarly {
				wanted_ms,
				head_ms,
				earliest_ms,
			});
		}
		let latest_ms = head_ms.saturating_add(MAX_STEP_MS);
		if wanted_ms > latest_ms {
			return Err(Refusal::TooLate {
				wanted_ms,
				head_ms,
				latest_ms,
			});
		}
		Ok(())
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	const SLOT: u64 = 2_000;

	fn head(timestamp_ms: u64) -> HeadTime {
		HeadTime {
			timestamp_ms,
			slot_ms: SLOT,
		}
	}

	#[test]
	fn first_block_after_genesis_gets_the_wall_clocks_time() {
		assert_eq!(head(0).next(1_700_000_000_123), 1_700_000_000_123);
	}

	#[test]
	fn chain_ahead_of_the_wall_clock_advances_by_one_slot() {
		assert_eq!(head(50_001).next(10), 52_001);
		assert_eq!(head(50_001).next(52_000), 52_001);
		assert_eq!(head(50_001).next(52_002), 52_002);
	}

	#[test]
	fn every_next_timestamp_is_in_a_later_slot_and_accepted() {
		for timestamp_ms in (0..3 * SLOT).chain([SLOT * 1_000_003 - 1, SLOT * 1_000_003]) {
			for wall in [
				0,
				timestamp_ms,
				timestamp_ms + 1,
				timestamp_ms + SLOT,
				timestamp_ms + 10 * SLOT,
			] {
				let next = head(timestamp_ms).next(wall);
				assert!(next / SLOT > timestamp_ms / SLOT, "{timestamp_ms} -> {next}");
				assert!(next - timestamp_ms >= SLOT / 2, "{timestamp_ms} -> {next}");
				assert_eq!(head(timestamp_ms).check(next), Ok(()));
			}
		}
	}

	#[test]
	fn earliest_is_the_first_timestamp_that_satisfies_both_rules() {
		for timestamp_ms in 0..2 * SLOT {
			let earliest = head(timestamp_ms).earliest();
			let keeps = |t: u64| t / SLOT > timestamp_ms / SLOT && t - timestamp_ms >= SLOT / 2;
			assert!(keeps(earliest), "{timestamp_ms} -> {earliest}");
			assert!(!keeps(earliest - 1), "{timestamp_ms} -> {earliest}");
		}
	}

	#[test]
	fn wanted_timestamp_must_be_in_a_later_slot() {
		let head = head(10_500);
		let refusal = |wanted_ms| {
			Err(Refusal::TooEarly {
				wanted_ms,
				head_ms: 10_500,
				earliest_ms: 12_000,
			})
		};
		for wanted in [0, 10_499, 10_500, 11_999] {
			assert_eq!(head.check(wanted), refusal(wanted));
		}
		assert_eq!(head.check(12_000), Ok(()));
	}

	#[test]
	fn wanted_timestamp_is_at_most_ten_years_ahead() {
		let head = head(10_500);
		let latest_ms = 10_500 + MAX_STEP_MS;
		assert_eq!(head.check(latest_ms), Ok(()));
		let wanted_ms = latest_ms + 1;
		assert_eq!(
			head.check(wanted_ms),
			Err(Refusal::TooLate {
				wanted_ms,
				head_ms: 10_500,
				latest_ms
			})
		);
	}

	#[test]
	fn refusals_name_the_requested_the_heads_and_the_possible_timestamp() {
		let text = head(10_500).check(7).unwrap_err().to_string();
		assert!(
			["7 ms", "10500 ms", "12000 ms"]
				.iter()
				.all(|part| text.contains(part)),
			"{text}"
		);
		let text = head(10_500).check(u64::MAX).unwrap_err().to_string();
		assert!(
			text.contains(&u64::MAX.to_string()) && text.contains("10500 ms"),
			"{text}"
		);
	}

	#[test]
	fn largest_timestamp_does_not_panic() {
		assert_eq!(head(u64::MAX).next(5), u64::MAX);
		assert_eq!(head(u64::MAX).earliest(), u64::MAX);
		assert_eq!(
			HeadTime {
				timestamp_ms: 5,
				slot_ms: 0
			}
			.earliest(),
			5
		);
	}
}

//! Seals.

use codec::{Decode, Encode};
use sha3::{Digest, Sha3_256};
use sp_core::{H256, U256};

/// What proves that a block was mined.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Seal {
	/// The mean number of hashes that the block takes.
	pub difficulty: u128,
	/// What makes the hash small enough.
	pub nonce: u64,
}

impl Seal {
	/// Does this seal prove its work on the header of this pre-hash?
	pub fn is_valid(&self, pre_hash: &H256) -> bool {
		let hash = Sha3_256::new()
			.chain_update(pre_hash.as_bytes())
			.chain_update(self.difficulty.to_le_bytes())
			.chain_update(self.nonce.to_le_bytes())
			.finalize();
		// No difficulty is no work.
		self.difficulty > 0
			&& U256::from_big_endian(&hash)
				.checked_mul(self.difficulty.into())
				.is_some()
	}

	/// The first valid seal of these nonces.
	pub fn search(pre_hash: &H256, difficulty: u128, nonces: core::ops::Range<u64>) -> Option<Self> {
		nonces
			.map(|nonce| Self { difficulty, nonce })
			.find(|seal| seal.is_valid(pre_hash))
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn header(seed: u64) -> H256 {
		H256::from_low_u64_be(seed)
	}

	fn sealed(seed: u64, difficulty: u128) -> Seal {
		Seal::search(&header(seed), difficulty, 0..u64::MAX).unwrap()
	}

	#[test]
	fn seal_is_hashed_as_documented() {
		// Computed apart, with Python's hashlib.sha3_256 and int.from_bytes(.., "big").
		let valid = |nonce| {
			Seal {
				difficulty: 1_000,
				nonce,
			}
			.is_valid(&header(7))
		};
		assert_eq!(
			(0..10_000).filter(|nonce| valid(*nonce)).collect::<Vec<_>>(),
			[340, 2150, 3202, 3427, 3558, 4872, 5944, 8108, 8236, 8880, 9799]
		);
	}

	#[test]
	fn seal_takes_as_many_hashes_as_its_difficulty_says() {
		for difficulty in [1, 2, 50, 1_000] {
			let tried = 200_000;
			let found = (0..tried)
				.filter(|nonce| {
					Seal {
						difficulty,
						nonce: *nonce,
					}
					.is_valid(&header(1))
				})
				.count() as f64;
			let expected = tried as f64 / difficulty as f64;
			// Five standard deviations.
			assert!(
				(found - expected).abs() <= 5.0 * expected.sqrt(),
				"{difficulty}: {found} of {expected}"
			);
		}
	}

	#[test]
	fn seal_is_for_one_header_only() {
		let seal = sealed(1, 100_000);
		assert!(seal.is_valid(&header(1)));
		assert!((2..100).all(|other| !seal.is_valid(&header(other))));
	}

	#[test]
	fn seal_is_for_one_difficulty_only() {
		let seal = sealed(1, 100_000);
		// Not for less work than was done, either: the difficulty is hashed too.
		let other = |difficulty| Seal { difficulty, ..seal }.is_valid(&header(1));
		assert!(![99_999, 100_001, 1_000_000, u128::MAX].into_iter().any(other));
	}

	#[test]
	fn forged_seals_are_none() {
		let seal = sealed(1, 100_000);
		let forged = |nonce| Seal { nonce, ..seal }.is_valid(&header(1));
		assert!(!(1..100).any(|change| forged(seal.nonce.wrapping_add(change))));
	}

	#[test]
	fn no_difficulty_is_no_work() {
		assert!(!(0..100).any(|nonce| Seal { difficulty: 0, nonce }.is_valid(&header(1))));
		assert_eq!(Seal::search(&header(1), 0, 0..100), None);
	}

	#[test]
	fn the_greatest_difficulty_is_out_of_reach() {
		assert_eq!(Seal::search(&header(1), u128::MAX, 0..1_000), None);
	}
}

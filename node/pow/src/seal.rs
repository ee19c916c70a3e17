//! Seals: the proof that a block was mined.

use codec::{Decode, Encode};
use sha3::{Digest, Sha3_256};
use sp_core::{H256, U256};

/// The proof that a block was mined.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Seal {
	/// The difficulty for which the seal was made: the mean number of hashes that it takes, at least 1.
	pub difficulty: u128,
	/// The number that the miner varies until the hash is small enough.
	pub nonce: u64,
}

impl Seal {
	/// Returns whether this seal proves its work for the header with this pre-hash.
	pub fn is_valid(&self, pre_hash: &H256) -> bool {
		let hash = Sha3_256::new()
			.chain_update(pre_hash.as_bytes())
			.chain_update(self.difficulty.to_le_bytes())
			.chain_update(self.nonce.to_le_bytes())
			.finalize();
		// A difficulty of 0 would need no work.
		self.difficulty > 0
			&& U256::from_big_endian(&hash)
				.checked_mul(self.difficulty.into())
				.is_some()
	}

	/// Returns the first valid seal among these nonces, if there is one.
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
		// Computed independently, with Python's hashlib.sha3_256 and int.from_bytes(.., "big").
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
	fn mean_number_of_hashes_equals_the_difficulty() {
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
	fn seal_is_valid_for_one_header_only() {
		let seal = sealed(1, 100_000);
		assert!(seal.is_valid(&header(1)));
		assert!((2..100).all(|other| !seal.is_valid(&header(other))));
	}

	#[test]
	fn seal_is_valid_for_one_difficulty_only() {
		let seal = sealed(1, 100_000);
		// Not for less work either, because the difficulty is part of what is hashed.
		let other = |difficulty| Seal { difficulty, ..seal }.is_valid(&header(1));
		assert!(![99_999, 100_001, 1_000_000, u128::MAX].into_iter().any(other));
	}

	#[test]
	fn seals_with_another_nonce_are_invalid() {
		let seal = sealed(1, 100_000);
		let forged = |nonce| Seal { nonce, ..seal }.is_valid(&header(1));
		assert!(!(1..100).any(|change| forged(seal.nonce.wrapping_add(change))));
	}

	#[test]
	fn difficulty_of_zero_is_invalid() {
		assert!(!(0..100).any(|nonce| Seal { difficulty: 0, nonce }.is_valid(&header(1))));
		assert_eq!(Seal::search(&header(1), 0, 0..100), None);
	}

	#[test]
	fn no_seal_is_found_at_the_maximum_difficulty() {
		assert_eq!(Seal::search(&header(1), u128::MAX, 0..1_000), None);
	}
}

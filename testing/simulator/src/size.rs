//! The size of the market's state.

use std::fmt;

/// The number of storage keys under the market's prefix, and the bytes of their keys and values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateSize {
	/// Number of keys.
	pub keys: usize,
	/// Bytes of all keys and values.
	pub bytes: usize,
	/// Bytes of the records of communities and households among them. Their size is bounded by their types, and varies: they
	/// keep what was announced, and what was before, until the next announcement.
	pub records: usize,
}

impl StateSize {
	/// Measures the current state.
	pub fn measure() -> Self {
		let prefix = sp_io::hashing::twox_128(b"EnergyMarket");
		let records = ["Communities", "Households"].map(|map| sp_io::hashing::twox_128(map.as_bytes()));
		let mut size = Self::default();
		let mut next = sp_io::storage::next_key(&prefix);
		while let Some(key) = next.filter(|key| key.starts_with(&prefix)) {
			let value = sp_io::storage::get(&key).expect("a key that was found has a value");
			size.keys += 1;
			size.bytes += key.len() + value.len();
			if records.iter().any(|map| key[prefix.len()..].starts_with(map)) {
				size.records += key.len() + value.len();
			}
			next = sp_io::storage::next_key(&key);
		}
		size
	}

	/// Whether this state has no more items than another one, and no more bytes outside of the records.
	pub fn is_at_most(&self, other: &Self) -> bool {
		self.keys <= other.keys && self.bytes - self.records <= other.bytes - other.records
	}
}

impl fmt::Display for StateSize {
	fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
		write!(out, "{} keys, {} bytes", self.keys, self.bytes)
	}
}

//! The size of the market's state.

use std::fmt;

/// The number of storage keys under the market's prefix, and the bytes of their keys and values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateSize {
	/// Number of keys.
	pub keys: usize,
	/// Bytes of all keys and values.
	pub bytes: usize,
}

impl StateSize {
	/// Measures the current state.
	pub fn measure() -> Self {
		let prefix = sp_io::hashing::twox_128(b"EnergyMarket");
		let mut size = Self::default();
		let mut next = sp_io::storage::next_key(&prefix);
		while let Some(key) = next.filter(|key| key.starts_with(&prefix)) {
			let value = sp_io::storage::get(&key).expect("a key that was found has a value");
			size.keys += 1;
			size.bytes += key.len() + value.len();
			next = sp_io::storage::next_key(&key);
		}
		size
	}
}

impl fmt::Display for StateSize {
	fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
		write!(out, "{} keys, {} bytes", self.keys, self.bytes)
	}
}

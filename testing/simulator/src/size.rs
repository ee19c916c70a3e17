//! How large the market's state is.

use std::fmt;

/// Keys under the market's prefix, and bytes of keys and values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateSize {
	/// How many keys there are.
	pub keys: usize,
	/// Bytes of all keys and values.
	pub bytes: usize,
}

impl StateSize {
	/// As it is now.
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

//! A seeded source of pseudo-random numbers, the same on every machine.

/// SplitMix64 (Steele, Lea and Flood 2014). The number is its state, so the first one is the seed.
#[derive(Clone)]
pub struct Random(pub u64);

impl Random {
	pub fn next(&mut self) -> u64 {
		self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
		let mut z = self.0;
		z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
		z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
		z ^ (z >> 31)
	}

	/// A number from `low` to `high`, both included.
	pub fn within(&mut self, low: i64, high: i64) -> i64 {
		let span = (high - low + 1) as u64;
		low + (self.next() % span) as i64
	}

	/// One of `choices`.
	pub fn of<T: Copy>(&mut self, choices: &[T]) -> T {
		choices[self.within(0, choices.len() as i64 - 1) as usize]
	}
}

//! Writes `examples/paper.csv`: the seed paper's day of four households, 7:00 to 19:00 in half hours.
//!
//! `cargo run -p commonwatt --example paper_day > examples/paper.csv`
//!
//! The paper (Ouyang, Yan and Zhu, ACM TURC 2021, doi 10.1145/3472634.3474065) gives generation at seven times of the
//! day (its Table 1) and, in its text, seven half hours of household 1's consumption before the game (its Table 2). A
//! generator with a fixed seed makes up everything else; those numbers are not the paper's.

/// The half hours that begin at 7:00, 7:30, ... 18:30.
pub const PERIODS: u32 = 24;
/// The paper's households 1 to 4, by the names of the development chain's accounts.
pub const HOUSEHOLDS: [&str; 4] = ["Alice", "Bob", "Charlie", "Dave"];
/// Seed of the generator that makes up the remaining numbers.
pub const SEED: u64 = 20_210_731;
/// The paper names no date; this one stands in for it.
const DATE: &str = "2021-07-31";

/// Table 1: Wh generated in the half hour that begins at the given hour, households 1 to 4.
const GENERATION: [(u32, [u32; 4]); 7] = [
	(7, [0, 0, 0, 0]),
	(9, [800, 1_000, 800, 500]),
	(11, [3_300, 3_700, 3_400, 3_100]),
	(13, [5_300, 5_400, 5_700, 5_200]),
	(15, [3_600, 3_800, 3_300, 4_000]),
	(17, [800, 1_000, 600, 1_300]),
	(19, [100, 100, 100, 100]),
];

/// Table 2, "before the game": index of the half hour, and household 1's consumption in it, Wh. The text does not give
/// the value of 9:00.
const CONSUMPTION: [(u32, u32); 7] = [
	(0, 0),
	(1, 4_000),
	(2, 6_000),
	(3, 4_000),
	(5, 0),
	(6, 3_000),
	(7, 7_000),
];

/// Made up: the typical consumption of each household in a half hour of each part of the day, Wh. Household 1 continues
/// in the manner of Table 2; household 2 is out at work, 3 works at home, 4 cooks at noon and charges a car in the late
/// afternoon.
const HABITS: [[u32; 6]; 4] = [
	// 7-9, 9-11, 11-13, 13-15, 15-17, 17-19
	[3_500, 3_500, 3_600, 3_400, 3_000, 3_800],
	[2_800, 900, 800, 900, 2_200, 4_400],
	[1_800, 2_600, 3_200, 3_400, 2_800, 2_600],
	[1_500, 1_600, 4_200, 2_000, 4_600, 3_200],
];

/// A linear congruential generator with the multiplier and increment of Knuth's MMIX: good enough to make up loads, and
/// the same on every machine.
pub struct Made(u64);

impl Made {
	/// Starts from a seed.
	pub fn from_seed(seed: u64) -> Self {
		Self(seed)
	}

	/// The next number from 0 to `below` - 1, from the upper bits of the state: they are more random than the lower
	/// ones.
	pub fn next(&mut self, below: u64) -> u64 {
		self.0 = self
			.0
			.wrapping_mul(6_364_136_223_846_793_005)
			.wrapping_add(1_442_695_040_888_963_407);
		(self.0 >> 33) % below
	}
}

/// Generation of a household in a half hour, linear between the times of Table 1, rounded to whole Wh.
pub fn generation_wh(household: usize, period: u32) -> u32 {
	// Half hours since midnight.
	let at = 14 + period;
	let (from, to) = GENERATION
		.windows(2)
		.map(|pair| (pair[0], pair[1]))
		.find(|(from, to)| 2 * from.0 <= at && at <= 2 * to.0)
		.expect("the table covers 7:00 to 19:00; qed");
	let (start, end) = (i64::from(from.1[household]), i64::from(to.1[household]));
	let (length, passed) = (i64::from(2 * (to.0 - from.0)), i64::from(at - 2 * from.0));
	let scaled = start * length + (end - start) * passed;
	((2 * scaled + length) / (2 * length)) as u32
}

/// The whole file as text.
pub fn csv() -> String {
	let mut made = Made::from_seed(SEED);
	let mut text = String::from("period_start,household,generation_wh,consumption_wh\n");
	for period in 0..PERIODS {
		let (hour, minute) = (7 + period / 2, period % 2 * 30);
		for (household, name) in HOUSEHOLDS.iter().enumerate() {
			let usual = u64::from(HABITS[household][(period / 4) as usize]);
			// 60 to 140 percent of the usual, rounded down to 10 Wh. Drawn for every row, even where the paper gives
			// the number, so that no other row depends on which numbers it gives.
			let drawn = (usual * (60 + made.next(81)) / 100 / 10 * 10) as u32;
			let given = CONSUMPTION
				.iter()
				.find(|given| household == 0 && given.0 == period);
			let consumption = given.map_or(drawn, |given| given.1);
			let generation = generation_wh(household, period);
			text += &format!("{DATE}T{hour:02}:{minute:02}:00,{name},{generation},{consumption}\n");
		}
	}
	text
}

fn main() {
	print!("{}", csv());
}

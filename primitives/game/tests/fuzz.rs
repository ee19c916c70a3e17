//! Solves games made from arbitrary bytes: nothing panics, and every solution passes verification.
//!
//! The bytes are read as a fuzzing target reads them. They come from proptest, because that runs on stable Rust within
//! the ordinary tests. A longer run: `PROPTEST_CASES=1000000 cargo test --release -p commonwatt-game --test fuzz`.
//! `tests/regressions` keeps inputs that once failed or that reach a corner case; a test replays them.

use commonwatt_game::*;
use proptest::{collection::vec, prelude::any, proptest};

/// Reads bytes and numbers. Past the end it returns zeros.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
	fn byte(&mut self) -> u8 {
		let Some((first, rest)) = self.0.split_first() else {
			return 0;
		};
		self.0 = rest;
		*first
	}

	/// A big-endian number of 0 to 4 bytes, so that numbers of all magnitudes occur. The first byte gives the length.
	fn number(&mut self) -> u32 {
		let bytes = self.byte() % 5;
		(0..bytes).fold(0, |number, _| (number << 8) | u32::from(self.byte()))
	}

	fn temperature(&mut self) -> i16 {
		i16::from_le_bytes([self.byte(), self.byte()])
	}

	fn household(&mut self) -> Household {
		let flags = self.byte();
		let comfort = (flags & 1 > 0).then(|| Comfort {
			min_centi_c: self.temperature(),
			max_centi_c: self.temperature(),
			a: Ratio {
				numerator: self.number(),
				denominator: self.number(),
			},
		});
		let generation_wh = self.number();
		let strategies = (0..flags >> 4).map(|_| {
			let (choice, consumption_wh, temperature_centi_c) =
				(self.byte(), self.number(), self.temperature());
			// Mostly a kind that fits the net position, so that most games are valid.
			let kind = match (choice % 8, i64::from(generation_wh) - i64::from(consumption_wh)) {
				(0, _) => Kind::Neutral,
				(1..4, 1..) => Kind::SellToCommunity,
				(1..4, _) => Kind::BuyFromCommunity,
				(4..7, 1..) => Kind::SellToMain,
				(4..7, _) => Kind::BuyFromMain,
				_ => Kind::SellToCommunity,
			};
			Strategy {
				kind,
				consumption_wh,
				temperature_centi_c,
			}
		});
		Household {
			generation_wh,
			comfort,
			strategies: strategies.collect(),
		}
	}
}

/// Solves the game that the bytes contain and checks the solution. Returns false if the bytes contain no valid game.
fn target(bytes: &[u8]) -> bool {
	let mut reader = Reader(bytes);
	let lambda = Ratio {
		numerator: reader.number(),
		denominator: reader.number(),
	};
	let rules = Rules {
		lambda,
		resolution_wh: reader.number(),
	};
	let config = SolverConfig {
		epsilon: Log2(i64::from(reader.temperature()) * 16),
		max_sweeps: u32::from(reader.byte() % 20),
		max_starts: u32::from(reader.byte() % 6),
		max_evaluations: 1 << (bytes.last().copied().unwrap_or_default() % 20),
	};
	let mut households = Vec::new();
	while !reader.0.is_empty() && households.len() < 60 {
		let household = reader.household();
		// The game goes on without invalid households.
		if household.check(rules.resolution_wh).is_ok() {
			households.push(household);
		}
	}
	let Ok(game) = Game::new(rules, households) else {
		return false;
	};
	let solution = solve(&game, &config, Some(bytes));
	let strategies: usize = game
		.households()
		.iter()
		.map(|household| household.strategies.len())
		.sum();
	let certificate = (game.households().len() + strategies) as u64;
	assert!(solution.evaluations <= config.max_evaluations.max(certificate));
	assert_eq!(
		verify(&game, &solution.profile, config.epsilon),
		Ok(solution.certificate)
	);
	let shares = allocate(&game, &solution.profile).unwrap();
	assert_eq!(shares.iter().map(|share| share.community_wh).sum::<i64>(), 0);
	for household in 0..shares.len() {
		explain(&game, &solution.profile, household).unwrap();
	}
	true
}

proptest! {
	#![proptest_config(proptest::test_runner::Config {
		cases: cases(),
		max_shrink_iters: 10_000,
		..Default::default()
	})]

	#[test]
	fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..600)) {
		target(&bytes);
	}

	#[test]
	fn bytes_with_valid_rules_are_solved(
		lambda in 2u8..=255,
		resolution in 1u8..=255,
		epsilon: i16,
		bounds: [u8; 2],
		rest in vec(any::<u8>(), 0..1_500),
	) {
		let mut bytes = vec![1, lambda, 1, 1, 1, resolution];
		bytes.extend(epsilon.to_le_bytes());
		bytes.extend(bounds);
		bytes.extend(rest);
		assert!(target(&bytes));
	}
}

fn cases() -> u32 {
	std::env::var("PROPTEST_CASES")
		.ok()
		.and_then(|cases| cases.parse().ok())
		.unwrap_or(2_000)
}

#[test]
fn regressions_stay_fixed() {
	// Read when the test runs, not when it is compiled: several clones may share one build.
	let package = std::env::var("CARGO_MANIFEST_DIR").expect("cargo runs this test");
	let folder = std::path::Path::new(&package).join("tests/regressions");
	let mut kept = 0;
	for entry in std::fs::read_dir(folder).unwrap() {
		let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
		let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
		let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
		target(&digits.chunks(2).map(byte).collect::<Vec<u8>>());
		kept += 1;
	}
	assert!(kept >= 3);
}

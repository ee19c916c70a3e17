//! What several tests and benches share: seeded random communities of the model.
#![allow(dead_code, missing_docs)]

use commonwatt_game::*;

pub mod boxes;
pub mod measured;

/// SplitMix64: small, seeded and the same everywhere.
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

	/// From `low` to `high`, both included.
	pub fn within(&mut self, low: i64, high: i64) -> i64 {
		let span = (high - low + 1) as u64;
		low + (self.next() % span) as i64
	}

	pub fn of<T: Copy>(&mut self, choices: &[T]) -> T {
		choices[self.within(0, choices.len() as i64 - 1) as usize]
	}
}

/// Which way a community leans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lean {
	Surplus,
	Shortage,
	Balance,
}

/// A community of the model: 4 to 50 households with 1 to 16 strategies each, in which whatever may go to the pool may
/// also go to the main grid. Half of them are households as one knows them, half are wild ([`wild_community`]).
pub fn community(seed: u64) -> Game {
	let mut random = Random(seed);
	let households = random.within(4, 50) as usize;
	if seed.is_multiple_of(2) {
		sized_community(&mut random, households, 8)
	} else {
		wild_community(&mut random, households, true)
	}
}

/// A community with 4 to 50 households and arbitrary strategy sets: a level of consumption may be allowed in the pool
/// only, or on the main grid only, and some households have nowhere else to go.
pub fn arbitrary_community(seed: u64) -> Game {
	let mut random = Random(seed);
	let households = random.of(&[random.clone().within(4, 8), random.clone().within(4, 50)]) as usize;
	wild_community(&mut random, households, false)
}

/// Consumption that has little to do with temperature, wide ranges that cross from surplus to deficit, coarse grains
/// that make for ties and exact balance, and every lambda from tame to steep.
pub fn wild_community(random: &mut Random, households: usize, both_kinds: bool) -> Game {
	let resolution_wh = random.of(&[1, 10, 10, 100]);
	let (numerator, denominator) = random.of(&[(4, 1), (2, 1), (3, 2), (11, 10), (20, 1), (1_000, 1)]);
	let grain = random.of(&[1, 10, 100, 500]);
	let scale = random.of(&[1_000, 4_000, 20_000]);
	let reach = random.of(&[20, 50, 90]);
	let pool_only = !both_kinds && random.of(&[true, false]);
	let mut player = || {
		let load = random.within(scale / 20, scale);
		let generation = random.within(0, 2 * load) / grain * grain;
		let comfort = random.of(&[false, true, true]).then(|| Comfort {
			min_centi_c: 1500,
			max_centi_c: 2700,
			a: random.of(&[
				Ratio {
					numerator: 1,
					denominator: 36,
				},
				Ratio {
					numerator: 1,
					denominator: 500,
				},
			]),
		});
		let wanted = random.within(1, 16) as usize;
		let mut strategies = Vec::new();
		while strategies.len() < wanted {
			let consumption = (load + load * random.within(-reach, reach) / 100) / grain * grain;
			let temperature_centi_c = random.within(1490, 2710) as i16;
			let net = generation - consumption;
			let kinds: &[Kind] = match net {
				_ if net.unsigned_abs() < u64::from(resolution_wh) => &[Kind::Neutral],
				1.. => &[Kind::SellToCommunity, Kind::SellToMain],
				_ => &[Kind::BuyFromCommunity, Kind::BuyFromMain],
			};
			let only_main = !both_kinds && !pool_only && random.within(0, 3) == 0;
			for (index, kind) in kinds.iter().enumerate() {
				let wanted_here = both_kinds || kinds.len() == 1 || (index == 1) == only_main;
				if wanted_here && strategies.len() < 16 {
					strategies.push(Strategy {
						kind: *kind,
						consumption_wh: consumption as u32,
						temperature_centi_c,
					});
				}
			}
		}
		Household {
			generation_wh: generation as u32,
			comfort,
			strategies,
		}
	};
	let players = (0..households).map(|_| player()).collect();
	Game::new(
		Rules {
			lambda: Ratio {
				numerator,
				denominator,
			},
			resolution_wh,
		},
		players,
	)
	.expect("made to fit")
}

/// The same with a given number of households and at most `levels` levels of consumption, two kinds each.
pub fn sized_community(random: &mut Random, households: usize, levels: i64) -> Game {
	let lean = random.of(&[Lean::Surplus, Lean::Shortage, Lean::Balance]);
	let lambda = random.of(&[(4, 1), (2, 1), (3, 2), (11, 10), (20, 1)]);
	let rules = Rules {
		lambda: Ratio {
			numerator: lambda.0,
			denominator: lambda.1,
		},
		resolution_wh: random.of(&[1, 10, 10, 10, 100]),
	};
	let players = (0..households)
		.map(|_| player(random, lean, rules.resolution_wh, levels))
		.collect();
	Game::new(rules, players).expect("made to fit")
}

fn player(random: &mut Random, lean: Lean, resolution_wh: u32, levels: i64) -> Household {
	let grain = random.of(&[1, 10, 100]);
	let load = random.within(100, 4_000);
	let generation = match lean {
		Lean::Surplus => random.within(load / 2, 3 * load),
		Lean::Shortage => random.within(0, load),
		Lean::Balance => random.within(0, 2 * load),
	} / grain
		* grain;
	let comfort = random.of(&[false, true, true]).then(|| Comfort {
		min_centi_c: 1500,
		max_centi_c: 2700,
		a: random.of(&[
			Ratio {
				numerator: 1,
				denominator: 36,
			},
			Ratio {
				numerator: 1,
				denominator: 50,
			},
		]),
	});
	let indoor = random.within(1600, 2600);
	let response = random.within(-300, 300);
	let pool = random.within(0, 9) > 0;
	let mut strategies = Vec::new();
	for level in 0..random.within(1, levels) {
		let change = if level == 0 { 0 } else { random.within(-40, 40) };
		let consumption = (load + load * change / 100) / grain * grain;
		let temperature_centi_c = (indoor + response * (consumption - load) / 1000) as i16;
		let mut push = |kind| {
			strategies.push(Strategy {
				kind,
				consumption_wh: consumption as u32,
				temperature_centi_c,
			})
		};
		let net = generation - consumption;
		if net.unsigned_abs() < u64::from(resolution_wh) {
			push(Kind::Neutral);
			continue;
		}
		let (community, main) = if net > 0 {
			(Kind::SellToCommunity, Kind::SellToMain)
		} else {
			(Kind::BuyFromCommunity, Kind::BuyFromMain)
		};
		if pool {
			push(community);
		}
		push(main);
	}
	Household {
		generation_wh: generation as u32,
		comfort,
		strategies,
	}
}

/// The number of profiles of a game, or `None` above 2^63.
pub fn profiles(game: &Game) -> Option<u64> {
	game.households()
		.iter()
		.try_fold(1u64, |product, household| {
			product.checked_mul(household.strategies.len() as u64)
		})
		.filter(|product| *product < 1 << 63)
}

/// An equilibrium of a game, if there is one: the first that [`each_equilibrium`] shows.
pub fn enumerate(game: &Game, tolerance: f64) -> Option<Vec<u8>> {
	let mut first = None;
	each_equilibrium(game, tolerance, |profile| {
		first = Some(profile.to_vec());
		false
	});
	first
}

/// All equilibria of a game.
pub fn all_equilibria(game: &Game, tolerance: f64) -> Vec<Vec<u8>> {
	let mut all = Vec::new();
	each_equilibrium(game, tolerance, |profile| {
		all.push(profile.to_vec());
		true
	});
	all
}

/// Looks at every profile of a game and shows those that are equilibria, while `show` asks for more. In f64 and by nothing
/// that the crate computes but `net_wh`. Gains within `tolerance` are none.
fn each_equilibrium(game: &Game, tolerance: f64, mut show: impl FnMut(&[u8]) -> bool) {
	let float = Float::new(game);
	let mut profile = vec![0u8; game.households().len()];
	// The player that refuted the last profile is asked first: neighbouring profiles fall to the same one.
	let mut order: Vec<usize> = (0..profile.len()).collect();
	loop {
		let (s, b) = float.pool(&profile);
		let unhappy = order
			.iter()
			.position(|i| float.gain(*i, profile[*i], s, b) > tolerance);
		match unhappy {
			None if !show(&profile) => return,
			None => {}
			Some(at) => order[..=at].rotate_right(1),
		}
		let mut digit = 0;
		loop {
			let Some(choice) = profile.get_mut(digit) else {
				return;
			};
			*choice += 1;
			if usize::from(*choice) < game.households()[digit].strategies.len() {
				break;
			}
			*choice = 0;
			digit += 1;
		}
	}
}

/// A game in floating point: the definition once more, written by other means.
pub struct Float {
	log2_lambda_per_wh: f64,
	log2_omega: f64,
	resolution: f64,
	/// Per household and strategy: sign in the pool (0 outside), |x|, log2 C.
	strategies: Vec<Vec<(i8, f64, f64)>>,
}

impl Float {
	pub fn new(game: &Game) -> Self {
		let rules = game.rules();
		let lambda = f64::from(rules.lambda.numerator) / f64::from(rules.lambda.denominator);
		let entry = |household: &Household, strategy: &Strategy| {
			let sign = match strategy.kind {
				Kind::SellToCommunity => 1,
				Kind::BuyFromCommunity => -1,
				_ => 0,
			};
			let comfort = household.comfort.map_or(1.0, |comfort| {
				let t = f64::from(strategy.temperature_centi_c) / 100.0;
				let (low, high) = (
					f64::from(comfort.min_centi_c) / 100.0,
					f64::from(comfort.max_centi_c) / 100.0,
				);
				let a = f64::from(comfort.a.numerator) / f64::from(comfort.a.denominator);
				if t <= low || t >= high {
					0.0
				} else {
					-a * (t - low) * (t - high)
				}
			});
			(
				sign,
				strategy.net_wh(household.generation_wh).abs() as f64,
				comfort.log2(),
			)
		};
		let of = |household: &Household| household.strategies.iter().map(|s| entry(household, s)).collect();
		Self {
			log2_lambda_per_wh: lambda.log2() / 1000.0,
			log2_omega: (1000.0 / f64::from(rules.resolution_wh)).log2(),
			resolution: f64::from(rules.resolution_wh),
			strategies: game.households().iter().map(of).collect(),
		}
	}

	pub fn pool(&self, profile: &[u8]) -> (f64, f64) {
		let mut pool = (0.0, 0.0);
		for (household, choice) in self.strategies.iter().zip(profile) {
			match household[usize::from(*choice)] {
				(1, x, _) => pool.0 += x,
				(-1, x, _) => pool.1 += x,
				_ => {}
			}
		}
		pool
	}

	/// The payoff of a strategy with the others' S and B.
	pub fn payoff(&self, (sign, x, log2_comfort): (i8, f64, f64), s: f64, b: f64) -> f64 {
		if log2_comfort == f64::NEG_INFINITY {
			return log2_comfort;
		}
		let (own, opposite) = match sign {
			0 => (x, 0.0),
			1 => (s + x, b),
			_ => (b + x, s),
		};
		let volume = f64::min(own, opposite);
		// E_in is negative for a buyer.
		let (ein, numerator) = if sign == 0 {
			(0.0, x * own)
		} else {
			(f64::from(sign) * x * volume / own, x * (own - volume))
		};
		if own == 0.0 || numerator < self.resolution * own {
			return ein * self.log2_lambda_per_wh + self.log2_omega;
		}
		ein * self.log2_lambda_per_wh + log2_comfort - (numerator / own / 1000.0).log2()
	}

	/// The most that a household gains by changing alone, S and B including its own choice.
	pub fn gain(&self, household: usize, choice: u8, mut s: f64, mut b: f64) -> f64 {
		let strategies = &self.strategies[household];
		let current = strategies[usize::from(choice)];
		match current.0 {
			1 => s -= current.1,
			-1 => b -= current.1,
			_ => {}
		}
		let now = self.payoff(current, s, b);
		let best = strategies
			.iter()
			.map(|other| self.payoff(*other, s, b))
			.fold(f64::NEG_INFINITY, f64::max);
		if best == now {
			0.0
		} else {
			best - now
		}
	}
}

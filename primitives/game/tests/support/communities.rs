//! Seeded random communities.

use super::random::Random;
use commonwatt_game::*;

/// Which side of the pool the households of a community mostly fall on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lean {
	Surplus,
	Shortage,
	Balance,
}

/// A community of 4 to 50 households with 1 to 16 strategies each, in which every strategy in the pool has a
/// counterpart on the main grid. Even seeds give a [`sized_community`], odd ones a [`wild_community`].
pub fn community(seed: u64) -> Game {
	let mut random = Random(seed);
	let households = random.within(4, 50) as usize;
	if seed.is_multiple_of(2) {
		sized_community(&mut random, households, 8)
	} else {
		wild_community(&mut random, households, true)
	}
}

/// A [`wild_community`] of 4 to 50 households with arbitrary strategy sets: a level of consumption may be allowed only
/// in the pool or only on the main grid.
pub fn arbitrary_community(seed: u64) -> Game {
	let mut random = Random(seed);
	let households = random.of(&[random.clone().within(4, 8), random.clone().within(4, 50)]) as usize;
	wild_community(&mut random, households, false)
}

/// A community with unusual strategies: consumption that is unrelated to temperature and may range from surplus to
/// deficit, energies in coarse steps that cause ties and exact balance, and lambda from 1.1 to 1,000.
///
/// With `both_kinds`, every strategy in the pool has a counterpart on the main grid, as far as the limit of 16
/// strategies allows. Without, each level of consumption is allowed on one of the two only.
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
	.expect("the households pass every check by construction")
}

/// A community of ordinary households: consumption around a load, with a temperature that follows it. Each household
/// has at most `levels` levels of consumption, each on the main grid and mostly also in the pool.
pub fn sized_community(random: &mut Random, households: usize, levels: i64) -> Game {
	let lean = random.of(&[Lean::Surplus, Lean::Shortage, Lean::Balance]);
	let (numerator, denominator) = random.of(&[(4, 1), (2, 1), (3, 2), (11, 10), (20, 1)]);
	let rules = Rules {
		lambda: Ratio {
			numerator,
			denominator,
		},
		resolution_wh: random.of(&[1, 10, 10, 10, 100]),
	};
	let players = (0..households)
		.map(|_| household(random, lean, rules.resolution_wh, levels))
		.collect();
	Game::new(rules, players).expect("the households pass every check by construction")
}

fn household(random: &mut Random, lean: Lean, resolution_wh: u32, levels: i64) -> Household {
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

//! All equilibria of small games, by enumeration of every profile.

use super::float::FloatGame;
use commonwatt_game::*;

/// The number of profiles of a game; `None` for 2^63 or more.
pub fn profiles(game: &Game) -> Option<u64> {
	game.households()
		.iter()
		.try_fold(1u64, |product, household| {
			product.checked_mul(household.strategies.len() as u64)
		})
		.filter(|product| *product < 1 << 63)
}

/// The first equilibrium of a game, if there is one.
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

/// Calls `show` with every equilibrium of a game, until it returns false. A profile is an equilibrium if nobody gains
/// more than `tolerance`.
fn each_equilibrium(game: &Game, tolerance: f64, mut show: impl FnMut(&[u8]) -> bool) {
	let float = FloatGame::new(game);
	let mut profile = vec![0u8; game.households().len()];
	// The household that refuted the previous profile usually refutes the next one too, so it goes first.
	let mut order: Vec<usize> = (0..profile.len()).collect();
	loop {
		let pool = float.pool(&profile);
		let refuter = order
			.iter()
			.position(|i| float.gain(*i, profile[*i], pool) > tolerance);
		match refuter {
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

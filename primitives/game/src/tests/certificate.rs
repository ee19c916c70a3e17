//! Certificates against exact gains.

use super::{cases::exact_payoff, oracle, support, support::Random};
use crate::{log2::PAYOFF_ERROR, payoff::Pool, *};
use num_bigint::BigInt;

/// The largest gain of any household by changing alone, in units of 2^-96 and exact to 2^-90. `None` if a household
/// that earns nothing could earn something.
fn exact_max_gain(game: &Game, profile: &[u8]) -> Option<BigInt> {
	let chosen = game.chosen(profile).unwrap();
	let pool = Pool::of(game, &chosen);
	let mut best = BigInt::from(0);
	for ((household, current), choice) in game.households().iter().zip(&chosen).zip(profile) {
		let others = pool.without(current.kind, current.net_wh(household.generation_wh));
		let of = |strategy: &Strategy| {
			(household.comfort_of(strategy).numerator > 0)
				.then(|| exact_payoff(game.rules(), household, strategy, others))
		};
		let now = of(current);
		for (index, strategy) in household.strategies.iter().enumerate() {
			match (&now, of(strategy)) {
				_ if index == usize::from(*choice) => {}
				(_, None) => {}
				(None, Some(_)) => return None,
				(Some(now), Some(then)) => best = best.max(then - now),
			}
		}
	}
	Some(best)
}

#[test]
fn a_near_tie_never_causes_a_false_certificate() {
	let mut random = Random(5);
	let mut counts = [0u32; 2];
	for _ in 0..150 {
		let game = support::sized_community(&mut random, 4, 3);
		// The equilibrium, then neighbouring profiles, whose gains are neither zero nor infinite.
		let mut profile = solve(&game, &SolverConfig::default(), None).profile;
		for turn in 0..4 {
			let certificate = verify(&game, &profile, Log2::ZERO).unwrap();
			let Some(exact) = exact_max_gain(&game, &profile) else {
				assert_eq!(certificate.max_gain, Log2::MAX);
				continue;
			};
			assert!(oracle::error(certificate.max_gain.0, &exact).abs() <= 2.0 * PAYOFF_ERROR.0 as f64);
			for offset in -40..=40 {
				let epsilon = Log2((certificate.max_gain.0 + offset).max(0));
				let status = verify(&game, &profile, epsilon).unwrap().status;
				counts[status as usize] += 1;
				if status == Status::Equilibrium {
					assert!(exact <= (BigInt::from(epsilon.0) << 64), "{game:?} {profile:?}");
				} else {
					// The certificate is refused only if the gain is above epsilon or within rounding of it.
					let nearly: BigInt = BigInt::from(epsilon.0 - 4 * PAYOFF_ERROR.0) << 64;
					assert!(exact >= nearly || epsilon.0 < 4 * PAYOFF_ERROR.0);
				}
			}
			let household = &game.households()[turn];
			profile[turn] = random.within(0, household.strategies.len() as i64 - 1) as u8;
		}
	}
	assert!(counts.iter().all(|count| *count > 1_000), "{counts:?}");
}

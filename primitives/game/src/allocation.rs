//! Allocation of the traded energy in whole watt-hours.

use crate::{fault::ProfileFault, game::Game, payoff::Pool, types::Kind};
use alloc::vec::Vec;

crate::stored_types! {
	/// Where one household's net position goes, in whole Wh, positive when sold. Both parts add up to the net position.
	#[derive(Copy, Default)]
	pub struct Allocation {
		/// Exchanged inside the community.
		pub community_wh: i64,
		/// Exchanged with the main grid. For a neutral household, its net position, which is below the meter resolution.
		pub main_wh: i64,
	}
}

/// Allocates the traded energy of a profile in whole Wh: the short side gets all of its positions, the long side a
/// share by [`ration`]. The community parts of all households add up to zero. Fails if the profile does not fit the
/// game.
pub fn allocate(game: &Game, profile: &[u8]) -> Result<Vec<Allocation>, ProfileFault> {
	let chosen = game.chosen(profile)?;
	let traded = Pool::of(game, &chosen).traded_wh();
	let wanted = |kind: Kind| -> Vec<u64> {
		let pairs = game.households().iter().zip(&chosen);
		pairs
			.map(|(household, strategy)| match strategy.kind == kind {
				true => strategy.net_wh(household.generation_wh).unsigned_abs(),
				false => 0,
			})
			.collect()
	};
	let sold = ration(&wanted(Kind::SellToCommunity), traded);
	let bought = ration(&wanted(Kind::BuyFromCommunity), traded);
	let shares = sold.into_iter().zip(bought);
	let players = game.households().iter().zip(&chosen);
	Ok(players
		.zip(shares)
		.map(|((household, strategy), (sold, bought))| {
			// No share is larger than its position, which is below 2^30.
			let community_wh = sold as i64 - bought as i64;
			let main_wh = strategy.net_wh(household.generation_wh) - community_wh;
			Allocation {
				community_wh,
				main_wh,
			}
		})
		.collect())
}

/// Divides `available_wh` in proportion to `wanted_wh` by the largest remainder method: every exact share is rounded
/// down, and the Wh left over go one by one to the largest remainders, the lowest index first among equal ones.
///
/// The shares add up to the smaller of `available_wh` and the sum of `wanted_wh`, and no share exceeds the energy
/// wanted. All inputs are valid: the products have 128 bits.
pub fn ration(wanted_wh: &[u64], available_wh: u64) -> Vec<u64> {
	let total: u128 = wanted_wh.iter().map(|wanted| u128::from(*wanted)).sum();
	let available = u128::from(available_wh);
	if total <= available {
		return wanted_wh.to_vec();
	}
	let exact = |wanted: u64| u128::from(wanted) * available;
	let mut shares: Vec<u64> = wanted_wh
		.iter()
		.map(|wanted| (exact(*wanted) / total) as u64)
		.collect();
	let given: u128 = shares.iter().map(|share| u128::from(*share)).sum();
	// The remainders add up to `left * total` and each is below `total`, so at least `left` of them are above zero. An
	// entry with a remainder above zero wants more than its rounded share, so one more Wh does not exceed it.
	let left = usize::try_from(available - given).unwrap_or(usize::MAX);
	if left == 0 {
		return shares;
	}
	let mut by_remainder: Vec<(u128, &mut u64)> = wanted_wh
		.iter()
		.zip(shares.iter_mut())
		.map(|(wanted, share)| (exact(*wanted) % total, share))
		.collect();
	// The sort is stable, so equal remainders stay in the order of their index.
	by_remainder.sort_by_key(|(remainder, _)| core::cmp::Reverse(*remainder));
	for (_, share) in by_remainder.into_iter().take(left) {
		*share += 1;
	}
	shares
}

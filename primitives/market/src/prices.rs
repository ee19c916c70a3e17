//! What energy costs. Whoever pays rounds up, whoever is paid rounds down.

use crate::{
	money::{part, Balance},
	Channels, PriceRule, Terms,
};

/// Cost of `energy_wh` at a price for each kWh, rounded up.
pub fn cost(energy_wh: u32, per_kwh: Balance) -> Balance {
	// A tariff is below 2^80, so the product is below 2^112.
	Balance::from(energy_wh).saturating_mul(per_kwh).div_ceil(1_000)
}

/// Revenue of `energy_wh` at a price for each kWh, rounded down.
pub fn revenue(energy_wh: u32, per_kwh: Balance) -> Balance {
	Balance::from(energy_wh).saturating_mul(per_kwh) / 1_000
}

/// Price of community energy for each kWh, between feed-in and retail. `offered_wh` and `requested_wh` are the two sides
/// of the pool, S and B.
///
/// Mid-market: the mean of both tariffs, rounded down. Supply-demand ratio: with R = min(1, S / B),
/// `retail * feed_in / ((retail - feed_in) * R + feed_in)`, rounded down (Liu et al. 2017, eq. (10): a buyer whom the
/// pool cannot serve pays retail for the rest, which gives the average price of buyers). Retail where S = 0.
pub fn price(terms: &Terms, offered_wh: u64, requested_wh: u64) -> Balance {
	let (retail, feed_in) = (terms.tariffs.retail_per_kwh, terms.tariffs.feed_in_per_kwh);
	match terms.price_rule {
		PriceRule::MidMarket => retail.saturating_add(feed_in) / 2,
		PriceRule::SupplyDemandRatio if offered_wh == 0 => retail,
		PriceRule::SupplyDemandRatio if offered_wh >= requested_wh => feed_in,
		PriceRule::SupplyDemandRatio => {
			// Tariffs are below 2^80 and the sums below 2^46: nothing here reaches 2^128.
			let weighted = feed_in.saturating_mul(requested_wh.into());
			let denominator = retail
				.saturating_sub(feed_in)
				.saturating_mul(offered_wh.into())
				.saturating_add(weighted);
			part(retail, weighted, denominator).clamp(feed_in, retail)
		}
	}
}

/// Most that a contract can cost a household that keeps to it: its community energy at the pool's price with the grid
/// fee, or at retail should the pool fail, and its main-grid energy at retail.
pub fn contract_cost(terms: &Terms, price_per_kwh: Balance, energy: &Channels) -> Balance {
	let tariffs = &terms.tariffs;
	let bought = energy.bought_from_community_wh;
	let from_pool = cost(bought, price_per_kwh).saturating_add(cost(bought, tariffs.grid_fee_per_kwh));
	let from_main = cost(bought, tariffs.retail_per_kwh);
	// Community and main-grid energy are rounded up one by one, and a part of the community's may come from the main
	// grid: one unit for each seam.
	let seams = if bought > 0 { 2 } else { 0 };
	from_pool
		.max(from_main)
		.saturating_add(seams)
		.saturating_add(cost(energy.bought_from_main_wh, tariffs.retail_per_kwh))
}

/// Most that a strategy with this net position in Wh (negative = bought) can cost, whatever the pool's price and volume.
pub fn worst_cost(terms: &Terms, net_wh: i64) -> Balance {
	if net_wh >= 0 {
		return 0;
	}
	let bought = u32::try_from(net_wh.unsigned_abs()).unwrap_or(u32::MAX);
	let tariffs = &terms.tariffs;
	// One unit for each of the three sums that are rounded up one by one.
	cost(bought, tariffs.retail_per_kwh)
		.saturating_add(cost(bought, tariffs.grid_fee_per_kwh))
		.saturating_add(3)
}

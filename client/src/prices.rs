//! What energy costs: docs/market.md, "Prices" and "Settlement".

use crate::chain::types::{Balance, Channels, PriceRule, Terms};

/// What so much energy costs, rounded up: the payer's rounding.
pub fn cost(energy_wh: u32, per_kwh: Balance) -> Balance {
	(Balance::from(energy_wh) * per_kwh).div_ceil(1_000)
}

/// What so much energy earns, rounded down: the payee's rounding.
pub fn revenue(energy_wh: u32, per_kwh: Balance) -> Balance {
	Balance::from(energy_wh) * per_kwh / 1_000
}

/// Price of community energy per kWh: mid-market, or by the ratio of supply to demand (Liu et al., IEEE Transactions on
/// Power Systems 32 (5), 2017, doi 10.1109/TPWRS.2017.2649558, eq. (10)).
pub fn price(terms: &Terms, offered_wh: u64, requested_wh: u64) -> Balance {
	let tariffs = &terms.tariffs;
	let (retail, feed_in) = (tariffs.retail_per_kwh, tariffs.feed_in_per_kwh);
	match terms.price_rule {
		PriceRule::MidMarket => (retail + feed_in) / 2,
		PriceRule::SupplyDemandRatio if offered_wh == 0 => retail,
		PriceRule::SupplyDemandRatio if offered_wh >= requested_wh => feed_in,
		PriceRule::SupplyDemandRatio => {
			// Tariffs are at most 10^24 and the sums below 2^46.
			let weighted = feed_in * Balance::from(requested_wh);
			let denominator = (retail - feed_in) * Balance::from(offered_wh) + weighted;
			part(retail, weighted, denominator).clamp(feed_in, retail)
		}
	}
}

/// `whole * numerator / denominator`, rounded down, for a part that is no more than the whole.
pub fn part(whole: Balance, numerator: Balance, denominator: Balance) -> Balance {
	use sp_runtime::{helpers_128bit::multiply_by_rational_with_rounding, Rounding};
	multiply_by_rational_with_rounding(whole, numerator, denominator, Rounding::Down).unwrap_or(whole)
}

/// Most that a contract can cost a household that keeps to it. Community energy comes from the pool at its price with the
/// grid fee, or from the main grid at retail should the pool fail; two units more for the roundings of parts.
pub fn contract_cost(terms: &Terms, price_per_kwh: Balance, energy: &Channels) -> Balance {
	let tariffs = &terms.tariffs;
	let bought = energy.bought_from_community_wh;
	let from_pool = cost(bought, price_per_kwh) + cost(bought, tariffs.grid_fee_per_kwh);
	let from_main = cost(bought, tariffs.retail_per_kwh);
	let seams = if bought > 0 { 2 } else { 0 };
	from_pool.max(from_main) + seams + cost(energy.bought_from_main_wh, tariffs.retail_per_kwh)
}

/// Most that a strategy of this net position can cost, whatever the pool's price and volume.
pub fn worst_cost(terms: &Terms, net_wh: i64) -> Balance {
	if net_wh >= 0 {
		return 0;
	}
	let bought = u32::try_from(net_wh.unsigned_abs()).unwrap_or(u32::MAX);
	let tariffs = &terms.tariffs;
	cost(bought, tariffs.retail_per_kwh) + cost(bought, tariffs.grid_fee_per_kwh) + 3
}

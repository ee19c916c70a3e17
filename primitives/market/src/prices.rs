//! What energy costs. Whoever pays rounds up, whoever is paid rounds down.

use crate::{
	money::{part, Balance},
	Channels, PriceRule, Terms,
};
use commonwatt_game::{Kind, Strategy};

/// Cost of `energy_wh` at a price for each kWh, rounded up.
pub fn cost(energy_wh: u32, per_kwh: Balance) -> Balance {
	// A tariff is below 2^80, so the product is below 2^112.
	Balance::from(energy_wh).saturating_mul(per_kwh).div_ceil(1_000)
}

/// Revenue of `energy_wh` at a price for each kWh, rounded down.
pub fn revenue(energy_wh: u32, per_kwh: Balance) -> Balance {
	Balance::from(energy_wh).saturating_mul(per_kwh) / 1_000
}

/// Price of community energy for each kWh. `offered_wh` and `requested_wh` are the two sides of the pool, S and B.
///
/// Mid-market: the mean of retail and feed-in, rounded down. Supply-demand ratio: with R = min(1, S / B),
/// `retail * feed_in / ((retail - feed_in) * R + feed_in)`, rounded down (Liu et al. 2017, eq. (10): a buyer whom the
/// pool cannot serve pays retail for the rest, which gives the average price of buyers), at least feed-in and at most
/// retail less the grid fee.
///
/// Under checked terms, price and grid fee together are at most retail.
pub fn price(terms: &Terms, offered_wh: u64, requested_wh: u64) -> Balance {
	let tariffs = &terms.tariffs;
	let (retail, feed_in) = (tariffs.retail_per_kwh, tariffs.feed_in_per_kwh);
	let ratio_price = match terms.price_rule {
		PriceRule::MidMarket => return mid_market(terms),
		PriceRule::SupplyDemandRatio if offered_wh == 0 => retail,
		PriceRule::SupplyDemandRatio if offered_wh >= requested_wh => feed_in,
		PriceRule::SupplyDemandRatio => {
			// Tariffs are below 2^80 and the sums below 2^46: nothing here reaches 2^128.
			let weighted = feed_in.saturating_mul(requested_wh.into());
			let denominator = retail
				.saturating_sub(feed_in)
				.saturating_mul(offered_wh.into())
				.saturating_add(weighted);
			part(retail, weighted, denominator)
		}
	};
	let ceiling = retail.saturating_sub(tariffs.grid_fee_per_kwh);
	ratio_price.min(ceiling).max(feed_in)
}

/// The lowest price for each kWh that the price rule can give.
pub fn lowest_price(terms: &Terms) -> Balance {
	match terms.price_rule {
		PriceRule::MidMarket => mid_market(terms),
		PriceRule::SupplyDemandRatio => terms.tariffs.feed_in_per_kwh,
	}
}

fn mid_market(terms: &Terms) -> Balance {
	let tariffs = &terms.tariffs;
	tariffs.retail_per_kwh.saturating_add(tariffs.feed_in_per_kwh) / 2
}

/// The hold of a contract: what keeping to it costs. A buyer's community energy at the price and the grid fee, and its
/// main-grid energy at retail. A seller's hold covers the loss if it delivers nothing: imbalance import less the price.
pub fn contract_cost(terms: &Terms, price_per_kwh: Balance, energy: &Channels) -> Balance {
	let tariffs = &terms.tariffs;
	let bought = energy.bought_from_community_wh;
	cost(bought, price_per_kwh)
		.saturating_add(cost(bought, tariffs.grid_fee_per_kwh))
		.saturating_add(cost(energy.bought_from_main_wh, tariffs.retail_per_kwh))
		.saturating_add(cost(
			energy.sold_to_community_wh,
			tariffs.imbalance_import_per_kwh.saturating_sub(price_per_kwh),
		))
}

/// The largest hold that a contract with this strategy can need, whatever the pool's price and volume. An owner must
/// cover it before the game.
pub fn worst_cost(terms: &Terms, strategy: &Strategy, generation_wh: u32) -> Balance {
	let tariffs = &terms.tariffs;
	let net_wh = strategy.net_wh(generation_wh);
	let net = u32::try_from(net_wh.unsigned_abs()).unwrap_or(u32::MAX);
	match strategy.kind {
		Kind::SellToCommunity => {
			let loss = tariffs
				.imbalance_import_per_kwh
				.saturating_sub(lowest_price(terms));
			cost(net, loss)
		}
		// Price and fee are at most retail. Energy at price, fee and retail is rounded up one by one, which is at most two
		// units more than rounding up the sum.
		Kind::BuyFromCommunity => cost(net, tariffs.retail_per_kwh).saturating_add(2),
		Kind::Neutral | Kind::BuyFromMain | Kind::SellToMain if net_wh < 0 => {
			cost(net, tariffs.retail_per_kwh)
		}
		Kind::Neutral | Kind::BuyFromMain | Kind::SellToMain => 0,
	}
}

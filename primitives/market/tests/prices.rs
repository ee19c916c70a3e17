//! Prices, costs and what contracts can cost: by hand, at the ends of the ranges, and over random values.

use commonwatt_market::{
	money::Balance,
	paper,
	prices::{contract_cost, cost, price, revenue, worst_cost},
	Channels, PriceRule, Terms, MAX_TARIFF_PER_KWH,
};
use proptest::prelude::*;

/// The paper's terms in round numbers: retail 300, feed-in 80, fee 10 for each kWh.
fn terms() -> Terms {
	let mut terms = paper::TERMS;
	terms.tariffs.retail_per_kwh = 300;
	terms.tariffs.feed_in_per_kwh = 80;
	terms.tariffs.grid_fee_per_kwh = 10;
	terms
}

#[test]
fn mid_market_price_is_the_mean_rounded_down() {
	let mut terms = terms();
	assert_eq!(price(&terms, 1, 2), 190);
	terms.tariffs.retail_per_kwh = 301;
	assert_eq!(price(&terms, 0, 0), 190);
}

#[test]
fn supply_demand_ratio_price_falls_from_retail_to_feed_in() {
	let mut terms = terms();
	terms.price_rule = PriceRule::SupplyDemandRatio;
	// 300 * 80 / ((300 - 80) * R + 80)
	for (offered, requested, expected) in [
		(0, 1_000, 300),
		(500, 1_000, 126),
		(999, 1_000, 80),
		(1_000, 1_000, 80),
		(5_000, 1_000, 80),
		(5_000, 0, 80),
	] {
		assert_eq!(
			price(&terms, offered, requested),
			expected,
			"S {offered}, B {requested}"
		);
	}
	let mut last = Balance::MAX;
	for offered in 0..=1_000 {
		let now = price(&terms, offered, 1_000);
		assert!(now <= last && (80..=300).contains(&now));
		last = now;
	}
}

#[test]
fn prices_and_costs_hold_at_the_ends_of_their_ranges() {
	let mut terms = terms();
	for rule in [PriceRule::MidMarket, PriceRule::SupplyDemandRatio] {
		terms.price_rule = rule;
		terms.tariffs.retail_per_kwh = MAX_TARIFF_PER_KWH;
		terms.tariffs.feed_in_per_kwh = MAX_TARIFF_PER_KWH;
		assert_eq!(
			price(&terms, 1_000_000_000_000, 1_000_000_000_001),
			MAX_TARIFF_PER_KWH
		);
		terms.tariffs.feed_in_per_kwh = 0;
		assert!(price(&terms, 1_000_000_000_000, 1_000_000_000_001) <= MAX_TARIFF_PER_KWH);
		assert!(price(&terms, 0, 0) <= MAX_TARIFF_PER_KWH);
	}
	assert_eq!(
		cost(u32::MAX, MAX_TARIFF_PER_KWH),
		u128::from(u32::MAX) * 10u128.pow(21)
	);
	assert_eq!(cost(1, 1), 1);
	assert_eq!(revenue(1, 999), 0);
	assert_eq!(revenue(1, 1_000), 1);
}

#[test]
fn contract_covers_the_dearer_of_pool_and_main_grid() {
	let energy = |community_wh, main_wh| Channels::from_net(community_wh, main_wh);
	let terms = terms();
	// 1,500 Wh at 190 + 10 are 300, at retail 450; two units for the seams.
	assert_eq!(contract_cost(&terms, 190, &energy(-1_500, 0)), 452);
	// At a price of 295 the pool with its fee is dearer: 443 + 15.
	assert_eq!(contract_cost(&terms, 295, &energy(-1_500, 0)), 460);
	assert_eq!(contract_cost(&terms, 190, &energy(0, -1_001)), 301);
	assert_eq!(contract_cost(&terms, 190, &energy(2_000, 500)), 0);
	// 1,500 Wh at retail and the fee.
	assert_eq!(worst_cost(&terms, -1_500), 450 + 15 + 3);
	assert_eq!(worst_cost(&terms, 0), 0);
	assert_eq!(worst_cost(&terms, 1_500), 0);
}

fn tariff() -> impl Strategy<Value = Balance> {
	prop_oneof![0..1_000u128, 0..=MAX_TARIFF_PER_KWH]
}

proptest! {
	#[test]
	fn payer_pays_at_least_what_the_payee_gets_and_at_most_a_unit_more(wh: u32, per_kwh in tariff()) {
		let (cost, revenue) = (cost(wh, per_kwh), revenue(wh, per_kwh));
		prop_assert!(revenue <= cost && cost <= revenue + 1);
	}

	#[test]
	fn price_lies_between_feed_in_and_retail(
		(one, other) in (tariff(), tariff()),
		offered in 0..1u64 << 46,
		requested in 0..1u64 << 46,
		by_ratio: bool,
	) {
		let mut terms = terms();
		(terms.tariffs.feed_in_per_kwh, terms.tariffs.retail_per_kwh) = (one.min(other), one.max(other));
		terms.price_rule = if by_ratio { PriceRule::SupplyDemandRatio } else { PriceRule::MidMarket };
		let price = price(&terms, offered, requested);
		prop_assert!((one.min(other)..=one.max(other)).contains(&price));
	}

	/// Whatever part of a purchase the pool serves, and at any price up to retail: what a household checks before the game
	/// covers the hold, and the hold covers the bill.
	#[test]
	fn worst_cost_covers_every_contract_and_the_contract_every_bill(
		bought_wh in 0..1u32 << 30,
		served in 0.0..=1.0f64,
		delivered in 0.0..=1.0f64,
		price_per_kwh in 80..=300u128,
	) {
		let terms = terms();
		let community_wh = (f64::from(bought_wh) * served) as u32;
		let energy = Channels {
			bought_from_community_wh: community_wh,
			bought_from_main_wh: bought_wh - community_wh,
			..Channels::default()
		};
		let held = contract_cost(&terms, price_per_kwh, &energy);
		prop_assert!(held <= worst_cost(&terms, -i64::from(bought_wh)));
		// The pool delivers a part, and the main grid the rest at retail.
		let from_pool = (f64::from(community_wh) * delivered) as u32;
		let bill = cost(from_pool, price_per_kwh)
			+ cost(from_pool, terms.tariffs.grid_fee_per_kwh)
			+ cost(bought_wh - from_pool, terms.tariffs.retail_per_kwh);
		prop_assert!(bill <= held, "{bill} of {held}");
	}
}

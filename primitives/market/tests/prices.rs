//! Prices, costs and what contracts can cost: by hand, at the ends of the ranges, and over random values.

use commonwatt_market::{
	game::{Kind, Strategy as Choice},
	money::Balance,
	paper,
	prices::{contract_cost, cost, lowest_price, price, revenue, worst_cost},
	Channels, PriceRule, Terms, MAX_TARIFF_PER_KWH,
};
use proptest::prelude::*;

/// The paper's terms in round numbers: retail 300, feed-in 80, imbalance 360 and 40, fee 10 for each kWh.
fn terms() -> Terms {
	let mut terms = paper::TERMS;
	terms.tariffs.retail_per_kwh = 300;
	terms.tariffs.feed_in_per_kwh = 80;
	terms.tariffs.imbalance_import_per_kwh = 360;
	terms.tariffs.imbalance_export_per_kwh = 40;
	terms.tariffs.grid_fee_per_kwh = 10;
	terms.reward_cap_per_kwh = 5;
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
fn supply_demand_ratio_price_falls_from_retail_less_the_fee_to_feed_in() {
	let mut terms = terms();
	terms.price_rule = PriceRule::SupplyDemandRatio;
	// 300 * 80 / ((300 - 80) * R + 80), at most 300 - 10.
	for (offered, requested, expected) in [
		(0, 1_000, 290),
		(10, 1_000, 290),
		(20, 1_000, 284),
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
		assert!(now <= last && (80..=290).contains(&now));
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
fn hold_is_what_keeping_a_purchase_or_breaking_a_sale_costs() {
	let energy = |community_wh, main_wh| Channels::from_net(community_wh, main_wh);
	let terms = terms();
	// 1,500 Wh at 190 and at 10; 1,001 Wh at 300, rounded up.
	assert_eq!(contract_cost(&terms, 190, &energy(-1_500, 0)), 285 + 15);
	assert_eq!(
		contract_cost(&terms, 190, &energy(-1_500, -1_001)),
		285 + 15 + 301
	);
	// Who sells 2,000 Wh and delivers nothing loses 360 - 190 for each kWh. Main-grid sales need no hold.
	assert_eq!(contract_cost(&terms, 190, &energy(2_000, 500)), 340);
	assert_eq!(contract_cost(&terms, 190, &energy(0, 500)), 0);
}

fn choice(kind: Kind, consumption_wh: u32) -> Choice {
	Choice {
		kind,
		consumption_wh,
		temperature_centi_c: 2_100,
	}
}

#[test]
fn worst_case_depends_on_the_kind() {
	let mut terms = terms();
	let worst = |terms: &Terms, kind, generation, consumption| {
		worst_cost(terms, &choice(kind, consumption), generation)
	};
	assert_eq!(worst(&terms, Kind::BuyFromCommunity, 0, 1_500), 450 + 2);
	assert_eq!(worst(&terms, Kind::BuyFromMain, 0, 1_500), 450);
	assert_eq!(worst(&terms, Kind::Neutral, 0, 9), 3);
	assert_eq!(worst(&terms, Kind::Neutral, 9, 0), 0);
	assert_eq!(worst(&terms, Kind::SellToMain, 1_500, 0), 0);
	assert_eq!(worst(&terms, Kind::SellToCommunity, 1_500, 0), 255);
	// The other rule's price can be as low as feed-in: 1.5 kWh at 360 - 80.
	terms.price_rule = PriceRule::SupplyDemandRatio;
	assert_eq!(worst(&terms, Kind::SellToCommunity, 1_500, 0), 420);
}

#[test]
fn fee_and_reward_cap_have_their_limits() {
	let mut terms = terms();
	assert!(terms.has_room_for_fee() && terms.rewards_stay_below_fee());
	terms.reward_cap_per_kwh = 6;
	assert!(!terms.rewards_stay_below_fee());
	// 190 + 110 is retail.
	for (rule, fee, fits) in [
		(PriceRule::MidMarket, 110, true),
		(PriceRule::MidMarket, 111, false),
		(PriceRule::SupplyDemandRatio, 220, true),
		(PriceRule::SupplyDemandRatio, 221, false),
	] {
		(terms.price_rule, terms.tariffs.grid_fee_per_kwh) = (rule, fee);
		assert_eq!(terms.has_room_for_fee(), fits, "{rule:?}, fee {fee}");
	}
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
	fn price_is_at_least_feed_in_and_with_the_fee_at_most_retail(
		(one, other) in (tariff(), tariff()),
		offered in 0..1u64 << 46,
		requested in 0..1u64 << 46,
		by_ratio: bool,
		fee in 0.0..=1.0f64,
	) {
		let mut terms = terms();
		(terms.tariffs.feed_in_per_kwh, terms.tariffs.retail_per_kwh) = (one.min(other), one.max(other));
		terms.price_rule = if by_ratio { PriceRule::SupplyDemandRatio } else { PriceRule::MidMarket };
		let room = one.max(other) - lowest_price(&terms);
		terms.tariffs.grid_fee_per_kwh = ((room as f64 * fee) as u128).min(room);
		prop_assert!(terms.has_room_for_fee());
		let price = price(&terms, offered, requested);
		prop_assert!(price >= lowest_price(&terms) && price >= one.min(other));
		prop_assert!(price + terms.tariffs.grid_fee_per_kwh <= one.max(other));
	}

	/// Whatever part of a position the pool serves, and at any price of the rule: the hold is at most the worst case that
	/// the household covered before the game.
	#[test]
	fn worst_cost_covers_every_hold(
		net_wh in -(1i64 << 30)..1i64 << 30,
		served in 0.0..=1.0f64,
		(offered, requested) in (0..1u64 << 40, 0..1u64 << 40),
		by_ratio: bool,
		with_community: bool,
	) {
		let mut terms = terms();
		terms.price_rule = if by_ratio { PriceRule::SupplyDemandRatio } else { PriceRule::MidMarket };
		let kind = match (net_wh >= 0, with_community) {
			(true, true) => Kind::SellToCommunity,
			(true, false) => Kind::SellToMain,
			(false, true) => Kind::BuyFromCommunity,
			(false, false) => Kind::BuyFromMain,
		};
		let served = if with_community { served } else { 0.0 };
		let community_wh = (net_wh as f64 * served) as i64;
		let energy = Channels::from_net(community_wh, net_wh - community_wh);
		let held = contract_cost(&terms, price(&terms, offered, requested), &energy);
		let size = net_wh.unsigned_abs() as u32;
		let (generation, consumption) = if net_wh >= 0 { (size, 0) } else { (0, size) };
		let worst = worst_cost(&terms, &choice(kind, consumption), generation);
		prop_assert!(held <= worst, "{held} of {worst}");
	}
}

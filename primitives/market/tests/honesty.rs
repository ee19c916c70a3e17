//! Honesty pays: under the mid-market price no household raises its cash of an era by declaring another net position than
//! the one it then has, by silence, or by splitting in two, whatever the others declare and do. Rewards are not counted.
//!
//! `cargo test -p commonwatt-market --test honesty -- --ignored --nocapture` prints what a household can gain under the
//! supply-demand-ratio price.

use commonwatt_market::{
	game::ration,
	money::{Split, UNIT},
	paper,
	prices::{cost, price},
	settlement::{Energy, Metering},
	Amounts, Channels, PriceRule, Quality, Reading, Terms,
};
use proptest::prelude::*;

/// What a household declares before gate closure. Energies in Wh, positive when sold.
#[derive(Clone, Copy, Debug)]
enum Word {
	/// Offers to or requests from the pool.
	Pool(i64),
	/// Trades with the main grid.
	Main(i64),
	/// Takes no part in the game.
	Silent,
}

/// Retail 300, feed-in 80, imbalance 360 and 40, fee 10 for each kWh; the price is 190.
fn terms() -> Terms {
	let mut terms = paper::TERMS;
	terms.tariffs.retail_per_kwh = 300;
	terms.tariffs.feed_in_per_kwh = 80;
	terms.tariffs.imbalance_import_per_kwh = 360;
	terms.tariffs.imbalance_export_per_kwh = 40;
	terms.tariffs.grid_fee_per_kwh = 10;
	terms
}

fn reading(net_wh: i64) -> Reading {
	Reading {
		generation_wh: net_wh.max(0) as u32,
		consumption_wh: net_wh.min(0).unsigned_abs() as u32,
		indoor_centi_c: 2_100,
		quality: Quality::Measured,
	}
}

/// What each household earns less what it pays in one era: pool, grid fee and utility. Takes each household's word and
/// its metered net position.
fn cash(terms: &Terms, households: &[(Word, i64)]) -> Vec<i128> {
	let side = |sign: i64| -> Vec<u64> {
		let wanted = |(word, _): &(Word, i64)| match word {
			Word::Pool(net) => (net * sign).max(0).unsigned_abs(),
			Word::Main(_) | Word::Silent => 0,
		};
		households.iter().map(wanted).collect()
	};
	let (offers, requests) = (side(1), side(-1));
	let (offered, requested) = (offers.iter().sum(), requests.iter().sum());
	let price = price(terms, offered, requested);
	let traded = ration(&offers, requested)
		.into_iter()
		.zip(ration(&requests, offered));
	let contracts: Vec<_> = households
		.iter()
		.zip(traded)
		.map(|((word, metered), (sold, bought))| {
			let community = sold as i64 - bought as i64;
			let contract = match word {
				Word::Pool(net) => Some(Channels::from_net(community, net - community)),
				Word::Main(net) => Some(Channels::from_net(0, *net)),
				Word::Silent => None,
			};
			Metering {
				contract,
				net_wh: *metered,
				is_estimate: false,
			}
		})
		.collect();
	let energies = Energy::of_all(&contracts);
	let pool = |energy: &Energy| cost(energy.channels.bought_from_community_wh, price);
	let sold = |energy: &Energy| u128::from(energy.channels.sold_to_community_wh);
	let collected = energies.iter().map(pool).sum();
	let mut parts = Split::new(collected, energies.iter().map(sold).sum());
	energies
		.iter()
		.zip(households)
		.map(|(energy, (_, metered))| {
			let mut amounts = Amounts {
				paid_to_pool: pool(energy),
				grid_fee: cost(
					energy.channels.bought_from_community_wh,
					terms.tariffs.grid_fee_per_kwh,
				),
				received_from_pool: parts.next_part(sold(energy)),
				..Amounts::default()
			};
			energy.bill(&reading(*metered), &terms.tariffs, &mut amounts);
			amounts.revenue() as i128 - amounts.cost() as i128
		})
		.collect()
}

/// The cash of the first household.
fn first(terms: &Terms, word: Word, metered: i64, others: &[(Word, i64)]) -> i128 {
	cash(terms, &[&[(word, metered)], others].concat())[0]
}

#[test]
fn four_marginal_lies_by_hand() {
	// The others offer and request 3,000 Wh each and keep to it.
	let others = [(Word::Pool(3_000), 3_000), (Word::Pool(-3_000), -3_000)];
	let of = |declared, metered| first(&terms(), Word::Pool(declared), metered, &others);
	// A seller of 1,000 Wh among 4,000 Wh offered for 3,000 Wh: 750 Wh at 190, 250 Wh at 80.
	assert_eq!(of(1_000, 1_000), 142 + 20);
	// Offers 500 Wh: 428.6 Wh at 190, the rest of the contract at 80, and 500 Wh of surplus at 40.
	assert_eq!(of(500, 1_000), 81 + 5 + 20);
	// Offers 2,000 Wh: 1,200 Wh at 190, 800 Wh at 80, and 1,000 Wh of shortfall at 360.
	assert_eq!(of(2_000, 1_000), 228 + 64 - 360);
	// A buyer of 1,000 Wh among 4,000 Wh requested from 3,000 Wh: 750 Wh at 190 + 10, 250 Wh at 300.
	assert_eq!(of(-1_000, -1_000), -(143 + 8 + 75));
	// Requests 500 Wh: 428.6 Wh at 200, 71.4 Wh at 300, and 500 Wh of shortfall at 360.
	assert_eq!(of(-500, -1_000), -(82 + 5 + 22 + 180));
	// Requests 2,000 Wh: 1,200 Wh at 200, 800 Wh at 300, and 1,000 Wh of surplus at 40.
	assert_eq!(of(-2_000, -1_000), -(228 + 12 + 240) + 40);
}

#[test]
fn lie_that_a_neighbour_matches_does_not_pay_either() {
	// A neighbour is 1,000 Wh short, so surplus is worth feed-in; another is 1,000 Wh long, so a shortfall costs retail.
	let matching = |deviation: i64| {
		let others = [
			(Word::Pool(3_000), 3_000),
			(Word::Pool(-3_000), -3_000),
			(Word::Main(-500), -500 + deviation),
		];
		move |declared, metered| first(&terms(), Word::Pool(declared), metered, &others)
	};
	let (short, long) = (matching(-1_000), matching(1_000));
	assert_eq!((short(1_000, 1_000), short(500, 1_000)), (162, 81 + 5 + 40));
	assert_eq!((long(1_000, 1_000), long(2_000, 1_000)), (162, 228 + 64 - 300));
	assert_eq!(
		(long(-1_000, -1_000), long(-500, -1_000)),
		(-226, -(82 + 5 + 22 + 150))
	);
	assert_eq!((short(-1_000, -1_000), short(-2_000, -1_000)), (-226, -480 + 80));
}

#[test]
fn late_or_no_reading_costs_more_than_the_truth() {
	// A buyer of 1,000 Wh whose highest reading of the day was 1,600 Wh: estimated at 2,000 Wh.
	let others = [(Word::Pool(3_000), 3_000), (Word::Pool(-3_000), -3_000)];
	let of = |metered| first(&terms(), Word::Pool(-1_000), metered, &others);
	assert_eq!(of(estimate(-1_000, 1_600)), of(-1_000) - 360);
}

/// The net position that the chain assumes for a silent meter: the larger of the contracted consumption and 1.25 times
/// the highest reading, and no generation.
fn estimate(declared: i64, highest_wh: i64) -> i64 {
	-(highest_wh * 5 / 4).max(-declared)
}

/// A household's word and what it then does; most keep their word.
fn others() -> impl Strategy<Value = Vec<(Word, i64)>> {
	let net = || prop_oneof![-20_000i64..20_000, -1_000_000i64..1_000_000];
	let household = (net(), net(), 0..10u8).prop_map(|(declared, metered, how)| match how {
		0..6 => (Word::Pool(declared), declared),
		6 | 7 => (Word::Pool(declared), metered),
		8 => (Word::Main(declared), metered),
		_ => (Word::Silent, metered),
	});
	prop::collection::vec(household, 0..12)
}

fn net() -> impl Strategy<Value = i64> {
	prop_oneof![-20_000i64..20_000, -300_000i64..300_000]
}

/// Random tariffs in order, with room for the fee, up to 1,000 units for each kWh: a Wh is worth at most one unit.
fn random_terms() -> impl Strategy<Value = Terms> {
	(prop::array::uniform4(0..=1_000u128), 0.0..=1.0f64).prop_map(|(mut tariffs, fee)| {
		tariffs.sort_unstable();
		let mut terms = paper::TERMS;
		[
			terms.tariffs.imbalance_export_per_kwh,
			terms.tariffs.feed_in_per_kwh,
			terms.tariffs.retail_per_kwh,
			terms.tariffs.imbalance_import_per_kwh,
		] = tariffs;
		let room = tariffs[2] - (tariffs[1] + tariffs[2]) / 2;
		terms.tariffs.grid_fee_per_kwh = (room as f64 * fee) as u128;
		terms
	})
}

/// Rounding of one household, in units: seven products, and whole Wh of pool and matching, each at most one unit.
const ROUNDING: i128 = 9;

proptest! {
	#![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

	/// Offering what is not delivered, asking for what is not taken, and every other false declaration.
	#[test]
	fn no_declaration_beats_the_truth(
		terms in random_terms(),
		others in others(),
		metered in net(),
		false_net in net(),
		nearby in -20i64..20,
	) {
		let honest = first(&terms, Word::Pool(metered), metered, &others);
		let lies = [
			Word::Pool(false_net),
			Word::Pool(metered + nearby),
			Word::Pool(metered * 10),
			Word::Pool(0),
			Word::Main(metered),
			Word::Main(false_net),
			Word::Silent,
		];
		for lie in lies {
			let cash = first(&terms, lie, metered, &others);
			prop_assert!(cash <= honest + ROUNDING, "{lie:?} earns {cash}, the truth {honest}");
		}
	}

	/// A silent household consumes at most 1.25 times its highest reading.
	#[test]
	fn silence_does_not_pay(
		terms in random_terms(),
		others in others(),
		highest in 0i64..200_000,
		consumed in 0.0..=1.0f64,
		generated in 0i64..100_000,
		false_net in net(),
	) {
		let metered = generated - (highest as f64 * 1.25 * consumed) as i64;
		let honest = first(&terms, Word::Pool(metered), metered, &others);
		for declared in [metered, false_net] {
			let silent = first(&terms, Word::Pool(declared), estimate(declared, highest), &others);
			prop_assert!(silent <= honest + ROUNDING, "silence earns {silent}, the truth {honest}");
		}
	}

	/// Two connections of one owner earn no more than one, whether they tell the truth or not.
	#[test]
	fn splitting_in_two_does_not_pay(
		terms in random_terms(),
		others in others(),
		(one, other) in (net(), net()),
		(false_one, false_other) in (net(), net()),
	) {
		let honest = first(&terms, Word::Pool(one + other), one + other, &others);
		for (declared_one, declared_other) in [(one, other), (false_one, false_other), (one, false_other)] {
			let pair = [(Word::Pool(declared_one), one), (Word::Pool(declared_other), other)];
			let both: i128 = cash(&terms, &[&pair, others.as_slice()].concat())[..2].iter().sum();
			prop_assert!(both <= honest + 2 * ROUNDING, "two earn {both}, one earns {honest}");
		}
	}
}

/// Cash of the truth, largest gain and the declaration, in percent of the position, that brings it.
type Gain = (i128, i128, i64);

/// The largest gain of a household under the supply-demand-ratio price, over false declarations of 0 to 3 times its
/// position. `share` percent of its side of the pool, which is 100 kWh, is the household's; the other side is `ratio`
/// percent of that. The others in the pool are honest; a neighbour outside deviates by `neighbour_wh`.
fn largest_gain(sells: bool, share: i64, ratio: i64, neighbour_wh: i64) -> Gain {
	let mut terms = paper::TERMS;
	terms.price_rule = PriceRule::SupplyDemandRatio;
	let sign = if sells { 1 } else { -1 };
	let (own, rest, other_side) = (share * 1_000, (100 - share) * 1_000, ratio * 1_000);
	let others = [
		(Word::Pool(sign * rest), sign * rest),
		(Word::Pool(-sign * other_side), -sign * other_side),
		(Word::Main(0), neighbour_wh),
	];
	let of = |declared| first(&terms, Word::Pool(declared), sign * own, &others);
	let honest = of(sign * own);
	let lies = (0..=300).map(|percent| sign * own * percent / 100);
	let best = lies.max_by_key(|declared| of(*declared)).expect("there are lies");
	(honest, of(best) - honest, best * sign * 100 / own)
}

#[test]
#[ignore = "prints a table; run it with --ignored --nocapture"]
fn supply_demand_ratio_gains() {
	println!("others           side   share  gain, tokens  of its honest cash       S : B  declares");
	for (others, neighbour_wh) in [
		("honest", 0),
		("200 kWh short", -200_000),
		("200 kWh long", 200_000),
	] {
		for (side, sells) in [("seller", true), ("buyer", false)] {
			for share in [1, 10, 50] {
				let ratios = (2..=200).map(|percent| percent * 5);
				let (ratio, (honest, gain, declared)) = ratios
					.map(|ratio| (ratio, largest_gain(sells, share, ratio, neighbour_wh)))
					.max_by_key(|(ratio, (_, gain, _))| (*gain, -(ratio - 100).abs()))
					.expect("there are ratios");
				let pool = if sells {
					format!("100 : {ratio}")
				} else {
					format!("{ratio} : 100")
				};
				println!(
					"{others:16} {side:6} {share:4} % {:13.4} {:18.2} % {pool:>11} {declared:7} %",
					gain as f64 / UNIT as f64,
					100.0 * gain as f64 / honest.unsigned_abs() as f64,
				);
			}
		}
	}
}

//! Attacks on the market: who has what afterwards. Honest households end where their own trade puts them, and the liar
//! pays.

use crate::{mock::*, *};
use commonwatt_market::game::Kind;

const NEXT: EraIndex = FIRST_ERA + 1;

/// Allows a household to offer and request 15 kWh.
fn widen_connection(household: u32) {
	Households::<Test>::mutate(home(household), |h| {
		h.as_mut().unwrap().connection_limit_wh = 15_000
	});
}

/// Plays an era: takes for each household its declared and its metered net position in Wh, positive when sold.
/// Returns what each owner and the utility gained or lost.
fn gains(households: [Option<(i64, i64)>; 4]) -> ([i128; 4], i128) {
	let sides = |net: i64| match net {
		0.. => (net as u32, 0),
		_ => (0, net.unsigned_abs() as u32),
	};
	let mut gains = ([0; 4], 0);
	ExtBuilder::default().build_in_first_era(|| {
		widen_connection(3);
		for (household, positions) in (0..).zip(households) {
			let Some((declared, _)) = positions else { continue };
			let (generation, consumption) = sides(declared);
			let kind = match declared {
				0.. => Kind::SellToCommunity,
				_ => Kind::BuyFromCommunity,
			};
			submit(household, NEXT, generation, &[strategy(kind, consumption)]);
		}
		enter_era(NEXT);
		enter_era(NEXT + 1);
		for (household, positions) in (0..).zip(households) {
			let (generation, consumption) = sides(positions.map_or(0, |(_, metered)| metered));
			report(household, NEXT, generation, consumption);
		}
		enter_era(NEXT + 2);
		let gain = |who| Balances::free_balance(who) as i128 - ENDOWMENT as i128;
		gains = (
			[0, 1, 2, 3].map(|household: u32| gain(owner(household))),
			gain(UTILITY),
		);
	});
	gains
}

#[test]
fn phantom_offer_costs_its_maker_and_nobody_else() {
	let honest = [
		Some((3_000, 3_000)),
		Some((-1_500, -1_500)),
		Some((-1_500, -1_500)),
		None,
	];
	// 3 kWh at 190 for the seller, 1.5 kWh at 190 + 10 from each buyer.
	assert_eq!(gains(honest), ([570, -300, -300, 0], 0));
	// An offer of 15 kWh that delivers nothing takes 2,500 of 3,000 Wh in the pool. The buyers pay what they paid. The
	// seller sells 500 Wh at 190 and 2,500 Wh at feed-in: the trade that an honest competitor would leave it.
	let phantom = [honest[0], honest[1], honest[2], Some((15_000, 0))];
	let competitor = [honest[0], honest[1], honest[2], Some((15_000, 15_000))];
	// The liar: 2.5 kWh at 190, 12.5 kWh at feed-in, and 15 kWh of shortfall at 360.
	let liar = 475 + 1_000 - 5_400;
	assert_eq!(
		gains(phantom),
		([95 + 200, -300, -300, liar], 5_400 - 1_000 - 200)
	);
	assert_eq!(gains(competitor), ([95 + 200, -300, -300, 475 + 1_000], -1_200));
}

#[test]
fn overstated_request_costs_its_maker() {
	let honest = [
		Some((2_000, 2_000)),
		Some((-2_000, -2_000)),
		None,
		Some((-2_000, -2_000)),
	];
	// Each buyer: 1 kWh at 190 + 10, and 1 kWh at retail.
	assert_eq!(gains(honest), ([380, -500, 0, -500], 600));
	// Who asks for 15 kWh instead of 2 takes 1,765 of 2,000 Wh, and pays for 13 kWh that it does not need.
	let overstated = [honest[0], honest[1], None, Some((-15_000, -2_000))];
	// The honest buyer: 235 Wh at 190 and at 10, 1,765 Wh at retail.
	let buyer = 45 + 3 + 530;
	// The liar: 1,765 Wh at 190 and at 10, 13,235 Wh at retail, and 13 kWh of surplus at 40.
	let liar = 336 + 18 + 3_971 - 520;
	assert_eq!(gains(overstated), ([381, -buyer, 0, -liar], 530 + 3_971 - 520));
}

#[test]
fn understated_request_saves_nothing() {
	// A buyer declares 1 kWh less than it takes. It pays 360 instead of 300 for it.
	let honest = [
		Some((2_000, 2_000)),
		Some((-2_000, -2_000)),
		None,
		Some((-2_000, -2_000)),
	];
	let understated = [honest[0], honest[1], None, Some((-1_000, -2_000))];
	// 667 Wh at 190 + 10, 333 Wh at retail, 1 kWh at 360. The honest buyer gets 1,333 Wh in the pool.
	assert_eq!(
		gains(understated),
		(
			[381, -(254 + 14 + 201), 0, -(127 + 7 + 100 + 360)],
			201 + 100 + 360
		)
	);
}

#[test]
fn false_surplus_matched_by_a_neighbour_earns_less_than_the_truth() {
	// A neighbour is 1 kWh short, so the hidden kWh is matched at feed-in instead of sold at 190.
	let short = Some((-1_000, -2_000));
	let honest = [Some((1_000, 1_000)), short, None, None];
	let hidden = [None, short, None, Some((10, 1_000))];
	assert_eq!(gains(honest), ([190, -200 - 360, 0, 0], 360));
	// 10 Wh at 190 round to 2; 990 Wh at feed-in. The buyer takes 10 Wh from the pool, 990 Wh at retail.
	let ([_, buyer, _, hider], _) = gains(hidden);
	assert_eq!(hider, 2 + 79);
	// 990 Wh of its shortfall match at retail, 10 Wh do not.
	assert_eq!(buyer, -(2 + 1 + 297) - (297 + 4));
}

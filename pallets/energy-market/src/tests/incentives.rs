//! The incentive pot, delivered payoffs, and comfort bounds.

use crate::{mock::*, *};
use commonwatt_market::game::{Comfort, Kind, Log2};
use frame_support::{
	assert_noop, assert_ok,
	traits::{fungible::Mutate, tokens::Preservation},
};

const NEXT: EraIndex = FIRST_ERA + 1;

fn announce(change: impl FnOnce(&mut Terms)) {
	let mut terms = terms();
	change(&mut terms);
	put_terms(terms);
}

/// A hundred times the usual tariffs, with a fee and a cap that leave room for large rewards: 11,000 for 2 kWh.
fn raise_cap(terms: &mut Terms) {
	terms.tariffs = Tariffs {
		retail_per_kwh: 30_000,
		feed_in_per_kwh: 8_000,
		imbalance_import_per_kwh: 36_000,
		imbalance_export_per_kwh: 4_000,
		grid_fee_per_kwh: 11_000,
	};
	terms.reward_cap_per_kwh = 5_500;
}

fn fund_pot(amount: Balance) {
	let pot = EnergyMarket::pot_account(VILLAGE);
	assert_ok!(Balances::transfer(
		&STRANGER,
		&pot,
		amount,
		Preservation::Preserve
	));
}

fn pot() -> Balance {
	Balances::free_balance(EnergyMarket::pot_account(VILLAGE))
}

/// Household 0 sells 2 kWh to household 1. The payoffs are 100 * 4^2 = 1,600 and 100 * 4^-2 = 6.25, as E_in is negative
/// for a buyer. Household 2 buys 1 kWh from the main grid, which is a payoff of 1; household 3 has no contract.
fn play(reports: &[u32]) {
	submit(0, NEXT, 2_000, &[strategy(Kind::SellToCommunity, 0)]);
	submit(1, NEXT, 0, &[strategy(Kind::BuyFromCommunity, 2_000)]);
	submit(2, NEXT, 0, &[strategy(Kind::BuyFromMain, 1_000)]);
	enter_era(NEXT);
	enter_era(NEXT + 1);
	for (household, generation, consumption) in [(0, 2_000, 0), (1, 0, 2_000), (2, 0, 1_000), (3, 0, 500)] {
		if reports.contains(&household) {
			report(household, NEXT, generation, consumption);
		}
	}
	enter_era(NEXT + 2);
}

fn rewards() -> [Balance; 4] {
	[0, 1, 2, 3].map(|household| statement(household, NEXT).amounts.reward)
}

#[test]
fn pot_is_shared_in_proportion_to_delivered_payoffs() {
	ExtBuilder::default().build_in_first_era(|| {
		// Four units of money for each unit of payoff, of which there are 1,607.25.
		announce(|terms| {
			raise_cap(terms);
			terms.incentive_per_era = 6_429;
		});
		fund_pot(10_000);
		play(&[0, 1, 2, 3]);
		// Household 2 traded nothing with the community: its part of 4 stays in the pot.
		assert_eq!(rewards(), [6_400, 25, 0, 0]);
		assert_eq!(pot(), 10_000 - 6_425);
		assert_eq!(record(NEXT).settled.map(|totals| totals.rewards), Some(6_425));
		assert_eq!(
			EnergyMarket::view_bill(home(0), NEXT, NEXT).map(|bill| bill.reward),
			Some(6_400)
		);
	});
}

#[test]
fn reward_is_capped_by_what_was_delivered_or_taken() {
	ExtBuilder::default().build_in_first_era(|| {
		announce(|terms| terms.incentive_per_era = 6_429);
		fund_pot(10_000);
		submit(0, NEXT, 2_000, &[strategy(Kind::SellToCommunity, 0)]);
		submit(1, NEXT, 0, &[strategy(Kind::BuyFromCommunity, 2_000)]);
		enter_era(NEXT);
		enter_era(NEXT + 1);
		report(0, NEXT, 1_500, 0);
		report(1, NEXT, 0, 2_000);
		enter_era(NEXT + 2);
		// 5 for each kWh: the seller delivered 1.5 kWh, the buyer took its 2 kWh.
		assert_eq!(rewards(), [7, 10, 0, 0]);
		assert_eq!(pot(), 10_000 - 17);
	});
}

#[test]
fn empty_flat_gets_no_reward() {
	ExtBuilder::default().build_in_first_era(|| {
		announce(|terms| terms.incentive_per_era = 6_429);
		fund_pot(10_000);
		submit(3, NEXT, 0, &[strategy(Kind::Neutral, 0)]);
		enter_era(NEXT);
		enter_era(NEXT + 1);
		report(3, NEXT, 0, 0);
		enter_era(NEXT + 2);
		// Its payoff is omega, the highest of anybody who does nothing.
		assert!(statement(3, NEXT).delivered.unwrap().payoff > Log2::default());
		assert_eq!((rewards(), pot()), ([0; 4], 10_000));
		assert_eq!(Balances::free_balance(owner(3)), ENDOWMENT);
	});
}

#[test]
fn energy_in_a_circle_costs_more_than_it_brings() {
	ExtBuilder::default().build_in_first_era(|| {
		announce(|terms| terms.incentive_per_era = 100_000);
		fund_pot(200_000);
		// One owner has a second connection and passes the same 1,999 Wh out of one and into the other.
		assert_eq!(join(owner(0), 9_000, 10_000, None), home(4));
		submit(0, NEXT, 1_999, &[strategy(Kind::SellToCommunity, 0)]);
		assert_ok!(EnergyMarket::submit_strategies(
			RuntimeOrigin::signed(owner(0)),
			home(4),
			NEXT,
			0,
			vec![strategy(Kind::BuyFromCommunity, 1_999)]
		));
		enter_era(NEXT);
		enter_era(NEXT + 1);
		report(0, NEXT, 1_999, 0);
		assert_ok!(EnergyMarket::submit_reading(
			RuntimeOrigin::signed(9_000),
			NEXT,
			reading(0, 1_999)
		));
		enter_era(NEXT + 2);
		// A fee of 20 and two rewards of 9.
		let reward = |household| statement(household, NEXT).amounts.reward;
		assert_eq!((reward(0), reward(4)), (9, 9));
		assert_eq!(Balances::free_balance(owner(0)), ENDOWMENT - 20 + 18);
	});
}

#[test]
fn empty_pot_pays_nothing() {
	ExtBuilder::default().build_in_first_era(|| {
		announce(|terms| terms.incentive_per_era = 3_201);
		play(&[0, 1, 2, 3]);
		assert_eq!(rewards(), [0; 4]);
		assert_eq!(statement(1, NEXT).amounts.paid_to_pool, 380);
	});
}

#[test]
fn pot_below_the_incentive_pays_all_but_its_minimum_balance() {
	ExtBuilder::default().build_in_first_era(|| {
		announce(|terms| {
			raise_cap(terms);
			terms.incentive_per_era = 3_201;
		});
		fund_pot(EXISTENTIAL_DEPOSIT + 101);
		play(&[0, 1]);
		assert_eq!(rewards().iter().sum::<Balance>(), 101);
		assert_eq!(pot(), EXISTENTIAL_DEPOSIT);
	});
}

#[test]
fn pot_pays_nothing_when_the_incentive_is_zero() {
	ExtBuilder::default().build_in_first_era(|| {
		fund_pot(10_000);
		play(&[0, 1, 2, 3]);
		assert_eq!((rewards(), pot()), ([0; 4], 10_000));
	});
}

#[test]
fn silent_meter_earns_no_reward() {
	ExtBuilder::default().build_in_first_era(|| {
		announce(|terms| {
			raise_cap(terms);
			terms.incentive_per_era = 1_000;
		});
		fund_pot(10_000);
		play(&[0, 2]);
		assert_eq!(statement(1, NEXT).delivered, None);
		assert_eq!(rewards(), [999, 0, 0, 0]);
	});
}

#[test]
fn reading_that_a_device_estimated_earns_no_reward() {
	ExtBuilder::default().build_in_first_era(|| {
		announce(|terms| terms.incentive_per_era = 1_000);
		fund_pot(10_000);
		submit(0, NEXT, 2_000, &[strategy(Kind::SellToCommunity, 0)]);
		submit(1, NEXT, 0, &[strategy(Kind::BuyFromCommunity, 2_000)]);
		enter_era(NEXT);
		enter_era(NEXT + 1);
		report(1, NEXT, 0, 2_000);
		let estimated = Reading {
			quality: Quality::Estimated,
			..reading(2_000, 0)
		};
		assert_ok!(EnergyMarket::submit_reading(
			RuntimeOrigin::signed(meter(0)),
			NEXT,
			estimated
		));
		enter_era(NEXT + 2);
		assert_eq!(statement(0, NEXT).delivered, None);
		assert_eq!(rewards(), [0, 10, 0, 0]);
	});
}

#[test]
fn statement_has_delivered_comfort_and_payoff() {
	ExtBuilder::default().build_in_first_era(|| {
		for household in [0, 1].map(home) {
			let origin = RuntimeOrigin::signed(owner(household));
			assert_ok!(EnergyMarket::set_comfort(origin, household, Some(comfort())));
		}
		announce(|terms| terms.incentive_per_era = 1_000);
		fund_pot(10_000);
		submit(0, NEXT, 1_000, &[strategy(Kind::SellToMain, 0)]);
		submit(1, NEXT, 0, &[strategy(Kind::BuyFromMain, 1_000)]);
		enter_era(NEXT);
		enter_era(NEXT + 1);
		report(0, NEXT, 1_000, 0);
		// The house is as cold as the lower end of its comfort range.
		let cold = Reading {
			indoor_centi_c: 1_500,
			..reading(0, 1_000)
		};
		assert_ok!(EnergyMarket::submit_reading(
			RuntimeOrigin::signed(meter(1)),
			NEXT,
			cold
		));
		enter_era(NEXT + 2);
		// 21 degrees are the middle of 15 to 27, so comfort is 1. 1 kWh with the main grid is a payoff of 1, whose
		// logarithm is 0.
		let warm = statement(0, NEXT).delivered.unwrap();
		assert_eq!(warm.comfort_ppm, 1_000_000);
		assert!(warm.payoff.0.abs() <= commonwatt_market::game::log2::PAYOFF_ERROR.0);
		let cold = statement(1, NEXT).delivered.unwrap();
		assert_eq!((cold.comfort_ppm, cold.payoff), (0, Log2::NEG_INFINITY));
		assert_eq!(rewards(), [0; 4]);
		assert_eq!(statement(2, NEXT).delivered, None);
	});
}

fn bounds(min_centi_c: i16, max_centi_c: i16) -> Option<ComfortBounds> {
	Some(ComfortBounds {
		min_centi_c,
		max_centi_c,
	})
}

#[test]
fn comfort_range_outside_the_bounds_is_refused() {
	ExtBuilder::default().build_in_first_era(|| {
		announce(|terms| terms.comfort_bounds = bounds(1_600, 2_700));
		let origin = RuntimeOrigin::signed(owner(0));
		assert_noop!(
			EnergyMarket::set_comfort(origin.clone(), home(0), Some(comfort())),
			Error::<Test>::ComfortOutOfBounds
		);
		let offered = offer(owner(5), 9_000, 1_000);
		assert_noop!(
			EnergyMarket::accept_membership(
				RuntimeOrigin::signed(owner(5)),
				offered,
				MAX_DEBIT,
				Some(comfort())
			),
			Error::<Test>::ComfortOutOfBounds
		);
		let within = Comfort {
			min_centi_c: 1_600,
			..comfort()
		};
		assert_ok!(EnergyMarket::set_comfort(origin.clone(), home(0), Some(within)));
		assert_ok!(EnergyMarket::set_comfort(origin, home(0), None));
	});
}

#[test]
fn game_cuts_comfort_ranges_to_new_bounds() {
	ExtBuilder::default().build_in_first_era(|| {
		for household in (0..3).map(home) {
			let model = match household.0 {
				2 => Comfort {
					max_centi_c: 1_700,
					..comfort()
				},
				_ => comfort(),
			};
			let origin = RuntimeOrigin::signed(owner(household));
			assert_ok!(EnergyMarket::set_comfort(origin, household, Some(model)));
		}
		announce(|terms| terms.comfort_bounds = bounds(1_800, 2_400));
		for household in 0..4 {
			submit(household, NEXT, 0, &[strategy(Kind::BuyFromMain, 100)]);
		}
		enter_era(NEXT);
		let narrowed = contract(0, NEXT).comfort.unwrap();
		assert_eq!((narrowed.min_centi_c, narrowed.max_centi_c), (1_800, 2_400));
		assert_eq!(narrowed.check(), Ok(()));
		// The range 15 to 17 degrees lies outside the bounds. Without a model there is nothing to cut.
		assert_eq!(EnergyMarket::view_contract(home(2), NEXT), None);
		assert_eq!(contract(3, NEXT).comfort, None);
		assert!(EnergyMarket::view_verify(VILLAGE, NEXT).is_some());
	});
}

#[test]
fn empty_comfort_bounds_are_refused() {
	ExtBuilder::default().build_in_first_era(|| {
		for (min, max) in [(2_000, 2_000), (2_100, 2_000)] {
			let mut terms = terms();
			terms.comfort_bounds = bounds(min, max);
			assert_noop!(
				EnergyMarket::set_terms(RuntimeOrigin::signed(OPERATOR), VILLAGE, terms, NEXT),
				Error::<Test>::ComfortBoundsEmpty
			);
			assert_noop!(
				EnergyMarket::create_community(
					RuntimeOrigin::root(),
					vec![],
					OPERATOR,
					UTILITY,
					terms,
					mock::bounds()
				),
				Error::<Test>::ComfortBoundsEmpty
			);
		}
	});
}

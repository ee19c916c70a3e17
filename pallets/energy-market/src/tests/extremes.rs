//! Values at both ends of every range: nothing overflows or panics, and all sums are right.

use crate::{mock::*, *};
use commonwatt_market::game::{
	Comfort, Kind, Preference, Ratio, MAX_ENERGY_WH, MAX_LAMBDA, MAX_RESOLUTION_WH,
};
use frame_support::{
	assert_noop, assert_ok,
	traits::fungible::{Inspect, Mutate},
};

/// More than the highest possible bill of a whole community.
const FORTUNE: Balance = Balance::MAX / 64;

fn by(who: AccountId) -> RuntimeOrigin {
	RuntimeOrigin::signed(who)
}

/// Runs `test` on a full community with the given terms, in which every account has [`FORTUNE`].
fn rich(terms: Terms, test: impl FnOnce()) {
	ExtBuilder::default().households(0).build().execute_with(|| {
		System::set_block_number(1);
		for household in 0..MAX_HOUSEHOLDS {
			Balances::set_balance(&owner(household), FORTUNE);
		}
		for who in [UTILITY, OPERATOR, EnergyMarket::pot_account(VILLAGE)] {
			Balances::set_balance(&who, FORTUNE);
		}
		put_terms(terms);
		for household in 0..MAX_HOUSEHOLDS {
			assert_ok!(EnergyMarket::join_at_genesis(
				VILLAGE,
				&GenesisHousehold {
					owner: owner(household),
					meter: meter(household),
					max_debit_per_era: MAX_DEBIT,
					connection_limit_wh: MAX_ENERGY_WH,
					comfort: Some(widest_comfort()),
					preference: None,
				}
			));
		}
		enter_era(FIRST_ERA - 1);
		enter_era(FIRST_ERA);
		let issued = Balances::total_issuance();
		test();
		assert_ok!(EnergyMarket::do_try_state());
		assert_eq!(Balances::total_issuance(), issued);
	});
}

/// The widest comfort range, with the highest sensitivity that it allows.
fn widest_comfort() -> Comfort {
	Comfort {
		min_centi_c: i16::MIN,
		max_centi_c: i16::MAX,
		// 4 / 655.35^2, rounded down.
		a: Ratio {
			numerator: 1,
			denominator: 107_371,
		},
	}
}

fn dearest() -> Terms {
	Terms {
		tariffs: Tariffs {
			retail_per_kwh: MAX_TARIFF_PER_KWH,
			feed_in_per_kwh: 0,
			imbalance_import_per_kwh: MAX_TARIFF_PER_KWH,
			imbalance_export_per_kwh: 0,
			grid_fee_per_kwh: MAX_TARIFF_PER_KWH / 2,
		},
		reward_cap_per_kwh: MAX_TARIFF_PER_KWH / 4,
		incentive_per_era: Balance::MAX,
		comfort_bounds: Some(ComfortBounds {
			min_centi_c: i16::MIN,
			max_centi_c: i16::MAX,
		}),
		..terms()
	}
}

/// Half of the households sell the maximum energy, the others buy it. The buyers have no other choice, because a buyer
/// of so much energy would prefer the main grid.
fn largest_trade(era: EraIndex) {
	for household in 0..MAX_HOUSEHOLDS {
		let sells = household % 2 == 0;
		let (generation, consumption) = if sells {
			(MAX_ENERGY_WH, 0)
		} else {
			(0, MAX_ENERGY_WH)
		};
		let kinds: &[Kind] = match sells {
			true => &[Kind::SellToCommunity, Kind::SellToMain],
			false => &[Kind::BuyFromCommunity],
		};
		let set: Vec<_> = kinds
			.iter()
			.map(|kind| commonwatt_market::game::Strategy {
				temperature_centi_c: if sells { i16::MAX - 1 } else { i16::MIN + 1 },
				..strategy(*kind, consumption)
			})
			.collect();
		submit(household, era, generation, &set);
	}
	enter_era(era);
	enter_era(era + 1);
	for household in 0..MAX_HOUSEHOLDS {
		let (generation, consumption) = match household % 2 {
			0 => (MAX_ENERGY_WH, 0),
			_ => (0, MAX_ENERGY_WH),
		};
		report(household, era, generation, consumption);
	}
	enter_era(era + 2);
}

#[test]
fn sums_are_right_at_maximum_energy_and_tariffs() {
	rich(dearest(), || {
		let pot = Balances::balance(&EnergyMarket::pot_account(VILLAGE));
		largest_trade(FIRST_ERA + 1);
		let totals = record(FIRST_ERA + 1).settled.unwrap();
		let gigawatt_hours = Balance::from(MAX_HOUSEHOLDS / 2);
		assert_eq!(totals.community_wh, u64::from(MAX_HOUSEHOLDS / 2) * 1_000_000_000);
		assert_eq!(
			totals.through_pool,
			gigawatt_hours * 1_000_000 * MAX_TARIFF_PER_KWH / 2
		);
		assert_eq!(totals.grid_fees, totals.through_pool);
		// The buyers' payoffs are so small that they have no weight; the sellers get their caps.
		assert!(totals.rewards <= pot - EXISTENTIAL_DEPOSIT);
		assert_eq!(totals.rewards, totals.grid_fees / 2);
	});
}

#[test]
fn settlement_works_at_the_limits_of_all_rules() {
	let smallest_lambda = Ratio {
		numerator: u32::MAX,
		denominator: u32::MAX - 1,
	};
	let largest_lambda = Ratio {
		numerator: MAX_LAMBDA,
		denominator: 1,
	};
	for lambda in [smallest_lambda, largest_lambda] {
		for resolution_wh in [1, MAX_RESOLUTION_WH] {
			for price_rule in [PriceRule::MidMarket, PriceRule::SupplyDemandRatio] {
				let mut terms = Terms {
					price_rule,
					..dearest()
				};
				terms.rules.lambda = lambda;
				terms.rules.resolution_wh = resolution_wh;
				rich(terms, || {
					largest_trade(FIRST_ERA + 1);
					assert!(record(FIRST_ERA + 1).settled.is_some());
				});
			}
		}
	}
}

#[test]
fn sums_are_right_at_tariffs_of_zero() {
	let mut terms = dearest();
	terms.tariffs = Tariffs {
		retail_per_kwh: 0,
		feed_in_per_kwh: 0,
		imbalance_import_per_kwh: 0,
		imbalance_export_per_kwh: 0,
		grid_fee_per_kwh: 0,
	};
	terms.reward_cap_per_kwh = 0;
	terms.price_rule = PriceRule::SupplyDemandRatio;
	rich(terms, || {
		largest_trade(FIRST_ERA + 1);
		let totals = record(FIRST_ERA + 1).settled.unwrap();
		assert_eq!((totals.through_pool, totals.to_utility), (0, 0));
	});
}

#[test]
fn preference_with_extreme_values_takes_part_in_the_game() {
	rich(dearest(), || {
		for (household, response) in [(home(0), i16::MIN), (home(1), i16::MAX)] {
			assert_ok!(EnergyMarket::set_preference(
				by(owner(household)),
				household,
				Some(Preference {
					flexible_down_percent: 100,
					flexible_up_percent: 100,
					response_centi_c_per_kwh: response,
					trade_with_community: true,
				})
			));
			let extreme = Reading {
				indoor_centi_c: response,
				..reading(0, MAX_ENERGY_WH)
			};
			assert_ok!(EnergyMarket::submit_reading(
				by(meter(household)),
				FIRST_ERA - 1,
				extreme
			));
		}
		enter_era(FIRST_ERA + 1);
		assert_eq!(record(FIRST_ERA + 1).players, 2);
		enter_era(FIRST_ERA + 2);
		enter_era(FIRST_ERA + 3);
		assert!(record(FIRST_ERA + 1).settled.is_some());
	});
}

#[test]
fn last_possible_era_does_not_panic() {
	ExtBuilder::default().build_in_first_era(|| {
		enter_era(EraIndex::MAX - 1);
		submit(0, EraIndex::MAX, 0, &[strategy(Kind::BuyFromMain, 100)]);
		enter_era(EraIndex::MAX);
		assert_eq!(record(EraIndex::MAX).players, 1);
		// There is no later era for which strategies, terms or a new meter could be submitted.
		for era in [0, EraIndex::MAX] {
			assert_noop!(
				EnergyMarket::submit_strategies(
					by(owner(0)),
					home(0),
					era,
					0,
					vec![strategy(Kind::Neutral, 0)]
				),
				Error::<Test>::StrategiesForWrongEra
			);
		}
		assert_noop!(
			EnergyMarket::withdraw_strategies(by(owner(0)), home(0)),
			Error::<Test>::IdsExhausted
		);
		let change = Change::ConnectionLimit(1);
		assert_ok!(EnergyMarket::propose_change(
			by(OPERATOR),
			home(0),
			Some(change.clone())
		));
		assert_noop!(
			EnergyMarket::accept_change(by(owner(0)), home(0), change),
			Error::<Test>::IdsExhausted
		);
		assert_noop!(
			EnergyMarket::set_terms(by(OPERATOR), VILLAGE, terms(), EraIndex::MAX),
			Error::<Test>::NoticeTooShort
		);
		assert_eq!(EnergyMarket::view_current_era(), None);
		// A timestamp beyond the last era changes nothing.
		for now in [u64::from(EraIndex::MAX) * ERA_MS + ERA_MS, u64::MAX] {
			block_at(now);
			assert_eq!(Clock::<Test>::get().unwrap().current, EraIndex::MAX);
		}
	});
}

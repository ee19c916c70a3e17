//! The market on the real runtime: from signed extrinsics to settled energy and money.

mod support;

use commonwatt_runtime::*;
use frame_support::{
	assert_noop, assert_ok,
	traits::fungible::{Inspect, InspectHold},
};
use genesis_config_presets::{paper_comfort, paper_households, paper_terms};
use pallet_energy_market::{
	game::{Kind, Preference, Status, Strategy},
	Call as MarketCall, EraLengthMs, Quality, Reading,
};
use sp_keyring::Sr25519Keyring::{self, *};
use support::*;

fn strategy(kind: Kind, consumption_wh: u32) -> Strategy {
	Strategy {
		kind,
		consumption_wh,
		temperature_centi_c: 2_100,
	}
}

fn strategies(household: u32, era: u32, generation_wh: u32, strategies: Vec<Strategy>) -> RuntimeCall {
	MarketCall::submit_strategies {
		household,
		era,
		generation_wh,
		strategies,
	}
	.into()
}

fn reading(era: u32, generation_wh: u32, consumption_wh: u32) -> RuntimeCall {
	let reading = Reading {
		generation_wh,
		consumption_wh,
		indoor_centi_c: 2_100,
		quality: Quality::Measured,
	};
	MarketCall::submit_reading { era, reading }.into()
}

/// Generation and consumption of the four households, in Wh.
const DAY: [[(u32, u32); 4]; 3] = [
	[(3_000, 500), (2_000, 4_000), (0, 1_500), (100, 95)],
	[(0, 900), (800, 700), (2_500, 100), (0, 5_000)],
	[(5_300, 6_000), (5_400, 1_000), (5_700, 200), (5_200, 400)],
];

fn both_kinds(generation: u32, consumption: u32) -> Vec<Strategy> {
	match generation.cmp(&consumption) {
		_ if generation.abs_diff(consumption) < 10 => vec![strategy(Kind::Neutral, consumption)],
		std::cmp::Ordering::Greater => vec![
			strategy(Kind::SellToMain, consumption),
			strategy(Kind::SellToCommunity, consumption),
		],
		_ => vec![
			strategy(Kind::BuyFromMain, consumption),
			strategy(Kind::BuyFromCommunity, consumption),
		],
	}
}

fn readings(era: u32, row: [(u32, u32); 4]) -> Vec<(Sr25519Keyring, RuntimeCall)> {
	let meters = paper_households().into_iter().map(|(_, meter)| meter);
	meters
		.zip(row)
		.map(|(meter, (g, c))| (meter, reading(era, g, c)))
		.collect()
}

#[test]
fn paper_community_trades_over_several_eras_and_everything_sums_to_zero() {
	on_chain("development", |chain| {
		let mut era = chain.next_era();
		for (index, row) in DAY.iter().enumerate() {
			let mut calls: Vec<_> = row
				.iter()
				.enumerate()
				.map(|(h, (g, c))| {
					(
						paper_households()[h].0,
						strategies(h as u32, era + 1, *g, both_kinds(*g, *c)),
					)
				})
				.collect();
			// The game before last was for the era that has just ended.
			if let Some(before) = index.checked_sub(2).map(|before| DAY[before]) {
				calls.extend(readings(era - 1, before));
			}
			chain.submit(calls);
			era = chain.next_era();
			let record = EnergyMarket::view_record(0, era).expect("cleared");
			assert_eq!(record.players, 4);
			assert_eq!(record.certificate.status, Status::Equilibrium);
			assert!(record.certificate.traded_wh > 0);
			assert_eq!(EnergyMarket::view_verify(0, era), Some(record.certificate));
		}
		let first = era - 2;
		for row in &DAY[1..] {
			chain.submit(readings(era - 1, *row));
			era = chain.next_era();
		}
		for (index, row) in DAY.iter().enumerate() {
			let era = first + index as u32;
			let totals = EnergyMarket::view_record(0, era)
				.and_then(|record| record.settled)
				.expect("settled");
			assert_eq!(totals.missing_readings, 0);
			let statements: Vec<_> = (0..4)
				.map(|h| EnergyMarket::view_statement(h, era).expect("a statement"))
				.collect();
			let net: i64 = statements.iter().map(|s| s.energy.community_wh()).sum();
			assert_eq!(net, 0);
			for (statement, (g, c)) in statements.iter().zip(row) {
				let net = i64::from(*g) - i64::from(*c);
				assert_eq!(statement.energy.community_wh() + statement.energy.main_wh(), net);
			}
			let paid: u128 = statements.iter().map(|s| s.amounts.paid_to_pool).sum();
			let received: u128 = statements.iter().map(|s| s.amounts.received_from_pool).sum();
			assert_eq!(paid, received);
			assert!(paid > 0);
		}
		for (owner, _) in paper_households() {
			assert_eq!(Balances::total_balance_on_hold(&owner.to_account_id()), 0);
		}
	});
}

#[test]
fn contracts_are_backed_by_holds_while_they_are_open() {
	on_chain("development", |chain| {
		let era = chain.next_era();
		chain.submit(vec![
			(
				Alice,
				strategies(0, era + 1, 2_000, vec![strategy(Kind::SellToCommunity, 0)]),
			),
			(
				Bob,
				strategies(1, era + 1, 0, vec![strategy(Kind::BuyFromCommunity, 2_000)]),
			),
		]);
		chain.next_era();
		let held = EnergyMarket::view_contract(1, era + 1).expect("a contract").held;
		// 2 kWh at retail, which is above pool price and fee, and two units for rounding.
		assert_eq!(held, 600 * MILLIWATT + 2);
		assert_eq!(Balances::total_balance_on_hold(&Bob.to_account_id()), held);
		assert_eq!(Balances::total_balance_on_hold(&Alice.to_account_id()), 0);
	});
}

#[test]
fn home_energy_manager_acts_for_its_owner_and_can_do_nothing_else() {
	on_chain("development", |chain| {
		let era = chain.next_era();
		let manager = Sr25519Keyring::EveStash;
		chain.submit(vec![(
			Alice,
			pallet_proxy::Call::add_proxy {
				delegate: manager.to_account_id().into(),
				proxy_type: configs::ProxyType::Market,
				delay: 0,
			}
			.into(),
		)]);
		let as_alice = |call: RuntimeCall| -> RuntimeCall {
			pallet_proxy::Call::proxy {
				real: Alice.to_account_id().into(),
				force_proxy_type: None,
				call: Box::new(call),
			}
			.into()
		};
		let sell = strategies(0, era + 1, 2_000, vec![strategy(Kind::SellToMain, 0)]);
		chain.submit(vec![(manager, as_alice(sell))]);
		assert!(pallet_energy_market::Submissions::<Runtime>::contains_key(0));

		let before = Balances::balance(&Bob.to_account_id());
		let transfer = pallet_balances::Call::transfer_allow_death {
			dest: Bob.to_account_id().into(),
			value: WATT,
		};
		// The proxy call itself goes through; what it wraps is refused, which the event tells.
		chain.submit(vec![(manager, as_alice(transfer.into()))]);
		assert_eq!(Balances::balance(&Bob.to_account_id()), before);
	});
}

#[test]
fn household_joins_through_a_batch_and_its_preference_speaks() {
	on_chain("development", |chain| {
		let era = chain.next_era();
		let (owner, meter) = (AliceStash, FerdieStash);
		let register = MarketCall::register_household {
			community: 0,
			owner: owner.to_account_id(),
			meter: meter.to_account_id(),
			connection_limit_wh: 10_000,
			comfort: Some(paper_comfort()),
		};
		let terms = MarketCall::set_terms {
			community: 0,
			terms: paper_terms(),
		};
		let batch = pallet_utility::Call::batch_all {
			calls: vec![register.into(), terms.into()],
		};
		chain.submit(vec![(Eve, batch.into())]);
		let preference = Preference {
			flexible_down_percent: 10,
			flexible_up_percent: 10,
			response_centi_c_per_kwh: 50,
			trade_with_community: true,
		};
		chain.submit(vec![(
			owner,
			MarketCall::set_preference {
				household: 4,
				preference: Some(preference),
			}
			.into(),
		)]);
		chain.next_era();
		chain.submit(vec![(meter, reading(era, 0, 1_000))]);
		chain.next_era();
		let contract = EnergyMarket::view_contract(4, era + 2).expect("a contract");
		assert_eq!(contract.strategies.len(), 6);
		// Nobody sells: consumption that keeps the house comfortable, from the main grid.
		assert!(contract.energy.bought_from_main_wh > 0);
	});
}

#[test]
fn stranger_is_refused_by_name_and_nothing_changes() {
	on_chain("development", |chain| {
		let era = chain.next_era();
		let refused = chain.try_submit(Ferdie, reading(era - 1, 0, 0));
		assert_eq!(
			refused,
			Err(pallet_energy_market::Error::<Runtime>::UnknownMeter.into())
		);
		let create = MarketCall::<Runtime>::create_community {
			name: b"mine".to_vec(),
			operator: Alice.to_account_id(),
			utility: Alice.to_account_id(),
			terms: paper_terms(),
		};
		assert_eq!(
			chain.try_submit(Alice, create.clone()),
			Err(sp_runtime::DispatchError::BadOrigin)
		);
		let sudo = pallet_sudo::Call::sudo {
			call: Box::new(create.into()),
		};
		assert_ok!(chain.try_submit(Alice, sudo));
		assert_eq!(pallet_energy_market::CommunityCount::<Runtime>::get(), 2);
		assert_noop!(
			EnergyMarket::set_terms(RuntimeOrigin::signed(Bob.to_account_id()), 0, paper_terms()),
			pallet_energy_market::Error::<Runtime>::NotOperator
		);
	});
}

#[test]
fn chain_that_stood_still_goes_on_and_settles_what_was_open() {
	on_chain("development", |chain| {
		let era = chain.next_era();
		chain.submit(vec![
			(
				Alice,
				strategies(0, era + 1, 2_000, vec![strategy(Kind::SellToCommunity, 0)]),
			),
			(
				Bob,
				strategies(1, era + 1, 0, vec![strategy(Kind::BuyFromCommunity, 2_000)]),
			),
		]);
		chain.next_era();
		chain.stand_still(7 * EraLengthMs::<Runtime>::get());
		let now = chain.next_era();
		assert!(now >= era + 8, "eras were missed");
		assert_eq!(
			EnergyMarket::view_current_era().and_then(|view| view.readings_of),
			Some(era + 1)
		);
		chain.next_era();
		let totals = EnergyMarket::view_record(0, era + 1)
			.and_then(|record| record.settled)
			.expect("settled");
		assert_eq!(totals.missing_readings, 4);
		assert_eq!(Balances::total_balance_on_hold(&Bob.to_account_id()), 0);
	});
}

#[test]
fn slots_fit_the_length_of_an_era() {
	use frame_support::traits::Get;
	on_chain("development", |_| {
		assert_eq!(EraLengthMs::<Runtime>::get(), 60_000);
		assert_eq!(configs::SlotDuration::get(), 2_000);
	});
	on_chain("local_testnet", |_| {
		assert_eq!(EraLengthMs::<Runtime>::get(), 1_800_000);
		assert_eq!(configs::SlotDuration::get(), 6_000);
		assert_eq!(pallet_aura::Authorities::<Runtime>::get().len(), 2);
	});
}

#[test]
fn development_accounts_are_those_that_polkadot_js_apps_offers() {
	on_chain("development", |_| {
		let offered = [Alice, AliceStash, Bob, BobStash, Charlie, Dave, Eve, Ferdie];
		for key in offered.into_iter().chain([CharlieStash, DaveStash]) {
			assert!(
				Balances::balance(&key.to_account_id()) >= 1_000 * WATT,
				"{key:?} has no funds"
			);
		}
		let community = pallet_energy_market::Communities::<Runtime>::get(0).expect("a community");
		assert_eq!(
			(community.operator, community.utility),
			(Eve.to_account_id(), Ferdie.to_account_id())
		);
		assert_eq!(pallet_sudo::Key::<Runtime>::get(), Some(Alice.to_account_id()));
	});
}

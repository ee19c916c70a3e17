//! The market on the real runtime: from signed extrinsics to settled energy and money.

use commonwatt_runtime::{configs, genesis_config_presets::paper_households, Aura};
use commonwatt_testkit::*;
use frame_support::traits::{fungible::Inspect, Get};
use pallet_energy_market::{CommunityCount, EraLengthMs};
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionValidityError};

/// Generation and consumption of the four households in three eras, Wh.
const DAY: [[(u32, u32); 4]; 3] = [
	[(3_000, 500), (2_000, 4_000), (0, 1_500), (100, 95)],
	[(0, 900), (800, 700), (2_500, 100), (0, 5_000)],
	[(5_300, 6_000), (5_400, 1_000), (5_700, 200), (5_200, 400)],
];

/// The community of the genesis.
const HOME: CommunityId = CommunityId(0);

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

fn readings(row: [(u32, u32); 4]) -> impl Iterator<Item = Signed> {
	(0..).zip(row).map(|(h, (g, c))| reading(h, g, c))
}

/// Household 0 offers 2 kWh to the community in the next era, and household 1 requests as much.
fn seller_and_buyer() -> [Signed; 2] {
	[
		strategies(0, 2_000, vec![strategy(Kind::SellToCommunity, 0)]),
		strategies(1, 0, vec![strategy(Kind::BuyFromCommunity, 2_000)]),
	]
}

#[test]
fn paper_community_trades_over_several_eras_and_sums_are_zero() {
	Setup::preset("development").run(|chain| {
		let mut era = chain.next_era();
		for (index, row) in DAY.iter().enumerate() {
			let mut calls: Vec<_> = (0..)
				.zip(row)
				.map(|(h, (g, c))| strategies(h, *g, both_kinds(*g, *c)))
				.collect();
			// Two games ago the game was for the era that has just ended, whose readings are due.
			if let Some(before) = index.checked_sub(2).map(|before| DAY[before]) {
				calls.extend(readings(before));
			}
			chain.submit(calls);
			era = chain.next_era();
			let record = record(0, era);
			assert_eq!(record.players, 4);
			assert_eq!(record.certificate.status, Status::Equilibrium);
			assert!(record.certificate.traded_wh > 0);
			assert_eq!(EnergyMarket::view_verify(HOME, era), Some(record.certificate));
		}
		let first = era - 2;
		for row in &DAY[1..] {
			chain.submit(readings(*row));
			chain.next_era();
		}
		for (era, row) in (first..).zip(DAY) {
			let totals = record(0, era).settled.expect("the era is settled");
			assert_eq!(totals.missing_readings, 0);
			assert!(totals.through_pool > 0);
			assert_sums(0, era);
			for (household, (g, c)) in (0..).zip(row) {
				let reading = statement(household, era).reading;
				assert_eq!((reading.generation_wh, reading.consumption_wh), (g, c));
			}
		}
		for (owner, _) in paper_households() {
			assert_eq!(held(owner), 0);
		}
	});
}

#[test]
fn contracts_are_backed_by_holds_while_they_are_open() {
	Setup::preset("development").run(|chain| {
		chain.next_era();
		chain.submit(seller_and_buyer());
		let era = chain.next_era();
		// The buyer's 2 kWh at price and fee; the seller's 2 kWh at imbalance import less the price.
		assert_eq!(contract(1, era).held, 400 * MILLI);
		assert_eq!(contract(0, era).held, 340 * MILLI);
		assert_eq!(held(Bob), contract(1, era).held);
		assert_eq!(held(Alice), contract(0, era).held);
	});
}

#[test]
fn household_joins_through_a_batch_and_plays_by_its_preference() {
	Setup::preset("development").run(|chain| {
		chain.next_era();
		let offer = MarketCall::offer_membership {
			community: HOME,
			owner: AliceStash.to_account_id(),
			meter: meter(4),
			connection_limit_wh: 10_000,
		};
		let terms = MarketCall::set_terms {
			community: HOME,
			terms: paper::TERMS,
			from_era: now().current + 2,
		};
		let batch = pallet_utility::Call::batch_all {
			calls: vec![offer.into(), terms.into()],
		};
		chain.submit([by(Eve, batch)]);
		let household = HouseholdId(4);
		let accept = MarketCall::accept_membership {
			household,
			max_debit_per_era: UNIT,
			comfort: Some(paper::COMFORT),
		};
		let confirm = MarketCall::confirm_meter { household };
		chain.submit([by(AliceStash, accept), by(meter(4), confirm)]);
		let preference = MarketCall::set_preference {
			household: HouseholdId(4),
			preference: Some(Preference {
				flexible_down_percent: 10,
				flexible_up_percent: 10,
				response_centi_c_per_kwh: 50,
				trade_with_community: true,
			}),
		};
		chain.submit([by(AliceStash, preference)]);
		chain.next_era();
		chain.submit([reading(4, 0, 1_000)]);
		let era = chain.next_era();
		assert_eq!(contract(4, era).strategies.len(), 6);
		// Nobody sells, so the household buys from the main grid what keeps it comfortable.
		assert!(contract(4, era).energy.bought_from_main_wh > 0);
	});
}

#[test]
fn calls_of_others_fail_with_the_right_error() {
	Setup::preset("development").run(|chain| {
		chain.next_era();
		let (_, report) = reading(0, 0, 0);
		assert_eq!(
			chain.try_submit(by(Ferdie, report)),
			Err(MarketError::UnknownMeter.into())
		);
		let create = MarketCall::<Runtime>::create_community {
			name: b"mine".to_vec(),
			operator: Alice.to_account_id(),
			utility: Alice.to_account_id(),
			terms: paper::TERMS,
			bounds: paper::BOUNDS,
		};
		assert_eq!(
			chain.try_submit(by(Alice, create.clone())),
			Err(sp_runtime::DispatchError::BadOrigin)
		);
		let sudo = pallet_sudo::Call::sudo {
			call: Box::new(create.into()),
		};
		chain.submit([by(Alice, sudo)]);
		assert_eq!(CommunityCount::<Runtime>::get(), 2);
		let terms = MarketCall::set_terms {
			community: HOME,
			terms: paper::TERMS,
			from_era: now().current + 2,
		};
		assert_noop!(dispatch(by(Bob, terms)), MarketError::NotOperator);
	});
}

#[test]
fn strategies_submitted_during_clearing_do_not_replace_those_of_the_game() {
	Setup::preset("development").run(|chain| {
		chain.next_era();
		chain.submit(seller_and_buyer());
		let era = chain.next_era_with(|block| {
			// The era has begun, its game is solved at the end of this block, and strategies for the next era are
			// accepted.
			if block == 1 {
				for call in seller_and_buyer() {
					assert_ok!(dispatch(call));
				}
			}
		});
		assert_eq!(record(0, era).certificate.traded_wh, 2_000);
		chain.next_era();
		assert_eq!(record(0, era + 1).certificate.traded_wh, 2_000);
	});
}

const CANNOT_PAY: TransactionValidityError = TransactionValidityError::Invalid(InvalidTransaction::Payment);

#[test]
fn meter_without_funds_reports_each_era_once_without_a_fee() {
	Setup::empty().community(community(2)).run(|chain| {
		chain.next_era();
		let issued = Balances::total_issuance();
		for nonce in [0, 1] {
			let (first, second) = (reading(0, 0, 1_000), reading(0, 0, 900));
			let meter = first.0.clone();
			let era = now().readings_of.expect("the chain has seen an earlier era");
			// Each is a first reading for the pool, which has no other; but a block accepts only one of them.
			let both = [signed(nonce, first), signed(nonce + 1, second.clone())];
			for extrinsic in both.clone() {
				assert_ok!(chain.validate(extrinsic));
			}
			assert_eq!(chain.block(both.into()), [Ok(Ok(())), Err(CANNOT_PAY)]);
			assert_eq!(System::account_nonce(&meter), nonce + 1);
			assert_eq!(Balances::balance(&meter), 0);
			assert_eq!(chain.validate(signed(nonce + 1, second)), Err(CANNOT_PAY));
			chain.next_era();
			assert_eq!(statement(0, era).reading.consumption_wh, 1_000);
		}
		assert_eq!(Balances::total_issuance(), issued);
	});
}

#[test]
fn meter_pays_for_everything_but_a_valid_first_reading() {
	Setup::empty().community(community(2)).run(|chain| {
		chain.next_era();
		let (meter, valid) = reading(0, 0, 1_000);
		let report = |era, consumption_wh, quality| -> RuntimeCall {
			let reading = Reading {
				quality,
				..measured(0, consumption_wh)
			};
			MarketCall::submit_reading { era, reading }.into()
		};
		let era = now().readings_of.expect("the chain has seen an earlier era");
		let paid: Vec<RuntimeCall> = vec![
			report(era, 1_000, Quality::Corrected),
			report(era, 15_001, Quality::Measured),
			report(era + 1, 1_000, Quality::Measured),
			report(era - 1, 1_000, Quality::Measured),
			pallet_utility::Call::batch {
				calls: vec![valid.clone()],
			}
			.into(),
			frame_system::Call::remark { remark: vec![] }.into(),
		];
		for call in paid {
			let extrinsic = signed(0, by(meter.clone(), call));
			assert_eq!(chain.validate(extrinsic.clone()), Err(CANNOT_PAY));
			assert_eq!(chain.block(vec![extrinsic]), [Err(CANNOT_PAY)]);
		}
		// With funds it may correct its reading.
		let transfer = pallet_balances::Call::transfer_keep_alive {
			dest: meter.clone().into(),
			value: UNIT,
		};
		chain.submit([by(Alice, transfer), by(meter.clone(), valid)]);
		assert_eq!(Balances::balance(&meter), UNIT);
		chain.submit([by(meter.clone(), report(era, 900, Quality::Corrected))]);
		assert!(Balances::balance(&meter) < UNIT);
		chain.next_era();
		assert_eq!(statement(0, era).reading.consumption_wh, 900);
	});
}

#[test]
fn reading_of_a_stranger_fails_and_costs_a_fee() {
	Setup::empty().community(community(2)).run(|chain| {
		chain.next_era();
		let (_, report) = reading(0, 0, 1_000);
		let poor = signed(0, by(account("//stranger"), report.clone()));
		assert_eq!(chain.validate(poor.clone()), Err(CANNOT_PAY));
		assert_eq!(chain.block(vec![poor]), [Err(CANNOT_PAY)]);
		let before = Balances::balance(&Dave.to_account_id());
		assert_eq!(
			chain.try_submit(by(Dave, report)),
			Err(MarketError::UnknownMeter.into())
		);
		assert!(Balances::balance(&Dave.to_account_id()) < before);
	});
}

#[test]
fn chain_settles_open_contracts_after_a_standstill() {
	Setup::preset("development").run(|chain| {
		chain.next_era();
		chain.submit(seller_and_buyer());
		let era = chain.next_era();
		chain.stand_still(7 * EraLengthMs::<Runtime>::get());
		assert!(chain.next_era() >= era + 7, "no era was missed");
		assert_eq!(now().readings_of, Some(era));
		chain.next_era();
		let totals = record(0, era).settled.expect("the era is settled");
		assert_eq!(totals.missing_readings, 4);
		assert_eq!(held(Bob), 0);
	});
}

#[test]
fn slot_duration_follows_the_length_of_an_era() {
	Setup::preset("development").run(|_| {
		assert_eq!(EraLengthMs::<Runtime>::get(), 60_000);
		assert_eq!(configs::SlotDuration::get(), 2_000);
	});
	Setup::preset("local_testnet").run(|_| {
		assert_eq!(EraLengthMs::<Runtime>::get(), 1_800_000);
		assert_eq!(configs::SlotDuration::get(), 6_000);
		assert_eq!(Aura::authorities_len(), 2);
	});
}

#[test]
fn development_accounts_are_those_of_polkadot_js_apps() {
	Setup::preset("development").run(|_| {
		let offered = [Alice, AliceStash, Bob, BobStash, Charlie, Dave, Eve, Ferdie];
		for key in offered.into_iter().chain([CharlieStash, DaveStash]) {
			assert!(
				Balances::balance(&key.to_account_id()) >= 1_000 * UNIT,
				"{key:?} has no funds"
			);
		}
		let community = pallet_energy_market::Communities::<Runtime>::get(HOME).expect("community 0 exists");
		assert_eq!(
			(community.operator, community.utility),
			(Eve.to_account_id(), Ferdie.to_account_id())
		);
		assert_eq!(pallet_sudo::Key::<Runtime>::get(), Some(Alice.to_account_id()));
	});
}

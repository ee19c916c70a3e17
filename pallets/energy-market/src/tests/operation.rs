//! What an operator does with a running community: pause, suspension, meters, data concentrator. Also views.

use crate::{mock::*, *};
use codec::Encode;
use commonwatt_market::game::Kind;
use frame_support::{assert_noop, assert_ok, traits::Get};
use sp_runtime::DispatchResult;

const NEXT: EraIndex = FIRST_ERA + 1;
const NEW_METER: AccountId = 9_001;

fn by(who: AccountId) -> RuntimeOrigin {
	RuntimeOrigin::signed(who)
}

fn trade(era: EraIndex) {
	submit(0, era, 2_000, &[strategy(Kind::SellToCommunity, 0)]);
	submit(1, era, 0, &[strategy(Kind::BuyFromCommunity, 2_000)]);
}

fn send(meter: AccountId, era: EraIndex, reading: Reading) -> DispatchResult {
	EnergyMarket::submit_reading(by(meter), era, reading)
}

fn corrected(generation_wh: u32, consumption_wh: u32) -> Reading {
	Reading {
		quality: Quality::Corrected,
		..reading(generation_wh, consumption_wh)
	}
}

#[test]
fn paused_community_settles_open_contracts_and_can_be_resumed() {
	ExtBuilder::default().build_in_first_era(|| {
		trade(NEXT);
		assert_ok!(EnergyMarket::set_paused(by(OPERATOR), VILLAGE, true));
		enter_era(NEXT);
		// The pause begins in the era after next.
		assert_noop!(
			EnergyMarket::submit_strategies(
				by(owner(0)),
				home(0),
				NEXT + 1,
				0,
				vec![strategy(Kind::Neutral, 0)]
			),
			Error::<Test>::CommunityPaused
		);
		enter_era(NEXT + 1);
		assert!(EnergyMarket::view_record(VILLAGE, NEXT + 1).is_none());
		report(0, NEXT, 2_000, 0);
		report(1, NEXT, 0, 2_000);
		assert_ok!(EnergyMarket::set_paused(by(OPERATOR), VILLAGE, false));
		enter_era(NEXT + 2);
		assert_eq!(
			record(NEXT).settled.map(|totals| totals.community_wh),
			Some(2_000)
		);
		// In an era without a game, all energy is traded with the main grid.
		report(1, NEXT + 1, 0, 1_000);
		trade(NEXT + 3);
		enter_era(NEXT + 3);
		assert_eq!(statement(1, NEXT + 1).amounts.main_cost, 300);
		assert_eq!(record(NEXT + 3).certificate.traded_wh, 2_000);
	});
}

/// Such an era has no record that keeps its terms.
#[test]
fn era_without_a_game_is_billed_by_its_own_terms_despite_later_announcements() {
	ExtBuilder::default().build_in_first_era(|| {
		assert_ok!(EnergyMarket::set_paused(by(OPERATOR), VILLAGE, true));
		let announce = |times: Balance, from_era| {
			let mut terms = terms();
			terms.tariffs.retail_per_kwh *= times;
			terms.tariffs.imbalance_import_per_kwh *= times;
			assert_ok!(EnergyMarket::set_terms(by(OPERATOR), VILLAGE, terms, from_era));
		};
		// The second announcement comes in the first era of the first terms, before the era before is settled.
		announce(2, FIRST_ERA + 3);
		for era in 1..=3 {
			enter_era(FIRST_ERA + era);
		}
		announce(3, FIRST_ERA + 6);
		for era in 4..=8 {
			report(0, FIRST_ERA + era - 2, 0, 1_000);
			enter_era(FIRST_ERA + era);
		}
		let costs = [2, 3, 5, 6].map(|era| statement(0, FIRST_ERA + era).amounts.main_cost);
		assert_eq!(costs, [300, 600, 600, 900]);
	});
}

#[test]
fn pause_longer_than_the_rings_keeps_all_invariants() {
	ExtBuilder::default().build_in_first_era(|| {
		trade(NEXT);
		assert_ok!(EnergyMarket::set_paused(by(OPERATOR), VILLAGE, true));
		enter_era(NEXT);
		enter_era(NEXT + 1);
		report(0, NEXT, 2_000, 0);
		report(1, NEXT, 0, 2_000);
		for era in NEXT + 2..NEXT + 2 * RETAINED_ERAS {
			enter_era(era);
			EnergyMarket::do_try_state().unwrap();
		}
		assert!(EnergyMarket::view_record(VILLAGE, NEXT).is_none());
	});
}

#[test]
fn suspended_household_trades_with_the_main_grid_only() {
	ExtBuilder::default().build_in_first_era(|| {
		assert_ok!(EnergyMarket::set_suspended(by(OPERATOR), home(1), true));
		enter_era(NEXT);
		submit(0, NEXT + 1, 2_000, &[strategy(Kind::SellToMain, 0)]);
		assert_noop!(
			EnergyMarket::submit_strategies(
				by(owner(1)),
				home(1),
				NEXT + 1,
				0,
				vec![strategy(Kind::Neutral, 0)]
			),
			Error::<Test>::HouseholdSuspended
		);
		enter_era(NEXT + 1);
		assert!(EnergyMarket::view_contract(home(1), NEXT + 1).is_none());
		assert_ok!(EnergyMarket::set_suspended(by(OPERATOR), home(1), false));
		enter_era(NEXT + 2);
		report(1, NEXT + 1, 0, 2_000);
		trade(NEXT + 3);
		enter_era(NEXT + 3);
		assert_eq!(statement(1, NEXT + 1).energy.bought_from_main_wh, 2_000);
		assert_eq!(record(NEXT + 3).certificate.traded_wh, 2_000);
	});
}

/// An operator that sees strategies or the game cannot change who takes part in it.
#[test]
fn suspension_and_pause_never_reach_an_era_whose_strategies_are_given() {
	ExtBuilder::default().build_in_first_era(|| {
		trade(NEXT);
		assert_ok!(EnergyMarket::set_suspended(by(OPERATOR), home(1), true));
		assert_ok!(EnergyMarket::set_paused(by(OPERATOR), VILLAGE, true));
		// The first block of the era, before the chain has noted it.
		enter_era(NEXT);
		assert_eq!(contract(0, NEXT).energy.sold_to_community_wh, 2_000);
		assert_eq!(contract(1, NEXT).energy.bought_from_community_wh, 2_000);
	});
}

#[test]
fn operator_calls_are_refused_from_others_and_without_a_change() {
	ExtBuilder::default().build_in_first_era(|| {
		for who in [STRANGER, owner(0), UTILITY] {
			assert_noop!(
				EnergyMarket::set_paused(by(who), VILLAGE, true),
				Error::<Test>::NotOperator
			);
			assert_noop!(
				EnergyMarket::set_suspended(by(who), home(0), true),
				Error::<Test>::NotOperator
			);
			assert_noop!(
				EnergyMarket::propose_change(by(who), home(0), Some(Change::Meter(NEW_METER))),
				Error::<Test>::NotOperator
			);
			assert_noop!(
				EnergyMarket::set_concentrator(by(who), VILLAGE, Some(who)),
				Error::<Test>::NotOperator
			);
			assert_noop!(
				EnergyMarket::set_operator(by(who), VILLAGE, who),
				sp_runtime::DispatchError::BadOrigin
			);
		}
		for who in [OPERATOR, STRANGER] {
			assert_noop!(
				EnergyMarket::set_utility(by(who), VILLAGE, who),
				sp_runtime::DispatchError::BadOrigin
			);
			assert_noop!(
				EnergyMarket::close_community(by(who), VILLAGE, who),
				sp_runtime::DispatchError::BadOrigin
			);
		}
		assert_noop!(
			EnergyMarket::set_paused(by(OPERATOR), VILLAGE, false),
			Error::<Test>::NothingToChange
		);
		assert_noop!(
			EnergyMarket::set_concentrator(by(OPERATOR), VILLAGE, None),
			Error::<Test>::NothingToChange
		);
		assert_noop!(
			EnergyMarket::set_suspended(by(OPERATOR), home(0), false),
			Error::<Test>::NothingToChange
		);
		assert_noop!(
			EnergyMarket::set_paused(by(OPERATOR), CommunityId(1), true),
			Error::<Test>::UnknownCommunity
		);
		assert_noop!(
			EnergyMarket::set_suspended(by(OPERATOR), home(99), true),
			Error::<Test>::UnknownHousehold
		);
		assert_noop!(
			EnergyMarket::set_operator(RuntimeOrigin::root(), CommunityId(1), STRANGER),
			Error::<Test>::UnknownCommunity
		);
	});
}

#[test]
fn governance_names_another_operator() {
	ExtBuilder::default().build_in_first_era(|| {
		assert_ok!(EnergyMarket::set_operator(
			RuntimeOrigin::root(),
			VILLAGE,
			STRANGER
		));
		assert_noop!(
			EnergyMarket::set_paused(by(OPERATOR), VILLAGE, true),
			Error::<Test>::NotOperator
		);
		assert_ok!(EnergyMarket::set_paused(by(STRANGER), VILLAGE, true));
	});
}

#[test]
fn announcements_of_a_replaced_operator_never_come_into_force() {
	ExtBuilder::default().build_in_first_era(|| {
		let mut dear = terms();
		dear.tariffs.grid_fee_per_kwh = 100;
		let from_era = FIRST_ERA + TERMS_NOTICE;
		assert_ok!(EnergyMarket::set_terms(by(OPERATOR), VILLAGE, dear, from_era));
		assert_ok!(EnergyMarket::set_paused(by(OPERATOR), VILLAGE, true));
		assert_ok!(EnergyMarket::set_concentrator(
			by(OPERATOR),
			VILLAGE,
			Some(OPERATOR)
		));
		assert_ok!(EnergyMarket::set_operator(
			RuntimeOrigin::root(),
			VILLAGE,
			STRANGER
		));
		for era in NEXT..=from_era {
			trade(era);
			enter_era(era);
			report(0, era - 1, 2_000, 0);
			report(1, era - 1, 0, 2_000);
		}
		let community = Communities::<Test>::get(VILLAGE).unwrap();
		assert_eq!(*community.concentrator.in_era(from_era), None);
		assert_eq!(record(from_era).terms, terms());
		assert_eq!(record(from_era).certificate.traded_wh, 2_000);
	});
}

#[test]
fn governance_names_another_utility_which_settles_from_then_on() {
	ExtBuilder::default().build_in_first_era(|| {
		assert_ok!(EnergyMarket::set_utility(
			RuntimeOrigin::root(),
			VILLAGE,
			STRANGER
		));
		report(0, FIRST_ERA - 1, 0, 1_000);
		for silent in 1..4 {
			report(silent, FIRST_ERA - 1, 0, 0);
		}
		enter_era(NEXT);
		assert_eq!(Balances::free_balance(STRANGER), ENDOWMENT + 300);
		assert_eq!(Balances::free_balance(UTILITY), ENDOWMENT);
	});
}

#[test]
fn closed_community_returns_its_money_and_leaves_nothing_behind() {
	ExtBuilder::default().households(0).build_and_execute(|| {
		let root = RuntimeOrigin::root;
		let pot = EnergyMarket::pot_account(VILLAGE);
		assert_ok!(Balances::transfer_keep_alive(by(STRANGER), pot, 500));
		enter_era(FIRST_ERA);
		enter_era(NEXT);
		assert!(Records::<Test>::iter().count() > 0);
		assert_ok!(EnergyMarket::close_community(root(), VILLAGE, UTILITY));
		assert_eq!(Balances::free_balance(UTILITY), ENDOWMENT + 500);
		assert_eq!(Balances::free_balance(OPERATOR), ENDOWMENT);
		for left in [
			Records::<Test>::iter().count(),
			Communities::<Test>::iter().count(),
		] {
			assert_eq!(left, 0);
		}
		assert_noop!(
			EnergyMarket::close_community(root(), VILLAGE, UTILITY),
			Error::<Test>::UnknownCommunity
		);
		// The next community gets another number, and rounds go on.
		assert_ok!(EnergyMarket::create_community(
			root(),
			b"hill".to_vec(),
			OPERATOR,
			UTILITY,
			terms(),
			bounds()
		));
		assert!(Communities::<Test>::contains_key(CommunityId(1)));
		enter_era(NEXT + 1);
		enter_era(NEXT + 2);
	});
}

#[test]
fn community_with_members_or_a_round_under_way_is_not_closed() {
	ExtBuilder::default().build_in_first_era(|| {
		let close = || EnergyMarket::close_community(RuntimeOrigin::root(), VILLAGE, UTILITY);
		assert_noop!(close(), Error::<Test>::CommunityNotEmpty);
	});
	ExtBuilder::default().households(0).build_and_execute(|| {
		block_at(u64::from(FIRST_ERA) * ERA_MS);
		assert_noop!(
			EnergyMarket::close_community(RuntimeOrigin::root(), VILLAGE, UTILITY),
			Error::<Test>::RoundUnderWay
		);
	});
}

#[test]
fn new_meter_measures_from_the_next_era_and_the_old_one_still_reports_earlier_eras() {
	ExtBuilder::default().build_in_first_era(|| {
		assert_ok!(replace_meter(home(0), NEW_METER));
		enter_era(NEXT);
		// Readings of FIRST_ERA are due now, and the old meter measured it.
		assert_noop!(
			send(NEW_METER, FIRST_ERA, reading(0, 100)),
			Error::<Test>::MeterNotActiveInEra
		);
		assert_ok!(send(meter(0), FIRST_ERA, reading(0, 100)));
		let change = Change::Meter(NEW_METER + 1);
		assert_ok!(EnergyMarket::propose_change(
			by(OPERATOR),
			home(0),
			Some(change.clone())
		));
		assert_ok!(EnergyMarket::accept_change(by(owner(0)), home(0), change));
		assert!(!EnergyMarket::is_confirmation(&(NEW_METER + 1), home(0)));
		assert_noop!(
			EnergyMarket::confirm_meter(by(NEW_METER + 1), home(0)),
			Error::<Test>::MeterBeingReplaced
		);
		enter_era(NEXT + 1);
		assert_noop!(
			send(meter(0), NEXT, reading(0, 200)),
			Error::<Test>::MeterNotActiveInEra
		);
		assert_ok!(send(NEW_METER, NEXT, reading(0, 200)));
		enter_era(NEXT + 2);
		assert_eq!(statement(0, FIRST_ERA).reading.consumption_wh, 100);
		assert_eq!(statement(0, NEXT).reading.consumption_wh, 200);
		// While the first meter could report an era late, it is not forgotten.
		let last_late = NEXT + RETAINED_ERAS - 2;
		(NEXT + 3..=last_late).for_each(enter_era);
		assert_noop!(
			EnergyMarket::confirm_meter(by(NEW_METER + 1), home(0)),
			Error::<Test>::MeterBeingReplaced
		);
		assert_eq!(
			EnergyMarket::submit_late_reading(by(meter(0)), FIRST_ERA, reading(0, 300)),
			Err(Error::<Test>::ReadingAlreadySubmitted.into())
		);
		enter_era(last_late + 1);
		// The next replacement frees the account of the first meter.
		assert_ok!(EnergyMarket::confirm_meter(by(NEW_METER + 1), home(0)));
		assert!(!MeterOf::<Test>::contains_key(meter(0)));
		assert_eq!(System::sufficients(&meter(0)), 0);
	});
}

#[test]
fn new_replacement_cancels_one_that_has_not_begun() {
	ExtBuilder::default().build_in_first_era(|| {
		assert_ok!(replace_meter(home(0), NEW_METER));
		let change = Change::Meter(NEW_METER);
		assert_ok!(EnergyMarket::propose_change(
			by(OPERATOR),
			home(1),
			Some(change.clone())
		));
		assert_ok!(EnergyMarket::accept_change(by(owner(1)), home(1), change));
		assert_noop!(
			EnergyMarket::confirm_meter(by(NEW_METER), home(1)),
			Error::<Test>::MeterAlreadyRegistered
		);
		assert_ok!(replace_meter(home(0), NEW_METER + 1));
		assert!(!MeterOf::<Test>::contains_key(NEW_METER));
		enter_era(NEXT);
		enter_era(NEXT + 1);
		assert_noop!(send(NEW_METER, NEXT, reading(0, 1)), Error::<Test>::UnknownMeter);
		assert_ok!(send(NEW_METER + 1, NEXT, reading(0, 1)));
	});
}

#[test]
fn meter_without_funds_has_an_account_and_its_first_valid_reading_is_free() {
	ExtBuilder::default().build_in_first_era(|| {
		let era = FIRST_ERA - 1;
		assert_eq!(System::sufficients(&meter(0)), 1);
		assert_eq!(Balances::free_balance(meter(0)), 0);
		let free = |who: AccountId, era, reading| EnergyMarket::is_feeless(&who, era, &reading);
		assert!(free(meter(0), era, reading(0, 1)));
		for (who, era, reading) in [
			(STRANGER, era, reading(0, 1)),
			(meter(0), FIRST_ERA, reading(0, 1)),
			(meter(0), era, reading(0, 10_001)),
			(meter(0), era, corrected(0, 1)),
		] {
			assert!(!free(who, era, reading));
		}
		assert_ok!(send(meter(0), era, reading(0, 1)));
		assert!(!free(meter(0), era, reading(0, 1)));
		assert!(!free(meter(0), era, corrected(0, 2)));
	});
}

#[test]
fn correction_replaces_a_reading_until_the_era_is_settled() {
	ExtBuilder::default().build_in_first_era(|| {
		let era = FIRST_ERA - 1;
		assert_noop!(
			send(meter(0), era, corrected(0, 100)),
			Error::<Test>::NothingToCorrect
		);
		assert_ok!(send(meter(0), era, reading(0, 900)));
		assert_noop!(
			send(meter(0), era, reading(0, 100)),
			Error::<Test>::ReadingAlreadySubmitted
		);
		assert_ok!(send(meter(0), era, corrected(0, 500)));
		assert_ok!(send(meter(0), era, corrected(0, 100)));
		enter_era(NEXT);
		assert_eq!(statement(0, era).reading, corrected(0, 100));
		assert_eq!(statement(0, era).amounts.main_cost, 30);
		assert_noop!(
			send(meter(0), era, corrected(0, 50)),
			Error::<Test>::ReadingForWrongEra
		);
	});
}

#[test]
fn batch_skips_invalid_items_and_names_their_positions() {
	ExtBuilder::default().build_in_first_era(|| {
		assert_ok!(EnergyMarket::set_concentrator(
			by(OPERATOR),
			VILLAGE,
			Some(CONCENTRATOR)
		));
		enter_era(NEXT);
		enter_era(NEXT + 1);
		let era = NEXT;
		let item = |household, era, consumption_wh| ReadingItem {
			household: home(household),
			era,
			reading: reading(0, consumption_wh),
		};
		let items = vec![
			item(0, era, 100),
			item(1, era + 1, 100),
			item(2, era, 10_001),
			item(0, era, 200),
			item(99, era, 100),
			item(3, era, 400),
		];
		take_events();
		assert_ok!(EnergyMarket::submit_readings(
			by(CONCENTRATOR),
			items.clone().try_into().unwrap()
		));
		let refused: Vec<_> = take_events()
			.into_iter()
			.filter_map(|event| match event {
				Event::ReadingRefused { index, error, .. } => Some((index, error)),
				_ => None,
			})
			.collect();
		assert_eq!(
			refused,
			vec![
				(1, Error::<Test>::ReadingForWrongEra.into()),
				(2, Error::<Test>::OverConnectionLimit.into()),
				(3, Error::<Test>::ReadingAlreadySubmitted.into()),
				(4, Error::<Test>::UnknownHousehold.into()),
			]
		);
		let taken: Vec<_> = (0..4).map(|h| reported(h, era).is_some()).collect();
		assert_eq!(taken, [true, false, false, true]);

		// A stranger's batch is refused, and one without a known household.
		let send = |who, items: Vec<_>| EnergyMarket::submit_readings(by(who), items.try_into().unwrap());
		assert_noop!(
			send(STRANGER, vec![item(99, era, 100), item(1, era, 100)]),
			Error::<Test>::NotConcentrator
		);
		assert_noop!(
			send(CONCENTRATOR, vec![item(99, era, 100)]),
			Error::<Test>::UnknownHousehold
		);
		assert_ok!(send(STRANGER, Vec::new()));
		assert!(take_events().is_empty());
	});
}

#[test]
fn reading_of_the_meter_stands_over_one_of_the_concentrator() {
	ExtBuilder::default().build_in_first_era(|| {
		assert_ok!(EnergyMarket::set_concentrator(
			by(OPERATOR),
			VILLAGE,
			Some(CONCENTRATOR)
		));
		enter_era(NEXT);
		enter_era(NEXT + 1);
		let era = NEXT;
		// The concentrator first: the meter's reading takes its place, without a fee.
		assert_eq!(concentrate(CONCENTRATOR, era, 0, reading(0, 9_000)), None);
		assert_eq!(concentrate(CONCENTRATOR, era, 0, corrected(0, 9_500)), None);
		assert!(EnergyMarket::is_feeless(&meter(0), era, &reading(0, 100)));
		assert_ok!(send(meter(0), era, reading(0, 100)));
		let refused = Some(Error::<Test>::MeterHasReported.into());
		assert_eq!(concentrate(CONCENTRATOR, era, 0, corrected(0, 9_000)), refused);
		// The meter first.
		report(1, era, 0, 200);
		assert_eq!(concentrate(CONCENTRATOR, era, 1, reading(0, 9_000)), refused);
		assert_eq!(concentrate(CONCENTRATOR, era, 1, corrected(0, 9_000)), refused);
		// Only the meter corrects its own.
		assert_ok!(send(meter(1), era, corrected(0, 300)));
		enter_era(NEXT + 2);
		let costs = [0, 1].map(|household| statement(household, era).amounts.main_cost);
		assert_eq!(costs, [30, 90]);
	});
}

/// An operator names itself, corrects everybody's readings and removes itself again.
#[test]
fn concentrator_named_and_removed_at_once_reports_nothing() {
	ExtBuilder::default().build_in_first_era(|| {
		let era = FIRST_ERA - 1;
		report(0, era, 0, 100);
		assert_ok!(EnergyMarket::set_concentrator(
			by(OPERATOR),
			VILLAGE,
			Some(OPERATOR)
		));
		for household in [0, 1] {
			assert_eq!(
				concentrate(OPERATOR, era, household, corrected(0, 9_000)),
				Some(Error::<Test>::NotConcentrator.into())
			);
		}
		assert_ok!(EnergyMarket::set_concentrator(by(OPERATOR), VILLAGE, None));
		enter_era(NEXT);
		assert_eq!(statement(0, era).amounts.main_cost, 30);
	});
}

#[test]
fn batch_weight_is_proportional_to_its_items() {
	let weight = |items: usize| {
		let item = ReadingItem {
			household: home(0),
			era: 0,
			reading: reading(0, 0),
		};
		let call = crate::Call::<Test>::submit_readings {
			items: vec![item; items].try_into().unwrap(),
		};
		frame_support::dispatch::GetDispatchInfo::get_dispatch_info(&call).call_weight
	};
	let most = <<Test as Config>::MaxHouseholds as Get<u32>>::get() as usize;
	assert_eq!(weight(most), weight(1).saturating_mul(most as u64));
}

#[test]
fn owner_may_withdraw_strategies_until_gate_closure() {
	ExtBuilder::default().build_in_first_era(|| {
		let withdraw = |who, household| EnergyMarket::withdraw_strategies(by(who), home(household));
		assert_noop!(withdraw(owner(0), 0), Error::<Test>::NothingSubmitted);
		trade(NEXT);
		assert_noop!(withdraw(STRANGER, 0), Error::<Test>::NotOwner);
		assert_noop!(withdraw(owner(0), 99), Error::<Test>::UnknownHousehold);
		assert_ok!(withdraw(owner(0), 0));
		assert_noop!(withdraw(owner(0), 0), Error::<Test>::NothingSubmitted);
		enter_era(NEXT);
		assert!(EnergyMarket::view_contract(home(0), NEXT).is_none());
		assert_eq!(contract(1, NEXT).energy.bought_from_main_wh, 2_000);
	});
}

#[test]
fn submission_for_the_next_era_does_not_replace_one_that_waits_for_clearing() {
	ExtBuilder::default().build_in_first_era(|| {
		trade(NEXT);
		// The era has begun, but its games are solved from the next block on.
		block_at(u64::from(NEXT) * ERA_MS);
		assert!(Round::<Test>::exists());
		submit(0, NEXT + 1, 0, &[strategy(Kind::BuyFromMain, 100)]);
		enter_era(NEXT);
		next_block();
		next_block();
		assert_eq!(contract(0, NEXT).energy.sold_to_community_wh, 2_000);
		enter_era(NEXT + 1);
		assert_eq!(contract(0, NEXT + 1).energy.bought_from_main_wh, 100);
	});
}

/// In the first block of an era, whoever makes it has seen all strategies of the others.
#[test]
fn gate_is_closed_from_the_end_of_the_era_until_the_game_is_solved() {
	ExtBuilder::default().build_in_first_era(|| {
		trade(NEXT);
		let late = || {
			EnergyMarket::submit_strategies(
				by(owner(0)),
				home(0),
				NEXT,
				0,
				vec![strategy(Kind::BuyFromMain, 1)],
			)
		};
		let withdraw = || EnergyMarket::withdraw_strategies(by(owner(0)), home(0));
		let prefer = || EnergyMarket::set_preference(by(owner(2)), home(2), Some(preference()));
		let warm = || EnergyMarket::set_comfort(by(owner(2)), home(2), Some(comfort()));
		// The last moment of the era, then the timestamp of the next era's first block, before it ends.
		pallet_timestamp::Now::<Test>::put(u64::from(NEXT) * ERA_MS - 1);
		assert_ok!(prefer());
		assert_ok!(warm());
		pallet_timestamp::Now::<Test>::put(u64::from(NEXT) * ERA_MS);
		assert_noop!(late(), Error::<Test>::GateClosed);
		assert_noop!(withdraw(), Error::<Test>::GateClosed);
		assert_noop!(prefer(), Error::<Test>::GateClosed);
		assert_noop!(warm(), Error::<Test>::GateClosed);
		// The chain has noted the era; its game is solved in the next block.
		block_at(u64::from(NEXT) * ERA_MS);
		assert_noop!(late(), Error::<Test>::StrategiesForWrongEra);
		assert_noop!(prefer(), Error::<Test>::GateClosed);
		assert_noop!(warm(), Error::<Test>::GateClosed);
		enter_era(NEXT);
		next_block();
		assert_ok!(prefer());
		assert_ok!(warm());
		assert_eq!(contract(0, NEXT).energy.sold_to_community_wh, 2_000);
	});
}

/// An announcement in the first block of an era counts from that era, not from the one before.
#[test]
fn notice_counts_from_the_era_of_the_block() {
	ExtBuilder::default().build_in_first_era(|| {
		pallet_timestamp::Now::<Test>::put(u64::from(NEXT) * ERA_MS);
		let announce = |from_era| EnergyMarket::set_terms(by(OPERATOR), VILLAGE, terms(), from_era);
		assert_noop!(announce(FIRST_ERA + TERMS_NOTICE), Error::<Test>::NoticeTooShort);
		assert_ok!(announce(NEXT + TERMS_NOTICE));
		assert_ok!(EnergyMarket::set_paused(by(OPERATOR), VILLAGE, true));
		let paused = Communities::<Test>::get(VILLAGE).unwrap().paused;
		assert_eq!([NEXT + 1, NEXT + 2].map(|era| *paused.in_era(era)), [false, true]);
	});
}

#[test]
fn bill_sums_statements_and_computes_savings() {
	ExtBuilder::default().build_in_first_era(|| {
		for era in [NEXT, NEXT + 1] {
			trade(era);
			enter_era(era);
			if era > NEXT {
				report(0, NEXT, 2_000, 0);
				report(1, NEXT, 0, 2_000);
			}
		}
		enter_era(NEXT + 2);
		report(0, NEXT + 1, 2_000, 0);
		report(1, NEXT + 1, 0, 2_000);
		enter_era(NEXT + 3);
		// In each era, 2 kWh at the mid-market price of 190 instead of 300 or 80; the buyer pays a fee of 10 for each
		// kWh.
		let seller = EnergyMarket::view_bill(home(0), NEXT, NEXT + 1).unwrap();
		assert_eq!(
			(seller.eras, seller.first_era, seller.last_era),
			(2, NEXT, NEXT + 1)
		);
		assert_eq!(seller.energy_wh, [4_000, 0, 0, 0]);
		assert_eq!(
			(seller.revenue, seller.alone_revenue, seller.savings),
			(760, 320, 440)
		);
		let buyer = EnergyMarket::view_bill(home(1), NEXT, NEXT + 1).unwrap();
		assert_eq!((buyer.cost, buyer.alone_cost, buyer.savings), (800, 1_200, 400));
		assert_eq!(
			EnergyMarket::view_bill(home(1), NEXT, NEXT).map(|bill| bill.savings),
			Some(200)
		);
		assert_eq!(EnergyMarket::view_bill(home(1), NEXT + 9, NEXT + 10), None);
		assert_eq!(EnergyMarket::view_bill(home(99), 0, u32::MAX), None);
	});
}

#[test]
fn record_view_includes_the_tradable_energy() {
	ExtBuilder::default().build_in_first_era(|| {
		submit(0, NEXT, 2_000, &[strategy(Kind::SellToCommunity, 0)]);
		submit(1, NEXT, 0, &[strategy(Kind::BuyFromCommunity, 1_500)]);
		// These two chose the main grid, but could have traded with the community.
		submit(2, NEXT, 1_000, &[strategy(Kind::SellToMain, 200)]);
		submit(3, NEXT, 100, &[strategy(Kind::BuyFromMain, 2_500)]);
		enter_era(NEXT);
		let view = || EnergyMarket::view_record_with_tradable(VILLAGE, NEXT).expect("the record exists");
		// A surplus of 2,000 and 800 Wh against a deficit of 1,500 and 2,400 Wh.
		assert_eq!(
			(view().certificate.traded_wh, view().tradable_wh),
			(1_500, Some(2_800))
		);
		// A decoder of version 1 of the record can read this one.
		assert!(view().encode().starts_with(&record(NEXT).encode()));
		enter_era(NEXT + 1);
		enter_era(NEXT + 2);
		assert!(view().settled.is_some());
		assert_eq!(view().tradable_wh, Some(2_800));

		let slot = NEXT % RETAINED_ERAS;
		let book = Contracts::<Test>::get(VILLAGE, slot);
		Contracts::<Test>::mutate(VILLAGE, slot, |book| book.pop());
		assert_eq!(view().tradable_wh, None);
		Contracts::<Test>::insert(VILLAGE, slot, book);
		assert!(EnergyMarket::view_record_with_tradable(VILLAGE, NEXT + 40).is_none());
	});
}

#[test]
fn nothing_is_tradable_among_sellers() {
	ExtBuilder::default().build_in_first_era(|| {
		submit(0, NEXT, 2_000, &[strategy(Kind::SellToCommunity, 0)]);
		submit(1, NEXT, 500, &[strategy(Kind::Neutral, 500)]);
		enter_era(NEXT);
		let view = EnergyMarket::view_record_with_tradable(VILLAGE, NEXT).expect("the record exists");
		assert_eq!((view.players, view.tradable_wh), (2, Some(0)));
	});
}

#[test]
fn trades_match_sellers_with_buyers_in_order_of_registration() {
	ExtBuilder::default().build_in_first_era(|| {
		submit(0, NEXT, 1_000, &[strategy(Kind::SellToCommunity, 0)]);
		submit(1, NEXT, 0, &[strategy(Kind::BuyFromCommunity, 1_500)]);
		submit(2, NEXT, 2_000, &[strategy(Kind::SellToCommunity, 0)]);
		submit(3, NEXT, 0, &[strategy(Kind::BuyFromCommunity, 1_500)]);
		enter_era(NEXT);
		let trades = || -> Vec<_> {
			EnergyMarket::view_trades(VILLAGE, NEXT)
				.into_iter()
				.map(|trade| (trade.seller.0, trade.buyer.0, trade.energy_wh))
				.collect()
		};
		assert_eq!(trades(), [(0, 1, 1_000), (2, 1, 500), (2, 3, 1_500)]);
		enter_era(NEXT + 1);
		report(0, NEXT, 1_000, 0);
		report(1, NEXT, 0, 1_500);
		report(2, NEXT, 0, 0);
		report(3, NEXT, 0, 1_500);
		enter_era(NEXT + 2);
		// Household 2 delivered nothing. Contracts are firm, so it bought elsewhere what it sold.
		assert_eq!(trades(), [(0, 1, 1_000), (2, 1, 500), (2, 3, 1_500)]);
	});
}

#[test]
fn solve_view_matches_clearing_and_refuses_invalid_games() {
	ExtBuilder::default().build_in_first_era(|| {
		trade(NEXT);
		enter_era(NEXT);
		let player = |household| {
			let contract = contract(household, NEXT);
			commonwatt_market::game::Household {
				generation_wh: contract.generation_wh,
				comfort: contract.comfort,
				strategies: contract.strategies.into_inner(),
			}
		};
		let players = vec![player(0), player(1)];
		let solution = EnergyMarket::view_solve(terms().rules, players.clone()).unwrap();
		assert_eq!(solution.certificate, record(NEXT).certificate);
		let many = vec![player(0); MAX_HOUSEHOLDS as usize + 1];
		assert_eq!(EnergyMarket::view_solve(terms().rules, many), None);
		let mut long = players.clone();
		long[0].strategies = vec![strategy(Kind::SellToMain, 0); MAX_STRATEGIES as usize + 1];
		assert_eq!(EnergyMarket::view_solve(terms().rules, long), None);
		let mut wrong = players;
		wrong[0].strategies = vec![strategy(Kind::BuyFromMain, 0)];
		assert_eq!(EnergyMarket::view_solve(terms().rules, wrong), None);
	});
}

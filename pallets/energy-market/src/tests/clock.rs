//! The era clock, the queue of a round, and missed eras.

use crate::{mock::*, *};
use commonwatt_market::game::{Kind, Status};
use frame_support::{
	assert_ok,
	traits::{fungible::InspectHold, Hooks},
};

fn communities(count: u32, households: u32) {
	for c in (1..count).map(CommunityId) {
		assert_ok!(EnergyMarket::create_community(
			RuntimeOrigin::root(),
			vec![],
			OPERATOR,
			UTILITY,
			terms(),
			bounds()
		));
		for h in 0..households {
			let meter = AccountId::from(10_000 * c.0 + h);
			assert_ok!(EnergyMarket::join_at_genesis(
				c,
				&GenesisHousehold {
					owner: owner(h),
					meter,
					max_debit_per_era: MAX_DEBIT,
					connection_limit_wh: 1_000,
					comfort: None,
					preference: None,
				}
			));
		}
	}
}

#[test]
fn clock_starts_with_the_first_block() {
	ExtBuilder::default().build_and_execute(|| {
		assert_eq!(Clock::<Test>::get(), None);
		block_at(u64::from(FIRST_ERA) * ERA_MS + 1);
		assert_eq!(
			Clock::<Test>::get(),
			Some(ClockState {
				current: FIRST_ERA,
				previous: None
			})
		);
		assert_eq!(
			take_events(),
			vec![Event::EraStarted {
				era: FIRST_ERA,
				readings_of: None,
				settling: None
			}]
		);
	});
}

#[test]
fn era_begins_at_its_boundary_and_not_a_millisecond_before() {
	ExtBuilder::default().build_in_first_era(|| {
		block_at(u64::from(FIRST_ERA + 1) * ERA_MS - 1);
		assert_eq!(Clock::<Test>::get().unwrap().current, FIRST_ERA);
		block_at(u64::from(FIRST_ERA + 1) * ERA_MS);
		assert_eq!(Clock::<Test>::get().unwrap().current, FIRST_ERA + 1);
	});
}

#[test]
fn first_block_of_an_era_only_notes_it_and_the_next_one_clears() {
	ExtBuilder::default().build_in_first_era(|| {
		submit(0, FIRST_ERA + 1, 0, &[strategy(Kind::BuyFromMain, 500)]);
		block_at(u64::from(FIRST_ERA + 1) * ERA_MS);
		assert_eq!(
			Round::<Test>::get(),
			Some(RoundState {
				solve_era: FIRST_ERA + 1,
				settle_era: Some(FIRST_ERA - 1),
				communities: 1,
				phase: Phase::Solve,
				next: VILLAGE
			})
		);
		assert!(EnergyMarket::view_contract(home(0), FIRST_ERA + 1).is_none());
		next_block();
		assert!(EnergyMarket::view_contract(home(0), FIRST_ERA + 1).is_some());
		assert_eq!(Round::<Test>::get(), None);
	});
}

#[test]
fn block_takes_the_steps_that_fit_and_charges_their_weight() {
	// Clearing may take a weight of 81. Noting the era weighs 1 and a step of four households 40, so two steps fit.
	ExtBuilder::default().build_in_first_era(|| {
		communities(3, 4);
		block_at(u64::from(FIRST_ERA + 1) * ERA_MS);
		let order = |events: Vec<Event<Test>>| {
			events
				.into_iter()
				.filter_map(|event| match event {
					Event::EraCleared { community, .. } => Some((Phase::Solve, community.0)),
					Event::EraSettled { community, .. } => Some((Phase::Settle, community.0)),
					_ => None,
				})
				.collect::<Vec<_>>()
		};
		take_events();
		let mut blocks = vec![];
		while Round::<Test>::exists() {
			let number = System::block_number() + 1;
			System::set_block_number(number);
			let weight = EnergyMarket::on_initialize(number).ref_time();
			EnergyMarket::on_finalize(number);
			blocks.push((weight, order(take_events())));
			assert_ok!(EnergyMarket::do_try_state());
		}
		use Phase::*;
		assert_eq!(
			blocks,
			vec![
				(81, vec![(Solve, 0), (Solve, 1)]),
				(81, vec![(Solve, 2), (Settle, 0)]),
				(81, vec![(Settle, 1), (Settle, 2)]),
			]
		);
	});
}

#[test]
fn block_without_steps_charges_only_for_the_latch() {
	ExtBuilder::default().build_in_first_era(|| {
		assert_eq!(EnergyMarket::on_initialize(999).ref_time(), 1);
	});
}

#[test]
fn household_admitted_after_planning_waits_for_the_next_era() {
	ExtBuilder::default().build_in_first_era(|| {
		submit(0, FIRST_ERA + 1, 0, &[strategy(Kind::BuyFromMain, 500)]);
		block_at(u64::from(FIRST_ERA + 1) * ERA_MS);
		let number = System::block_number() + 1;
		System::set_block_number(number);
		let weight = EnergyMarket::on_initialize(number);
		assert_eq!(weight.ref_time(), 81);
		join(owner(5), 7_000, 5_000, None);
		EnergyMarket::on_finalize(number);
		assert_eq!(record(FIRST_ERA + 1).players, 1);
		assert!(EnergyMarket::view_statement(home(4), FIRST_ERA - 1).is_none());
	});
}

#[test]
fn every_era_is_cleared_and_settled_once_and_in_order() {
	ExtBuilder::default().build_in_first_era(|| {
		take_events();
		for era in FIRST_ERA + 1..FIRST_ERA + 6 {
			enter_era(era);
		}
		let (mut cleared, mut settled) = (vec![], vec![]);
		for event in take_events() {
			match event {
				Event::EraCleared { record, .. } => {
					assert_eq!(record.certificate.status, Status::Equilibrium);
					cleared.push(record.era)
				}
				Event::EraSettled { era, .. } => settled.push(era),
				_ => (),
			}
		}
		assert_eq!(cleared, (FIRST_ERA + 1..FIRST_ERA + 6).collect::<Vec<_>>());
		assert_eq!(settled, (FIRST_ERA - 1..FIRST_ERA + 4).collect::<Vec<_>>());
	});
}

#[test]
fn missed_eras_are_reported_and_never_cleared() {
	ExtBuilder::default().build_in_first_era(|| {
		let next = FIRST_ERA + 1;
		submit(0, next, 2_000, &[strategy(Kind::SellToCommunity, 0)]);
		submit(1, next, 0, &[strategy(Kind::BuyFromCommunity, 1_000)]);
		enter_era(next);
		// This submission is for an era that will be missed.
		submit(0, next + 1, 2_000, &[strategy(Kind::SellToCommunity, 0)]);
		take_events();
		enter_era_silently(next + 10);
		let events = take_events();
		assert_eq!(
			events.first(),
			Some(&Event::ErasMissed {
				first: next + 1,
				last: next + 9
			}),
		);
		assert_eq!(
			events.get(1),
			Some(&Event::EraStarted {
				era: next + 10,
				readings_of: Some(next),
				settling: Some(FIRST_ERA)
			})
		);
		assert!((next + 1..next + 10).all(|era| EnergyMarket::view_record(VILLAGE, era).is_none()));
		// The submission for the missed era made no contract. The era before the gap is settled once, with its
		// readings.
		assert!(EnergyMarket::view_contract(home(0), next + 10).is_none());
		report(0, next, 2_000, 0);
		report(1, next, 0, 1_000);
		enter_era(next + 11);
		assert_eq!(statement(0, next).energy.sold_to_community_wh, 1_000);
		assert_eq!(record(next).settled.unwrap().missing_readings, 0);
	});
}

#[test]
fn new_era_waits_for_the_previous_round() {
	ExtBuilder::default().build_in_first_era(|| {
		communities(5, 8);
		block_at(u64::from(FIRST_ERA + 1) * ERA_MS);
		// The next era's time comes before the ten steps are taken, because only one fits into a block.
		block_at(u64::from(FIRST_ERA + 2) * ERA_MS);
		assert_eq!(Clock::<Test>::get().unwrap().current, FIRST_ERA + 1);
		for _ in 0..9 {
			next_block();
			assert_ok!(EnergyMarket::do_try_state());
		}
		assert_eq!(Clock::<Test>::get().unwrap().current, FIRST_ERA + 2);
		assert_eq!(Clock::<Test>::get().unwrap().previous, Some(FIRST_ERA + 1));
	});
}

/// The number of the market's storage items, and the bytes of their keys and values.
fn state() -> (usize, usize) {
	let prefix = sp_io::hashing::twox_128(b"EnergyMarket");
	let (mut items, mut bytes) = (0, 0);
	let mut key = prefix.to_vec();
	while let Some(next) = sp_io::storage::next_key(&key).filter(|next| next.starts_with(&prefix)) {
		items += 1;
		bytes += next.len() + sp_io::storage::get(&next).map_or(0, |value| value.len());
		key = next;
	}
	(items, bytes)
}

/// Submits the same strategies and readings in every era of a year of half hours.
#[test]
fn state_after_a_year_is_no_larger_than_after_the_retained_eras() {
	ExtBuilder::default().build_in_first_era(|| {
		let mut after_the_window = None;
		for era in FIRST_ERA..FIRST_ERA + 365 * 48 {
			for h in 0..4 {
				submit(h, era + 1, 0, &[strategy(Kind::BuyFromMain, 10)]);
				report(h, era - 1, 0, 10);
			}
			enter_era(era + 1);
			System::reset_events();
			if era == FIRST_ERA + RETAINED_ERAS + 2 {
				after_the_window = Some(state());
			}
		}
		assert_eq!(Some(state()), after_the_window);
		assert_eq!(Contracts::<Test>::iter().count(), RETAINED_ERAS as usize);
	});
}

#[test]
fn certificate_can_be_verified_and_the_choice_explained() {
	ExtBuilder::default().build_in_first_era(|| {
		let next = FIRST_ERA + 1;
		submit(
			0,
			next,
			2_000,
			&[strategy(Kind::SellToMain, 0), strategy(Kind::SellToCommunity, 0)],
		);
		submit(
			1,
			next,
			0,
			&[
				strategy(Kind::BuyFromMain, 2_000),
				strategy(Kind::BuyFromCommunity, 2_000),
			],
		);
		enter_era(next);
		let record = record(next);
		assert_eq!(record.certificate.traded_wh, 2_000);
		assert_eq!(EnergyMarket::view_verify(VILLAGE, next), Some(record.certificate));
		let explanation = EnergyMarket::view_explain(home(0), next).unwrap();
		assert_eq!(explanation.chosen, 1);
		let best = explanation.payoffs_log2.iter().max().unwrap();
		assert_eq!(Some(best), explanation.payoffs_log2.get(1));
	});
}

#[test]
fn gap_as_long_as_the_rings_misses_one_more_era_but_loses_no_contract() {
	for (gap, lost) in [
		(RETAINED_ERAS - 1, true),
		(RETAINED_ERAS, true),
		(RETAINED_ERAS + 1, false),
	] {
		ExtBuilder::default().build_in_first_era(|| {
			let (first, second) = (FIRST_ERA + 1, FIRST_ERA + 2);
			for era in [first, second] {
				submit(0, era, 0, &[strategy(Kind::BuyFromMain, 1_000)]);
				enter_era(era);
			}
			submit(0, second + 1, 0, &[strategy(Kind::BuyFromMain, 1_000)]);
			take_events();
			let after = second + gap;
			enter_era(after);
			let last = if lost { after } else { after - 1 };
			assert!(take_events().contains(&crate::Event::ErasMissed {
				first: second + 1,
				last
			}));
			EnergyMarket::do_try_state().unwrap();
			enter_era(after + 1);
			// Both contracts were settled, and their holds are released.
			assert_eq!(statement(0, second).amounts.main_cost, 300);
			assert_eq!(Balances::total_balance_on_hold(&owner(0)), 0);
		});
	}
}

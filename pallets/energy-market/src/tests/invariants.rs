//! Every invariant is broken on purpose once, and caught.

use crate::{mock::*, *};
use commonwatt_game::Kind;
use frame_support::{
	assert_ok,
	traits::fungible::{Mutate, MutateHold},
};

const NEXT: EraIndex = FIRST_ERA + 1;

/// A community with open and settled contracts, and readings that wait.
fn busy(break_it: impl FnOnce(), complaint: &'static str) {
	ExtBuilder::default().build().execute_with(|| {
		System::set_block_number(1);
		enter_era(FIRST_ERA - 1);
		enter_era(FIRST_ERA);
		for era in NEXT..NEXT + 3 {
			submit(0, era, 2_000, &[strategy(Kind::SellToCommunity, 0)]);
			submit(1, era, 0, &[strategy(Kind::BuyFromCommunity, 1_500)]);
			enter_era(era);
			report(0, era - 1, 2_000, 0);
			report(1, era - 1, 0, 1_500);
		}
		assert_ok!(EnergyMarket::do_try_state());
		break_it();
		assert_eq!(EnergyMarket::do_try_state(), Err(complaint.into()));
	});
}

fn slot(era: EraIndex) -> u32 {
	era % RETAINED_ERAS
}

#[test]
fn wrong_clock_is_caught() {
	busy(
		|| {
			Clock::<Test>::put(ClockState {
				current: 5,
				previous: Some(5),
			})
		},
		"eras out of order",
	);
	busy(
		|| {
			let step = PlannedStep {
				phase: Phase::Solve,
				community: 0,
				households: 1,
			};
			Planned::<Test>::put(frame_support::BoundedVec::truncate_from(vec![step]));
		},
		"planned steps outlived their block",
	);
	let round = RoundState {
		solve_era: NEXT + 2,
		settle_era: None,
		communities: 1,
		phase: Phase::Solve,
		next: 0,
	};
	busy(
		move || Round::<Test>::put(RoundState { next: 1, ..round }),
		"a round past its end",
	);
	busy(
		move || {
			Round::<Test>::put(RoundState {
				solve_era: 1,
				..round
			})
		},
		"a round for another era",
	);
	busy(
		move || {
			Round::<Test>::put(RoundState {
				settle_era: Some(NEXT + 1),
				..round
			})
		},
		"settling an open era",
	);
}

#[test]
fn wrong_count_is_caught() {
	busy(|| CommunityCount::<Test>::put(2), "communities miscounted");
	busy(|| HouseholdCount::<Test>::put(5), "households miscounted");
	busy(|| MeterOf::<Test>::insert(5, 0), "meters miscounted");
	busy(
		|| Members::<Test>::mutate(0, |m| m.truncate(3)),
		"a household without a community",
	);
	busy(
		|| Members::<Test>::mutate(0, |m| m.as_mut().swap(0, 1)),
		"members out of order",
	);
	busy(
		|| Households::<Test>::mutate(0, |h| h.as_mut().unwrap().community = 1),
		"a member of another community",
	);
	busy(
		|| Households::<Test>::mutate(0, |h| h.as_mut().unwrap().meter = meter(1)),
		"a meter of another household",
	);
}

#[test]
fn hold_without_a_contract_is_caught() {
	busy(
		|| {
			assert_ok!(Balances::hold(&HoldReason::Contract.into(), &owner(0), 1));
		},
		"holds differ from open contracts",
	);
	busy(
		|| Contracts::<Test>::mutate(1, slot(NEXT + 2), |c| c.as_mut().unwrap().held -= 1),
		"holds differ from open contracts",
	);
}

#[test]
fn pool_that_paid_too_much_is_caught() {
	busy(
		|| {
			let pool = EnergyMarket::pool_account(0);
			assert_ok!(Balances::burn_from(
				&pool,
				1,
				frame_support::traits::tokens::Preservation::Expendable,
				frame_support::traits::tokens::Precision::Exact,
				frame_support::traits::tokens::Fortitude::Force
			));
		},
		"a pool below its minimum balance",
	);
	busy(
		|| {
			Statements::<Test>::mutate(0, slot(NEXT), |s| {
				s.as_mut().unwrap().amounts.received_from_pool += 1
			})
		},
		"the pool paid more than it took",
	);
	busy(
		|| {
			Records::<Test>::mutate(0, slot(NEXT), |r| {
				r.as_mut().unwrap().settled.as_mut().unwrap().through_pool += 1
			})
		},
		"a total differs from its statements",
	);
}

#[test]
fn energy_that_does_not_sum_to_zero_is_caught() {
	busy(
		|| {
			Contracts::<Test>::mutate(0, slot(NEXT), |c| {
				c.as_mut().unwrap().energy.sold_to_community_wh += 1
			})
		},
		"contracted community energy does not sum to zero",
	);
	busy(
		|| {
			Statements::<Test>::mutate(0, slot(NEXT), |s| {
				s.as_mut().unwrap().energy.sold_to_community_wh += 1
			})
		},
		"delivered community energy does not sum to zero",
	);
	busy(
		|| Records::<Test>::mutate(0, slot(NEXT), |r| r.as_mut().unwrap().certificate.traded_wh += 1),
		"contracts differ from their certificate",
	);
	busy(
		|| Records::<Test>::mutate(0, slot(NEXT), |r| r.as_mut().unwrap().players += 1),
		"contracts miscounted",
	);
}

#[test]
fn reading_that_nobody_settles_is_caught() {
	busy(
		|| Readings::<Test>::insert(FIRST_ERA, 0, reading(0, 0)),
		"a reading that nobody will settle",
	);
	busy(
		|| Readings::<Test>::insert(NEXT + 1, 77, reading(0, 0)),
		"a reading of no household",
	);
}

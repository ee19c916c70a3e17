//! Every invariant is broken on purpose once, and caught.

use crate::{mock::*, *};
use commonwatt_market::game::Kind;
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

fn in_contract(era: EraIndex, household: HouseholdId, change: impl FnOnce(&mut Contract<Test>)) {
	Contracts::<Test>::mutate(0, slot(era), |book| {
		let entry = book.as_mut().iter_mut().find(|(id, _)| *id == household);
		change(&mut entry.unwrap().1)
	});
}

fn in_statement(era: EraIndex, household: HouseholdId, change: impl FnOnce(&mut Statement)) {
	Statements::<Test>::mutate(0, slot(era), |book| {
		let entry = book.as_mut().iter_mut().find(|(id, _)| *id == household);
		change(&mut entry.unwrap().1)
	});
}

/// What clearing of the running era begins with.
fn round() -> RoundState {
	RoundState {
		solve_era: NEXT + 2,
		settle_era: None,
		communities: 1,
		phase: Phase::Solve,
		next: 0,
	}
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
	let round = round();
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
fn wrong_round_is_caught() {
	let round = round();
	busy(
		move || {
			Round::<Test>::put(RoundState {
				communities: 2,
				..round
			})
		},
		"a round for communities that are not there",
	);
	busy(
		move || {
			Clock::<Test>::kill();
			Round::<Test>::put(round);
		},
		"a round without a clock",
	);
}

#[test]
fn wrong_count_is_caught() {
	busy(|| CommunityCount::<Test>::put(2), "communities miscounted");
	busy(|| NextHousehold::<Test>::put(3), "a household out of count");
	busy(|| MeterOf::<Test>::insert(5, 0), "meters miscounted");
	busy(
		|| Communities::<Test>::insert(7, Communities::<Test>::take(0).unwrap()),
		"a community out of count",
	);
	busy(
		|| Members::<Test>::insert(9, frame_support::BoundedVec::default()),
		"members of no community",
	);
	busy(
		|| Members::<Test>::mutate(0, |m| m.try_push(77).unwrap()),
		"a member that is no household",
	);
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
		|| in_contract(NEXT + 2, 1, |c| c.held -= 1),
		"holds differ from open contracts",
	);
}

#[test]
fn wrong_contract_is_caught() {
	busy(
		|| in_contract(NEXT + 2, 1, |c| c.era += 1),
		"a contract in another era's slot",
	);
	busy(
		|| in_contract(NEXT + 2, 1, |c| c.chosen = 9),
		"a choice that is not there",
	);
	busy(
		|| in_contract(NEXT + 2, 1, |c| c.main_grid_only = true),
		"a hold for a main-grid contract",
	);
	busy(
		|| {
			in_contract(NEXT, 1, |c| c.held = 1);
			assert_ok!(Balances::hold(&HoldReason::Contract.into(), &owner(1), 1));
		},
		"a hold for a settled contract",
	);
	busy(
		|| {
			in_contract(NEXT + 1, 1, |c| c.held = Balance::MAX);
			in_contract(NEXT + 2, 1, |c| c.held = Balance::MAX);
		},
		"holds overflow",
	);
	busy(
		|| Records::<Test>::insert(0, slot(NEXT + 3), record(NEXT)),
		"a record in another era's slot",
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
		|| in_statement(NEXT, 0, |s| s.amounts.received_from_pool += 1),
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
		|| in_contract(NEXT, 0, |c| c.energy.sold_to_community_wh += 1),
		"contracted community energy does not sum to zero",
	);
	busy(
		|| {
			in_statement(NEXT, 0, |s| {
				s.energy.sold_to_community_wh += 1;
				s.reading.generation_wh += 1;
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
fn statement_of_other_energy_than_metered_is_caught() {
	busy(
		|| in_statement(NEXT, 0, |s| s.energy.sold_to_main_wh += 1),
		"a statement of other energy than was metered",
	);
	for change in [
		(|t: &mut Totals| t.households += 1) as fn(&mut Totals),
		|t| t.community_wh += 1,
		|t| t.grid_fees += 1,
		|t| t.rewards += 1,
		|t| t.to_utility += 1,
		|t| t.from_utility += 1,
	] {
		busy(
			move || {
				Records::<Test>::mutate(0, slot(NEXT), |r| {
					change(r.as_mut().unwrap().settled.as_mut().unwrap())
				})
			},
			"a total differs from its statements",
		);
	}
}

#[test]
fn book_that_cannot_be_searched_is_caught() {
	busy(
		|| Contracts::<Test>::mutate(0, slot(NEXT), |book| book.as_mut().reverse()),
		"a book out of order",
	);
	busy(
		|| Statements::<Test>::mutate(0, slot(NEXT), |book| book.as_mut().reverse()),
		"a book out of order",
	);
	busy(
		|| Statements::<Test>::insert(9, 0, Statements::<Test>::get(0, slot(NEXT))),
		"a book of no community",
	);
	busy(
		|| in_contract(NEXT, 0, |c| c.era += RETAINED_ERAS),
		"contracts without their record",
	);
	busy(
		|| in_statement(NEXT, 0, |s| s.era += 1),
		"a statement in another era's slot",
	);
}

#[test]
fn wrong_debt_is_caught() {
	let debts = |debts: Vec<(HouseholdId, Debt)>| {
		move || Debts::<Test>::insert(0, frame_support::BoundedVec::truncate_from(debts))
	};
	let debt = Debt {
		arrears: 1,
		credit: 0,
	};
	busy(debts(vec![(0, Debt::default())]), "a debt of nothing");
	busy(debts(vec![(77, debt)]), "a debt of no member");
	busy(debts(vec![(1, debt), (0, debt)]), "a book out of order");
}

#[test]
fn wrong_reading_is_caught() {
	let readings = |change: fn(&mut Metered)| {
		move || Readings::<Test>::mutate(0, |metered| change(metered.as_mut().unwrap()))
	};
	busy(
		readings(|metered| metered.era += 1),
		"a reading of an era that has not ended",
	);
	busy(
		readings(|metered| metered.before = Some((metered.era, reading(0, 0)))),
		"readings out of order",
	);
	busy(
		|| Households::<Test>::mutate(0, |h| h.as_mut().unwrap().member_since = FIRST_ERA + 2),
		"a reading from outside membership",
	);
	busy(
		|| Readings::<Test>::insert(77, Readings::<Test>::get(0).unwrap()),
		"a reading of no household",
	);
	let submission = || Submissions::<Test>::iter_values().next().unwrap();
	busy(
		move || {
			Submissions::<Test>::insert(77, EnergyMarket::submission_slot(submission().era), submission())
		},
		"a submission of no household",
	);
	busy(
		move || {
			Submissions::<Test>::insert(
				0,
				EnergyMarket::submission_slot(submission().era + 1),
				submission(),
			)
		},
		"a submission in another era's slot",
	);
}

#[test]
fn wrong_membership_is_caught() {
	busy(
		|| {
			Households::<Test>::mutate(3, |h| {
				let h = h.as_mut().unwrap();
				(h.member_since, h.member_until) = (FIRST_ERA, Some(FIRST_ERA - 1));
			})
		},
		"a membership that ended before it began",
	);
	busy(
		|| {
			// Its contract of the running era is still open.
			let household = Households::<Test>::take(1).unwrap();
			MeterOf::<Test>::remove(household.meter);
			Members::<Test>::mutate(0, |members| members.retain(|id| *id != 1));
		},
		"a hold for a household that left",
	);
}

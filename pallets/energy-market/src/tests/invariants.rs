//! Breaks every invariant once on purpose, and expects the complaint that names it.

use crate::{mock::*, *};
use commonwatt_market::game::Kind;
use frame_support::{
	assert_ok,
	traits::fungible::{Mutate, MutateHold},
};

const NEXT: EraIndex = FIRST_ERA + 1;

/// Sets up a community with open and settled contracts and with readings that wait for settlement, applies `break_it`,
/// and expects `complaint` from `do_try_state`.
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

fn in_contract(era: EraIndex, household: u32, change: impl FnOnce(&mut Contract<Test>)) {
	Contracts::<Test>::mutate(VILLAGE, slot(era), |book| {
		let entry = book.as_mut().iter_mut().find(|(id, _)| id.0 == household);
		change(&mut entry.unwrap().1)
	});
}

fn in_statement(era: EraIndex, household: u32, change: impl FnOnce(&mut Statement)) {
	Statements::<Test>::mutate(VILLAGE, slot(era), |book| {
		let entry = book.as_mut().iter_mut().find(|(id, _)| id.0 == household);
		change(&mut entry.unwrap().1)
	});
}

/// The round with which clearing of the running era begins.
fn round() -> RoundState {
	RoundState {
		solve_era: NEXT + 2,
		settle_era: None,
		communities: 1,
		phase: Phase::Solve,
		next: VILLAGE,
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
		"the clock's previous era is not before its current one",
	);
	busy(
		|| {
			let step = PlannedStep {
				phase: Phase::Solve,
				community: VILLAGE,
				households: 1,
			};
			Planned::<Test>::put(frame_support::BoundedVec::truncate_from(vec![step]));
		},
		"steps are still planned after their block",
	);
	let round = round();
	busy(
		move || {
			Round::<Test>::put(RoundState {
				next: CommunityId(1),
				..round
			})
		},
		"the round's next community is beyond its last one",
	);
	busy(
		move || {
			Round::<Test>::put(RoundState {
				solve_era: 1,
				..round
			})
		},
		"the round clears another era than the running one",
	);
	busy(
		move || {
			Round::<Test>::put(RoundState {
				settle_era: Some(NEXT + 1),
				..round
			})
		},
		"the round settles an era whose readings are still taken",
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
		"the round has more communities than exist",
	);
	busy(
		move || {
			Clock::<Test>::kill();
			Round::<Test>::put(round);
		},
		"there is a round although the clock has not started",
	);
}

#[test]
fn wrong_count_is_caught() {
	busy(
		|| CommunityCount::<Test>::put(0),
		"a community's number is not below the community count",
	);
	busy(
		|| NextHousehold::<Test>::put(home(3)),
		"a household's number is not below the next number",
	);
	busy(
		|| MeterOf::<Test>::insert(5, home(0)),
		"more meters are registered than have confirmed a household",
	);
	busy(
		|| Communities::<Test>::insert(CommunityId(7), Communities::<Test>::take(VILLAGE).unwrap()),
		"a community's number is not below the community count",
	);
	busy(
		|| Members::<Test>::insert(CommunityId(9), frame_support::BoundedVec::default()),
		"there are members of an unknown community",
	);
	busy(
		|| Members::<Test>::mutate(VILLAGE, |m| m.try_push(home(77)).unwrap()),
		"a member is not a known household",
	);
	busy(
		|| Members::<Test>::mutate(VILLAGE, |m| m.truncate(3)),
		"a household is not a member of any community",
	);
	busy(
		|| Members::<Test>::mutate(VILLAGE, |m| m.as_mut().swap(0, 1)),
		"members are not in ascending order",
	);
	busy(
		|| Households::<Test>::mutate(home(0), |h| h.as_mut().unwrap().community = CommunityId(1)),
		"a member's household belongs to another community",
	);
	busy(
		|| Households::<Test>::mutate(home(0), |h| h.as_mut().unwrap().meter = meter(1)),
		"a household's meter is not registered for it",
	);
}

#[test]
fn wrong_offer_or_proposal_is_caught() {
	let offered = |change: fn(&mut MembershipOffer<AccountId>)| {
		move || {
			let id = offer(owner(5), 7_000, 1);
			Offers::<Test>::mutate(id, |offer| change(offer.as_mut().unwrap()))
		}
	};
	busy(
		offered(|offer| offer.community = CommunityId(9)),
		"an offer is of an unknown community",
	);
	busy(
		offered(|offer| offer.deposit += 1),
		"a hold for offers differs from the sum of open offers",
	);
	busy(
		offered(|offer| offer.meter_confirmed = true),
		"a household's meter is not registered for it",
	);
	busy(
		offered(|offer| offer.meter = 7_001),
		"a meter's account is not kept alive once for each use of it",
	);
	busy(
		|| {
			let id = offer(owner(5), 7_000, 1);
			Offers::<Test>::remove(id);
		},
		"the count of open offers differs from the offers",
	);
	busy(
		|| {
			let id = offer(owner(5), 7_000, 1);
			Offers::<Test>::insert(home(99), Offers::<Test>::take(id).unwrap());
		},
		"an offer has the number of a household or one that was not assigned",
	);
	let proposal = Proposal {
		change: Change::ConnectionLimit(1),
		accepted: false,
		meter_confirmed: false,
	};
	let of_nobody = proposal.clone();
	busy(
		move || Proposals::<Test>::insert(home(99), of_nobody),
		"a proposal is of an unknown household",
	);
	let complete = Proposal {
		accepted: true,
		..proposal
	};
	busy(
		move || Proposals::<Test>::insert(home(0), complete),
		"a proposal is open although everybody has agreed",
	);
	busy(
		|| Handovers::<Test>::insert(home(99), STRANGER),
		"a handover is of an unknown household",
	);
}

#[test]
fn hold_that_differs_from_open_contracts_is_caught() {
	busy(
		|| {
			assert_ok!(Balances::hold(&HoldReason::Contract.into(), &owner(0), 1));
		},
		"an owner's hold differs from the sum of its open contracts",
	);
	busy(
		|| in_contract(NEXT + 2, 1, |c| c.held -= 1),
		"an owner's hold differs from the sum of its open contracts",
	);
}

#[test]
fn wrong_contract_is_caught() {
	busy(
		|| in_contract(NEXT + 2, 1, |c| c.era += 1),
		"a contract is in the ring slot of another era",
	);
	busy(
		|| in_contract(NEXT + 2, 1, |c| c.chosen = 9),
		"a contract's chosen strategy does not exist",
	);
	busy(
		|| in_contract(NEXT + 2, 1, |c| c.main_grid_only = true),
		"a main-grid-only contract has funds on hold",
	);
	busy(
		|| {
			in_contract(NEXT, 1, |c| c.held = 1);
			assert_ok!(Balances::hold(&HoldReason::Contract.into(), &owner(1), 1));
		},
		"a settled contract has funds on hold",
	);
	busy(
		|| {
			in_contract(NEXT + 1, 1, |c| c.held = Balance::MAX);
			in_contract(NEXT + 2, 1, |c| c.held = Balance::MAX);
		},
		"the sum of an owner's holds overflows",
	);
	busy(
		|| Records::<Test>::insert(VILLAGE, slot(NEXT + 3), record(NEXT)),
		"a record is in the ring slot of another era",
	);
}

#[test]
fn pool_that_paid_too_much_is_caught() {
	busy(
		|| {
			let pool = EnergyMarket::pool_account(VILLAGE);
			assert_ok!(Balances::burn_from(
				&pool,
				1,
				frame_support::traits::tokens::Preservation::Expendable,
				frame_support::traits::tokens::Precision::Exact,
				frame_support::traits::tokens::Fortitude::Force
			));
		},
		"a pool's account is below the minimum balance",
	);
	busy(
		|| in_statement(NEXT, 0, |s| s.amounts.received_from_pool += 1),
		"the pool paid more to sellers than buyers paid",
	);
	busy(
		|| {
			Records::<Test>::mutate(VILLAGE, slot(NEXT), |r| {
				r.as_mut().unwrap().settled.as_mut().unwrap().through_pool += 1
			})
		},
		"the record's totals differ from the sums of its statements",
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
		"a statement's energy differs from the contract",
	);
	busy(
		|| {
			// A household without a contract has only main-grid energy.
			in_statement(NEXT, 2, |s| {
				s.energy.sold_to_community_wh += 1;
				s.reading.generation_wh += 1;
			})
		},
		"a statement's energy differs from the contract",
	);
	busy(
		|| Statements::<Test>::mutate(VILLAGE, slot(NEXT), |book| book.retain(|(id, _)| *id != home(0))),
		"settled community energy does not sum to zero",
	);
	busy(
		|| {
			in_statement(NEXT, 0, |s| {
				s.matched_long_wh += 1;
				s.reading.generation_wh += 1;
			})
		},
		"matched deviations do not sum to zero",
	);
	busy(
		|| {
			Records::<Test>::mutate(VILLAGE, slot(NEXT), |r| {
				r.as_mut().unwrap().certificate.traded_wh += 1
			})
		},
		"the contracts' traded energy differs from the certificate's",
	);
	busy(
		|| Records::<Test>::mutate(VILLAGE, slot(NEXT), |r| r.as_mut().unwrap().players += 1),
		"the number of contracts differs from the record's players",
	);
}

#[test]
fn statement_that_differs_from_the_metered_energy_is_caught() {
	busy(
		|| in_statement(NEXT, 0, |s| s.energy.sold_to_main_wh += 1),
		"a statement's energy differs from the metered net position",
	);
	for change in [
		(|t: &mut Totals| t.households += 1) as fn(&mut Totals),
		|t| t.community_wh += 1,
		|t| t.grid_fees += 1,
		|t| t.rewards += 1,
		|t| t.to_utility += 1,
		|t| t.from_utility += 1,
		|t| t.matched_wh += 1,
		|t| t.feeder_import_wh += 1,
		|t| t.feeder_export_wh += 1,
	] {
		busy(
			move || {
				Records::<Test>::mutate(VILLAGE, slot(NEXT), |r| {
					change(r.as_mut().unwrap().settled.as_mut().unwrap())
				})
			},
			"the record's totals differ from the sums of its statements",
		);
	}
}

#[test]
fn pot_that_received_too_much_is_caught() {
	busy(
		|| {
			Records::<Test>::mutate(VILLAGE, slot(NEXT), |r| {
				r.as_mut().unwrap().settled.as_mut().unwrap().to_pot += 1
			})
		},
		"the pot received more than the spreads of matched deviations",
	);
}

#[test]
fn unsorted_or_misplaced_book_is_caught() {
	busy(
		|| Contracts::<Test>::mutate(VILLAGE, slot(NEXT), |book| book.as_mut().reverse()),
		"a book is not in ascending order of households",
	);
	busy(
		|| Statements::<Test>::mutate(VILLAGE, slot(NEXT), |book| book.as_mut().reverse()),
		"a book is not in ascending order of households",
	);
	busy(
		|| Statements::<Test>::insert(CommunityId(9), 0, Statements::<Test>::get(VILLAGE, slot(NEXT))),
		"a book is of an unknown community",
	);
	busy(
		|| in_contract(NEXT, 0, |c| c.era += RETAINED_ERAS),
		"a contract and the record in its slot are of different eras",
	);
	busy(
		|| in_statement(NEXT, 0, |s| s.era += 1),
		"a statement is in the ring slot of another era",
	);
}

#[test]
fn wrong_debt_is_caught() {
	let debts = |debts: Vec<(HouseholdId, Debt)>| {
		move || Debts::<Test>::insert(VILLAGE, frame_support::BoundedVec::truncate_from(debts))
	};
	let debt = Debt {
		arrears: 1,
		credit: 0,
	};
	busy(
		debts(vec![(home(0), Debt::default())]),
		"a debt book lists a household without debts",
	);
	busy(
		debts(vec![(home(77), debt)]),
		"a debt book lists a household that is not a member",
	);
	busy(
		debts(vec![(home(1), debt), (home(0), debt)]),
		"a book is not in ascending order of households",
	);
}

#[test]
fn wrong_reading_is_caught() {
	let readings = |change: fn(&mut Metered)| {
		move || Readings::<Test>::mutate(home(0), |metered| change(metered.as_mut().unwrap()))
	};
	busy(
		readings(|metered| metered.newest.era += 1),
		"a reading is of an era that has not ended",
	);
	busy(
		readings(|metered| metered.before = Some(metered.newest)),
		"a household's readings are not in ascending order of eras",
	);
	busy(
		|| Households::<Test>::mutate(home(0), |h| h.as_mut().unwrap().member_since = FIRST_ERA + 2),
		"a reading is of an era without membership",
	);
	busy(
		|| Readings::<Test>::insert(home(77), Readings::<Test>::get(home(0)).unwrap()),
		"a reading is of an unknown household",
	);
	let submission = || Submissions::<Test>::iter_values().next().unwrap();
	busy(
		move || {
			Submissions::<Test>::insert(
				home(77),
				EnergyMarket::submission_slot(submission().era),
				submission(),
			)
		},
		"a submission is of an unknown household",
	);
	busy(
		move || {
			Submissions::<Test>::insert(
				home(0),
				EnergyMarket::submission_slot(submission().era + 1),
				submission(),
			)
		},
		"a submission is in the slot of another era",
	);
}

#[test]
fn wrong_membership_is_caught() {
	busy(
		|| {
			Households::<Test>::mutate(home(3), |h| {
				let h = h.as_mut().unwrap();
				(h.member_since, h.member_until) = (FIRST_ERA, Some(FIRST_ERA - 1));
			})
		},
		"a membership ends before it begins",
	);
	busy(
		|| {
			// The household's contract of the running era is still open.
			let household = Households::<Test>::take(home(1)).unwrap();
			MeterOf::<Test>::remove(household.meter);
			Members::<Test>::mutate(VILLAGE, |members| members.retain(|id| *id != home(1)));
		},
		"a contract of a household that left has funds on hold",
	);
}

//! Consent: who must sign for a membership, a change and a handover, and who has what when somebody does not.

use crate::{mock::*, *};
use commonwatt_market::game::Kind;
use frame_support::{
	assert_noop, assert_ok,
	traits::fungible::{Inspect, InspectHold},
};

const NEXT: EraIndex = FIRST_ERA + 1;
const METER: AccountId = 7_000;

fn by(who: AccountId) -> RuntimeOrigin {
	RuntimeOrigin::signed(who)
}

fn deposits() -> Balance {
	Balances::balance_on_hold(&HoldReason::Offer.into(), &OPERATOR)
}

fn accept(who: AccountId, household: HouseholdId, max_debit: Balance) -> sp_runtime::DispatchResult {
	EnergyMarket::accept_membership(by(who), household, max_debit, Some(comfort()))
}

fn confirm(meter: AccountId, household: HouseholdId) -> sp_runtime::DispatchResult {
	EnergyMarket::confirm_meter(by(meter), household)
}

fn propose(household: u32, change: Change<AccountId>) {
	assert_ok!(EnergyMarket::propose_change(
		by(OPERATOR),
		home(household),
		Some(change)
	));
}

#[test]
fn household_joins_when_owner_and_meter_agree_in_either_order() {
	for owner_first in [true, false] {
		ExtBuilder::default().build_in_first_era(|| {
			take_events();
			let id = offer(owner(5), METER, 5_000);
			assert_eq!(deposits(), OFFER_DEPOSIT);
			let consent = |by_owner| match by_owner {
				true => accept(owner(5), id, 77),
				false => confirm(METER, id),
			};
			assert_ok!(consent(owner_first));
			assert!(!Households::<Test>::contains_key(id));
			assert_ok!(EnergyMarket::do_try_state());
			assert_ok!(consent(!owner_first));
			let household = Households::<Test>::get(id).unwrap();
			assert_eq!((household.owner, household.meter), (owner(5), METER));
			assert_eq!(
				(household.max_debit_per_era, household.comfort),
				(77, Some(comfort()))
			);
			assert_eq!(household.member_since, FIRST_ERA);
			assert_eq!(MeterOf::<Test>::get(METER), Some(id));
			assert_eq!((deposits(), System::sufficients(&METER)), (0, 1));
			assert_eq!(
				Members::<Test>::get(VILLAGE).into_inner(),
				[0, 1, 2, 3, 4].map(home)
			);
			assert!(matches!(
				take_events().last(),
				Some(Event::HouseholdJoined {
					household: HouseholdId(4),
					max_debit_per_era: 77,
					..
				})
			));
		});
	}
}

#[test]
fn stranger_who_agreed_to_nothing_keeps_every_unit() {
	ExtBuilder::default().build_in_first_era(|| {
		let id = offer(STRANGER, METER, 1_000_000_000);
		assert_ok!(confirm(METER, id));
		assert_noop!(
			EnergyMarket::submit_reading(by(METER), FIRST_ERA - 1, reading(0, 1_000_000_000)),
			Error::<Test>::NotMemberInEra
		);
		assert_noop!(
			EnergyMarket::submit_strategies(by(STRANGER), id, NEXT, 0, vec![strategy(Kind::Neutral, 0)]),
			Error::<Test>::UnknownHousehold
		);
		for era in NEXT..NEXT + 3 {
			enter_era(era);
		}
		assert_eq!(Balances::total_balance(&STRANGER), ENDOWMENT);
		assert!(!Households::<Test>::contains_key(id));
		assert_eq!(EnergyMarket::view_statements(VILLAGE, FIRST_ERA).len(), 4);
	});
}

#[test]
fn offer_is_refused_without_operator_clock_room_or_deposit() {
	ExtBuilder::default().build_and_execute(|| {
		let offer = |who, limit| EnergyMarket::offer_membership(by(who), VILLAGE, owner(5), METER, limit);
		assert_noop!(offer(OPERATOR, 1), Error::<Test>::ClockNotStarted);
		enter_era(FIRST_ERA);
		assert_noop!(offer(STRANGER, 1), Error::<Test>::NotOperator);
		for limit in [0, 1_000_000_001] {
			assert_noop!(offer(OPERATOR, limit), Error::<Test>::ConnectionLimitOutOfRange);
		}
		let root = RuntimeOrigin::root;
		let tight = TermsBounds {
			highest_connection_limit_wh: 700,
			..bounds()
		};
		assert_ok!(EnergyMarket::set_terms_bounds(root(), VILLAGE, tight));
		assert_noop!(offer(OPERATOR, 701), Error::<Test>::ConnectionLimitOutOfRange);
		let change = Some(Change::ConnectionLimit(701));
		assert_noop!(
			EnergyMarket::propose_change(by(OPERATOR), home(0), change),
			Error::<Test>::ConnectionLimitOutOfRange
		);
		assert_ok!(EnergyMarket::set_terms_bounds(root(), VILLAGE, bounds()));
		assert_noop!(
			EnergyMarket::offer_membership(by(OPERATOR), CommunityId(9), owner(5), METER, 1),
			Error::<Test>::UnknownCommunity
		);
		for _ in 4..MAX_HOUSEHOLDS {
			assert_ok!(offer(OPERATOR, 1));
		}
		assert_noop!(offer(OPERATOR, 1), Error::<Test>::CommunityFull);
		assert_eq!(deposits(), 4 * OFFER_DEPOSIT);
		assert_ok!(EnergyMarket::withdraw_offer(by(OPERATOR), home(5)));
		// Numbers are never reused.
		assert_ok!(offer(OPERATOR, 1));
		assert!(Offers::<Test>::contains_key(home(8)));
		assert_ok!(EnergyMarket::withdraw_offer(by(OPERATOR), home(8)));
		let free = Balances::free_balance(OPERATOR);
		let _ = Balances::transfer_allow_death(by(OPERATOR), STRANGER, free - OFFER_DEPOSIT + 1);
		assert!(offer(OPERATOR, 1).is_err());
		assert_eq!(OpenOffers::<Test>::get(VILLAGE), 3);
	});
}

#[test]
fn memberships_complete_in_any_order_and_members_stay_in_order() {
	ExtBuilder::default().build_in_first_era(|| {
		let early = offer(owner(4), METER, 5_000);
		let late = join(owner(5), METER + 1, 5_000, None);
		// A step that is planned for this block must not lose the last member.
		submit(0, NEXT, 2_000, &[strategy(Kind::SellToMain, 0)]);
		assert_ok!(EnergyMarket::submit_strategies(
			by(owner(5)),
			late,
			NEXT,
			0,
			vec![strategy(Kind::BuyFromMain, 1_000)]
		));
		block_at(u64::from(NEXT) * ERA_MS);
		let number = System::block_number() + 1;
		System::set_block_number(number);
		EnergyMarket::plan_steps();
		assert_ok!(accept(owner(4), early, 1_000));
		assert_ok!(confirm(METER, early));
		EnergyMarket::take_steps();
		assert_eq!(
			Members::<Test>::get(VILLAGE).into_inner(),
			[0, 1, 2, 3, 4, 5].map(home)
		);
		assert_eq!(contract(late, NEXT).energy.bought_from_main_wh, 1_000);
		while Round::<Test>::exists() {
			next_block();
		}
	});
}

#[test]
fn meter_that_a_stranger_names_first_is_blocked_by_nobody() {
	ExtBuilder::default().build_in_first_era(|| {
		let (bad, good) = (offer(STRANGER, METER, 5_000), offer(owner(5), METER, 5_000));
		assert_ok!(accept(STRANGER, bad, 1));
		assert_ok!(accept(owner(5), good, 1));
		assert_eq!(System::sufficients(&METER), 2);
		assert_noop!(confirm(METER + 1, good), Error::<Test>::NotMeter);
		assert!(EnergyMarket::is_confirmation(&METER, good));
		assert_ok!(confirm(METER, good));
		assert_eq!(MeterOf::<Test>::get(METER), Some(good));
		// It measures one household, and confirms once without a fee.
		assert!(!EnergyMarket::is_confirmation(&METER, bad) && !EnergyMarket::is_confirmation(&METER, good));
		assert_noop!(confirm(METER, bad), Error::<Test>::MeterAlreadyRegistered);
		assert_noop!(confirm(METER, good), Error::<Test>::UnknownOffer);
		assert_ok!(EnergyMarket::withdraw_offer(by(STRANGER), bad));
		assert_eq!((deposits(), System::sufficients(&METER)), (0, 1));
		assert_eq!(MeterOf::<Test>::get(METER), Some(good));
	});
}

#[test]
fn offer_is_withdrawn_by_operator_or_owner_and_by_anybody_when_it_has_expired() {
	ExtBuilder::default().build_in_first_era(|| {
		for who in [OPERATOR, owner(5)] {
			let id = offer(owner(5), METER, 5_000);
			assert_ok!(confirm(METER, id));
			assert_noop!(
				EnergyMarket::withdraw_offer(by(STRANGER), id),
				Error::<Test>::NotOperator
			);
			assert_ok!(EnergyMarket::withdraw_offer(by(who), id));
			assert_eq!((deposits(), System::sufficients(&METER)), (0, 0));
			assert!(!MeterOf::<Test>::contains_key(METER));
			assert_noop!(accept(owner(5), id, 1), Error::<Test>::UnknownOffer);
		}
		let id = offer(owner(5), METER, 5_000);
		assert_noop!(accept(STRANGER, id, 1), Error::<Test>::NotOwner);
		for era in NEXT..=FIRST_ERA + OFFER_LIFETIME {
			enter_era(era);
			assert_ok!(accept(owner(5), id, 1));
		}
		enter_era(FIRST_ERA + OFFER_LIFETIME + 1);
		assert_noop!(accept(owner(5), id, 1), Error::<Test>::OfferExpired);
		assert!(!EnergyMarket::is_confirmation(&METER, id));
		assert_noop!(confirm(METER, id), Error::<Test>::OfferExpired);
		// The deposit goes to who paid it, even if the operator is another one by now.
		assert_ok!(EnergyMarket::set_operator(
			RuntimeOrigin::root(),
			VILLAGE,
			UTILITY
		));
		assert_ok!(EnergyMarket::withdraw_offer(by(STRANGER), id));
		assert_eq!(deposits(), 0);
		assert_eq!(Balances::free_balance(OPERATOR), ENDOWMENT - EXISTENTIAL_DEPOSIT);
	});
}

#[test]
fn meter_is_replaced_only_with_everybodys_consent() {
	ExtBuilder::default().build_in_first_era(|| {
		let change = Change::Meter(METER);
		assert_noop!(
			EnergyMarket::accept_change(by(owner(0)), home(0), change.clone()),
			Error::<Test>::NothingProposed
		);
		assert_noop!(
			EnergyMarket::propose_change(by(owner(0)), home(0), Some(change.clone())),
			Error::<Test>::NotOperator
		);
		assert_noop!(
			EnergyMarket::propose_change(by(OPERATOR), home(0), Some(Change::Meter(meter(0)))),
			Error::<Test>::MeterAlreadyRegistered
		);
		propose(0, change.clone());
		assert_ok!(confirm(METER, home(0)));
		enter_era(NEXT);
		// Without the owner the old meter counts.
		assert_noop!(
			EnergyMarket::submit_reading(by(METER), FIRST_ERA, reading(0, 1)),
			Error::<Test>::MeterNotActiveInEra
		);
		report(0, FIRST_ERA, 0, 1);
		assert_noop!(
			EnergyMarket::accept_change(by(owner(0)), home(0), Change::Meter(METER + 1)),
			Error::<Test>::ProposalDiffers
		);
		for who in [OPERATOR, METER, STRANGER] {
			assert_noop!(
				EnergyMarket::accept_change(by(who), home(0), change.clone()),
				Error::<Test>::NotOwner
			);
		}
		assert_ok!(EnergyMarket::accept_change(by(owner(0)), home(0), change.clone()));
		let next = Households::<Test>::get(home(0)).unwrap().next_meter.unwrap();
		assert_eq!((next.from_era, next.meter), (NEXT + 1, METER));
		assert_noop!(
			EnergyMarket::accept_change(by(owner(0)), home(0), change),
			Error::<Test>::NothingProposed
		);
	});
}

#[test]
fn proposal_is_replaced_or_withdrawn_and_frees_its_meter() {
	ExtBuilder::default().build_in_first_era(|| {
		propose(0, Change::Meter(METER));
		assert_ok!(confirm(METER, home(0)));
		propose(0, Change::Meter(METER));
		// The meter confirmed the earlier proposal.
		assert!(!MeterOf::<Test>::contains_key(METER));
		assert_eq!(System::sufficients(&METER), 1);
		propose(0, Change::ConnectionLimit(7));
		assert_eq!(System::sufficients(&METER), 0);
		assert_ok!(EnergyMarket::propose_change(by(OPERATOR), home(0), None));
		assert_noop!(
			EnergyMarket::propose_change(by(OPERATOR), home(0), None),
			Error::<Test>::NothingToChange
		);
		assert_noop!(
			EnergyMarket::accept_change(by(owner(0)), home(0), Change::ConnectionLimit(7)),
			Error::<Test>::NothingProposed
		);
	});
}

#[test]
fn connection_limit_holds_from_the_era_after_the_owners_acceptance() {
	ExtBuilder::default().build_in_first_era(|| {
		let agree = |limit| {
			propose(0, Change::ConnectionLimit(limit));
			EnergyMarket::accept_change(by(owner(0)), home(0), Change::ConnectionLimit(limit))
		};
		assert_noop!(
			EnergyMarket::propose_change(by(OPERATOR), home(0), Some(Change::ConnectionLimit(0))),
			Error::<Test>::ConnectionLimitOutOfRange
		);
		assert_ok!(agree(500));
		let buy = |wh| {
			let strategies = vec![strategy(Kind::BuyFromMain, wh)];
			EnergyMarket::submit_strategies(by(owner(0)), home(0), NEXT, 0, strategies)
		};
		assert_noop!(buy(501), Error::<Test>::OverConnectionLimit);
		assert_ok!(buy(500));
		report(0, FIRST_ERA - 1, 0, 9_000);
		enter_era(NEXT);
		// The last era of the old limit.
		report(0, FIRST_ERA, 0, 9_000);
		propose(0, Change::ConnectionLimit(600));
		assert_noop!(
			EnergyMarket::accept_change(by(owner(0)), home(0), Change::ConnectionLimit(600)),
			Error::<Test>::LimitBeingChanged
		);
		enter_era(NEXT + 1);
		assert_noop!(
			EnergyMarket::submit_reading(by(meter(0)), NEXT, reading(0, 501)),
			Error::<Test>::OverConnectionLimit
		);
		report(0, NEXT, 0, 500);
		// While an era of the old limit could be reported late, the old limit is not forgotten.
		(NEXT + 2..=NEXT + RETAINED_ERAS - 2).for_each(enter_era);
		assert_noop!(
			EnergyMarket::accept_change(by(owner(0)), home(0), Change::ConnectionLimit(600)),
			Error::<Test>::LimitBeingChanged
		);
		enter_era(NEXT + RETAINED_ERAS - 1);
		assert_ok!(agree(600));
	});
}

#[test]
fn owner_sets_what_may_be_debited() {
	ExtBuilder::default().build_in_first_era(|| {
		assert_noop!(
			EnergyMarket::set_max_debit(by(OPERATOR), home(0), 1),
			Error::<Test>::NotOwner
		);
		assert_ok!(EnergyMarket::set_max_debit(by(owner(0)), home(0), 1));
		assert_eq!(Households::<Test>::get(home(0)).unwrap().max_debit_per_era, 1);
	});
}

#[test]
fn handover_leaves_open_contracts_with_the_owner_before() {
	ExtBuilder::default().build_in_first_era(|| {
		let new = STRANGER;
		let accept = |who| EnergyMarket::accept_household(by(who), home(1), 555);
		assert_noop!(accept(new), Error::<Test>::NothingProposed);
		assert_noop!(
			EnergyMarket::offer_household(by(OPERATOR), home(1), Some(new)),
			Error::<Test>::NotOwner
		);
		assert_ok!(EnergyMarket::offer_household(by(owner(1)), home(1), Some(new)));
		assert_noop!(accept(owner(2)), Error::<Test>::NothingProposed);
		assert_ok!(accept(new));
		// The old owner buys for the next era, the new one for the era after it.
		let buy = |who, era| {
			let strategies = vec![strategy(Kind::BuyFromMain, 1_000)];
			EnergyMarket::submit_strategies(by(who), home(1), era, 0, strategies)
		};
		assert_noop!(buy(new, NEXT), Error::<Test>::NotOwner);
		assert_ok!(buy(owner(1), NEXT));
		enter_era(NEXT);
		assert_noop!(buy(owner(1), NEXT + 1), Error::<Test>::NotOwner);
		assert_ok!(buy(new, NEXT + 1));
		enter_era(NEXT + 1);
		let held = |who| Balances::balance_on_hold(&HoldReason::Contract.into(), &who);
		assert_eq!(held(owner(1)), contract(1, NEXT).held);
		assert_eq!(held(new), contract(1, NEXT + 1).held);
		assert!(held(owner(1)) > 0 && held(new) > 0);
		assert_ok!(EnergyMarket::do_try_state());
		report(1, NEXT, 0, 1_000);
		enter_era(NEXT + 2);
		// One kWh at retail.
		assert_eq!(Balances::total_balance(&owner(1)), ENDOWMENT - 300);
		assert_eq!(Balances::total_balance(&new), ENDOWMENT);
		report(1, NEXT + 1, 0, 1_000);
		enter_era(NEXT + 3);
		assert_eq!(Balances::total_balance(&owner(1)), ENDOWMENT - 300);
		assert_eq!(Balances::total_balance(&new), ENDOWMENT - 300);
		assert_eq!(EnergyMarket::view_households_of(new), [home(1)]);
	});
}

#[test]
fn handover_drops_what_the_new_owner_did_not_sign() {
	ExtBuilder::default().build_in_first_era(|| {
		let change = Change::Meter(METER);
		propose(1, change.clone());
		assert_ok!(EnergyMarket::accept_change(by(owner(1)), home(1), change.clone()));
		assert_ok!(EnergyMarket::set_preference(
			by(owner(1)),
			home(1),
			Some(preference())
		));
		assert_ok!(EnergyMarket::offer_household(
			by(owner(1)),
			home(1),
			Some(STRANGER)
		));
		assert_ok!(EnergyMarket::accept_household(by(STRANGER), home(1), 1));
		let household = Households::<Test>::get(home(1)).unwrap();
		assert_eq!(household.preference, None);
		// The old owner's consent and the meter's would have completed the change.
		assert_noop!(confirm(METER, home(1)), Error::<Test>::UnknownOffer);
		// The dropped proposal does not keep the meter from another household.
		propose(2, change);
		assert_ok!(confirm(METER, home(2)));
		assert_ok!(EnergyMarket::do_try_state());
	});
}

#[test]
fn handover_is_refused_while_leaving_in_arrears_or_while_another_is_open() {
	ExtBuilder::default().build_in_first_era(|| {
		let offer = |from| EnergyMarket::offer_household(by(from), home(1), Some(STRANGER));
		let accept = || EnergyMarket::accept_household(by(STRANGER), home(1), 1);
		assert_ok!(offer(owner(1)));
		Debts::<Test>::mutate(VILLAGE, |book| {
			let debt = Debt {
				arrears: 1,
				credit: 0,
			};
			book.try_push((home(1), debt)).unwrap();
		});
		assert_noop!(accept(), Error::<Test>::HouseholdInArrears);
		assert_ok!(EnergyMarket::write_off_arrears(by(UTILITY), home(1)));
		assert_ok!(accept());
		assert_ok!(offer(owner(1)));
		assert_noop!(accept(), Error::<Test>::OwnerBeingChanged);
		assert_ok!(EnergyMarket::leave(by(owner(1)), home(1)));
		assert_noop!(offer(owner(1)), Error::<Test>::HouseholdLeaving);
		assert_noop!(accept(), Error::<Test>::HouseholdLeaving);
	});
}

#[test]
fn utility_writes_arrears_off() {
	ExtBuilder::default().build_in_first_era(|| {
		let debt_of_1 = Debt {
			arrears: 900,
			credit: 5,
		};
		Debts::<Test>::mutate(VILLAGE, |book| book.try_push((home(1), debt_of_1)).unwrap());
		for who in [OPERATOR, owner(1)] {
			assert_noop!(
				EnergyMarket::write_off_arrears(by(who), home(1)),
				Error::<Test>::NotUtility
			);
		}
		assert_ok!(EnergyMarket::write_off_arrears(by(UTILITY), home(1)));
		assert_eq!((debt(1).arrears, debt(1).credit), (0, 5));
		assert_noop!(
			EnergyMarket::write_off_arrears(by(UTILITY), home(1)),
			Error::<Test>::NoArrears
		);
		assert_eq!(Balances::free_balance(owner(1)), ENDOWMENT);
	});
}

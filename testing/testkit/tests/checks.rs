//! Tests of the kit's checks: each check must fail on a state or an event that is wrong in one place.

use commonwatt_testkit::*;
use frame_support::traits::{fungible::MutateHold, tokens::Precision, Get};
use pallet_energy_market::{
	Config, Contracts, Debt, Debts, HoldReason, Households, Readings, Records, Statements,
};
use std::panic::{catch_unwind, AssertUnwindSafe};

/// The community, and its households by what they do.
const HOME: CommunityId = CommunityId(0);
const SELLER: HouseholdId = HouseholdId(0);
const BUYER: HouseholdId = HouseholdId(1);
const IDLE: HouseholdId = HouseholdId(2);

/// Runs `test` on a chain with a settled era, which it gets: household 0 offered 2 kWh, household 1 bought 1.5 kWh of
/// them. Then household 0 generated 200 Wh more than it had submitted, and household 1 consumed 100 Wh more. The running era has the same contracts,
/// still open.
fn traded(test: impl FnOnce(EraIndex)) {
	Setup::empty().community(community(3)).run(|chain| {
		chain.submit([sell(0, 2_000), buy(1, 1_500)]);
		let era = chain.next_era();
		chain.next_era();
		chain.submit([
			reading(0, 2_200, 0),
			reading(1, 0, 1_600),
			sell(0, 2_000),
			buy(1, 1_500),
		]);
		chain.next_era();
		assert_holds();
		assert_sums(0, era);
		test(era);
	});
}

/// The panic message of a check that must fail.
fn fault(check: impl FnOnce()) -> String {
	let panic = catch_unwind(AssertUnwindSafe(check)).expect_err("the check did not fail");
	match panic.downcast::<String>() {
		Ok(said) => *said,
		Err(panic) => panic
			.downcast_ref::<&str>()
			.expect("a panic message is a string")
			.to_string(),
	}
}

/// The index of an era in the rings.
fn slot(era: EraIndex) -> u32 {
	let retained: u32 = <Runtime as Config>::RetainedEras::get();
	era % retained
}

fn change_contract(era: EraIndex, household: HouseholdId, change: impl FnOnce(&mut Contract<Runtime>)) {
	Contracts::<Runtime>::mutate(HOME, slot(era), |book| {
		let entry = book.iter_mut().find(|(id, _)| *id == household);
		change(&mut entry.expect("a contract").1);
	});
}

fn change_statement(era: EraIndex, household: HouseholdId, change: impl FnOnce(&mut Statement)) {
	Statements::<Runtime>::mutate(HOME, slot(era), |book| {
		let entry = book.iter_mut().find(|(id, _)| *id == household);
		change(&mut entry.expect("a statement").1);
	});
}

/// The failure of `assert_sums` after `change` to a household's statement.
fn sums_with(household: HouseholdId, change: impl FnOnce(&mut Statement)) -> String {
	let mut said = String::new();
	traded(|era| {
		change_statement(era, household, change);
		said = fault(|| assert_sums(0, era));
	});
	said
}

#[test]
fn hold_above_what_contracts_say_is_found() {
	traded(|_| {
		let open = now().current;
		change_contract(open, BUYER, |contract| contract.held -= 1);
		assert!(fault(assert_holds).contains("on hold for the contracts of"));
	});
}

#[test]
fn hold_below_what_contracts_say_is_found() {
	traded(|_| {
		let reason = HoldReason::Contract.into();
		assert_ok!(Balances::release(&reason, &owner(1), 1, Precision::Exact));
		assert!(fault(assert_holds).contains("on hold for the contracts of"));
	});
}

#[test]
fn hold_for_a_household_that_does_not_exist_is_found() {
	traded(|_| {
		Households::<Runtime>::remove(BUYER);
		assert!(fault(assert_holds).contains("does not exist, but its contract has funds on hold"));
	});
}

#[test]
fn contracted_energy_that_does_not_sum_to_zero_is_found() {
	traded(|era| {
		change_contract(era, BUYER, |contract| {
			contract.energy.bought_from_community_wh += 1
		});
		assert!(fault(|| assert_sums(0, era)).contains("contracted community energy"));
	});
}

#[test]
fn settled_energy_that_does_not_sum_to_zero_is_found() {
	let said = sums_with(BUYER, |s| s.energy.bought_from_community_wh += 1);
	assert!(said.contains("settled community energy"), "{said}");
}

#[test]
fn statement_whose_energy_differs_from_the_reading_is_found() {
	let said = sums_with(SELLER, |s| s.energy.sold_to_main_wh += 1);
	assert!(said.contains("not what the meter saw"), "{said}");
}

#[test]
fn seller_who_received_less_than_its_share_is_found() {
	let said = sums_with(SELLER, |s| s.amounts.received_from_pool -= 1);
	assert!(said.contains("but the share is"), "{said}");
}

#[test]
fn seller_who_received_nothing_and_is_owed_nothing_is_found() {
	let said = sums_with(SELLER, |s| s.amounts.received_from_pool = 0);
	assert!(said.contains("neither paid nor owed"), "{said}");
}

#[test]
fn seller_who_received_nothing_and_is_owed_its_share_passes() {
	traded(|era| {
		change_statement(era, SELLER, |s| {
			s.amounts.credit += s.amounts.received_from_pool;
			s.amounts.received_from_pool = 0;
		});
		assert_sums(0, era);
	});
}

#[test]
fn amounts_that_are_not_energy_times_price_are_found() {
	type Change = (HouseholdId, fn(&mut Statement), &'static str);
	let changes: [Change; 8] = [
		(BUYER, |s| s.price_per_kwh += UNIT, "paid to the pool"),
		(BUYER, |s| s.amounts.grid_fee -= 1, "grid fee of"),
		(BUYER, |s| s.amounts.main_cost += 1, "cost of"),
		(BUYER, |s| s.amounts.matched_cost = 0, "cost of"),
		(SELLER, |s| s.amounts.main_revenue -= 1, "revenue of"),
		(SELLER, |s| s.amounts.matched_revenue += 1, "revenue of"),
		(SELLER, |s| s.amounts.imbalance_revenue = 0, "revenue of"),
		(SELLER, |s| s.matched_long_wh -= 1, "not what the meter saw"),
	];
	for (household, change, expected) in changes {
		let said = sums_with(household, change);
		assert!(said.contains(expected), "{said}, not {expected}");
	}
}

#[test]
fn totals_that_are_not_the_sums_of_the_statements_are_found() {
	for change in [
		(|record| record.settled = None) as fn(&mut EraRecord),
		|record| record.settled.as_mut().unwrap().missing_readings = 4,
		|record| record.settled.as_mut().unwrap().rewards += 1,
		|record| record.settled.as_mut().unwrap().sold_to_main_wh += 1,
	] {
		traded(|era| {
			Records::<Runtime>::mutate(HOME, slot(era), |record| {
				change(record.as_mut().expect("a record"))
			});
			let said = fault(|| assert_sums(0, era));
			assert!(
				["not settled", "totals", "Totals"]
					.iter()
					.any(|word| said.contains(word)),
				"{said}"
			);
		});
	}
}

/// Deposits the events of an era's settlement again, after `change` to them.
fn tell_again(era: EraIndex, change: impl FnOnce(&mut Vec<MarketEvent>)) {
	let statements = EnergyMarket::view_statements(HOME, era).into_iter();
	let settled = statements.map(|(household, statement)| MarketEvent::HouseholdSettled {
		community: HOME,
		household,
		statement,
	});
	let totals = record(0, era).settled.expect("settled");
	let mut events: Vec<_> = settled.collect();
	events.push(MarketEvent::EraSettled {
		community: HOME,
		era,
		totals,
	});
	change(&mut events);
	for event in events {
		System::deposit_event(event);
	}
}

/// The failure of `assert_told` after `happens`, which gets the settled era.
fn ledger_after(happens: impl FnOnce(EraIndex)) -> String {
	let mut said = String::new();
	traded(|era| {
		let ledger = Snapshot::now();
		ledger.assert_told();
		happens(era);
		said = fault(|| ledger.assert_told());
	});
	said
}

#[test]
fn money_that_moves_without_an_event_of_the_market_is_found() {
	let said = ledger_after(|_| {
		let transfer = pallet_balances::Call::transfer_allow_death {
			dest: owner(1).into(),
			value: 1,
		};
		assert_ok!(dispatch(by(owner(0), transfer)));
	});
	assert!(said.contains("balance in the state"), "{said}");
}

#[test]
fn payment_that_only_an_event_reports_is_found() {
	let said = ledger_after(|era| tell_again(era, |_| ()));
	assert!(said.contains("balance in the state"), "{said}");
}

#[test]
fn balances_that_exceed_the_total_issuance_are_found() {
	let said = ledger_after(|_| pallet_balances::TotalIssuance::<Runtime>::mutate(|issued| *issued -= 1));
	assert!(said.contains("total issuance"), "{said}");
}

/// Adds a debt of a household that has none.
fn owe(household: HouseholdId, arrears: Balance, credit: Balance) {
	let debt = Debt { arrears, credit };
	Debts::<Runtime>::mutate(HOME, |debts| debts.try_push((household, debt)).unwrap());
}

#[test]
fn debt_that_no_event_reports_is_found() {
	let said = ledger_after(|_| {
		owe(IDLE, 1, 0);
	});
	assert!(said.contains("debts in the state"), "{said}");
}

#[test]
fn credit_whose_payment_only_an_event_reports_is_found() {
	traded(|_| {
		owe(IDLE, 0, 5);
		let ledger = Snapshot::now();
		Debts::<Runtime>::remove(HOME);
		let (household, paid) = (IDLE, 5);
		System::deposit_event(MarketEvent::CreditPaid {
			household,
			paid,
			credit: 0,
		});
		assert!(fault(|| ledger.assert_told()).contains("balance in the state"));
	});
}

#[test]
fn household_that_leaves_with_debts_is_found() {
	traded(|_| {
		owe(IDLE, 5, 0);
		let ledger = Snapshot::now();
		Households::<Runtime>::remove(IDLE);
		System::deposit_event(MarketEvent::HouseholdLeft {
			community: HOME,
			household: IDLE,
		});
		assert!(fault(|| ledger.assert_told()).contains("household 2 left"));
	});
}

#[test]
fn statement_that_ignores_earlier_debts_is_found() {
	traded(|era| {
		owe(BUYER, 5, 0);
		let ledger = Snapshot::now();
		tell_again(era, |_| ());
		assert!(fault(|| ledger.assert_told()).contains("arrears and credit after"));
	});
}

#[test]
fn events_that_differ_from_the_state_are_found() {
	let said = ledger_after(|era| {
		tell_again(era, |events| drop(events.remove(0)));
	});
	assert!(said.contains("statements in the state"), "{said}");
	let said = ledger_after(|era| {
		tell_again(era, |events| drop(events.pop()));
	});
	assert!(said.contains("without an EraSettled event"), "{said}");
	let said = ledger_after(|era| {
		tell_again(era, |events| match events.last_mut() {
			Some(MarketEvent::EraSettled { totals, .. }) => totals.grid_fees += 1,
			other => panic!("{other:?}"),
		});
	});
	assert!(said.contains("totals"), "{said}");
}

#[test]
fn settlement_that_did_not_use_the_reading_is_found() {
	traded(|era| {
		Readings::<Runtime>::mutate(SELLER, |metered| {
			metered.as_mut().unwrap().newest.reading.generation_wh += 1;
		});
		let ledger = Snapshot::now();
		tell_again(era, |_| ());
		assert!(fault(|| ledger.assert_told()).contains("the settled reading is not the submitted one"));
	});
}

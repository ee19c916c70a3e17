//! Each kind of event moves what its pallet moved, and every wrong number is found.

use super::{
	compared as differences,
	entries::{Books, Entry, SystemEvent},
	state::{Account, State},
};
use crate::chain::{
	balances::{BalancesEvent, HoldReason, MarketHold, Status},
	types::{
		Amounts, Channels, CommunityId, Debt, HouseholdId, MarketEvent, Quality, Reading, ReportedBy,
		Statement, Totals,
	},
};
use std::collections::BTreeMap;
use subxt::utils::AccountId32;
use BalancesEvent::*;

const ONE: AccountId32 = AccountId32([1; 32]);
const TWO: AccountId32 = AccountId32([2; 32]);
const REASON: HoldReason = HoldReason::EnergyMarket(MarketHold::Contract);
const RETAINED: u32 = 3;
const HOME: CommunityId = CommunityId(0);
const SELLER: HouseholdId = HouseholdId(0);
const BUYER: HouseholdId = HouseholdId(1);

fn account(free: i128, reserved: i128, held: i128) -> Account {
	Account {
		exists: true,
		free,
		reserved,
		held: BTreeMap::from([("EnergyMarket(Contract)".to_string(), held)])
			.into_iter()
			.filter(|(_, held)| *held != 0)
			.collect(),
	}
}

/// Two accounts of 100 free, 20 reserved and 30 on hold.
fn state() -> State {
	State {
		issuance: 300,
		accounts: BTreeMap::from([(ONE, account(100, 20, 30)), (TWO, account(100, 20, 30))]),
		..State::default()
	}
}

fn books_of(entries: Vec<Entry>) -> Books {
	let mut books = Books::open(state(), RETAINED);
	entries.into_iter().for_each(|entry| books.enter(7, entry));
	books.close();
	books
}

/// The amounts of both accounts (free, reserved, on hold) and the issuance after these events.
fn after(events: Vec<BalancesEvent>) -> ([(i128, i128, i128); 2], i128) {
	let books = books_of(events.into_iter().map(Entry::Balances).collect());
	let amounts = |who: &AccountId32| {
		let account = &books.state.accounts[who];
		(account.free, account.reserved, account.held.values().sum())
	};
	([amounts(&ONE), amounts(&TWO)], books.state.issuance)
}

#[track_caller]
fn moves(event: BalancesEvent, one: (i128, i128, i128), two: (i128, i128, i128), issuance: i128) {
	let name = format!("{event:?}");
	assert_eq!(after(vec![event]), ([one, two], issuance), "{name}");
}

const SAME: (i128, i128, i128) = (100, 20, 30);

#[test]
fn payments_between_accounts() {
	let (from, to, amount) = (ONE, TWO, 5);
	moves(Transfer { from, to, amount }, (95, 20, 30), (105, 20, 30), 300);
	let repatriated = |destination_status| ReserveRepatriated {
		from,
		to,
		amount,
		destination_status,
	};
	moves(repatriated(Status::Free), (100, 15, 30), (105, 20, 30), 300);
	moves(repatriated(Status::Reserved), (100, 15, 30), (100, 25, 30), 300);
	let (reason, source, dest) = (REASON, ONE, TWO);
	moves(
		TransferOnHold {
			reason,
			source,
			dest,
			amount,
		},
		(100, 20, 25),
		(105, 20, 30),
		300,
	);
	moves(
		TransferAndHold {
			reason,
			source,
			dest,
			transferred: amount,
		},
		(95, 20, 30),
		(100, 20, 35),
		300,
	);
}

#[test]
fn money_within_an_account() {
	let (reason, who, amount) = (REASON, ONE, 5);
	moves(Reserved { who, amount }, (95, 25, 30), SAME, 300);
	moves(Unreserved { who, amount }, (105, 15, 30), SAME, 300);
	moves(Held { reason, who, amount }, (95, 20, 35), SAME, 300);
	moves(Released { reason, who, amount }, (105, 20, 25), SAME, 300);
}

#[test]
fn deposits_withdrawals_mints_and_burns() {
	let (reason, who, amount) = (REASON, ONE, 5);
	moves(Minted { who, amount }, (105, 20, 30), SAME, 305);
	moves(Restored { who, amount }, (105, 20, 30), SAME, 305);
	moves(Burned { who, amount }, (95, 20, 30), SAME, 295);
	moves(Suspended { who, amount }, (95, 20, 30), SAME, 295);
	moves(BurnedHeld { reason, who, amount }, (100, 20, 25), SAME, 295);
	moves(Deposit { who, amount }, (105, 20, 30), SAME, 300);
	moves(Withdraw { who, amount }, (95, 20, 30), SAME, 300);
	moves(DustLost { account: who, amount }, (95, 20, 30), SAME, 300);
	moves(BalanceSet { who, free: 7 }, (7, 20, 30), SAME, 300);
	moves(MintedCredit { amount }, SAME, SAME, 305);
	moves(Issued { amount }, SAME, SAME, 305);
	moves(BurnedDebt { amount }, SAME, SAME, 295);
	moves(Rescinded { amount }, SAME, SAME, 295);
	moves(TotalIssuanceForced { new: 9 }, SAME, SAME, 9);
	for nothing in [
		Endowed {},
		Upgraded {},
		Locked {},
		Unlocked {},
		Frozen {},
		Thawed {},
	] {
		moves(nothing, SAME, SAME, 300);
	}
}

#[test]
fn fee_is_withdrawn_refunded_and_burned() {
	let (who, amount) = (ONE, 3);
	let events = vec![
		Withdraw { who, amount: 10 },
		Deposit { who, amount },
		BurnedDebt { amount: 7 },
	];
	assert_eq!(after(events), ([(93, 20, 30), SAME], 293));
}

#[test]
fn events_that_do_not_say_what_they_moved_are_faults() {
	for event in [Slashed {}, Unexpected {}] {
		let books = books_of(vec![Entry::Balances(event)]);
		assert!(books.faults[0].starts_with("block 7: "), "{:?}", books.faults);
	}
}

#[test]
fn money_without_an_issuance_is_a_fault() {
	let (who, amount) = (ONE, 5);
	let books = books_of(vec![Entry::Balances(Deposit { who, amount })]);
	assert_eq!(
		books.faults,
		["the accounts have 305 in total, but the total issuance is 300"]
	);
}

#[test]
fn accounts_are_created_and_removed() {
	let (from, to) = (ONE, AccountId32([3; 32]));
	let empty = Account {
		exists: true,
		..Account::default()
	};
	let new = |account| Entry::System(SystemEvent::NewAccount { account });
	let gone = |account| Entry::System(SystemEvent::KilledAccount { account });
	// An account without money, such as a meter's.
	assert_eq!(books_of(vec![new(to)]).state.accounts[&to], empty);
	assert!(!books_of(vec![new(to), gone(to)]).state.accounts.contains_key(&to));

	// The removal of an account is reported before the payment that emptied it.
	let mut ending = state();
	ending.accounts.insert(ONE, account(100, 0, 0));
	ending.issuance = 250;
	let mut books = Books::open(ending, RETAINED);
	let amount = 100;
	for entry in [
		gone(from),
		new(to),
		Entry::Balances(Transfer { from, to, amount }),
	] {
		books.enter(1, entry);
	}
	books.close();
	assert!(!books.state.accounts.contains_key(&from));
	assert_eq!(books.state.accounts[&to].free, 100);
	assert_eq!(books.faults, Vec::<String>::new());

	// The state cannot have an account that was removed but still has money.
	let books = books_of(vec![gone(ONE)]);
	assert_eq!(
		differences(&books.state, &state()).unwrap(),
		[format!(
			"accounts {ONE} exists: false in the books, true in the state"
		)]
	);
}

fn statement(era: u32, sold_wh: u32, bought_wh: u32) -> Statement {
	Statement {
		era,
		reported_by: ReportedBy::Meter,
		is_firm: false,
		reading: Reading {
			generation_wh: 0,
			consumption_wh: 0,
			indoor_centi_c: 0,
			quality: Quality::Measured,
		},
		energy: Channels {
			sold_to_community_wh: sold_wh,
			bought_from_community_wh: bought_wh,
			sold_to_main_wh: 0,
			bought_from_main_wh: 4,
		},
		matched_long_wh: 0,
		matched_short_wh: 0,
		imbalance_export_wh: 0,
		imbalance_import_wh: 0,
		price_per_kwh: 0,
		delivered: None,
		amounts: Amounts {
			paid_to_pool: 1,
			received_from_pool: 2,
			grid_fee: 3,
			reward: 4,
			paid_to_utility: 5,
			received_from_utility: 6,
			main_cost: 7,
			main_revenue: 8,
			matched_cost: 0,
			matched_revenue: 0,
			imbalance_cost: 0,
			imbalance_revenue: 0,
			alone_cost: 90,
			alone_revenue: 10,
			arrears: 11,
			credit: 12,
		},
	}
}

fn market(event: MarketEvent) -> Entry {
	Entry::EnergyMarket(Box::new(event))
}

/// The seller sells 9 Wh to the buyer.
fn settlement(era: u32) -> Vec<Entry> {
	let settled = |household, statement| {
		market(MarketEvent::HouseholdSettled {
			community: HOME,
			household,
			statement,
		})
	};
	let totals = Totals {
		households: 2,
		missing_readings: 0,
		community_wh: 9,
		matched_wh: 0,
		feeder_import_wh: 0,
		feeder_export_wh: 0,
		to_pot: 0,
		bought_from_main_wh: 8,
		sold_to_main_wh: 0,
		through_pool: 2,
		grid_fees: 6,
		rewards: 8,
		to_utility: 10,
		from_utility: 12,
	};
	vec![
		settled(SELLER, statement(era, 9, 0)),
		settled(BUYER, statement(era, 0, 9)),
		market(MarketEvent::EraSettled {
			community: HOME,
			era,
			totals,
		}),
	]
}

#[test]
fn settlements_fill_statements_bills_and_debts() {
	let books = books_of((1..=4).flat_map(settlement).collect());
	let state = &books.state;
	assert_eq!(books.faults, Vec::<String>::new());
	// Era 4 takes the place of era 1 in the ring.
	assert_eq!(
		state.statements[&HOME].keys().copied().collect::<Vec<_>>(),
		[2, 3, 4]
	);
	assert_eq!(books.energy[&BUYER].eras, 4);
	assert_eq!(books.energy[&BUYER].bought_from_community_wh, 36);
	let bill = &state.bills[&SELLER];
	assert_eq!((bill.first_era, bill.last_era, bill.eras), (2, 4, 3));
	assert_eq!(bill.energy_wh, [27, 0, 0, 12]);
	let (cost, revenue, savings) = (3 * (1 + 3 + 7), 3 * (2 + 8), 3 * (80 - 1));
	assert_eq!(
		(bill.cost, bill.revenue, bill.savings, bill.reward),
		(cost, revenue, savings, 12)
	);
	let owing = Debt {
		arrears: 11,
		credit: 12,
	};
	assert_eq!(state.households[&BUYER], owing);
}

#[test]
fn debts_are_paid_and_households_leave() {
	let mut entries = settlement(1);
	entries.extend([
		market(MarketEvent::ArrearsRepaid {
			household: SELLER,
			paid: 8,
			arrears: 3,
		}),
		market(MarketEvent::CreditPaid {
			household: SELLER,
			paid: 12,
			credit: 0,
		}),
		market(MarketEvent::HouseholdLeft {
			community: HOME,
			household: BUYER,
		}),
	]);
	let state = books_of(entries).state;
	let left = Debt {
		arrears: 3,
		credit: 0,
	};
	assert_eq!(state.households, BTreeMap::from([(SELLER, left)]));
	// The buyer has no bill any more, but its statement stays among the community's.
	assert_eq!(state.bills.keys().copied().collect::<Vec<_>>(), [SELLER]);
	assert_eq!(state.statements[&HOME][&1].len(), 2);
}

#[test]
fn totals_that_contradict_the_statements_are_faults() {
	let mut entries = settlement(1);
	entries.remove(0);
	let books = books_of(entries);
	assert!(
		books.faults[0].contains("era 1 of community 0 has 1 statements"),
		"{:?}",
		books.faults
	);
}

#[test]
fn differences_are_found_in_both_directions() {
	let books = books_of(settlement(1)).state;
	assert_eq!(differences(&books, &books).unwrap(), Vec::<String>::new());

	let mut chain = books.clone();
	chain.accounts.remove(&ONE);
	chain.accounts.get_mut(&TWO).unwrap().held.clear();
	chain.accounts.get_mut(&TWO).unwrap().free += 30;
	let eras = chain.statements.get_mut(&HOME).unwrap();
	eras.get_mut(&1)
		.unwrap()
		.get_mut(&BUYER)
		.unwrap()
		.energy
		.bought_from_main_wh = 5;
	chain.bills.get_mut(&BUYER).unwrap().savings = -1;
	chain.households.insert(HouseholdId(2), Debt::default());
	let found = differences(&books, &chain).unwrap();
	let expected = [
		format!("accounts {ONE}: not in the state, "),
		format!("accounts {TWO} free: \"100\" in the books, \"130\" in the state"),
		format!("accounts {TWO} held EnergyMarket(Contract): not in the state, \"30\""),
		"bills 1 savings: \"79\" in the books, \"-1\" in the state".to_string(),
		"households 2: not in the books, ".to_string(),
		"statements 0 1 1 energy bought_from_main_wh: 4 in the books, 5 in the state".to_string(),
	];
	assert_eq!(found.len(), expected.len(), "{found:?}");
	for expected in expected {
		assert!(
			found.iter().any(|found| found.starts_with(&expected)),
			"{expected} is not in {found:?}"
		);
	}
}

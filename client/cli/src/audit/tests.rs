//! False claims are found and named.

use super::*;
use crate::{
	chain::types::{
		Amounts, Certificate, Channels, Contract, EraRecord, HouseholdId, Kind, Quality, Reading, ReportedBy,
		Statement, Status, Strategy, Totals,
	},
	test_terms::TEST_TERMS as TERMS,
};
use commonwatt_market::game;
use std::collections::BTreeMap;

fn report() -> AuditReport {
	AuditReport {
		url: String::new(),
		community: CommunityId(0),
		era: 7,
		gate: None,
		late: LateStatements::default(),
		settlement: None,
		proved: 0,
		notes: Vec::new(),
		not_judged: Vec::new(),
		differences: Vec::new(),
	}
}

fn gate(held: u128, chosen: u8) -> Gate {
	let contract = Contract {
		era: 7,
		generation_wh: 0,
		comfort: None,
		strategies: vec![Strategy {
			kind: Kind::BuyFromMain,
			consumption_wh: 1_000,
			temperature_centi_c: 2_100,
		}],
		chosen,
		main_grid_only: false,
		energy: Channels::from_net(0, -1_000),
		held,
	};
	Gate {
		record: EraRecord {
			era: 7,
			terms: TERMS,
			players: 1,
			certificate: Certificate {
				status: Status::Equilibrium,
				offered_wh: 0,
				requested_wh: 0,
				traded_wh: 0,
				max_gain: game::Log2(0),
			},
			sweeps: 1,
			starts: 1,
			price_per_kwh: 190,
			settled: None,
		},
		contracts: BTreeMap::from([(HouseholdId(3), contract)]),
	}
}

fn settlement(paid: u128) -> Settlement {
	let statement = Statement {
		era: 7,
		reported_by: ReportedBy::Meter,
		is_firm: false,
		reading: Reading {
			generation_wh: 0,
			consumption_wh: 1_000,
			indoor_centi_c: 2_100,
			quality: Quality::Measured,
		},
		energy: Channels::from_net(0, -1_000),
		matched_long_wh: 0,
		matched_short_wh: 0,
		imbalance_export_wh: 0,
		imbalance_import_wh: 0,
		price_per_kwh: 190,
		delivered: None,
		amounts: Amounts {
			paid_to_utility: paid,
			..Amounts::default()
		},
	};
	Settlement {
		totals: Totals::default(),
		statements: BTreeMap::from([(HouseholdId(3), statement)]),
	}
}

#[test]
fn differences_from_state_and_events_are_named() {
	let mut found = report();
	found
		.compare(
			"gate closure",
			&gate(300, 0),
			Some(&gate(300, 0)),
			Some(&gate(300, 0)),
		)
		.unwrap();
	assert_eq!(found.differences, Vec::<String>::new());
	found
		.compare(
			"gate closure",
			&gate(300, 0),
			Some(&gate(300, 1)),
			Some(&gate(301, 0)),
		)
		.unwrap();
	let expected = [
		"gate closure: contracts 3 held: \"300\" computed, \"301\" on the chain",
		"gate closure: contracts 3 chosen: 0 computed, 1 in the events",
	];
	assert_eq!(found.differences, expected);
}

#[test]
fn differing_amount_and_missing_claim_are_named() {
	let mut found = report();
	found
		.compare("settlement", &settlement(300), None, Some(&settlement(299)))
		.unwrap();
	let expected = [
		"settlement: statements 3 amounts paid_to_utility: \"300\" computed, \"299\" on the chain",
		"settlement: computed, but missing in the events",
	];
	assert_eq!(found.differences, expected);
}

#[test]
fn exit_code_is_5_for_other_rules_unless_something_differs() {
	let outcome = |not_judged: &[&str], differences: &[&str]| {
		let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
		let report = AuditReport {
			not_judged: texts(not_judged),
			differences: texts(differences),
			..report()
		};
		report.outcome()
	};
	assert!(outcome(&[], &[]).is_ok());
	let fault = outcome(&["cleared under other rules"], &[]).unwrap_err();
	assert_eq!(fault.code(), 5);
	let text = "everything that can be judged is right, but 1 part(s) cannot be judged:\n  \
	            era 7 of community 0: cleared under other rules";
	assert_eq!(fault.to_string(), text);
	let fault = outcome(&["one"; 23], &[]).unwrap_err().to_string();
	assert_eq!(
		(fault.lines().count(), fault.ends_with("\n  and 3 more")),
		(22, true)
	);
	let fault = outcome(&["cleared under other rules"], &["price"]).unwrap_err();
	assert_eq!((fault.code(), fault.to_string()), (1, "differs: price".into()));
}

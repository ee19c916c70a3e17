//! Books that add up pass; change any number in them and a check says so.

use super::*;
use crate::{
	chain::types::{
		Amounts, Channels, MarketEvent, PriceRule, Quality, Ratio, Reading, Rules, Status, Tariffs,
	},
	replay::ledger::{Ledger, Opening},
};
use std::collections::BTreeMap;

const ERA: u32 = 7;
const PRICE: Money = 190;
const TERMS: Terms = Terms {
	rules: Rules {
		lambda: Ratio {
			numerator: 4,
			denominator: 1,
		},
		resolution_wh: 10,
	},
	tariffs: Tariffs {
		retail_per_kwh: 300,
		feed_in_per_kwh: 80,
		imbalance_import_per_kwh: 360,
		imbalance_export_per_kwh: 40,
		grid_fee_per_kwh: 10,
	},
	price_rule: PriceRule::MidMarket,
};

fn strategy(kind: Kind, consumption_wh: u32) -> Strategy {
	Strategy {
		kind,
		consumption_wh,
		temperature_centi_c: 2_100,
	}
}

fn reading(generation_wh: u32, consumption_wh: u32) -> Reading {
	Reading {
		generation_wh,
		consumption_wh,
		indoor_centi_c: 2_100,
		quality: Quality::Measured,
	}
}

fn channels(sold: u32, bought: u32, to_main: u32, from_main: u32) -> Channels {
	Channels {
		sold_to_community_wh: sold,
		bought_from_community_wh: bought,
		sold_to_main_wh: to_main,
		bought_from_main_wh: from_main,
	}
}

/// Household 0 sells 1,500 Wh, of which household 1 takes the 1,000 Wh that it needs; then household 1 consumes
/// 200 Wh more than it contracted.
fn events() -> Vec<MarketEvent> {
	let sell = strategy(Kind::SellToCommunity, 500);
	let buy = strategy(Kind::BuyFromCommunity, 1_500);
	let alternatives = |one: Strategy, kind: Kind| vec![one, Strategy { kind, ..one }];
	let submitted = |household, generation_wh, strategies| MarketEvent::StrategiesSubmitted {
		household,
		era: ERA,
		generation_wh,
		strategies,
	};
	let contract = |household, generation_wh, strategy, energy, held| MarketEvent::ContractMade {
		community: 0,
		era: ERA,
		household,
		generation_wh,
		strategy,
		chosen: 0,
		main_grid_only: false,
		energy,
		held,
	};
	let nothing = Amounts {
		paid_to_pool: 0,
		received_from_pool: 0,
		grid_fee: 0,
		paid_to_utility: 0,
		received_from_utility: 0,
		main_cost: 0,
		main_revenue: 0,
		alone_cost: 0,
		alone_revenue: 0,
		arrears: 0,
		credit: 0,
	};
	let seller = Amounts {
		received_from_pool: 190,
		main_revenue: 40,
		received_from_utility: 40,
		alone_revenue: 120,
		..nothing
	};
	// 200 Wh at the imbalance price of 360, of which it can pay 50 and already owed 5.
	let buyer = Amounts {
		paid_to_pool: 190,
		grid_fee: 10,
		main_cost: 72,
		paid_to_utility: 50,
		arrears: 27,
		alone_cost: 360,
		..nothing
	};
	let settled = |household, reading, energy, imbalance_import_wh, amounts| MarketEvent::HouseholdSettled {
		community: 0,
		household,
		statement: Statement {
			era: ERA,
			reading,
			energy,
			imbalance_import_wh,
			imbalance_export_wh: 0,
			price_per_kwh: PRICE,
			amounts,
		},
	};
	let metered = |household, reading| MarketEvent::ReadingSubmitted {
		household,
		era: ERA,
		reading,
	};
	vec![
		submitted(0, 2_000, alternatives(sell, Kind::SellToMain)),
		submitted(1, 500, alternatives(buy, Kind::BuyFromMain)),
		contract(0, 2_000, sell, channels(1_000, 0, 500, 0), 0),
		contract(1, 500, buy, channels(0, 1_000, 0, 0), 200),
		MarketEvent::EraCleared {
			community: 0,
			record: record(),
		},
		metered(0, reading(2_000, 500)),
		metered(1, reading(500, 1_700)),
		settled(0, reading(2_000, 500), channels(1_000, 0, 500, 0), 0, seller),
		settled(1, reading(500, 1_700), channels(0, 1_000, 0, 200), 200, buyer),
		MarketEvent::EraSettled {
			community: 0,
			era: ERA,
			totals: Totals {
				households: 2,
				missing_readings: 0,
				community_wh: 1_000,
				bought_from_main_wh: 200,
				sold_to_main_wh: 500,
				through_pool: 190,
				grid_fees: 10,
				to_utility: 50,
				from_utility: 40,
			},
		},
	]
}

fn record() -> EraRecord {
	let household = |generation_wh, kinds: [Kind; 2], consumption_wh| game::Household {
		generation_wh,
		comfort: None,
		strategies: kinds.map(|kind| strategy(kind, consumption_wh).into()).to_vec(),
	};
	let households = vec![
		household(2_000, [Kind::SellToCommunity, Kind::SellToMain], 500),
		household(500, [Kind::BuyFromCommunity, Kind::BuyFromMain], 1_500),
	];
	let game = game::Game::new(TERMS.rules.into(), households).unwrap();
	let certificate = game::verify(&game, &[0, 0], game::SolverConfig::default().epsilon).unwrap();
	assert_eq!(certificate.status, game::Status::Equilibrium);
	EraRecord {
		era: ERA,
		terms: TERMS,
		players: 2,
		certificate: certificate.into(),
		sweeps: 1,
		starts: 1,
		price_per_kwh: PRICE,
		settled: None,
	}
}

fn check(events: &[MarketEvent]) -> Checks {
	let owing = Opening {
		arrears: 5,
		..Opening::default()
	};
	let mut ledger = Ledger::new(BTreeMap::from([(0, Opening::default()), (1, owing)]));
	let block = crate::chain::events::BlockLog {
		number: 1,
		hash: Default::default(),
		events: events.to_vec(),
		money_faults: Vec::new(),
	};
	ledger.enter(&block);
	era(ERA, ledger.era(ERA).expect("events were entered"))
}

#[test]
fn books_that_add_up_pass() {
	let checks = check(&events());
	assert_eq!(checks.failed, Vec::<String>::new());
	assert!(checks.passed > 30, "{checks:?}");
}

/// Changes one event and expects a check to fail with these words.
#[track_caller]
fn caught(words: &str, change: impl Fn(&mut MarketEvent)) {
	let mut events = events();
	events.iter_mut().for_each(change);
	let failed = check(&events).failed;
	assert!(
		failed.iter().any(|fault| fault.contains(words)),
		"{words} is not in {failed:?}"
	);
}

fn statement_of(event: &mut MarketEvent, of: u32) -> Option<&mut Statement> {
	match event {
		MarketEvent::HouseholdSettled {
			household, statement, ..
		} if *household == of => Some(statement),
		_ => None,
	}
}

#[test]
fn contract_that_makes_energy_is_caught() {
	caught("contracted community energy in sum", |event| {
		if let MarketEvent::ContractMade {
			household: 0, energy, ..
		} = event
		{
			*energy = channels(1_001, 0, 499, 0);
		}
	});
}

#[test]
fn contract_that_nobody_offered_is_caught() {
	caught("is not strategy 0 of its set", |event| {
		if let MarketEvent::ContractMade {
			household: 1,
			strategy,
			..
		} = event
		{
			strategy.temperature_centi_c = 2_200;
		}
	});
}

#[test]
fn false_certificate_is_caught() {
	caught("computed again", |event| {
		if let MarketEvent::EraCleared { record, .. } = event {
			record.certificate.status = Status::Approximate;
		}
	});
	caught("energy offered", |event| {
		if let MarketEvent::EraCleared { record, .. } = event {
			record.certificate.offered_wh += 1;
		}
	});
}

#[test]
fn unfair_price_is_caught() {
	caught("price 301 is not between", |event| {
		if let MarketEvent::EraCleared { record, .. } = event {
			record.price_per_kwh = 301;
		}
	});
}

#[test]
fn delivery_that_makes_energy_is_caught() {
	caught("delivered community energy in sum", |event| {
		if let Some(statement) = statement_of(event, 0) {
			statement.energy = channels(999, 0, 501, 0);
		}
	});
	caught("household 1: metered energy", |event| {
		if let Some(statement) = statement_of(event, 1) {
			statement.energy.bought_from_main_wh += 1;
		}
	});
}

#[test]
fn reading_that_no_meter_sent_is_caught() {
	caught("another reading than its meter sent", |event| {
		if let Some(statement) = statement_of(event, 1) {
			statement.reading.indoor_centi_c = 0;
		}
	});
}

#[test]
fn silent_meter_that_is_not_reported_is_caught() {
	caught("missing readings", |event| {
		if let MarketEvent::ReadingSubmitted { household, .. } = event {
			*household = 9;
		}
	});
}

#[test]
fn money_that_comes_from_nowhere_is_caught() {
	caught("paid into and out of the pool", |event| {
		if let Some(statement) = statement_of(event, 0) {
			statement.amounts.received_from_pool += 1;
		}
	});
	caught("grid fees", |event| {
		if let Some(statement) = statement_of(event, 1) {
			statement.amounts.grid_fee += 1;
		}
	});
	caught("paid to the utility", |event| {
		if let Some(statement) = statement_of(event, 1) {
			statement.amounts.paid_to_utility += 1;
		}
	});
}

#[test]
fn debt_that_is_forgotten_is_caught() {
	caught("household 1: arrears", |event| {
		if let Some(statement) = statement_of(event, 1) {
			statement.amounts.arrears -= 5;
		}
	});
	caught("household 0: credit", |event| {
		if let Some(statement) = statement_of(event, 0) {
			statement.amounts.received_from_utility -= 1;
		}
	});
}

#[test]
fn wrong_tariff_is_caught() {
	caught("household 1: cost of the main grid", |event| {
		if let Some(statement) = statement_of(event, 1) {
			statement.imbalance_import_wh = 0;
		}
	});
	caught("household 0: revenue from the main grid", |event| {
		if let Some(statement) = statement_of(event, 0) {
			statement.amounts.main_revenue += 1;
		}
	});
}

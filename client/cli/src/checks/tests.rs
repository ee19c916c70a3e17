//! Correct books pass; a wrong number in them makes a check fail.

use super::*;
use crate::{
	chain::{
		game::GAME_RULES_SINCE,
		types::{
			Comfort, CommunityId, Delivered, HouseholdId, MarketEvent, Quality, Reading, ReportedBy, Status,
			Strategy,
		},
	},
	ledger::{Ledger, Opening},
	test_terms::TEST_TERMS,
};
use commonwatt_market::{game::Ratio, ComfortBounds};
use std::collections::BTreeMap;

const HOME: CommunityId = CommunityId(0);
const ERA: u32 = 7;
const PRICE: Balance = 190;
const TERMS: Terms = Terms {
	incentive_per_era: 1_000,
	reward_cap_per_kwh: 700,
	..TEST_TERMS
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

/// By hand: at lambda 4, 1,000 Wh sold to the community are worth 4, and 1,000 Wh bought from it 1/4. Dividing by the
/// kWh exchanged with the main grid gives 4 / 0.5 = 8 and 0.25 / 0.2 = 1.25. So 701 are shared as 8 to 1.25.
const REWARDS: [Balance; 2] = [606, 95];
/// The same if the buyer's payoff were 2.5.
const BUYER_TWICE_AS_GOOD: [Balance; 2] = [534, 167];

fn delivered(household: usize) -> Option<Delivered> {
	let (community_wh, main_wh, by_hand) = [(1_000, 500, 8f64), (-1_000, 200, 1.25)][household];
	let delivered = game::delivered(&TERMS.rules, None, 2_100, community_wh, main_wh);
	let payoff = delivered.payoff.0 as f64 / 2f64.powi(32);
	assert!((payoff - by_hand.log2()).abs() < 1e-8, "{payoff}");
	Some(delivered)
}

/// A statement in which no money moves.
const NOTHING: Amounts = Amounts {
	paid_to_pool: 0,
	received_from_pool: 0,
	grid_fee: 0,
	reward: 0,
	paid_to_utility: 0,
	received_from_utility: 0,
	main_cost: 0,
	main_revenue: 0,
	matched_cost: 0,
	matched_revenue: 0,
	imbalance_cost: 0,
	imbalance_revenue: 0,
	alone_cost: 0,
	alone_revenue: 0,
	arrears: 0,
	credit: 0,
};

/// Household 0 sells 1,000 Wh to the community and 500 Wh to the main grid.
const SELLER: Amounts = Amounts {
	received_from_pool: 190,
	reward: REWARDS[0],
	main_revenue: 40,
	received_from_utility: 40,
	alone_revenue: 120,
	..NOTHING
};

/// Household 1 buys 1,000 Wh from the community. Another 200 Wh at the imbalance price of 360 cost 72. It owed 5 before
/// and can pay 50, so 27 are left.
const BUYER: Amounts = Amounts {
	paid_to_pool: 190,
	grid_fee: 10,
	reward: REWARDS[1],
	imbalance_cost: 72,
	paid_to_utility: 50,
	arrears: 27,
	alone_cost: 360,
	..NOTHING
};

/// The sums of both statements.
const TOTALS: Totals = Totals {
	households: 2,
	missing_readings: 0,
	community_wh: 1_000,
	matched_wh: 0,
	bought_from_main_wh: 200,
	sold_to_main_wh: 500,
	feeder_import_wh: 0,
	feeder_export_wh: 300,
	through_pool: 190,
	grid_fees: 10,
	rewards: 701,
	to_utility: 50,
	from_utility: 40,
	to_pot: 0,
};

/// Household 0 offers 1,500 Wh. Household 1 needs 1,000 Wh and gets them from it. Then household 1 consumes 200 Wh more
/// than contracted.
fn events() -> Vec<MarketEvent> {
	let sell = strategy(Kind::SellToCommunity, 500);
	let buy = strategy(Kind::BuyFromCommunity, 1_500);
	let alternatives = |one: Strategy, kind: Kind| vec![one, Strategy { kind, ..one }];
	let submitted = |household, generation_wh, strategies| MarketEvent::StrategiesSubmitted {
		household: HouseholdId(household),
		era: ERA,
		generation_wh,
		strategies,
	};
	let contract = |household, generation_wh, strategy, energy, held| MarketEvent::ContractMade {
		community: HOME,
		era: ERA,
		household: HouseholdId(household),
		generation_wh,
		strategy,
		chosen: 0,
		main_grid_only: false,
		energy,
		held,
	};
	let settled = |household, reading, energy, imbalance_import_wh, amounts| MarketEvent::HouseholdSettled {
		community: HOME,
		household: HouseholdId(household),
		statement: Statement {
			era: ERA,
			reported_by: ReportedBy::Meter,
			is_firm: false,
			reading,
			energy,
			matched_long_wh: 0,
			matched_short_wh: 0,
			imbalance_export_wh: 0,
			imbalance_import_wh,
			price_per_kwh: PRICE,
			delivered: delivered(household as usize),
			amounts,
		},
	};
	let metered = |household, reading| MarketEvent::ReadingSubmitted {
		household: HouseholdId(household),
		era: ERA,
		reading,
	};
	vec![
		submitted(0, 2_000, alternatives(sell, Kind::SellToMain)),
		submitted(1, 500, alternatives(buy, Kind::BuyFromMain)),
		contract(0, 2_000, sell, channels(1_000, 0, 500, 0), 0),
		contract(1, 500, buy, channels(0, 1_000, 0, 0), 200),
		MarketEvent::EraCleared {
			community: HOME,
			record: record(),
		},
		metered(0, reading(2_000, 500)),
		metered(1, reading(500, 1_700)),
		settled(0, reading(2_000, 500), channels(1_000, 0, 500, 0), 0, SELLER),
		settled(1, reading(500, 1_700), channels(0, 1_000, 0, 0), 200, BUYER),
		MarketEvent::EraSettled {
			community: HOME,
			era: ERA,
			totals: TOTALS,
		},
	]
}

fn record() -> EraRecord {
	let household = |generation_wh, kinds: [Kind; 2], consumption_wh| game::Household {
		generation_wh,
		comfort: None,
		strategies: kinds.map(|kind| strategy(kind, consumption_wh)).to_vec(),
	};
	let households = vec![
		household(2_000, [Kind::SellToCommunity, Kind::SellToMain], 500),
		household(500, [Kind::BuyFromCommunity, Kind::BuyFromMain], 1_500),
	];
	let game = game::Game::new(TERMS.rules, households).unwrap();
	let certificate = game::verify(&game, &[0, 0], game::SolverConfig::default().epsilon).unwrap();
	assert_eq!(certificate.status, game::Status::Equilibrium);
	EraRecord {
		era: ERA,
		terms: TERMS,
		players: 2,
		certificate,
		sweeps: 1,
		starts: 1,
		price_per_kwh: PRICE,
		settled: None,
	}
}

/// Checks an era that the present runtime cleared and settled.
fn check(events: &[MarketEvent]) -> Checks {
	check_of(events, [Some(GAME_RULES_SINCE); 2])
}

/// Checks an era that runtimes of these versions cleared and settled, each in a block of its own.
fn check_of(events: &[MarketEvent], versions: [Option<u32>; 2]) -> Checks {
	let owing = Opening {
		arrears: 5,
		..Opening::default()
	};
	let mut ledger = Ledger::new(BTreeMap::from([
		(HouseholdId(0), Opening::default()),
		(HouseholdId(1), owing),
	]));
	let is_cleared = |event: &MarketEvent| matches!(event, MarketEvent::EraCleared { .. });
	let cleared = events.iter().position(is_cleared).expect("it is cleared");
	let (before, after) = events.split_at(cleared + 1);
	for (events, spec_version) in [before, after].into_iter().zip(versions) {
		ledger.enter(&crate::chain::events::BlockLog {
			number: 1,
			hash: Default::default(),
			events: events.to_vec(),
			spec_version,
			money_faults: Vec::new(),
		});
	}
	era(ERA, ledger.era(ERA).expect("events were entered"))
}

#[test]
fn correct_books_pass() {
	let checks = check(&events());
	assert_eq!(checks.failed, Vec::<String>::new());
	assert_eq!(checks.not_judged, Vec::<String>::new());
	assert!(checks.passed > 30, "{checks:?}");
}

/// The events of a chain whose game has other rules: the same choice with another certificate, and twice the payoff for
/// what the buyer delivered.
fn of_another_game() -> Vec<MarketEvent> {
	let mut events = events();
	for event in &mut events {
		if let MarketEvent::EraCleared { record, .. } = event {
			record.certificate.status = Status::Approximate;
			record.certificate.max_gain = game::Log2(1 << 33);
		}
		for (household, reward) in BUYER_TWICE_AS_GOOD.into_iter().enumerate() {
			if let Some(statement) = statement_of(event, household as u32) {
				let more = if household == 1 { 1 << 32 } else { 0 };
				statement.delivered = statement.delivered.map(|delivered| Delivered {
					payoff: game::Log2(delivered.payoff.0 + more),
					..delivered
				});
				statement.amounts.reward = reward;
			}
		}
	}
	events
}

const CLEARED: &str =
	"era 7: cleared under other rules (runtime version 100), whose certificate this client cannot judge";
const SETTLED: &str =
	"era 7: settled under other rules (runtime version 100), whose payoffs of delivered energy this \
                       client cannot judge";

#[test]
fn era_under_other_rules_is_named_and_not_judged() {
	let versions = [Some(100); 2];
	let checks = check_of(&of_another_game(), versions);
	assert_eq!(checks.failed, Vec::<String>::new());
	assert_eq!(checks.not_judged, [CLEARED, SETTLED]);
	// Only the certificate is not checked.
	assert_eq!(checks.passed, check(&events()).passed - 1);
	// The same claims are false for a runtime with this program's rules, and for a later one.
	for version in [GAME_RULES_SINCE, GAME_RULES_SINCE + 1] {
		let checks = check_of(&of_another_game(), [Some(version); 2]);
		assert_eq!(checks.not_judged, Vec::<String>::new());
		assert_eq!(checks.failed.len(), 2, "{checks:?}");
	}
}

#[test]
fn certificate_is_judged_by_the_clearing_runtime_and_payoffs_by_the_settling_one() {
	let checks = check_of(&of_another_game(), [Some(100), Some(101)]);
	assert_eq!(checks.not_judged, [CLEARED]);
	assert_eq!(checks.failed.len(), 1, "{checks:?}");
	assert!(checks.failed[0].contains("household 1: comfort and payoff of delivered energy"));
	// Versions never go down, but each part is judged by its own version anyway.
	let checks = check_of(&of_another_game(), [Some(101), Some(100)]);
	assert_eq!(checks.not_judged, [SETTLED]);
	assert_eq!(checks.failed.len(), 1, "{checks:?}");
	assert!(checks.failed[0].contains("certificate"));
}

#[test]
fn era_of_an_unknown_runtime_is_not_judged() {
	let checks = check_of(&of_another_game(), [None; 2]);
	assert_eq!(checks.failed, Vec::<String>::new());
	assert_eq!(checks.not_judged.len(), 2);
	assert!(checks.not_judged.iter().all(|one| one.contains("unknown rules")));
}

#[test]
fn sums_are_judged_under_other_rules_too() {
	let caught = |words: &str, change: fn(&mut Statement)| {
		let mut events = of_another_game();
		let statements = events.iter_mut().filter_map(|event| statement_of(event, 1));
		statements.for_each(change);
		let failed = check_of(&events, [Some(100); 2]).failed;
		assert!(
			failed.iter().any(|fault| fault.contains(words)),
			"{words} is not in {failed:?}"
		);
	};
	caught("household 1: metered energy", |s| {
		s.energy.bought_from_main_wh += 1
	});
	caught("household 1: paid to the pool", |s| s.amounts.paid_to_pool += 1);
	// Rewards follow from the chain's own payoffs, and comfort does not depend on the game's rules.
	caught("household 1: reward", |s| s.amounts.reward -= 1);
	caught("household 1: comfort and payoff of delivered energy", |s| {
		s.delivered = s.delivered.map(|delivered| Delivered {
			comfort_ppm: 999_999,
			..delivered
		});
	});
	caught("household 1: comfort and payoff of delivered energy None", |s| {
		s.delivered = None
	});
}

/// Changes the events and expects a check to fail with a message that contains `words`.
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
		} if household.0 == of => Some(statement),
		_ => None,
	}
}

/// Changes a household's statement and expects a check to fail with a message that contains `words`.
#[track_caller]
fn caught_in_statement(words: &str, of: u32, change: impl Fn(&mut Statement)) {
	caught(words, |event| {
		if let Some(statement) = statement_of(event, of) {
			change(statement);
		}
	});
}

#[test]
fn contracts_that_create_energy_are_caught() {
	caught("sum of contracted community energy", |event| {
		if let MarketEvent::ContractMade {
			household: HouseholdId(0),
			energy,
			..
		} = event
		{
			*energy = channels(1_001, 0, 499, 0);
		}
	});
}

#[test]
fn contract_that_was_not_submitted_is_caught() {
	caught("is not strategy 0 of its set", |event| {
		if let MarketEvent::ContractMade {
			household: HouseholdId(1),
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
fn price_above_retail_is_caught() {
	caught("price 301 is not between", |event| {
		if let MarketEvent::EraCleared { record, .. } = event {
			record.price_per_kwh = 301;
		}
	});
}

#[test]
fn delivery_that_creates_energy_is_caught() {
	caught_in_statement("sum of settled community energy", 0, |statement| {
		statement.energy = channels(999, 0, 501, 0);
	});
	caught_in_statement("household 1: metered energy", 1, |statement| {
		statement.energy.bought_from_main_wh += 1;
	});
}

#[test]
fn reading_that_no_meter_sent_is_caught() {
	caught_in_statement("another reading than its meter sent", 1, |statement| {
		statement.reading.indoor_centi_c = 0;
	});
}

#[test]
fn unreported_missing_reading_is_caught() {
	caught("missing readings", |event| {
		if let MarketEvent::ReadingSubmitted { household, .. } = event {
			*household = HouseholdId(9);
		}
	});
}

#[test]
fn money_from_nowhere_is_caught() {
	caught_in_statement("paid into and out of the pool", 0, |statement| {
		statement.amounts.received_from_pool += 1;
	});
	caught_in_statement("grid fees", 1, |statement| {
		statement.amounts.grid_fee += 1;
	});
	caught_in_statement("paid to the utility", 1, |statement| {
		statement.amounts.paid_to_utility += 1;
	});
}

#[test]
fn forgotten_debt_is_caught() {
	caught_in_statement("household 1: arrears", 1, |statement| {
		statement.amounts.arrears -= 5;
	});
	caught_in_statement("household 0: credit", 0, |statement| {
		statement.amounts.received_from_utility -= 1;
	});
}

#[test]
fn wrong_tariff_is_caught() {
	caught_in_statement("household 1: cost of unmatched shortfall", 1, |statement| {
		statement.imbalance_import_wh = 0;
	});
	caught_in_statement("household 1: cost of matched shortfall", 1, |statement| {
		(statement.matched_short_wh, statement.imbalance_import_wh) = (200, 0);
	});
	caught_in_statement("household 0: revenue from the main grid", 0, |statement| {
		statement.amounts.main_revenue += 1;
	});
}

#[test]
fn wrong_payoff_or_comfort_is_caught() {
	caught("household 0: comfort and payoff of delivered energy", |event| {
		if let Some(statement) = statement_of(event, 0) {
			statement.delivered = statement.delivered.map(|delivered| Delivered {
				payoff: game::Log2(delivered.payoff.0 + 1),
				..delivered
			});
		}
	});
	caught("household 1: comfort and payoff of delivered energy", |event| {
		if let Some(statement) = statement_of(event, 1) {
			statement.delivered = statement.delivered.map(|delivered| Delivered {
				comfort_ppm: 999_999,
				..delivered
			});
		}
	});
	caught(
		"household 1: comfort and payoff of delivered energy None",
		|event| {
			if let Some(statement) = statement_of(event, 1) {
				statement.delivered = None;
			}
		},
	);
}

#[test]
fn payoff_without_a_reading_is_caught() {
	caught(
		"household 1: comfort and payoff of delivered energy Some",
		|event| {
			if let MarketEvent::ReadingSubmitted { household, .. } = event {
				if household.0 == 1 {
					*household = HouseholdId(9);
				}
			}
		},
	);
}

#[test]
fn excess_reward_is_caught() {
	caught("household 0: reward: 606 against 600", |event| {
		if let MarketEvent::EraCleared { record, .. } = event {
			record.terms.reward_cap_per_kwh = 600;
		}
	});
	caught_in_statement("rewards: 702 against 701", 1, |statement| {
		statement.amounts.reward += 1;
	});
	caught("rewards: 701 paid of 700 at most", |event| {
		if let MarketEvent::EraCleared { record, .. } = event {
			record.terms.incentive_per_era = 700;
		}
	});
}

#[test]
fn reward_paid_to_another_household_is_caught() {
	let mut events = events();
	for event in &mut events {
		for (household, reward) in [(0, REWARDS[0] + 1), (1, REWARDS[1] - 1)] {
			if let Some(statement) = statement_of(event, household) {
				statement.amounts.reward = reward;
			}
		}
	}
	let failed = check(&events).failed;
	assert_eq!(
		failed,
		[
			"era 7: household 0: reward: 607 against 606",
			"era 7: household 1: reward: 94 against 95"
		]
	);
}

#[test]
fn parts_of_a_budget_are_exact_up_to_the_largest_budget() {
	assert_eq!(parts(10, &[1, 0, 1, 1]), [3, 0, 3, 4]);
	assert_eq!(parts(10, &[0, 0]), [0, 0]);
	assert_eq!(
		parts(u128::MAX, &[1 << 32; 2]),
		[u128::MAX / 2, u128::MAX / 2 + 1]
	);
}

#[test]
fn comfort_counts_only_within_the_bounds() {
	let contract = |comfort| Contract {
		generation_wh: 0,
		strategy: strategy(Kind::Neutral, 0),
		chosen: 0,
		main_grid_only: false,
		energy: channels(0, 0, 0, 0),
		held: 0,
		comfort,
	};
	let range = |min_centi_c, max_centi_c| Comfort {
		min_centi_c,
		max_centi_c,
		a: Ratio {
			numerator: 1,
			denominator: 36,
		},
	};
	let bounded = |min_centi_c, max_centi_c| Terms {
		comfort_bounds: Some(ComfortBounds {
			min_centi_c,
			max_centi_c,
		}),
		..TERMS
	};
	let wide = contract(Some(range(1_500, 2_700)));
	assert_eq!(comfort(&wide, &TERMS), Some(range(1_500, 2_700)));
	assert_eq!(comfort(&wide, &bounded(1_800, 2_400)), Some(range(1_800, 2_400)));
	assert_eq!(comfort(&wide, &bounded(1_000, 3_000)), Some(range(1_500, 2_700)));
	assert_eq!(comfort(&contract(None), &bounded(1_800, 2_400)), None);
}

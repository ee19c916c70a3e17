//! Checks of an era's sums, from its events alone.
//!
//! Nothing here relies on the chain's own checks. The sums are computed from the contracts and statements in the
//! events, the prices from the terms, and the certificate from the submitted strategies. ([`crate::chain::events`]
//! checks, block by block, whether the balances moved accordingly.)
//!
//! Certificates, and payoffs of delivered energy, are judged by the rules of the runtime that computed them. If this
//! program does not have these rules, the parts are named as not judged. All sums are always judged.

use crate::{
	chain::{
		game::other_rules,
		types::{Amounts, Balance, Channels, EraRecord, HouseholdId, Kind, Statement, Terms, Totals},
	},
	ledger::{Contract, EraBook, Settled},
};
use commonwatt_market::{contract::on_main_grid, game};
use serde::Serialize;

#[cfg(test)]
mod tests;

/// The results of the checks.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Checks {
	/// Number of checks that hold.
	pub passed: u32,
	/// Descriptions of the checks that fail.
	pub failed: Vec<String>,
	/// Descriptions of what this program cannot judge: neither passed nor failed.
	pub not_judged: Vec<String>,
}

impl Checks {
	fn expect(&mut self, holds: bool, what: impl FnOnce() -> String) {
		if holds {
			self.passed += 1;
		} else {
			self.failed.push(what());
		}
	}

	fn equal<T: PartialEq + std::fmt::Display>(&mut self, what: &str, one: T, other: T) {
		self.expect(one == other, || format!("{what}: {one} against {other}"));
	}
}

/// Checks an era's clearing and settlement.
pub fn era(era: u32, book: &EraBook) -> Checks {
	let mut checks = Checks::default();
	if let Some(record) = &book.record {
		contracts(&mut checks, book, record);
		certificate(&mut checks, book, record);
	}
	if let Some(totals) = &book.totals {
		energy(&mut checks, book, totals);
		pool(&mut checks, book, totals);
		utility(&mut checks, book, totals);
		if let Some(record) = &book.record {
			prices(&mut checks, book, &record.terms);
			worth(&mut checks, book, &record.terms);
			rewards(&mut checks, book, &record.terms);
		}
	}
	for words in checks.failed.iter_mut().chain(&mut checks.not_judged) {
		*words = format!("era {era}: {words}");
	}
	checks
}

/// Describes an era that was cleared by rules that this program does not have.
pub fn cleared_under(rules: &str) -> String {
	format!("cleared under {rules}, whose certificate this client cannot judge")
}

/// Describes an era that was settled by rules that this program does not have.
pub fn settled_under(rules: &str) -> String {
	format!("settled under {rules}, whose payoffs of delivered energy this client cannot judge")
}

fn net_wh(generation_wh: u32, consumption_wh: u32) -> i64 {
	i64::from(generation_wh) - i64::from(consumption_wh)
}

/// Checks contracted energy and the price.
fn contracts(checks: &mut Checks, book: &EraBook, record: &EraRecord) {
	let contracts = || book.contracts.values();
	let net = |contract: &Contract| net_wh(contract.generation_wh, contract.strategy.consumption_wh);
	let pooled = |kind: Kind| -> u64 {
		let chosen = contracts().filter(|contract| contract.strategy.kind == kind);
		chosen.map(|contract| net(contract).unsigned_abs()).sum()
	};
	let certificate = &record.certificate;
	let (offered, requested) = (pooled(Kind::SellToCommunity), pooled(Kind::BuyFromCommunity));
	checks.equal("contracts", contracts().count(), record.players as usize);
	let balance: i64 = contracts().map(|c| c.energy.community_wh()).sum();
	checks.equal("sum of contracted community energy", balance, 0);
	checks.equal("energy offered", offered, certificate.offered_wh);
	checks.equal("energy requested", requested, certificate.requested_wh);
	checks.equal("energy traded", offered.min(requested), certificate.traded_wh);
	let sold = contracts().map(|c| u64::from(c.energy.sold_to_community_wh));
	let sold: u64 = sold.sum();
	checks.equal("energy sold by contract", sold, certificate.traded_wh);
	for (household, contract) in &book.contracts {
		let (community, main) = (contract.energy.community_wh(), contract.energy.main_wh());
		let what = format!("household {household}: contracted energy");
		checks.equal(&what, community + main, net(contract));
		let in_pool = matches!(
			contract.strategy.kind,
			Kind::SellToCommunity | Kind::BuyFromCommunity
		);
		let fits = community == 0 || in_pool && community.signum() == net(contract).signum();
		checks.expect(fits && community.abs() <= net(contract).abs(), || {
			format!("household {household}: {community} Wh with the community do not fit its strategy")
		});
	}
	let tariffs = &record.terms.tariffs;
	let fair = (tariffs.feed_in_per_kwh..=tariffs.retail_per_kwh).contains(&record.price_per_kwh);
	checks.expect(fair, || {
		format!("price {} is not between feed-in and retail", record.price_per_kwh)
	});
}

/// Checks the certificate against the submitted strategies. Gives up at a household without a submission: the
/// strategies of a standing preference are not in the events.
fn certificate(checks: &mut Checks, book: &EraBook, record: &EraRecord) {
	let rules = other_rules(book.cleared_by);
	if let Some(rules) = &rules {
		checks.not_judged.push(cleared_under(rules));
	}
	let mut households = Vec::new();
	let mut profile = Vec::new();
	for (household, contract) in &book.contracts {
		let Some(submitted) = book.submitted.get(household) else {
			return;
		};
		let mut strategies = submitted.strategies.clone();
		if contract.main_grid_only {
			for strategy in &mut strategies {
				*strategy = on_main_grid(*strategy);
			}
		}
		let chosen = strategies.get(usize::from(contract.chosen));
		checks.expect(chosen == Some(&contract.strategy), || {
			format!(
				"household {household}: its contract is not strategy {} of its set",
				contract.chosen
			)
		});
		households.push(game::Household {
			generation_wh: submitted.generation_wh,
			comfort: comfort(contract, &record.terms),
			strategies,
		});
		profile.push(contract.chosen);
	}
	if rules.is_some() {
		return;
	}
	let epsilon = game::SolverConfig::default().epsilon;
	let again = game::Game::new(record.terms.rules, households)
		.map_err(|fault| fault.to_string())
		.and_then(|game| game::verify(&game, &profile, epsilon).map_err(|fault| fault.to_string()));
	match again {
		Ok(again) => checks.expect(again == record.certificate, || {
			format!("certificate {:?}, computed again {again:?}", record.certificate)
		}),
		Err(fault) => checks
			.failed
			.push(format!("certificate cannot be computed again: {fault}")),
	}
}

/// The comfort of a contract: the part of the household's range within the community's bounds. A household outside the
/// bounds has no contract; if the chain says otherwise, its whole range is used, so that the difference shows.
fn comfort(contract: &Contract, terms: &Terms) -> Option<game::Comfort> {
	terms.narrow(contract.comfort).unwrap_or(contract.comfort)
}

/// Checks delivered energy.
fn energy(checks: &mut Checks, book: &EraBook, totals: &Totals) {
	let statements = || book.statements.values().map(|settled| &settled.statement);
	let sum = |pick: fn(&Channels) -> u32| -> u64 { statements().map(|s| u64::from(pick(&s.energy))).sum() };
	checks.equal("statements", statements().count(), totals.households as usize);
	let balance: i64 = statements().map(|s| s.energy.community_wh()).sum();
	checks.equal("sum of delivered community energy", balance, 0);
	let traded = sum(|energy| energy.sold_to_community_wh);
	checks.equal("community energy", traded, totals.community_wh);
	let bought = sum(|energy| energy.bought_from_main_wh);
	checks.equal("bought from main grid", bought, totals.bought_from_main_wh);
	let sold = sum(|energy| energy.sold_to_main_wh);
	checks.equal("sold to main grid", sold, totals.sold_to_main_wh);
	let households = book.statements.keys();
	let silent = households.filter(|household| !book.readings.contains_key(household));
	checks.equal(
		"missing readings",
		silent.count(),
		totals.missing_readings as usize,
	);
	for (household, settled) in &book.statements {
		delivery(checks, book, *household, &settled.statement);
	}
}

/// Checks one household's delivered energy.
fn delivery(checks: &mut Checks, book: &EraBook, household: HouseholdId, statement: &Statement) {
	let (community, main) = (statement.energy.community_wh(), statement.energy.main_wh());
	let reading = &statement.reading;
	let metered = net_wh(reading.generation_wh, reading.consumption_wh);
	let what = format!("household {household}: metered energy");
	checks.equal(&what, community + main, metered);
	if let Some(submitted) = book.readings.get(&household) {
		checks.expect(submitted == reading, || {
			format!("household {household}: settled by another reading than its meter sent")
		});
	}
	let contract = book.contracts.get(&household);
	let contracted = contract.map_or(0, |contract| contract.energy.community_wh());
	let within =
		community == 0 || community.signum() == contracted.signum() && community.abs() <= contracted.abs();
	checks.expect(within, || {
		format!("household {household}: {community} Wh delivered against {contracted} Wh contracted")
	});
	let imbalance = statement.imbalance_import_wh <= statement.energy.bought_from_main_wh
		&& statement.imbalance_export_wh <= statement.energy.sold_to_main_wh;
	checks.expect(imbalance, || {
		format!("household {household}: more imbalance than main-grid energy")
	});
}

/// Checks the money inside the community.
fn pool(checks: &mut Checks, book: &EraBook, totals: &Totals) {
	let sum = |pick: fn(&Amounts) -> Balance| sum_of_amounts(book, pick);
	let (paid, received) = (sum(|a| a.paid_to_pool), sum(|a| a.received_from_pool));
	let credited: Balance = book.statements.values().map(kept).sum();
	// Earnings that a seller's account could not take were added to its credit.
	checks.equal("paid into and out of the pool", paid, received + credited);
	checks.equal("money through the pool", paid, totals.through_pool);
	checks.equal("grid fees", sum(|a| a.grid_fee), totals.grid_fees);
	checks.equal("rewards", sum(|a| a.reward), totals.rewards);
}

/// An amount summed over all households.
fn sum_of_amounts(book: &EraBook, pick: fn(&Amounts) -> Balance) -> Balance {
	let settled = book.statements.values();
	settled.map(|settled| pick(&settled.statement.amounts)).sum()
}

/// Earnings from the pool that a household's account could not take, and that were added to its credit.
fn kept(settled: &Settled) -> Balance {
	let amounts = &settled.statement.amounts;
	(amounts.credit + amounts.received_from_utility)
		.saturating_sub(settled.before.credit + amounts.main_revenue)
}

/// Checks the payments from and to the utility, and the debts.
fn utility(checks: &mut Checks, book: &EraBook, totals: &Totals) {
	let paid = sum_of_amounts(book, |amounts| amounts.paid_to_utility);
	checks.equal("paid to the utility", paid, totals.to_utility);
	let received = sum_of_amounts(book, |amounts| amounts.received_from_utility);
	checks.equal("received from the utility", received, totals.from_utility);
	for (household, settled) in &book.statements {
		let amounts = &settled.statement.amounts;
		let what = format!("household {household}: arrears");
		let due = settled.before.arrears + amounts.main_cost;
		checks.equal(&what, due, amounts.paid_to_utility + amounts.arrears);
		let what = format!("household {household}: credit");
		let owed = settled.before.credit + amounts.main_revenue + kept(settled);
		checks.equal(&what, owed, amounts.received_from_utility + amounts.credit);
	}
}

/// Checks each amount against energy times price, to the smallest unit: costs are rounded up and revenues down.
fn prices(checks: &mut Checks, book: &EraBook, terms: &Terms) {
	let cost = |wh: u32, per_kwh: Balance| (Balance::from(wh) * per_kwh).div_ceil(1_000);
	let revenue = |wh: u32, per_kwh: Balance| Balance::from(wh) * per_kwh / 1_000;
	let tariffs = &terms.tariffs;
	for (household, Settled { statement, .. }) in &book.statements {
		let (energy, amounts) = (&statement.energy, &statement.amounts);
		let (short, over) = (statement.imbalance_import_wh, statement.imbalance_export_wh);
		let named = |what: &str| format!("household {household}: {what}");
		let bought = energy.bought_from_community_wh;
		let due = cost(bought, statement.price_per_kwh);
		checks.equal(&named("paid to the pool"), amounts.paid_to_pool, due);
		let due = cost(bought, tariffs.grid_fee_per_kwh);
		checks.equal(&named("grid fee"), amounts.grid_fee, due);
		let ordinary_wh = energy.bought_from_main_wh.saturating_sub(short);
		let due = cost(ordinary_wh, tariffs.retail_per_kwh) + cost(short, tariffs.imbalance_import_per_kwh);
		checks.equal(&named("cost of the main grid"), amounts.main_cost, due);
		let ordinary_wh = energy.sold_to_main_wh.saturating_sub(over);
		let due =
			revenue(ordinary_wh, tariffs.feed_in_per_kwh) + revenue(over, tariffs.imbalance_export_per_kwh);
		checks.equal(&named("revenue from the main grid"), amounts.main_revenue, due);
		let (generation, consumption) = (statement.reading.generation_wh, statement.reading.consumption_wh);
		let alone = (
			cost(consumption.saturating_sub(generation), tariffs.retail_per_kwh),
			revenue(generation.saturating_sub(consumption), tariffs.feed_in_per_kwh),
		);
		checks.expect(alone == (amounts.alone_cost, amounts.alone_revenue), || {
			named("cost or revenue with the main grid alone is wrong")
		});
	}
}

/// Checks comfort and payoff of delivered energy.
fn worth(checks: &mut Checks, book: &EraBook, terms: &Terms) {
	let has_payoffs = book.statements.values().any(|s| s.statement.delivered.is_some());
	let rules = other_rules(book.settled_by).filter(|_| has_payoffs);
	if let Some(rules) = &rules {
		checks.not_judged.push(settled_under(rules));
	}
	for (household, Settled { statement, .. }) in &book.statements {
		let metered = book.readings.contains_key(household);
		let contract = book.contracts.get(household).filter(|_| metered);
		let size = |net_wh: i64| u32::try_from(net_wh.unsigned_abs()).unwrap_or(u32::MAX);
		let mut again = contract.map(|contract| {
			game::delivered(
				&terms.rules,
				comfort(contract, terms).as_ref(),
				statement.reading.indoor_centi_c,
				statement.energy.community_wh(),
				size(statement.energy.main_wh()),
			)
		});
		if let (Some(again), Some(of_chain), true) = (&mut again, statement.delivered, rules.is_some()) {
			again.payoff = of_chain.payoff;
		}
		checks.expect(again == statement.delivered, || {
			format!(
				"household {household}: comfort and payoff of delivered energy {:?}, computed again {again:?}",
				statement.delivered
			)
		});
	}
}

/// Checks the rewards: shares of what was paid, in proportion to the chain's payoffs of delivered energy. Each share is
/// a difference of rounded running sums, so that nothing is left over. (If an owner's account is gone and cannot take
/// its share, the shares of what was paid differ from the chain's, and the check fails.)
fn rewards(checks: &mut Checks, book: &EraBook, terms: &Terms) {
	let statements = || book.statements.values().map(|settled| &settled.statement);
	let delivered = statements().map(|s| s.delivered);
	let payoffs = delivered.map(|delivered| delivered.map_or(game::Log2::NEG_INFINITY, |d| d.payoff));
	let weights = game::shares(&payoffs.collect::<Vec<_>>());
	let paid: Balance = statements().map(|s| s.amounts.reward).sum();
	checks.expect(paid <= terms.incentive_per_era, || {
		format!("rewards: {paid} paid of {} at most", terms.incentive_per_era)
	});
	for ((household, settled), due) in book.statements.iter().zip(parts(paid, &weights)) {
		let what = format!("household {household}: reward");
		checks.equal(&what, settled.statement.amounts.reward, due);
	}
}

/// Splits a budget into parts by weight, without a remainder unless all weights are 0.
fn parts(budget: Balance, weights: &[u64]) -> Vec<Balance> {
	let total: u128 = weights.iter().copied().map(u128::from).sum();
	let mut so_far_weight = 0;
	let mut so_far = 0;
	let mut parts = Vec::with_capacity(weights.len());
	for weight in weights {
		so_far_weight += u128::from(*weight);
		// The weights' sum is below 2^43, so the parts of budget times weight over total do not overflow.
		let whole = budget.checked_div(total).unwrap_or(0) * so_far_weight;
		let rest = (budget.checked_rem(total).unwrap_or(0) * so_far_weight).checked_div(total);
		let until = whole + rest.unwrap_or(0);
		parts.push(until - so_far);
		so_far = until;
	}
	parts
}

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
		types::{
			Amounts, Balance, Channels, EraRecord, HouseholdId, Kind, Quality, Statement, Terms, Totals,
		},
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
			spreads(&mut checks, book, totals, &record.terms);
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

/// Checks contracted energy and deviations.
fn energy(checks: &mut Checks, book: &EraBook, totals: &Totals) {
	let statements = || book.statements.values().map(|settled| &settled.statement);
	let sum = |pick: fn(&Statement) -> u64| -> u64 { statements().map(pick).sum() };
	checks.equal("statements", statements().count(), totals.households as usize);
	let balance: i64 = statements().map(|s| s.energy.community_wh()).sum();
	checks.equal("sum of settled community energy", balance, 0);
	let traded = sum(|s| s.energy.sold_to_community_wh.into());
	checks.equal("community energy", traded, totals.community_wh);
	let (long, short) = (
		sum(|s| s.matched_long_wh.into()),
		sum(|s| s.matched_short_wh.into()),
	);
	checks.equal("matched surplus", long, totals.matched_wh);
	checks.equal("matched shortfall", short, totals.matched_wh);
	let bought = sum(|s| u64::from(s.energy.bought_from_main_wh) + u64::from(s.imbalance_import_wh));
	checks.equal("bought from main grid", bought, totals.bought_from_main_wh);
	let sold = sum(|s| u64::from(s.energy.sold_to_main_wh) + u64::from(s.imbalance_export_wh));
	checks.equal("sold to main grid", sold, totals.sold_to_main_wh);
	let metered: i64 = statements().map(|s| s.reading.net_wh()).sum();
	let feeder = (metered.min(0).unsigned_abs(), metered.max(0).unsigned_abs());
	checks.equal("energy in over the feeder", feeder.0, totals.feeder_import_wh);
	checks.equal("energy out over the feeder", feeder.1, totals.feeder_export_wh);
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
	unmatched(checks, book);
}

/// Checks one household's energy against its contract and its meter.
fn delivery(checks: &mut Checks, book: &EraBook, household: HouseholdId, statement: &Statement) {
	let (community, main) = (statement.energy.community_wh(), statement.energy.main_wh());
	let reading = &statement.reading;
	let metered = net_wh(reading.generation_wh, reading.consumption_wh);
	let deviation = i64::from(statement.matched_long_wh) + i64::from(statement.imbalance_export_wh)
		- i64::from(statement.matched_short_wh)
		- i64::from(statement.imbalance_import_wh);
	let what = format!("household {household}: metered energy");
	checks.equal(&what, community + main + deviation, metered);
	if let Some(submitted) = book.readings.get(&household) {
		checks.expect(submitted == reading, || {
			format!("household {household}: settled by another reading than its meter sent")
		});
	}
	let contract = book
		.contracts
		.get(&household)
		.filter(|contract| !contract.main_grid_only);
	let due = contract.map_or(Channels::from_net(0, metered), |contract| contract.energy);
	checks.expect(statement.energy == due, || {
		format!(
			"household {household}: settled {:?}, contracted {due:?}",
			statement.energy
		)
	});
}

/// What of a statement's deviation to one side matched, and what did not, Wh.
type Side = fn(&Statement) -> (u32, u32);

/// Checks that deviations match as far as they can, and the longer side in proportion, to the Wh. Estimates match nothing.
fn unmatched(checks: &mut Checks, book: &EraBook) {
	let sides: [Side; 2] = [
		|s| (s.matched_long_wh, s.imbalance_export_wh),
		|s| (s.matched_short_wh, s.imbalance_import_wh),
	];
	let sums = sides.map(|side| {
		let reported = book
			.statements
			.values()
			.filter(|settled| !settled.statement.is_estimate());
		let parts = reported.map(|settled| side(&settled.statement));
		parts.fold((0u64, 0u64), |(matched, rest), part| {
			(matched + u64::from(part.0), rest + u64::from(part.1))
		})
	});
	checks.expect(sums[0].1 == 0 || sums[1].1 == 0, || {
		"surplus and shortfall are both unmatched".into()
	});
	for (side, (matched, rest)) in sides.into_iter().zip(sums) {
		for (household, settled) in &book.statements {
			let (own, own_rest) = side(&settled.statement);
			if settled.statement.is_estimate() {
				checks.expect(own == 0, || {
					format!("household {household}: {own} Wh of an estimate matched")
				});
				continue;
			}
			let exact = u128::from(own) + u128::from(own_rest);
			let due = (exact * u128::from(matched))
				.checked_div(u128::from(matched + rest))
				.unwrap_or(0);
			checks.expect((due..=due + 1).contains(&u128::from(own)), || {
				format!("household {household}: {own} Wh matched, its share is {due} Wh")
			});
		}
	}
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

/// Earnings from the pool that a household's account could not take, and that were added to its credit: what is missing
/// between its debts. Only a seller that received nothing can have any.
fn kept(settled: &Settled) -> Balance {
	let amounts = &settled.statement.amounts;
	if amounts.received_from_pool > 0 || settled.statement.energy.sold_to_community_wh == 0 {
		return 0;
	}
	let after =
		amounts.credit + amounts.received_from_utility + settled.before.arrears + amounts.utility_cost();
	let before =
		amounts.arrears + amounts.paid_to_utility + settled.before.credit + amounts.utility_revenue();
	after.saturating_sub(before)
}

/// Checks the payments from and to the utility, and the debts: costs, revenues and earlier debts are set off.
fn utility(checks: &mut Checks, book: &EraBook, totals: &Totals) {
	let paid = sum_of_amounts(book, |amounts| amounts.paid_to_utility);
	checks.equal("paid to the utility", paid, totals.to_utility);
	let received = sum_of_amounts(book, |amounts| amounts.received_from_utility);
	checks.equal("received from the utility", received, totals.from_utility);
	for (household, settled) in &book.statements {
		let amounts = &settled.statement.amounts;
		let due = settled.before.arrears + amounts.utility_cost();
		let owed = settled.before.credit + amounts.utility_revenue() + kept(settled);
		let what = format!("household {household}: arrears");
		let left = due.saturating_sub(owed);
		checks.equal(&what, left, amounts.paid_to_utility + amounts.arrears);
		let what = format!("household {household}: credit");
		let left = owed.saturating_sub(due);
		checks.equal(&what, left, amounts.received_from_utility + amounts.credit);
	}
}

/// Checks that the pot got no more than the spreads of matched shortfalls that were paid.
fn spreads(checks: &mut Checks, book: &EraBook, totals: &Totals, terms: &Terms) {
	let per_kwh = terms
		.tariffs
		.retail_per_kwh
		.saturating_sub(terms.tariffs.feed_in_per_kwh);
	let statements = book.statements.values().map(|settled| &settled.statement);
	let paid = statements.filter(|statement| statement.amounts.arrears == 0);
	let due: Balance = paid
		.map(|s| Balance::from(s.matched_short_wh) * per_kwh / 1_000)
		.sum();
	checks.expect(totals.to_pot <= due, || {
		format!("the pot received {} of {due} at most", totals.to_pot)
	});
}

/// Checks each amount against energy times price, to the smallest unit: costs are rounded up and revenues down.
fn prices(checks: &mut Checks, book: &EraBook, terms: &Terms) {
	let cost = |wh: u32, per_kwh: Balance| (Balance::from(wh) * per_kwh).div_ceil(1_000);
	let revenue = |wh: u32, per_kwh: Balance| Balance::from(wh) * per_kwh / 1_000;
	let tariffs = &terms.tariffs;
	for (household, Settled { statement, .. }) in &book.statements {
		let (energy, amounts) = (&statement.energy, &statement.amounts);
		let named = |what: &str| format!("household {household}: {what}");
		let bought = energy.bought_from_community_wh;
		let due = cost(bought, statement.price_per_kwh);
		checks.equal(&named("paid to the pool"), amounts.paid_to_pool, due);
		let due = cost(bought, tariffs.grid_fee_per_kwh);
		checks.equal(&named("grid fee"), amounts.grid_fee, due);
		let (retail, feed_in) = (tariffs.retail_per_kwh, tariffs.feed_in_per_kwh);
		for (what, amount, due) in [
			(
				"cost of the main grid",
				amounts.main_cost,
				cost(energy.bought_from_main_wh, retail),
			),
			(
				"revenue from the main grid",
				amounts.main_revenue,
				revenue(energy.sold_to_main_wh, feed_in),
			),
			(
				"cost of matched shortfall",
				amounts.matched_cost,
				cost(statement.matched_short_wh, retail),
			),
			(
				"revenue of matched surplus",
				amounts.matched_revenue,
				revenue(statement.matched_long_wh, feed_in),
			),
			(
				"cost of unmatched shortfall",
				amounts.imbalance_cost,
				cost(statement.imbalance_import_wh, tariffs.imbalance_import_per_kwh),
			),
			(
				"revenue of unmatched surplus",
				amounts.imbalance_revenue,
				revenue(statement.imbalance_export_wh, tariffs.imbalance_export_per_kwh),
			),
		] {
			checks.equal(&named(what), amount, due);
		}
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
		let judged = metered && statement.reading.quality != Quality::Estimated;
		let contract = book.contracts.get(household);
		let contract = contract.filter(|contract| judged && !contract.main_grid_only);
		let delivered_wh = delivered_wh(statement);
		let size = |net_wh: i64| u32::try_from(net_wh.unsigned_abs()).unwrap_or(u32::MAX);
		let mut again = contract.map(|contract| {
			game::delivered(
				&terms.rules,
				comfort(contract, terms).as_ref(),
				statement.reading.indoor_centi_c,
				delivered_wh,
				size(statement.reading.net_wh() - delivered_wh),
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

/// The part of a household's contracted community energy that it delivered or took, Wh, positive when sold.
fn delivered_wh(statement: &Statement) -> i64 {
	let (contracted, metered) = (statement.energy.community_wh(), statement.reading.net_wh());
	match contracted >= 0 {
		true => contracted.min(metered.max(0)),
		false => contracted.max(metered.min(0)),
	}
}

/// Checks the rewards: shares of a budget in proportion to the chain's payoffs of delivered energy, each at most the cap
/// for what was delivered or taken. The budget is the incentive or what the pot had, which the events do not say: it is
/// the smallest one that pays as much as was paid. (If an owner's account is gone and cannot take its share, the check
/// fails.)
fn rewards(checks: &mut Checks, book: &EraBook, terms: &Terms) {
	let statements = || book.statements.values().map(|settled| &settled.statement);
	let delivered = statements().map(|s| s.delivered);
	let payoffs = delivered.map(|delivered| delivered.map_or(game::Log2::NEG_INFINITY, |d| d.payoff));
	let weights = game::shares(&payoffs.collect::<Vec<_>>());
	let cap =
		|s: &Statement| Balance::from(delivered_wh(s).unsigned_abs()) * terms.reward_cap_per_kwh / 1_000;
	let due_of = |budget| -> Vec<Balance> {
		let parts = parts(budget, &weights).into_iter().zip(statements());
		parts.map(|(part, statement)| part.min(cap(statement))).collect()
	};
	let paid: Balance = statements().map(|s| s.amounts.reward).sum();
	checks.expect(paid <= terms.incentive_per_era, || {
		format!("rewards: {paid} paid of {} at most", terms.incentive_per_era)
	});
	let mut budgets = (0, terms.incentive_per_era.max(paid));
	while budgets.0 < budgets.1 {
		let middle = budgets.0 + (budgets.1 - budgets.0) / 2;
		match due_of(middle).iter().sum::<Balance>() >= paid {
			true => budgets.1 = middle,
			false => budgets.0 = middle + 1,
		}
	}
	let is_capped = statements().any(|s| s.amounts.reward > 0 && s.amounts.reward >= cap(s));
	// Where a cap cuts, several budgets pay the same sum, and the other parts may differ by rounding.
	let rounding = if is_capped { 1 } else { 0 };
	for ((household, settled), due) in book.statements.iter().zip(due_of(budgets.1)) {
		let reward = settled.statement.amounts.reward;
		checks.expect(reward.abs_diff(due) <= rounding, || {
			format!("household {household}: reward: {reward} against {due}")
		});
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

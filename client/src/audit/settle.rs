//! A community's settlement, done again from its inputs: docs/market.md, "Settlement".

use super::{
	inputs::{Household, Inputs},
	limits::Limits,
};
use crate::{
	chain::types::{
		Amounts, Balance, Channels, Contract, Debt, Delivered, MarketEvent, Quality, Reading, Statement,
		Terms, Totals,
	},
	fault::Fault,
	prices::{cost, part, revenue},
};
use commonwatt_game as game;
use serde::Serialize;
use std::collections::BTreeMap;

/// What a settlement comes to.
#[derive(Debug, Serialize)]
pub struct Settlement {
	pub totals: Totals,
	pub statements: BTreeMap<u32, Statement>,
}

/// One household's part.
struct HouseholdSettlement {
	id: u32,
	contract: Option<Contract>,
	debt: Debt,
	missing: bool,
	statement: Statement,
}

impl HouseholdSettlement {
	fn metered_wh(&self) -> i64 {
		let reading = &self.statement.reading;
		i64::from(reading.generation_wh) - i64::from(reading.consumption_wh)
	}

	/// Community energy that was contracted, delivered and can be paid for.
	fn deliverable_wh(&self, terms: &Terms) -> i64 {
		let Some(contract) = &self.contract else { return 0 };
		let (contracted, metered) = (contract.energy.community_wh(), self.metered_wh());
		if contracted.signum() != metered.signum() {
			return 0;
		}
		if contracted >= 0 {
			return contracted.min(metered);
		}
		let delivered = contracted.max(metered);
		let bought = size(delivered);
		let needed =
			cost(bought, self.statement.price_per_kwh) + cost(bought, terms.tariffs.grid_fee_per_kwh);
		if contract.held < needed {
			0
		} else {
			delivered
		}
	}
}

fn size(wh: i64) -> u32 {
	u32::try_from(wh.unsigned_abs()).unwrap_or(u32::MAX)
}

/// What the chain says of a settlement.
pub struct Claim<'a> {
	pub statements: &'a BTreeMap<u32, Statement>,
	/// Whether its game's payoffs have other rules than this program's.
	pub other_payoffs: bool,
}

/// Settles an era. `contracts` are those of its gate closure. Where the chain says that somebody could not pay, or
/// could not be paid, that is taken from the claim if the debt that it leaves is right, and `notes` says so. Payoffs of
/// other rules are taken from it too, and the rewards are shared by them.
pub async fn settle(
	inputs: &mut Inputs,
	(era, terms, price_per_kwh): (u32, Terms, Balance),
	contracts: &BTreeMap<u32, Contract>,
	limits: &Limits,
	claim: Claim<'_>,
	notes: &mut Vec<String>,
) -> Result<Settlement, Fault> {
	let claimed = claim.statements;
	let mut lines = lines(inputs, era, price_per_kwh, contracts).await?;
	energy(&mut lines, &terms);
	if claim.other_payoffs {
		take_payoffs(&mut lines, claimed);
	}
	let fees_taken = claimed.values().any(|s| s.amounts.grid_fee > 0);
	through_pool(&mut lines, &terms, fees_taken, claimed, notes);
	let pot = inputs
		.reducible(pot_account(inputs.community_id()), limits.minimum_balance)
		.await?;
	rewards(&mut lines, terms.incentive_per_era.min(pot), claimed, notes);
	for line in &mut lines {
		with_utility(line, &terms, claimed, notes);
	}
	let mut totals = Totals::default();
	for line in &lines {
		add(&mut totals, &line.statement, line.missing);
	}
	Ok(Settlement {
		totals,
		statements: lines.into_iter().map(|line| (line.id, line.statement)).collect(),
	})
}

/// Everyone who was a member, with contract and reading.
async fn lines(
	inputs: &mut Inputs,
	era: u32,
	price_per_kwh: Balance,
	contracts: &BTreeMap<u32, Contract>,
) -> Result<Vec<HouseholdSettlement>, Fault> {
	let debts = inputs.debts().await?;
	let mut lines = Vec::new();
	for id in inputs.members().await? {
		let Some(household) = inputs.household(id).await?.filter(|h| h.is_member_in(era)) else {
			continue;
		};
		let contract = contracts.get(&id).cloned();
		let metered = inputs.metered(id).await?;
		let submitted = metered.as_ref().and_then(|metered| metered.of(era));
		let last = metered.as_ref().and_then(|metered| metered.until(era));
		let reading = submitted.unwrap_or_else(|| estimate(&household, contract.as_ref(), last));
		lines.push(HouseholdSettlement {
			id,
			contract,
			debt: debts.get(&id).copied().unwrap_or_default(),
			missing: submitted.is_none(),
			statement: Statement {
				era,
				reading,
				energy: Channels::from_net(0, 0),
				imbalance_import_wh: 0,
				imbalance_export_wh: 0,
				price_per_kwh,
				delivered: None,
				amounts: Amounts::default(),
			},
		});
	}
	Ok(lines)
}

/// What a silent meter is taken to have seen.
fn estimate(household: &Household, contract: Option<&Contract>, last: Option<Reading>) -> Reading {
	let chosen = contract.and_then(|c| Some((c.generation_wh, c.strategies.get(usize::from(c.chosen))?)));
	let (generation_wh, consumption_wh, indoor_centi_c) = match (chosen, last) {
		(Some((generation, s)), _) => (
			generation.min(s.consumption_wh),
			s.consumption_wh,
			s.temperature_centi_c,
		),
		(None, Some(last)) => (
			0,
			last.consumption_wh.min(household.connection_limit_wh),
			last.indoor_centi_c,
		),
		(None, None) => (0, 0, 0),
	};
	Reading {
		generation_wh,
		consumption_wh,
		indoor_centi_c,
		quality: Quality::Estimated,
	}
}

/// Who delivered what to whom, and what it was worth.
fn energy(lines: &mut [HouseholdSettlement], terms: &Terms) {
	let deliverable: Vec<i64> = lines.iter().map(|line| line.deliverable_wh(terms)).collect();
	let side = |sign: i64| -> Vec<u64> {
		let of_side = deliverable.iter().map(|wh| (wh * sign).max(0).unsigned_abs());
		of_side.collect()
	};
	let (sold, bought) = (side(1), side(-1));
	let (offered, requested) = (sold.iter().sum(), bought.iter().sum());
	let sold = game::ration(&sold, requested);
	let bought = game::ration(&bought, offered);
	for (((line, deliverable), sold), bought) in lines.iter_mut().zip(deliverable).zip(sold).zip(bought) {
		let community = sold as i64 - bought as i64;
		let main = line.metered_wh() - community;
		line.statement.energy = Channels::from_net(community, main);
		let Some(contract) = &line.contract else { continue };
		let covered = contract.energy.main_wh() + deliverable - community;
		let ordinary = if covered.signum() == main.signum() {
			covered.signum() * covered.abs().min(main.abs())
		} else {
			0
		};
		let imbalance = Channels::from_net(0, main - ordinary);
		line.statement.imbalance_import_wh = imbalance.bought_from_main_wh;
		line.statement.imbalance_export_wh = imbalance.sold_to_main_wh;
		if !line.missing {
			let delivered = game::delivered(
				&terms.rules.into(),
				contract.comfort.map(Into::into).as_ref(),
				line.statement.reading.indoor_centi_c,
				community,
				size(main),
			);
			line.statement.delivered = Some(Delivered::from(delivered));
		}
	}
}

/// Takes from the chain what the delivered energy was worth; that it was worth anything, and its comfort, is not taken.
fn take_payoffs(lines: &mut [HouseholdSettlement], claimed: &BTreeMap<u32, Statement>) {
	for line in lines {
		let said = claimed.get(&line.id).and_then(|statement| statement.delivered);
		if let (Some(delivered), Some(said)) = (&mut line.statement.delivered, said) {
			delivered.payoff = said.payoff;
		}
	}
}

/// Money for community energy.
fn through_pool(
	lines: &mut [HouseholdSettlement],
	terms: &Terms,
	fees_taken: bool,
	claimed: &BTreeMap<u32, Statement>,
	notes: &mut Vec<String>,
) {
	let (mut collected, mut sold_wh, mut waived) = (0, 0, 0);
	for line in lines.iter_mut() {
		let statement = &mut line.statement;
		let bought = statement.energy.bought_from_community_wh;
		statement.amounts.paid_to_pool = cost(bought, statement.price_per_kwh);
		let fee = cost(bought, terms.tariffs.grid_fee_per_kwh);
		if fees_taken {
			statement.amounts.grid_fee = fee;
		} else {
			waived += fee;
		}
		collected += statement.amounts.paid_to_pool;
		sold_wh += Balance::from(statement.energy.sold_to_community_wh);
	}
	if waived > 0 {
		notes.push(format!("no grid fee was taken, {waived} would have been due"));
	}
	let (mut so_far_wh, mut so_far) = (0, 0);
	for line in lines.iter_mut() {
		let sold = Balance::from(line.statement.energy.sold_to_community_wh);
		if sold == 0 {
			continue;
		}
		so_far_wh += sold;
		let until = part(collected, so_far_wh, sold_wh);
		let due = until - so_far;
		so_far = until;
		if due > 0
			&& claimed
				.get(&line.id)
				.is_some_and(|s| s.amounts.received_from_pool == 0)
		{
			notes.push(format!(
				"household {}: {due} from the pool went to its credit",
				line.id
			));
			line.debt.credit += due;
		} else {
			line.statement.amounts.received_from_pool = due;
		}
	}
}

/// Shares of the incentive.
fn rewards(
	lines: &mut [HouseholdSettlement],
	budget: Balance,
	claimed: &BTreeMap<u32, Statement>,
	notes: &mut Vec<String>,
) {
	let payoff = |line: &HouseholdSettlement| {
		let delivered = line.statement.delivered;
		delivered.map_or(game::Log2::NEG_INFINITY, |delivered| game::Log2(delivered.payoff))
	};
	let weights = game::shares(&lines.iter().map(payoff).collect::<Vec<_>>());
	let total: Balance = weights.iter().copied().map(Balance::from).sum();
	let (mut so_far_weight, mut so_far) = (0, 0);
	for (line, weight) in lines.iter_mut().zip(weights).filter(|(_, weight)| *weight > 0) {
		so_far_weight += Balance::from(weight);
		let until = part(budget, so_far_weight, total);
		let due = until - so_far;
		so_far = until;
		if due > 0 && claimed.get(&line.id).is_some_and(|s| s.amounts.reward == 0) {
			notes.push(format!("household {}: its reward of {due} was not paid", line.id));
		} else {
			line.statement.amounts.reward = due;
		}
	}
}

/// The bill of the main grid.
fn with_utility(
	line: &mut HouseholdSettlement,
	terms: &Terms,
	claimed: &BTreeMap<u32, Statement>,
	notes: &mut Vec<String>,
) {
	let (tariffs, metered) = (&terms.tariffs, line.metered_wh());
	let statement = &mut line.statement;
	let (short, over) = (statement.imbalance_import_wh, statement.imbalance_export_wh);
	let (energy, amounts) = (&statement.energy, &mut statement.amounts);
	amounts.main_cost = cost(
		energy.bought_from_main_wh.saturating_sub(short),
		tariffs.retail_per_kwh,
	) + cost(short, tariffs.imbalance_import_per_kwh);
	amounts.main_revenue = revenue(
		energy.sold_to_main_wh.saturating_sub(over),
		tariffs.feed_in_per_kwh,
	) + revenue(over, tariffs.imbalance_export_per_kwh);
	let alone = Channels::from_net(0, metered);
	amounts.alone_cost = cost(alone.bought_from_main_wh, tariffs.retail_per_kwh);
	amounts.alone_revenue = revenue(alone.sold_to_main_wh, tariffs.feed_in_per_kwh);
	let due = line.debt.arrears + amounts.main_cost;
	let owed = line.debt.credit + amounts.main_revenue;
	let said = claimed.get(&line.id).map(|statement| statement.amounts);
	// What somebody could pay at that very moment depends on all that moved before; that it did not vanish does not.
	let paid = said.map_or(due, |said| said.paid_to_utility).min(due);
	let received = said.map_or(owed, |said| said.received_from_utility).min(owed);
	amounts.paid_to_utility = paid;
	amounts.arrears = due - paid;
	amounts.received_from_utility = received;
	amounts.credit = owed - received;
	if paid < due || received < owed {
		notes.push(format!(
			"household {}: {paid} of {due} paid to the utility and {received} of {owed} received; whether more could \
			 be paid was not judged",
			line.id
		));
	}
}

fn add(totals: &mut Totals, statement: &Statement, missing: bool) {
	let (energy, amounts) = (&statement.energy, &statement.amounts);
	totals.households += 1;
	totals.missing_readings += u32::from(missing);
	totals.community_wh += u64::from(energy.sold_to_community_wh);
	totals.bought_from_main_wh += u64::from(energy.bought_from_main_wh);
	totals.sold_to_main_wh += u64::from(energy.sold_to_main_wh);
	totals.through_pool += amounts.paid_to_pool;
	totals.grid_fees += amounts.grid_fee;
	totals.rewards += amounts.reward;
	totals.to_utility += amounts.paid_to_utility;
	totals.from_utility += amounts.received_from_utility;
}

/// The account of a community's incentive pot: "modl", the pallet's name, and its number with all bits turned, as FRAME
/// derives sub-accounts.
fn pot_account(community: u32) -> subxt::utils::AccountId32 {
	let mut account = [0; 32];
	let (name, number) = (b"modlcw/enrgy", (!community).to_le_bytes());
	for (slot, byte) in account.iter_mut().zip(name.iter().chain(&number)) {
		*slot = *byte;
	}
	subxt::utils::AccountId32(account)
}

/// What the chain's events claim of a settlement.
pub fn claimed(events: &[MarketEvent], community: u32, era: u32) -> Option<Settlement> {
	let mut statements = BTreeMap::new();
	let mut settled = None;
	for event in events {
		match event {
			MarketEvent::HouseholdSettled {
				community: of,
				household,
				statement,
			} if *of == community && statement.era == era => {
				statements.insert(*household, *statement);
			}
			MarketEvent::EraSettled {
				community: of,
				era: when,
				totals,
			} if (*of, *when) == (community, era) => settled = Some(*totals),
			_ => (),
		}
	}
	settled.map(|totals| Settlement { totals, statements })
}

#[cfg(test)]
mod tests {
	use super::*;

	fn line(id: u32, delivered: Option<Delivered>) -> HouseholdSettlement {
		HouseholdSettlement {
			id,
			contract: None,
			debt: Debt::default(),
			missing: false,
			statement: Statement {
				era: 7,
				reading: Reading {
					generation_wh: 0,
					consumption_wh: 0,
					indoor_centi_c: 2_100,
					quality: Quality::Measured,
				},
				energy: Channels::from_net(0, 0),
				imbalance_import_wh: 0,
				imbalance_export_wh: 0,
				price_per_kwh: 190,
				delivered,
				amounts: Amounts::default(),
			},
		}
	}

	#[test]
	fn payoffs_of_other_rules_are_taken_and_nothing_else_of_what_was_delivered() {
		let worth = |comfort_ppm, payoff| Some(Delivered { comfort_ppm, payoff });
		let mut lines = [line(1, worth(500_000, 3)), line(2, None), line(3, worth(1, 4))];
		let claimed = [line(1, worth(7, 30)), line(2, worth(8, 40)), line(3, None)];
		let claimed = claimed.map(|line| (line.id, line.statement)).into();
		take_payoffs(&mut lines, &claimed);
		let taken = lines.map(|line| line.statement.delivered);
		assert_eq!(taken, [worth(500_000, 30), None, worth(1, 4)]);
	}
}

//! Settles a community's era again from its inputs: docs/market.md, "Settlement".

use super::{gate::Gate, inputs::Inputs, limits::Limits};
use crate::{
	chain::types::{
		Amounts, Balance, CommunityId, Contract, Debt, HouseholdId, MarketEvent, Reading, Statement, Terms,
		Totals,
	},
	fault::Fault,
};
use commonwatt_market::{
	accounts, game,
	money::Split,
	prices::cost,
	settlement::{spread, Dues, Energy, Metering},
	Quality, ReportedBy,
};
use serde::Serialize;
use std::collections::BTreeMap;
use subxt::utils::AccountId32;

/// The result of a settlement: the totals, and the statements by household.
#[derive(Debug, Serialize)]
pub struct Settlement {
	pub totals: Totals,
	pub statements: BTreeMap<HouseholdId, Statement>,
}

/// One household's part of a settlement.
struct HouseholdSettlement {
	id: HouseholdId,
	contract: Option<Contract>,
	debt: Debt,
	energy: Energy,
	statement: Statement,
}

/// What the chain claims about a settlement.
pub struct Claim<'a> {
	pub statements: &'a BTreeMap<HouseholdId, Statement>,
	/// What the incentive pot received; `None` without a claim.
	pub to_pot: Option<Balance>,
	/// Whether the chain computed the payoffs by rules that this program does not have.
	pub other_payoffs: bool,
}

/// Settles an era that was cleared like this. If the chain says that somebody could not pay, or could not
/// be paid, the claim is accepted if the debt that it leaves is right, and a note is added to `notes`. Payoffs under
/// other rules are taken from the claim too, and the rewards are shared by them.
pub async fn settle(
	inputs: &mut Inputs,
	gate: &Gate,
	limits: &Limits,
	claim: Claim<'_>,
	notes: &mut Vec<String>,
) -> Result<Settlement, Fault> {
	let (claimed, terms) = (claim.statements, &gate.record.terms);
	let mut lines = lines(inputs, gate).await?;
	energy(&mut lines, terms);
	if claim.other_payoffs {
		take_payoffs(&mut lines, claimed);
	}
	let fees_taken = claimed.values().any(|s| s.amounts.grid_fee > 0);
	through_pool(&mut lines, terms, fees_taken, claimed, notes);
	let pot = AccountId32(accounts::account(accounts::pot_number(inputs.community)));
	let pot = inputs.reducible(pot, limits.minimum_balance).await?;
	rewards(&mut lines, terms, pot, claimed, notes);
	let mut spreads = 0;
	for line in &mut lines {
		with_utility(line, claimed, notes);
		if line.debt.arrears == 0 {
			spreads += spread(line.energy.matched_short_wh, &terms.tariffs);
		}
	}
	// The utility may lack the money, or the pot be too small to open its account.
	let to_pot = claim.to_pot.unwrap_or(spreads).min(spreads);
	if to_pot < spreads {
		notes.push(format!(
			"the pot received {to_pot} of {spreads} for matched deviations"
		));
	}
	let mut totals = Totals {
		to_pot,
		..Totals::default()
	};
	for line in &lines {
		totals.add(&line.statement);
	}
	Ok(Settlement {
		totals,
		statements: lines.into_iter().map(|line| (line.id, line.statement)).collect(),
	})
}

/// One entry for each household that was a member in the era, with its contract and reading.
async fn lines(inputs: &mut Inputs, gate: &Gate) -> Result<Vec<HouseholdSettlement>, Fault> {
	let era = gate.record.era;
	let debts = inputs.debts().await?;
	let calendar = inputs.calendar().await?;
	let mut lines = Vec::new();
	for id in inputs.members().await? {
		let Some(household) = inputs.household(id).await?.filter(|h| h.is_member_in(era)) else {
			continue;
		};
		let contract = gate.contracts.get(&id).cloned();
		let metered = inputs.metered(id).await?;
		let submitted = metered.as_ref().and_then(|metered| metered.of(era));
		let reading = submitted.map_or_else(
			|| Reading::estimate(&household, contract.as_ref(), metered.as_ref(), era, &calendar),
			|reported| reported.reading,
		);
		let energy = Energy::default();
		lines.push(HouseholdSettlement {
			id,
			contract,
			debt: debts.get(&id).copied().unwrap_or_default(),
			energy,
			statement: Statement {
				reported_by: ReportedBy::of(submitted.as_ref()),
				..energy.statement(era, reading, gate.record.price_per_kwh, Amounts::default())
			},
		});
	}
	Ok(lines)
}

/// Computes everyone's contract and deviation, what they cost and earn, and comfort and payoff of what was delivered.
fn energy(lines: &mut [HouseholdSettlement], terms: &Terms) {
	let of_line = |line: &HouseholdSettlement| Metering {
		contract: line.contract.as_ref().and_then(Contract::firm_energy),
		net_wh: line.statement.reading.net_wh(),
		is_estimate: line.statement.is_estimate(),
	};
	let energies = Energy::of_all(&lines.iter().map(of_line).collect::<Vec<_>>());
	for (line, energy) in lines.iter_mut().zip(energies) {
		let Statement {
			era,
			reading,
			reported_by,
			price_per_kwh,
			mut amounts,
			..
		} = line.statement;
		energy.bill(&reading, &terms.tariffs, &mut amounts);
		let contract = line.contract.as_ref();
		let delivered = contract
			.filter(|contract| !contract.main_grid_only && reading.quality != Quality::Estimated)
			.map(|contract| energy.worth(contract, &reading, terms));
		line.statement = Statement {
			reported_by,
			is_firm: contract.is_some_and(|contract| !contract.main_grid_only),
			delivered,
			..energy.statement(era, reading, price_per_kwh, amounts)
		};
		line.energy = energy;
	}
}

/// Takes the payoffs of delivered energy from the chain. Whether a household has one, and its comfort, stay computed.
fn take_payoffs(lines: &mut [HouseholdSettlement], claimed: &BTreeMap<HouseholdId, Statement>) {
	for line in lines {
		let said = claimed.get(&line.id).and_then(|statement| statement.delivered);
		if let (Some(delivered), Some(said)) = (&mut line.statement.delivered, said) {
			delivered.payoff = said.payoff;
		}
	}
}

/// Computes the payments for community energy, and the grid fees.
fn through_pool(
	lines: &mut [HouseholdSettlement],
	terms: &Terms,
	fees_taken: bool,
	claimed: &BTreeMap<HouseholdId, Statement>,
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
		notes.push(format!("no grid fee was taken; {waived} was due"));
	}
	let mut parts = Split::new(collected, sold_wh);
	for line in lines.iter_mut() {
		let due = parts.next_part(line.statement.energy.sold_to_community_wh.into());
		if due > 0
			&& claimed
				.get(&line.id)
				.is_some_and(|s| s.amounts.received_from_pool == 0)
		{
			notes.push(format!(
				"household {}: its earnings of {due} from the pool were added to its credit",
				line.id
			));
			line.debt.credit += due;
		} else {
			line.statement.amounts.received_from_pool = due;
		}
	}
}

/// Computes the rewards: shares of the incentive, or of what the pot has, in proportion to the delivered payoffs, each
/// at most the cap for the community energy that was delivered or taken.
fn rewards(
	lines: &mut [HouseholdSettlement],
	terms: &Terms,
	pot: Balance,
	claimed: &BTreeMap<HouseholdId, Statement>,
	notes: &mut Vec<String>,
) {
	let payoff = |line: &HouseholdSettlement| {
		let delivered = line.statement.delivered;
		delivered.map_or(game::Log2::NEG_INFINITY, |delivered| delivered.payoff)
	};
	let weights = game::shares(&lines.iter().map(payoff).collect::<Vec<_>>());
	let total: Balance = weights.iter().copied().map(Balance::from).sum();
	let mut parts = Split::new(terms.incentive_per_era.min(pot), total);
	for (line, weight) in lines.iter_mut().zip(weights).filter(|(_, weight)| *weight > 0) {
		let cap = line.energy.reward_cap(&line.statement.reading, terms);
		let due = parts.next_part(weight.into()).min(cap);
		if due > 0 && claimed.get(&line.id).is_some_and(|s| s.amounts.reward == 0) {
			notes.push(format!("household {}: its reward of {due} was not paid", line.id));
		} else {
			line.statement.amounts.reward = due;
		}
	}
}

/// Computes the payments between household and utility, and the debt that is left.
fn with_utility(
	line: &mut HouseholdSettlement,
	claimed: &BTreeMap<HouseholdId, Statement>,
	notes: &mut Vec<String>,
) {
	let amounts = &mut line.statement.amounts;
	let dues = Dues::new(&line.debt, amounts);
	let (due, owed) = (dues.household, dues.utility);
	let said = claimed.get(&line.id).map(|statement| statement.amounts);
	// How much somebody could pay at that moment depends on everything that moved before, so the claim is accepted. But
	// whatever was not paid must appear as debt.
	let paid = said.map_or(due, |said| said.paid_to_utility).min(due);
	let received = said.map_or(owed, |said| said.received_from_utility).min(owed);
	line.debt = dues.settle(paid, received, amounts);
	if paid < due || received < owed {
		notes.push(format!(
			"household {}: paid {paid} of {due} to the utility and received {received} of {owed} from it; the audit \
			 cannot judge whether more could be paid",
			line.id
		));
	}
}

/// What the chain's events claim about a settlement; `None` without an event `EraSettled`.
pub fn claimed(events: &[MarketEvent], community: CommunityId, era: u32) -> Option<Settlement> {
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
	use commonwatt_market::game::{Delivered, Log2};

	fn line(number: u32, delivered: Option<Delivered>) -> HouseholdSettlement {
		HouseholdSettlement {
			id: HouseholdId(number),
			contract: None,
			debt: Debt::default(),
			energy: Energy::default(),
			statement: Statement {
				delivered,
				..Energy::default().statement(
					7,
					Reading {
						generation_wh: 0,
						consumption_wh: 0,
						indoor_centi_c: 2_100,
						quality: Quality::Measured,
					},
					190,
					Amounts::default(),
				)
			},
		}
	}

	#[test]
	fn only_the_payoffs_of_delivered_energy_are_taken_from_the_chain() {
		let worth = |comfort_ppm, payoff| {
			Some(Delivered {
				comfort_ppm,
				payoff: Log2(payoff),
			})
		};
		let mut lines = [line(1, worth(500_000, 3)), line(2, None), line(3, worth(1, 4))];
		let claimed = [line(1, worth(7, 30)), line(2, worth(8, 40)), line(3, None)];
		let claimed = claimed.map(|line| (line.id, line.statement)).into();
		take_payoffs(&mut lines, &claimed);
		let taken = lines.map(|line| line.statement.delivered);
		assert_eq!(taken, [worth(500_000, 30), None, worth(1, 4)]);
	}
}

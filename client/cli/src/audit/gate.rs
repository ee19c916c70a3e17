//! Clears a community's era again from its inputs: docs/market.md, "An era", step 3.

use super::{inputs::Inputs, limits::Limits};
use crate::{
	chain::types::{
		Balance, Channels, CommunityId, Contract, Debt, EraRecord, Household, HouseholdId, MarketEvent,
		Submission, Terms,
	},
	fault::Fault,
};
use commonwatt_market::{
	contract::{allowed_strategies, game_of, on_main_grid, SolverLimits},
	game::{self, SolverConfig},
	prices::{contract_cost, price, worst_cost},
};
use serde::Serialize;
use std::collections::BTreeMap;
use subxt::utils::AccountId32;

/// The result of clearing: the era's record, and the contracts by household.
#[derive(Debug, Serialize)]
pub struct Gate {
	pub record: EraRecord,
	pub contracts: BTreeMap<HouseholdId, Contract>,
}

/// A household that takes part in the game, with its contract.
type Player = (HouseholdId, Contract);

/// Where the chosen strategies come from.
pub enum Judge<'a> {
	/// This program's solver computes them, within these bounds.
	Solver(SolverLimits),
	/// The chain's claim has them, because its game had other rules. `None` if the chain claims nothing.
	Chain(Option<&'a Gate>),
}

impl Judge<'_> {
	/// The chosen strategies and their certificate. With `Chain`, the choice, the certificate's status and gain, and
	/// the numbers of sweeps and starts are the chain's; the energies are computed from the choice.
	fn decide(&self, game: &game::Game, players: &[Player]) -> Result<game::Solution, game::ProfileFault> {
		let claimed = match self {
			Self::Solver(bounds) => return Ok(game::solve(game, &bounds.config(game), None)),
			Self::Chain(claimed) => claimed,
		};
		// An index out of range is replaced by 0; the comparison with the claim then shows the difference.
		let chosen = |(id, contract): &Player| {
			let said = claimed.and_then(|gate| gate.contracts.get(id));
			said.map(|said| said.chosen)
				.filter(|chosen| usize::from(*chosen) < contract.strategies.len())
				.unwrap_or(0)
		};
		let profile: Vec<u8> = players.iter().map(chosen).collect();
		let mut outcome = game::Solution {
			certificate: game::verify(game, &profile, SolverConfig::default().epsilon)?,
			profile,
			sweeps: 0,
			starts: 0,
			evaluations: 0,
		};
		if let Some(Gate { record, .. }) = claimed {
			outcome.certificate.status = record.certificate.status;
			outcome.certificate.max_gain = record.certificate.max_gain;
			(outcome.sweeps, outcome.starts) = (record.sweeps, record.starts);
		}
		Ok(outcome)
	}
}

/// Solves the era's game, or takes its choice from the chain. `None` if there is no game, because the community does
/// not exist or is paused.
pub async fn solve(
	inputs: &mut Inputs,
	era: u32,
	limits: &Limits,
	judge: Judge<'_>,
) -> Result<Option<Gate>, Fault> {
	let Some(community) = inputs
		.community()
		.await?
		.filter(|community| !community.paused.in_era(era))
	else {
		return Ok(None);
	};
	let terms = community.terms_in(era);
	let mut players = players(inputs, era, &terms, limits).await?;
	let refused = |fault: &dyn std::fmt::Display| {
		Fault::Differs(vec![format!(
			"era {era}: the inputs in the state are not a valid game: {fault}"
		)])
	};
	let contracts = players.iter().map(|(_, contract)| contract);
	let game = game_of(terms.rules, contracts).map_err(|fault| refused(&fault))?;
	let outcome = judge.decide(&game, &players).map_err(|fault| refused(&fault))?;
	let allocations = game::allocate(&game, &outcome.profile).map_err(|fault| refused(&fault))?;
	let certificate = outcome.certificate;
	let price_per_kwh = price(&terms, certificate.offered_wh, certificate.requested_wh);
	for (((_, contract), chosen), allocation) in players.iter_mut().zip(&outcome.profile).zip(allocations) {
		contract.chosen = *chosen;
		contract.energy = Channels::from_net(allocation.community_wh, allocation.main_wh);
		if !contract.main_grid_only {
			contract.held = contract_cost(&terms, price_per_kwh, &contract.energy);
		}
	}
	Ok(Some(Gate {
		record: EraRecord {
			era,
			terms,
			players: players.len() as u32,
			certificate,
			sweeps: outcome.sweeps,
			starts: outcome.starts,
			price_per_kwh,
			settled: None,
		},
		contracts: players.into_iter().collect(),
	}))
}

/// The households that take part in the game, in the order of their registration.
async fn players(
	inputs: &mut Inputs,
	era: u32,
	terms: &Terms,
	limits: &Limits,
) -> Result<Vec<Player>, Fault> {
	let settle_era = inputs.round().await?.and_then(|round| round.settle_era);
	let debts = inputs.debts().await?;
	let mut budgets = BTreeMap::<AccountId32, Balance>::new();
	let mut players = Vec::new();
	for id in inputs.members().await? {
		let household = inputs.household(id).await?;
		let Some(household) = household.filter(|h| !h.suspended.in_era(era) && h.is_member_in(era)) else {
			continue;
		};
		let Ok(comfort) = terms.narrow(household.comfort) else {
			continue;
		};
		let submission = submission(inputs, id, &household, era, settle_era, terms).await?;
		let Some(Submission {
			generation_wh,
			mut strategies,
			..
		}) = submission
		else {
			continue;
		};
		let costs = strategies
			.iter()
			.map(|strategy| worst_cost(terms, strategy, generation_wh));
		let worst = costs.max().unwrap_or(0);
		let owner = *household.owner_in(era);
		let budget = match budgets.get(&owner) {
			Some(left) => *left,
			None => inputs.reducible(owner, limits.minimum_balance).await?,
		};
		let owes = debts.get(&id).is_some_and(|debt: &Debt| debt.arrears > 0);
		let main_grid_only = owes || worst > budget;
		let spent = if main_grid_only { 0 } else { worst };
		budgets.insert(owner, budget - spent);
		if main_grid_only {
			for strategy in &mut strategies {
				*strategy = on_main_grid(*strategy);
			}
		}
		let contract = Contract {
			era,
			generation_wh,
			comfort,
			strategies,
			chosen: 0,
			main_grid_only,
			energy: Channels::from_net(0, 0),
			held: 0,
		};
		players.push((id, contract));
	}
	Ok(players)
}

/// The strategies and the expected generation of a household: those that it submitted, else those that its standing
/// preference derives from its last reading. `None` if there is neither, or if none of the strategies is allowed.
async fn submission(
	inputs: &mut Inputs,
	id: HouseholdId,
	household: &Household,
	era: u32,
	settle_era: Option<u32>,
	terms: &Terms,
) -> Result<Option<Submission>, Fault> {
	let resolution_wh = terms.rules.resolution_wh;
	let (generation_wh, strategies) = match inputs.submission(id, era).await? {
		Some(submission) => (submission.generation_wh, submission.strategies),
		None => {
			let Some(preference) = household.preference else {
				return Ok(None);
			};
			let metered = inputs.metered(id).await?;
			let Some(reading) = metered
				.zip(settle_era)
				.and_then(|(metered, complete)| metered.recent(complete))
			else {
				return Ok(None);
			};
			let made = preference.strategies(
				resolution_wh,
				reading.generation_wh,
				reading.consumption_wh,
				reading.indoor_centi_c,
			);
			(reading.generation_wh, made)
		}
	};
	let limit = household.connection_limit_in(era);
	let strategies = allowed_strategies(strategies, generation_wh, resolution_wh, limit);
	Ok((!strategies.is_empty()).then_some(Submission {
		era,
		generation_wh,
		strategies,
	}))
}

/// What the chain's events claim about a clearing; `None` without an event `EraCleared`. The events have neither the
/// comfort of a contract nor the strategies that were not chosen: these are taken from `computed`.
pub fn claimed(events: &[MarketEvent], community: CommunityId, era: u32, computed: &Gate) -> Option<Gate> {
	let mut contracts = BTreeMap::new();
	let mut cleared = None;
	for event in events {
		match event {
			MarketEvent::ContractMade {
				community: of,
				era: when,
				household,
				generation_wh,
				strategy,
				chosen,
				main_grid_only,
				energy,
				held,
			} if (*of, *when) == (community, era) => {
				let known = computed.contracts.get(household);
				let mut strategies = known.map_or_else(Vec::new, |known| known.strategies.clone());
				if let Some(of_event) = strategies.get_mut(usize::from(*chosen)) {
					*of_event = *strategy;
				}
				let contract = Contract {
					era,
					generation_wh: *generation_wh,
					comfort: known.and_then(|known| known.comfort),
					strategies,
					chosen: *chosen,
					main_grid_only: *main_grid_only,
					energy: *energy,
					held: *held,
				};
				contracts.insert(*household, contract);
			}
			MarketEvent::EraCleared {
				community: of,
				record,
			} if *of == community && record.era == era => cleared = Some(*record),
			_ => (),
		}
	}
	cleared.map(|record| Gate { record, contracts })
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{
		chain::types::{Certificate, Kind, Status, Strategy},
		test_terms::TEST_TERMS,
	};

	/// A seller with a surplus of 2 kWh and a buyer with a deficit of 2 kWh. Each may use the pool or the main grid.
	fn seller_and_buyer() -> (game::Game, Vec<Player>) {
		let player = |number, generation_wh, consumption_wh, kinds: [Kind; 2]| {
			let strategy = |kind| Strategy {
				kind,
				consumption_wh,
				temperature_centi_c: 2_100,
			};
			let contract = Contract {
				era: 7,
				generation_wh,
				comfort: None,
				strategies: kinds.map(strategy).to_vec(),
				chosen: 0,
				main_grid_only: false,
				energy: Channels::from_net(0, 0),
				held: 0,
			};
			(HouseholdId(number), contract)
		};
		let players = vec![
			player(3, 2_000, 0, [Kind::SellToCommunity, Kind::SellToMain]),
			player(5, 0, 2_000, [Kind::BuyFromCommunity, Kind::BuyFromMain]),
		];
		let game = game_of(TEST_TERMS.rules, players.iter().map(|(_, contract)| contract)).unwrap();
		(game, players)
	}

	/// The claim of a chain that chose these strategies.
	fn claim(chosen: [u8; 2]) -> Gate {
		let (_, players) = seller_and_buyer();
		let contracts = players.into_iter().zip(chosen).map(|((id, contract), chosen)| {
			let contract = Contract { chosen, ..contract };
			(id, contract)
		});
		Gate {
			record: EraRecord {
				era: 7,
				terms: TEST_TERMS,
				players: 2,
				certificate: Certificate {
					status: Status::Approximate,
					offered_wh: 9,
					requested_wh: 9,
					traded_wh: 9,
					max_gain: game::Log2(77),
				},
				sweeps: 11,
				starts: 5,
				price_per_kwh: 190,
				settled: None,
			},
			contracts: contracts.collect(),
		}
	}

	#[test]
	fn choice_under_other_rules_is_taken_from_the_chain_and_energies_are_computed() {
		let (game, players) = seller_and_buyer();
		let decide = |judge: Judge| judge.decide(&game, &players).unwrap();
		let solved = decide(Judge::Solver(SolverLimits::RUNTIME));
		assert_eq!(
			(solved.profile.as_slice(), solved.certificate.status),
			(&[0, 0][..], Status::Equilibrium)
		);
		for (chosen, [offered_wh, requested_wh, traded_wh]) in [
			([0, 0], [2_000, 2_000, 2_000]),
			([0, 1], [2_000, 0, 0]),
			([1, 1], [0, 0, 0]),
		] {
			let claimed = claim(chosen);
			let taken = decide(Judge::Chain(Some(&claimed)));
			assert_eq!(taken.profile, chosen);
			let expected = Certificate {
				status: Status::Approximate,
				offered_wh,
				requested_wh,
				traded_wh,
				max_gain: game::Log2(77),
			};
			assert_eq!((taken.certificate, taken.sweeps, taken.starts), (expected, 11, 5));
		}
	}

	#[test]
	fn chosen_index_out_of_range_is_replaced_by_0() {
		let (game, players) = seller_and_buyer();
		let claimed = claim([0, 2]);
		let taken = Judge::Chain(Some(&claimed)).decide(&game, &players).unwrap();
		assert_eq!(taken.profile, [0, 0]);
		let taken = Judge::Chain(None).decide(&game, &players).unwrap();
		assert_eq!((taken.profile.as_slice(), taken.sweeps), (&[0, 0][..], 0));
	}
}

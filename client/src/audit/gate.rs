//! A community's gate closure, done again from its inputs: docs/market.md, "An era", step 3.

use super::{
	inputs::{Household, Inputs},
	limits::Limits,
};
use crate::{
	chain::types::{Channels, Comfort, Contract, Debt, EraRecord, Kind, MarketEvent, Money, Strategy, Terms},
	fault::Fault,
	prices::{contract_cost, price, worst_cost},
};
use commonwatt_game as game;
use serde::Serialize;
use std::collections::BTreeMap;
use subxt::utils::AccountId32;

/// What a gate closure comes to.
#[derive(Debug, Serialize)]
pub struct Gate {
	pub record: EraRecord,
	pub contracts: BTreeMap<u32, Contract>,
}

/// A household on its way into the game.
struct Player {
	id: u32,
	contract: Contract,
}

/// Solves the era's game; nothing where the rules say that there is none.
pub async fn solve(inputs: &mut Inputs, era: u32, limits: &Limits) -> Result<Option<Gate>, Fault> {
	let Some(community) = inputs.community().await?.filter(|community| !community.paused) else {
		return Ok(None);
	};
	let terms = community.terms_in(era);
	let mut players = players(inputs, era, &terms, limits).await?;
	let households = players.iter().map(|player| game::Household {
		generation_wh: player.contract.generation_wh,
		comfort: player.contract.comfort.map(Into::into),
		strategies: player.contract.strategies.iter().map(|s| (*s).into()).collect(),
	});
	let refused = |fault: &dyn std::fmt::Display| {
		Fault::Differs(vec![format!("era {era}: what the state has is no game: {fault}")])
	};
	let game = game::Game::new(terms.rules.into(), households.collect()).map_err(|fault| refused(&fault))?;
	let solution = game::solve(&game, &limits.solver, None);
	let allocations = game::allocate(&game, &solution.profile).map_err(|fault| refused(&fault))?;
	let certificate = solution.certificate;
	let price_per_kwh = price(&terms, certificate.offered_wh, certificate.requested_wh);
	for ((player, chosen), allocation) in players.iter_mut().zip(&solution.profile).zip(allocations) {
		let contract = &mut player.contract;
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
			certificate: certificate.into(),
			sweeps: solution.sweeps,
			starts: solution.starts,
			price_per_kwh,
			settled: None,
		},
		contracts: players
			.into_iter()
			.map(|player| (player.id, player.contract))
			.collect(),
	}))
}

/// The households that have anything to bring to the game, in the order of their registration.
async fn players(
	inputs: &mut Inputs,
	era: u32,
	terms: &Terms,
	limits: &Limits,
) -> Result<Vec<Player>, Fault> {
	let settle_era = inputs.round().await?.and_then(|round| round.settle_era);
	let debts = inputs.debts().await?;
	let mut budgets = BTreeMap::<AccountId32, Money>::new();
	let mut players = Vec::new();
	for id in inputs.members().await? {
		let household = inputs.household(id).await?;
		let Some(household) = household.filter(|h| !h.suspended && h.is_member_in(era)) else {
			continue;
		};
		let Some(comfort) = comfort(household.comfort, terms) else {
			continue;
		};
		let Some((generation_wh, mut strategies)) =
			strategies(inputs, id, &household, era, settle_era, terms).await?
		else {
			continue;
		};
		let net = |s: &Strategy| i64::from(generation_wh) - i64::from(s.consumption_wh);
		let worst = strategies.iter().map(|s| worst_cost(terms, net(s))).max();
		let worst = worst.unwrap_or(0);
		let budget = match budgets.get(&household.owner) {
			Some(left) => *left,
			None => inputs.reducible(household.owner, limits.minimum_balance).await?,
		};
		let owes = debts.get(&id).is_some_and(|debt: &Debt| debt.arrears > 0);
		let main_grid_only = owes || worst > budget;
		let spent = if main_grid_only { 0 } else { worst };
		budgets.insert(household.owner, budget - spent);
		if main_grid_only {
			strategies.iter_mut().for_each(keep_to_main_grid);
		}
		let contract = Contract {
			generation_wh,
			comfort,
			strategies,
			chosen: 0,
			main_grid_only,
			energy: Channels::from_net(0, 0),
			held: 0,
		};
		players.push(Player { id, contract });
	}
	Ok(players)
}

/// What of a comfort range lies within the community's bounds. Nothing (outside) keeps a household out of the game.
fn comfort(comfort: Option<Comfort>, terms: &Terms) -> Option<Option<Comfort>> {
	let (Some(mut comfort), Some(bounds)) = (comfort, terms.comfort_bounds) else {
		return Some(comfort);
	};
	comfort.min_centi_c = comfort.min_centi_c.max(bounds.min_centi_c);
	comfort.max_centi_c = comfort.max_centi_c.min(bounds.max_centi_c);
	(comfort.min_centi_c < comfort.max_centi_c).then_some(Some(comfort))
}

/// What a household brings: what it submitted, else what its preference makes of its last reading, else nothing.
async fn strategies(
	inputs: &mut Inputs,
	id: u32,
	household: &Household,
	era: u32,
	settle_era: Option<u32>,
	terms: &Terms,
) -> Result<Option<(u32, Vec<Strategy>)>, Fault> {
	let resolution_wh = terms.rules.resolution_wh;
	let (generation_wh, strategies) = match inputs.submission(id, era).await? {
		Some(submission) => (submission.generation_wh, submission.strategies),
		None => {
			let Some(preference) = household.preference.clone() else {
				return Ok(None);
			};
			let metered = inputs.metered(id).await?;
			let Some(reading) = metered
				.zip(settle_era)
				.and_then(|(metered, era)| metered.until(era))
			else {
				return Ok(None);
			};
			let made = game::Preference::from(preference).strategies(
				resolution_wh,
				reading.generation_wh,
				reading.consumption_wh,
				reading.indoor_centi_c,
			);
			(reading.generation_wh, made.into_iter().map(Into::into).collect())
		}
	};
	let limit = u64::from(household.connection_limit_wh);
	let mut allowed = strategies;
	allowed.retain(|strategy| {
		let strategy = game::Strategy::from(*strategy);
		strategy.check(generation_wh, resolution_wh).is_ok()
			&& strategy.net_wh(generation_wh).unsigned_abs() <= limit
	});
	Ok((!allowed.is_empty()).then_some((generation_wh, allowed)))
}

fn keep_to_main_grid(strategy: &mut Strategy) {
	strategy.kind = match strategy.kind {
		Kind::SellToCommunity => Kind::SellToMain,
		Kind::BuyFromCommunity => Kind::BuyFromMain,
		other => other,
	};
}

/// What the chain's events claim of a gate closure. The strategies and the comfort that a contract was made with are not
/// in the events; they are filled in from what was computed.
pub fn claimed(events: &[MarketEvent], community: u32, era: u32, computed: &Gate) -> Option<Gate> {
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

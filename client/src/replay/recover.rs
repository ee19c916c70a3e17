//! Filling the books from the chain's state where the events are gone: a node keeps the state, and with it the events,
//! of its newest blocks only, so a replay that is resumed late finds a gap.
//!
//! Contracts, statements and records lie in the state for many eras more. They are entered as the events that they
//! came from would have been, and the era's sums are checked as ever; only that money moved accordingly, block by
//! block, can no longer be checked.

use super::setup::Stage;
use crate::{
	chain::{
		self,
		types::{MarketEvent, Quality},
		At, Node,
	},
	fault::Fault,
};

/// The first block after `known` of which the node has the state still; `last` is one that it has.
pub async fn first_readable(node: &Node, known: u64, last: u64) -> Result<u64, Fault> {
	let (mut gone, mut there) = (known, last);
	while there - gone > 1 {
		let middle = gone.midpoint(there);
		if is_readable(node, middle).await? {
			there = middle;
		} else {
			gone = middle;
		}
	}
	Ok(there)
}

async fn is_readable(node: &Node, number: u64) -> Result<bool, Fault> {
	let probe = async { chain::era(&node.at(number).await?).await };
	let Err(fault) = probe.await else { return Ok(true) };
	match node.diagnose(fault).await {
		Fault::Chain(_) => Ok(false),
		lost => Err(lost),
	}
}

/// What the state says about eras of a community, as events, in the order in which they happened.
pub async fn events(at: &At, stage: &Stage, eras: &[u32]) -> Result<Vec<MarketEvent>, Fault> {
	let mut events = Vec::new();
	for era in eras.iter().copied() {
		let Some(record) = chain::record(at, stage.community, era).await? else {
			continue;
		};
		let community = stage.community;
		for household in stage.members.iter().copied() {
			let Some(contract) = chain::contract(at, household, era).await? else {
				continue;
			};
			let Some(strategy) = contract.strategies.get(usize::from(contract.chosen)).copied() else {
				continue;
			};
			events.push(MarketEvent::StrategiesSubmitted {
				household,
				era,
				generation_wh: contract.generation_wh,
				strategies: contract.strategies,
			});
			events.push(MarketEvent::ContractMade {
				community,
				era,
				household,
				generation_wh: contract.generation_wh,
				strategy,
				chosen: contract.chosen,
				main_grid_only: contract.main_grid_only,
				energy: contract.energy,
				held: contract.held,
			});
		}
		events.push(MarketEvent::EraCleared { community, record });
		let Some(totals) = record.settled else { continue };
		for household in stage.members.iter().copied() {
			let Some(statement) = chain::statement(at, household, era).await? else {
				continue;
			};
			if statement.reading.quality == Quality::Measured {
				events.push(MarketEvent::ReadingSubmitted {
					household,
					era,
					reading: statement.reading,
				});
			}
			events.push(MarketEvent::HouseholdSettled {
				community,
				household,
				statement,
			});
		}
		events.push(MarketEvent::EraSettled {
			community,
			era,
			totals,
		});
	}
	Ok(events)
}

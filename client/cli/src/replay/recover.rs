//! Fills the books from the chain's state where the events are gone. A node keeps the state of its newest blocks only,
//! and with it their events, so a replay that is resumed late finds a gap.
//!
//! Contracts, statements and records stay in the state for many more eras. They are entered as the events that they
//! came from, and the era's sums are checked as usual. Only the movement of money, block by block, can no longer be
//! checked.

use super::setup::Stage;
use crate::{
	chain::{self, game::GAME_RULES_SINCE, types::MarketEvent, At},
	fault::Fault,
};

/// The eras of a community in the state, as events in their original order.
pub async fn events(at: &At, stage: &Stage, eras: &[u32]) -> Result<Vec<MarketEvent>, Fault> {
	let mut events = Vec::new();
	let community = stage.community;
	for era in eras.iter().copied() {
		let Some(record) = chain::record(at, community, era).await? else {
			continue;
		};
		for (household, contract) in chain::contracts(at, community, era).await? {
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
		for (household, statement) in chain::statements(at, community, era).await? {
			if !statement.is_estimate() {
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

/// The `spec_version` by which to judge all eras of a gap, from the versions `before` and `after` it. Versions only go
/// up, so one of them may be enough. `None` if the rules may have changed within the gap.
pub fn version(before: Option<u32>, after: Option<u32>) -> Option<u32> {
	match (before, after) {
		(_, Some(after)) if after < GAME_RULES_SINCE => Some(after),
		(Some(before), _) if before >= GAME_RULES_SINCE => Some(before),
		_ => None,
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn gap_is_judged_only_if_the_rules_did_not_change_in_it() {
		assert_eq!(version(Some(101), Some(103)), Some(101));
		assert_eq!(version(Some(99), Some(100)), Some(100));
		assert_eq!(version(None, Some(100)), Some(100));
		for unknown in [(Some(100), Some(101)), (None, Some(101)), (None, None)] {
			assert_eq!(version(unknown.0, unknown.1), None, "{unknown:?}");
		}
	}
}

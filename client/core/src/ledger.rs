//! The community's books, era by era, written from events alone.

use crate::chain::{
	events::BlockLog,
	types::{
		Balance, Channels, Comfort, EraRecord, HouseholdId, MarketEvent, Reading, Statement, Strategy, Totals,
	},
};
use commonwatt_market::late;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, ops::RangeInclusive};

/// A household's comfort and debts when its books are opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
	/// Its comfort model, if it has one.
	pub comfort: Option<Comfort>,
	/// What it owes the utility, smallest unit.
	#[serde(with = "crate::chain::types::money")]
	pub arrears: Balance,
	/// What the utility owes it, smallest unit.
	#[serde(with = "crate::chain::types::money")]
	pub credit: Balance,
}

/// Strategies that a household submitted.
#[derive(Clone, Debug)]
pub struct Submitted {
	/// Expected generation, Wh.
	pub generation_wh: u32,
	/// The strategies to choose from.
	pub strategies: Vec<Strategy>,
}

/// A household's contract, with the comfort that it was made under.
#[derive(Clone, Debug)]
pub struct Contract {
	/// Expected generation, Wh.
	pub generation_wh: u32,
	/// The chosen strategy.
	pub strategy: Strategy,
	/// Its index in the household's set.
	pub chosen: u8,
	/// Whether the household was limited to the main grid.
	pub main_grid_only: bool,
	/// Contracted energy, Wh.
	pub energy: Channels,
	/// Funds on hold for it, smallest unit.
	pub held: Balance,
	/// The household's comfort model at gate closure.
	pub comfort: Option<Comfort>,
}

/// A household's statement, with its debts before.
#[derive(Clone, Debug)]
pub struct Settled {
	/// The statement.
	pub statement: Statement,
	/// The household's comfort model and debts just before.
	pub before: Opening,
}

/// Everything that events said about one era.
#[derive(Clone, Debug, Default)]
pub struct EraBook {
	/// Submitted strategies, by household.
	pub submitted: BTreeMap<HouseholdId, Submitted>,
	/// Contracts, by household.
	pub contracts: BTreeMap<HouseholdId, Contract>,
	/// The record of the clearing.
	pub record: Option<EraRecord>,
	/// The newest reading of each household.
	pub readings: BTreeMap<HouseholdId, Reading>,
	/// Statements, by household.
	pub statements: BTreeMap<HouseholdId, Settled>,
	/// Statements of readings that came after the settlement, by household. Each replaces the household's entry in
	/// `statements`. For an era that the chain missed, `statements` has no entries.
	pub late: BTreeMap<HouseholdId, Statement>,
	/// The sums of the settlement.
	pub totals: Option<Totals>,
	/// Whether the chain could not clear the era.
	pub clearing_failed: bool,
	/// `spec_version` of the runtime that cleared the era; `None` where it is unknown.
	pub cleared_by: Option<u32>,
	/// `spec_version` of the runtime that settled the era; `None` where it is unknown.
	pub settled_by: Option<u32>,
}

impl EraBook {
	/// The household's final statement: the one of its late reading, if there is one, otherwise the settlement's.
	pub fn final_statement(&self, household: HouseholdId) -> Option<&Statement> {
		let settled = || self.statements.get(&household).map(|settled| &settled.statement);
		self.late.get(&household).or_else(settled)
	}

	/// The final statements, in ascending order of households.
	pub fn final_statements(&self) -> BTreeMap<HouseholdId, &Statement> {
		let households = self.statements.keys().chain(self.late.keys());
		households
			.filter_map(|id| Some((*id, self.final_statement(*id)?)))
			.collect()
	}

	/// By how much a late reading made the household's bill dearer; negative where it made it cheaper. 0 without one.
	pub fn late_correction(&self, household: HouseholdId) -> i128 {
		let Some(late) = self.late.get(&household) else {
			return 0;
		};
		match self.statements.get(&household) {
			Some(settled) => late::correction(&settled.statement, late),
			None => late::correction(&late::unsettled(late.era, late.price_per_kwh), late),
		}
	}

	/// The maximum that could be traded at the consumption that the game chose, Wh: the smaller of all surplus and all
	/// deficit, including households that chose the main grid.
	pub fn tradable_wh(&self) -> u64 {
		let (mut surplus, mut deficit) = (0, 0);
		for Contract {
			generation_wh,
			strategy,
			..
		} in self.contracts.values()
		{
			surplus += u64::from(generation_wh.saturating_sub(strategy.consumption_wh));
			deficit += u64::from(strategy.consumption_wh.saturating_sub(*generation_wh));
		}
		surplus.min(deficit)
	}
}

/// The books of a community.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
	eras: BTreeMap<u32, EraBook>,
	households: BTreeMap<HouseholdId, Opening>,
	/// Contradictions between balances and market, with their blocks.
	pub money_faults: Vec<String>,
	/// `spec_version` of the runtime in the newest block that has one.
	pub spec_version: Option<u32>,
}

impl Ledger {
	/// Opens the books with these households.
	pub fn new(households: BTreeMap<HouseholdId, Opening>) -> Self {
		Self {
			households,
			..Self::default()
		}
	}

	/// An era's book, if anything was written about it.
	pub fn era(&self, era: u32) -> Option<&EraBook> {
		self.eras.get(&era)
	}

	/// The books of eras, in order.
	pub fn eras(&self, range: RangeInclusive<u32>) -> impl Iterator<Item = (u32, &EraBook)> {
		self.eras.range(range).map(|(era, book)| (*era, book))
	}

	/// The last era that is settled in these books.
	pub fn last_settled(&self) -> Option<u32> {
		self.eras
			.iter()
			.rev()
			.find(|(_, book)| book.totals.is_some())
			.map(|(era, _)| *era)
	}

	/// Enters a block's events.
	pub fn enter(&mut self, block: &BlockLog) {
		let faults = block
			.money_faults
			.iter()
			.map(|fault| format!("block {}: {fault}", block.number));
		self.money_faults.extend(faults);
		self.spec_version = block.spec_version.or(self.spec_version);
		for event in &block.events {
			self.enter_event(event);
			match event {
				MarketEvent::EraCleared { record, .. } => {
					self.book(record.era).cleared_by = block.spec_version;
				}
				MarketEvent::EraSettled { era, .. } => self.book(*era).settled_by = block.spec_version,
				_ => (),
			}
		}
	}

	fn book(&mut self, era: u32) -> &mut EraBook {
		self.eras.entry(era).or_default()
	}

	/// Enters an event, if it is about something that the books hold.
	fn enter_event(&mut self, event: &MarketEvent) {
		match event {
			MarketEvent::StrategiesSubmitted {
				household,
				era,
				generation_wh,
				strategies,
			} => {
				let submitted = Submitted {
					generation_wh: *generation_wh,
					strategies: strategies.clone(),
				};
				self.book(*era).submitted.insert(*household, submitted);
			}
			MarketEvent::ReadingSubmitted {
				household,
				era,
				reading,
			} => {
				self.book(*era).readings.insert(*household, *reading);
			}
			MarketEvent::EraCleared { record, .. } => self.book(record.era).record = Some(*record),
			MarketEvent::ClearingFailed { era, .. } => self.book(*era).clearing_failed = true,
			MarketEvent::HouseholdSettled {
				household, statement, ..
			} => self.enter_statement(*household, statement),
			MarketEvent::EraSettled { era, totals, .. } => self.book(*era).totals = Some(*totals),
			MarketEvent::StrategiesWithdrawn { household, era } => {
				self.book(*era).submitted.remove(household);
			}
			MarketEvent::ContractMade {
				era,
				household,
				generation_wh,
				strategy,
				chosen,
				main_grid_only,
				energy,
				held,
				..
			} => {
				let contract = Contract {
					generation_wh: *generation_wh,
					strategy: *strategy,
					chosen: *chosen,
					main_grid_only: *main_grid_only,
					energy: *energy,
					held: *held,
					comfort: self.households.get(household).and_then(|known| known.comfort),
				};
				self.book(*era).contracts.insert(*household, contract);
			}
			_ => self.enter_household(event),
		}
	}

	/// Enters what an event says about a household's comfort and debts.
	fn enter_household(&mut self, event: &MarketEvent) {
		match event {
			MarketEvent::HouseholdJoined {
				household, comfort, ..
			}
			| MarketEvent::ComfortChanged { household, comfort } => {
				self.households.entry(*household).or_default().comfort = *comfort;
			}
			MarketEvent::ArrearsRepaid {
				household, arrears, ..
			} => {
				self.households.entry(*household).or_default().arrears = *arrears;
			}
			MarketEvent::ArrearsWrittenOff { household, .. } => {
				self.households.entry(*household).or_default().arrears = 0;
			}
			MarketEvent::LateReadingSettled {
				household, statement, ..
			} => {
				let current = self.households.entry(*household).or_default();
				current.arrears = statement.amounts.arrears;
				current.credit = statement.amounts.credit;
				self.book(statement.era).late.insert(*household, *statement);
			}
			MarketEvent::CreditPaid {
				household, credit, ..
			} => {
				self.households.entry(*household).or_default().credit = *credit;
			}
			_ => (),
		}
	}

	/// Enters a household's statement, and the debts that it leaves.
	fn enter_statement(&mut self, household: HouseholdId, statement: &Statement) {
		let current = self.households.entry(household).or_default();
		let before = *current;
		current.arrears = statement.amounts.arrears;
		current.credit = statement.amounts.credit;
		let settled = Settled {
			statement: *statement,
			before,
		};
		self.book(statement.era).statements.insert(household, settled);
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::chain::types::Kind;

	#[test]
	fn tradable_is_the_smaller_side_over_strategies_of_all_kinds() {
		let mut book = EraBook::default();
		assert_eq!(book.tradable_wh(), 0);
		// Surpluses of 1,500, 1,000 and 4 Wh and deficits of 2,000 and 700 Wh, with strategies of all kinds.
		let contracts = [
			(2_000, 500, Kind::SellToCommunity),
			(1_000, 0, Kind::SellToMain),
			(504, 500, Kind::Neutral),
			(0, 2_000, Kind::BuyFromMain),
			(300, 1_000, Kind::BuyFromCommunity),
		];
		for (household, (generation_wh, consumption_wh, kind)) in (0..).map(HouseholdId).zip(contracts) {
			let contract = Contract {
				generation_wh,
				strategy: Strategy {
					kind,
					consumption_wh,
					temperature_centi_c: 2_100,
				},
				chosen: 0,
				main_grid_only: false,
				energy: Channels::from_net(0, 0),
				held: 0,
				comfort: None,
			};
			book.contracts.insert(household, contract);
		}
		assert_eq!(book.tradable_wh(), 2_504);
		book.contracts.remove(&HouseholdId(1));
		assert_eq!(book.tradable_wh(), 1_504);
	}

	#[test]
	fn late_statement_counts_in_place_of_the_estimate() {
		let (home, other) = (HouseholdId(1), HouseholdId(2));
		let with_cost = |main_cost| {
			let mut statement = late::unsettled(7, 190);
			statement.amounts.main_cost = main_cost;
			statement
		};
		let mut book = EraBook::default();
		for id in [home, other] {
			let settled = Settled {
				statement: with_cost(500),
				before: Opening::default(),
			};
			book.statements.insert(id, settled);
		}
		assert_eq!(book.late_correction(home), 0);
		book.late.insert(home, with_cost(300));
		// The chain missed the era for this one: all of its bill comes with the reading.
		let newcomer = HouseholdId(3);
		book.late.insert(newcomer, with_cost(200));
		let corrections = [home, other, newcomer].map(|id| book.late_correction(id));
		assert_eq!(corrections, [-200, 0, 200]);
		let costs = book.final_statements().into_iter();
		let costs: Vec<_> = costs.map(|(id, s)| (id.0, s.amounts.main_cost)).collect();
		assert_eq!(costs, [(1, 300), (2, 500), (3, 200)]);
	}
}

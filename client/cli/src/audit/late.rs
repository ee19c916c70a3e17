//! Works out again what late readings changed: docs/market.md, "Late readings".

use super::{proof::Evidence, settle::Settlement};
use crate::{
	chain::types::{HouseholdId, Statement, Terms},
	fault::Fault,
};
use commonwatt_market::{late, ReportedBy};
use serde::Serialize;
use std::collections::BTreeMap;

/// The statements of an era's late readings, by household.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct LateStatements(pub BTreeMap<HouseholdId, Statement>);

impl LateStatements {
	/// The late statements of the households whose meters had not reported at the settlement, from the state of a block.
	pub async fn read(state: &mut Evidence, era: u32, settled: &Settlement) -> Result<Self, Fault> {
		let open = settled
			.statements
			.iter()
			.filter(|(_, statement)| statement.reported_by != ReportedBy::Meter);
		let mut late = BTreeMap::new();
		for (household, _) in open {
			let item = ("EnergyMarket", "LateStatements");
			let known: Option<Vec<Statement>> = state.fetch(item, (household.0,)).await?;
			let of_era = known.into_iter().flatten().find(|statement| statement.era == era);
			late.extend(of_era.map(|statement| (*household, statement)));
		}
		Ok(Self(late))
	}

	/// The same statements, worked out from the settlement and the late readings. What moved for them depends on the
	/// balances at that moment, so it is taken from the claim; `commonwatt books` checks it.
	pub fn computed(&self, settled: &Settlement, terms: &Terms) -> Self {
		let again = self.0.iter().filter_map(|(household, claimed)| {
			let settled = settled.statements.get(household)?;
			let mut statement = late::settle(settled, claimed.reading, terms);
			let (amounts, moved) = (&mut statement.amounts, &claimed.amounts);
			amounts.paid_to_utility = moved.paid_to_utility;
			amounts.received_from_utility = moved.received_from_utility;
			amounts.arrears = moved.arrears;
			amounts.credit = moved.credit;
			Some((*household, statement))
		});
		Self(again.collect())
	}

	/// By how much each late reading made the era's bill dearer, smallest unit.
	pub fn corrections(&self, settled: &Settlement) -> BTreeMap<HouseholdId, i128> {
		let correction = |(household, late): (&HouseholdId, &Statement)| {
			let settled = settled.statements.get(household)?;
			Some((*household, late::correction(settled, late)))
		};
		self.0.iter().filter_map(correction).collect()
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{
		chain::types::{Quality, Reading, Totals},
		test_terms::TEST_TERMS,
	};

	#[test]
	fn false_late_statement_is_found() {
		let home = HouseholdId(1);
		let settled = Settlement {
			totals: Totals::default(),
			statements: [(home, late::unsettled(7, 190))].into(),
		};
		let reading = Reading {
			generation_wh: 0,
			consumption_wh: 800,
			indoor_centi_c: 2_100,
			quality: Quality::Measured,
		};
		let right = late::settle(&settled.statements[&home], reading, &TEST_TERMS);
		let claimed = |statement| LateStatements([(home, statement)].into());
		let honest = claimed(right);
		assert_eq!(honest.computed(&settled, &TEST_TERMS), honest);
		assert!(honest.corrections(&settled)[&home] > 0);

		let mut cheaper = right;
		cheaper.amounts.main_cost -= 1;
		let mut shifted = right;
		shifted.energy.bought_from_main_wh -= 1;
		for false_one in [cheaper, shifted].map(claimed) {
			assert_ne!(false_one.computed(&settled, &TEST_TERMS), false_one);
		}
	}
}

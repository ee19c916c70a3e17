//! The market's words: what households hand in, and what came of it.

use crate::{accounts::by, Signed};
use commonwatt_runtime::{EnergyMarket, Runtime};
use pallet_energy_market::{
	game::{Kind, Strategy},
	runtime_api::EraView,
	Call, CommunityId, Contract, Debt, EraIndex, EraRecord, Household, HouseholdId, Households, Quality,
	Reading, Statement,
};

/// Where the chain stands in time, and what it takes.
pub fn now() -> EraView {
	EnergyMarket::view_current_era().expect("the clock runs from the first block on")
}

/// A strategy that leaves the house at 21 degrees.
pub fn strategy(kind: Kind, consumption_wh: u32) -> Strategy {
	Strategy {
		kind,
		consumption_wh,
		temperature_centi_c: 2_100,
	}
}

fn household(household: HouseholdId) -> Household<commonwatt_runtime::AccountId> {
	Households::<Runtime>::get(household).unwrap_or_else(|| panic!("there is no household {household}"))
}

/// A household's strategies for the next era, by its owner.
pub fn strategies(id: HouseholdId, generation_wh: u32, strategies: Vec<Strategy>) -> Signed {
	by(
		household(id).owner,
		Call::submit_strategies {
			household: id,
			era: now().strategies_for,
			generation_wh,
			strategies,
		},
	)
}

/// A household that would sell so much to the community in the next era, and nothing else.
pub fn sell(id: HouseholdId, wh: u32) -> Signed {
	strategies(id, wh, vec![strategy(Kind::SellToCommunity, 0)])
}

/// A household that would buy so much from the community in the next era, and nothing else.
pub fn buy(id: HouseholdId, wh: u32) -> Signed {
	strategies(id, 0, vec![strategy(Kind::BuyFromCommunity, wh)])
}

/// What a household's meter saw in the era whose readings are taken now, at 21 degrees.
pub fn reading(id: HouseholdId, generation_wh: u32, consumption_wh: u32) -> Signed {
	let era = now().readings_of.expect("an era has ended");
	let reading = Reading {
		generation_wh,
		consumption_wh,
		indoor_centi_c: 2_100,
		quality: Quality::Measured,
	};
	by(
		household(id).meter_in(era).clone(),
		Call::submit_reading { era, reading },
	)
}

/// What a household and the utility owe each other.
pub fn debt(household: HouseholdId) -> Debt {
	EnergyMarket::view_debt(household).unwrap_or_else(|| panic!("there is no household {household}"))
}

/// A household's contract.
pub fn contract(household: HouseholdId, era: EraIndex) -> Contract<Runtime> {
	EnergyMarket::view_contract(household, era)
		.unwrap_or_else(|| panic!("household {household} has no contract for era {era}"))
}

/// A household's statement.
pub fn statement(household: HouseholdId, era: EraIndex) -> Statement {
	EnergyMarket::view_statement(household, era)
		.unwrap_or_else(|| panic!("household {household} has no statement of era {era}"))
}

/// A community's result.
pub fn record(community: CommunityId, era: EraIndex) -> EraRecord {
	EnergyMarket::view_record(community, era)
		.unwrap_or_else(|| panic!("community {community} has no record of era {era}"))
}

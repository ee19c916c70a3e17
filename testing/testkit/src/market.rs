//! The calls that households and meters make, and the results that the market keeps. The functions panic if the
//! household, or what they look up, does not exist.

use crate::{accounts::by, Signed};
use commonwatt_runtime::{EnergyMarket, Runtime};
use pallet_energy_market::{
	game::{Kind, Strategy},
	runtime_api::EraView,
	Call, CommunityId, Contract, Debt, EraIndex, EraRecord, Household, HouseholdId, Households, Quality,
	Reading, Statement,
};

/// The current era, and the eras for which the chain now accepts strategies and readings.
pub fn now() -> EraView {
	EnergyMarket::view_current_era().expect("the clock runs from the first block on")
}

/// A strategy with an indoor temperature of 21 degrees and this consumption in Wh.
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

/// The owner's submission of a household's expected generation, in Wh, and strategies for the next era.
pub fn strategies(id: impl Into<HouseholdId>, generation_wh: u32, strategies: Vec<Strategy>) -> Signed {
	let id = id.into();
	by(
		household(id).owner_in(now().strategies_for).clone(),
		Call::submit_strategies {
			household: id,
			era: now().strategies_for,
			generation_wh,
			strategies,
		},
	)
}

/// The owner's submission of a single strategy for the next era: sell `wh` Wh to the community.
pub fn sell(id: impl Into<HouseholdId>, wh: u32) -> Signed {
	strategies(id, wh, vec![strategy(Kind::SellToCommunity, 0)])
}

/// The owner's submission of a single strategy for the next era: buy `wh` Wh from the community.
pub fn buy(id: impl Into<HouseholdId>, wh: u32) -> Signed {
	strategies(id, 0, vec![strategy(Kind::BuyFromCommunity, wh)])
}

/// A measured reading, in Wh and at 21 degrees.
pub fn measured(generation_wh: u32, consumption_wh: u32) -> Reading {
	Reading {
		generation_wh,
		consumption_wh,
		indoor_centi_c: 2_100,
		quality: Quality::Measured,
	}
}

/// The meter's reading, in Wh and at 21 degrees, for the era whose readings the chain accepts now.
pub fn reading(id: impl Into<HouseholdId>, generation_wh: u32, consumption_wh: u32) -> Signed {
	let era = now().readings_of.expect("an era has ended");
	let reading = measured(generation_wh, consumption_wh);
	by(
		household(id.into()).meter_in(era).clone(),
		Call::submit_reading { era, reading },
	)
}

/// The arrears and the credit of a household, in the smallest unit.
pub fn debt(household: impl Into<HouseholdId>) -> Debt {
	let household = household.into();
	EnergyMarket::view_debt(household).unwrap_or_else(|| panic!("there is no household {household}"))
}

/// A household's contract for an era.
pub fn contract(household: impl Into<HouseholdId>, era: EraIndex) -> Contract<Runtime> {
	let household = household.into();
	EnergyMarket::view_contract(household, era)
		.unwrap_or_else(|| panic!("household {household} has no contract for era {era}"))
}

/// A household's statement of an era.
pub fn statement(household: impl Into<HouseholdId>, era: EraIndex) -> Statement {
	let household = household.into();
	EnergyMarket::view_statement(household, era)
		.unwrap_or_else(|| panic!("household {household} has no statement of era {era}"))
}

/// A community's record of an era.
pub fn record(community: impl Into<CommunityId>, era: EraIndex) -> EraRecord {
	let community = community.into();
	EnergyMarket::view_record(community, era)
		.unwrap_or_else(|| panic!("community {community} has no record of era {era}"))
}

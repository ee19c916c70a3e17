//! The market's calls that several parts of the simulation make.

use crate::world::COMMUNITY;
use commonwatt_testkit::{
	AccountId, Comfort, EraIndex, HouseholdId, MarketCall, Preference, Reading, Runtime, UNIT,
};
use pallet_energy_market::ReadingItem;

type Call = MarketCall<Runtime>;

pub(crate) fn set_paused(paused: bool) -> Call {
	MarketCall::set_paused {
		community: COMMUNITY,
		paused,
	}
}

pub(crate) fn set_suspended(household: HouseholdId, suspended: bool) -> Call {
	MarketCall::set_suspended { household, suspended }
}

pub(crate) fn set_concentrator(concentrator: Option<AccountId>) -> Call {
	MarketCall::set_concentrator {
		community: COMMUNITY,
		concentrator,
	}
}

pub(crate) fn set_preference(household: HouseholdId, preference: Option<Preference>) -> Call {
	MarketCall::set_preference {
		household,
		preference,
	}
}

pub(crate) fn offer(owner: AccountId, meter: AccountId, limit_wh: u32) -> Call {
	MarketCall::offer_membership {
		community: COMMUNITY,
		owner,
		meter,
		connection_limit_wh: limit_wh,
	}
}

pub(crate) fn accept(household: HouseholdId, comfort: Option<Comfort>) -> Call {
	MarketCall::accept_membership {
		household,
		max_debit_per_era: 100 * UNIT,
		comfort,
	}
}

/// A batch of readings of one era.
pub(crate) fn batch(era: EraIndex, readings: impl IntoIterator<Item = (HouseholdId, Reading)>) -> Call {
	let item = |(household, reading)| ReadingItem {
		household,
		era,
		reading,
	};
	let items: Vec<_> = readings.into_iter().map(item).collect();
	let items = items
		.try_into()
		.expect("the community is smaller than the largest batch");
	MarketCall::submit_readings { items }
}

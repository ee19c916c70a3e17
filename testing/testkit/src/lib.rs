#![doc = include_str!("../../../docs/runtime-tests.md")]

mod accounts;
mod chain;
pub mod council;
mod ledger;
mod market;
mod setup;
pub mod sums;

pub use accounts::{account, by, meter, owner, signed, signed_with_tip, Signed};
pub use chain::{dispatch, Chain};
pub use ledger::{events, Snapshot};
pub use market::{
	buy, contract, debt, measured, now, reading, record, sell, statement, strategies, strategy,
};
pub use setup::{community, Setup, HALF_HOUR_MS};
pub use sums::{assert_holds, assert_sums, balances, held};

pub use commonwatt_runtime::{
	self as runtime, AccountId, Balance, Balances, EnergyMarket, Runtime, RuntimeCall, RuntimeEvent,
	RuntimeOrigin, System, MILLI, UNIT,
};
pub use frame_support::{assert_err, assert_noop, assert_ok};
pub use pallet_energy_market::{
	game::{Comfort, Kind, Preference, Ratio, Status, Strategy},
	market::paper,
	Call as MarketCall, CommunityId, Contract, EraIndex, EraRecord, GenesisCommunity, GenesisHousehold,
	HouseholdId, Quality, Reading, ReportedBy, Statement, Terms,
};
pub use sp_io::TestExternalities;
pub use sp_keyring::Sr25519Keyring::{self, *};

/// The reason for which the market refuses a call.
pub type MarketError = pallet_energy_market::Error<Runtime>;
/// An event of the market.
pub type MarketEvent = pallet_energy_market::Event<Runtime>;

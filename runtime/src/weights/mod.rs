//! Measured weights, written by `scripts/bench.sh weights`.

pub mod pallet_energy_market;
pub mod pallet_mining;
pub mod pallet_upgrades;
pub mod pallet_validators;

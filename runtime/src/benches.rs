//! The pallets whose weights `benchmark pallet` measures on this runtime.

frame_benchmarking::define_benchmarks!(
	[frame_system, SystemBench::<Runtime>]
	[pallet_balances, Balances]
	[pallet_energy_market, EnergyMarket]
	[pallet_mining, Mining]
	[pallet_upgrades, Upgrades]
	[pallet_validators, Validators]
);

impl frame_system_benchmarking::Config for crate::Runtime {}

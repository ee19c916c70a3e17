//! An upgrade on the real runtime's state: what the first block on new code does, and that the market continues.

use commonwatt_runtime::{configs::RuntimeBlockWeights, VERSION};
use commonwatt_testkit::*;
use frame_support::traits::{GetStorageVersion, OnRuntimeUpgrade, StorageVersion};
use frame_system::{LastRuntimeUpgrade, LastRuntimeUpgradeInfo};
use pallet_energy_market::migrations::rehearsal::Rehearsal;

/// Household 0 offers 2 kWh to the community in the next era, and household 1 requests as much.
fn seller_and_buyer() -> [Signed; 2] {
	[
		strategies(0, 2_000, vec![strategy(Kind::SellToCommunity, 0)]),
		strategies(1, 0, vec![strategy(Kind::BuyFromCommunity, 2_000)]),
	]
}

/// The `spec_version` of the last code that migrated the state.
fn state_is_for() -> u32 {
	LastRuntimeUpgrade::<Runtime>::get()
		.expect("genesis writes LastRuntimeUpgrade")
		.spec_version
		.0
}

/// Runs `upgrade` between two blocks while a contract is open, and continues: open and later contracts are settled
/// once. The testkit checks invariants, holds and sums in every block.
fn contracts_survive(upgrade: impl FnOnce(&mut Chain)) {
	Setup::preset("development").run(|chain| {
		chain.next_era();
		chain.submit(seller_and_buyer());
		let open = chain.next_era();
		chain.submit(seller_and_buyer());
		let before = (contract(1, open), held(Bob));
		assert!(before.1 > 0);

		upgrade(chain);
		assert_ok!(EnergyMarket::do_try_state());
		assert_eq!((contract(1, open), held(Bob)), before);

		for era in [open + 1, open + 2] {
			assert_eq!(chain.next_era(), era);
			chain.submit([reading(0, 2_000, 0), reading(1, 0, 2_000)]);
			chain.submit(seller_and_buyer());
		}
		chain.next_era();
		for era in [open, open + 1] {
			let totals = record(0, era).settled.expect("the era is settled");
			assert_eq!((totals.community_wh, totals.missing_readings), (2_000, 2));
			assert_eq!(contract(1, era).held, 0);
		}
	});
}

#[test]
fn genesis_state_has_the_version_of_the_code() {
	Setup::preset("development").run(|_| {
		assert_eq!(state_is_for(), VERSION.spec_version);
		assert_eq!(
			EnergyMarket::on_chain_storage_version(),
			EnergyMarket::in_code_storage_version()
		);
	});
}

#[test]
fn contracts_survive_the_first_block_on_newer_code() {
	contracts_survive(|chain| {
		let older = LastRuntimeUpgradeInfo {
			spec_version: (VERSION.spec_version - 1).into(),
			spec_name: VERSION.spec_name,
		};
		LastRuntimeUpgrade::<Runtime>::put(older);
		chain.block(vec![]);
		assert_eq!(state_is_for(), VERSION.spec_version);
		// This check fails in a release that changes the layout without a migration, or the migration without the
		// version.
		assert_eq!(
			EnergyMarket::on_chain_storage_version(),
			EnergyMarket::in_code_storage_version()
		);
	});
}

#[test]
fn migration_fits_into_a_block_and_runs_once() {
	contracts_survive(|chain| {
		StorageVersion::new(2).put::<EnergyMarket>();
		let weight = Rehearsal::<Runtime>::on_runtime_upgrade();
		assert!(weight.all_lte(RuntimeBlockWeights::get().max_block), "{weight}");
		assert_eq!(EnergyMarket::on_chain_storage_version(), 3);
		chain.block(vec![]);

		let again = Rehearsal::<Runtime>::on_runtime_upgrade();
		assert!(again.ref_time() < weight.ref_time(), "{again} after {weight}");
		assert_eq!(EnergyMarket::on_chain_storage_version(), 3);
	});
}

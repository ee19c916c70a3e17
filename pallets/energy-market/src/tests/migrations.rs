//! Storage versions, and what the framework does with a migration.

use crate::{migrations::rehearsal::Rehearsal, mock::*, *};
use codec::Encode;
use commonwatt_market::game::Kind;
use frame_support::{
	assert_ok,
	storage::unhashed,
	traits::{GetStorageVersion, OnGenesis, OnRuntimeUpgrade, StorageVersion},
};

const NEXT: EraIndex = FIRST_ERA + 1;

fn on_chain() -> StorageVersion {
	EnergyMarket::on_chain_storage_version()
}

/// Runs `test` in the first era, with the storage version that a chain starts with. The mock's genesis does not write
/// it.
fn in_first_era(test: impl FnOnce()) {
	ExtBuilder::default().build_in_first_era(|| {
		EnergyMarket::on_genesis();
		test();
	});
}

/// Makes contracts for [`NEXT`] with funds on hold.
fn make_contracts() {
	submit(0, NEXT, 2_000, &[strategy(Kind::SellToCommunity, 0)]);
	submit(1, NEXT, 0, &[strategy(Kind::BuyFromCommunity, 1_500)]);
	enter_era(NEXT);
	assert!(contract(1, NEXT).held > 0);
}

/// The raw bytes of community 0 in storage.
fn stored() -> Vec<u8> {
	unhashed::get_raw(&Communities::<Test>::hashed_key_for(VILLAGE)).expect("community 0 exists")
}

/// Appends one byte to the stored community 0. It still decodes, and writing the community back drops the byte.
fn mark() {
	let marked = [stored(), vec![0]].concat();
	unhashed::put_raw(&Communities::<Test>::hashed_key_for(VILLAGE), &marked);
}

fn is_marked() -> bool {
	stored().len()
		> Communities::<Test>::get(VILLAGE)
			.expect("community 0 decodes")
			.encode()
			.len()
}

#[test]
fn genesis_writes_the_version_in_code() {
	in_first_era(|| {
		assert_eq!(on_chain(), 2);
		assert_eq!(EnergyMarket::in_code_storage_version(), 2);
	});
}

#[test]
fn migration_runs_only_once() {
	in_first_era(|| {
		make_contracts();
		mark();
		assert!(is_marked());
		Rehearsal::<Test>::on_runtime_upgrade();
		assert!(!is_marked(), "the migration has not run");
		assert_eq!(on_chain(), 3);

		mark();
		Rehearsal::<Test>::on_runtime_upgrade();
		assert!(is_marked(), "the migration ran twice");
		assert_eq!(on_chain(), 3);
		assert_ok!(EnergyMarket::do_try_state());
	});
}

#[test]
fn migration_does_not_run_on_other_versions() {
	in_first_era(|| {
		mark();
		for other in [1, 4] {
			StorageVersion::new(other).put::<EnergyMarket>();
			Rehearsal::<Test>::on_runtime_upgrade();
			assert!(is_marked());
			assert_eq!(on_chain(), other);
		}
	});
}

#[test]
fn rehearsal_changes_the_version_and_nothing_else() {
	let mut ext = ExtBuilder::default().build();
	let root =
		|ext: &mut sp_io::TestExternalities| ext.execute_with(|| sp_io::storage::root(Default::default()));
	ext.execute_with(|| {
		EnergyMarket::on_genesis();
		System::set_block_number(1);
		enter_era(FIRST_ERA - 1);
		enter_era(FIRST_ERA);
		make_contracts();
	});
	let before = root(&mut ext);
	ext.execute_with(|| {
		Rehearsal::<Test>::on_runtime_upgrade();
		assert_ok!(EnergyMarket::do_try_state());
	});
	assert_ne!(root(&mut ext), before);
	ext.execute_with(|| StorageVersion::new(2).put::<EnergyMarket>());
	assert_eq!(root(&mut ext), before);
}

#[test]
fn open_contracts_are_settled_after_the_migration() {
	in_first_era(|| {
		make_contracts();
		Rehearsal::<Test>::on_runtime_upgrade();
		assert_eq!(on_chain(), 3);
		enter_era(NEXT + 1);
		report(0, NEXT, 2_000, 0);
		report(1, NEXT, 0, 1_500);
		enter_era(NEXT + 2);
		assert_eq!(statement(1, NEXT).energy.bought_from_community_wh, 1_500);
		assert_eq!(contract(1, NEXT).held, 0);
		let settled = take_events()
			.into_iter()
			.filter(|event| matches!(event, Event::EraSettled { era: NEXT, .. }));
		assert_eq!(settled.count(), 1);
	});
}

#[test]
fn migration_keeps_undecodable_values() {
	ExtBuilder::default().build().execute_with(|| {
		EnergyMarket::on_genesis();
		let key = Communities::<Test>::hashed_key_for(VILLAGE);
		unhashed::put_raw(&key, &[7]);
		Rehearsal::<Test>::on_runtime_upgrade();
		assert_eq!(unhashed::get_raw(&key), Some(vec![7]));
		assert_eq!(on_chain(), 3);
	});
}

#[cfg(feature = "try-runtime")]
#[test]
fn post_upgrade_check_detects_a_lost_community() {
	in_first_era(|| {
		let before = Rehearsal::<Test>::pre_upgrade().expect("all invariants hold");
		Rehearsal::<Test>::on_runtime_upgrade();
		assert_ok!(Rehearsal::<Test>::post_upgrade(before.clone()));
		let community = Communities::<Test>::take(VILLAGE).expect("community 0 exists");
		assert_eq!(
			Rehearsal::<Test>::post_upgrade(before),
			Err("the migration changed the number of communities".into())
		);
		Communities::<Test>::insert(VILLAGE, community);
	});
}

//! A small runtime for the tests: balances, timestamp and mining.

use crate::{self as pallet_mining, retarget::Mined};
use codec::Encode;
use frame_support::{
	derive_impl,
	traits::{ConstU128, ConstU64, Hooks},
	weights::Weight,
};
use sp_consensus_pow::POW_ENGINE_ID;
use sp_runtime::{BuildStorage, Digest, DigestItem};

frame_support::construct_runtime!(
	pub enum Test {
		System: frame_system,
		Timestamp: pallet_timestamp,
		Balances: pallet_balances,
		Mining: pallet_mining,
	}
);

pub const EXISTENTIAL_DEPOSIT: u128 = 10;

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = frame_system::mocking::MockBlock<Test>;
	type AccountData = pallet_balances::AccountData<u128>;
}

#[derive_impl(pallet_timestamp::config_preludes::TestDefaultConfig)]
impl pallet_timestamp::Config for Test {
	type MinimumPeriod = ConstU64<1>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type Balance = u128;
	type ExistentialDeposit = ConstU128<EXISTENTIAL_DEPOSIT>;
	type AccountStore = System;
}

impl pallet_mining::Config for Test {
	type Currency = Balances;
	type Time = Timestamp;
	type WeightInfo = UnitWeight;
}

/// Test weights: every hook weighs 1.
pub struct UnitWeight;
impl crate::WeightInfo for UnitWeight {
	fn finalize_block() -> Weight {
		Weight::from_parts(1, 0)
	}
}

/// A chain with this genesis of the pallet.
pub fn chain(mining: pallet_mining::GenesisConfig<Test>) -> sp_io::TestExternalities {
	let genesis = RuntimeGenesisConfig {
		mining,
		..Default::default()
	};
	genesis.build_storage().unwrap().into()
}

/// A chain that is not mined.
pub fn idle_chain() -> sp_io::TestExternalities {
	chain(Default::default())
}

/// A mined chain with these rules.
pub fn mined_chain(initial_difficulty: u128, target_block_ms: u64, reward: u128) -> sp_io::TestExternalities {
	chain(pallet_mining::GenesisConfig {
		initial_difficulty,
		target_block_ms,
		reward,
	})
}

/// A digest that names `miner` as the block's miner.
pub fn mined_by(miner: &impl Encode) -> Digest {
	Digest {
		logs: vec![DigestItem::PreRuntime(POW_ENGINE_ID, miner.encode())],
	}
}

/// Runs the hooks of a block, and checks the state after it.
pub fn block(timestamp_ms: u64, digest: Digest) {
	let number = System::block_number() + 1;
	System::reset_events();
	System::initialize(&number, &System::parent_hash(), &digest);
	Mining::on_initialize(number);
	Timestamp::set_timestamp(timestamp_ms);
	Mining::on_finalize(number);
	Mining::check_state().unwrap();
}

/// The blocks that the chain has recorded, oldest first.
pub fn recent() -> Vec<Mined> {
	pallet_mining::Recent::<Test>::get().into_inner()
}

//! A small runtime for the tests: a clock, and a council that is a list.

use crate as pallet_upgrades;
use frame_support::{
	derive_impl, parameter_types,
	traits::{ConstU32, ConstU64, SortedMembers},
	weights::Weight,
};
use frame_system::EnsureRoot;
use sp_core::traits::{ReadRuntimeVersion, ReadRuntimeVersionExt};
use sp_runtime::BuildStorage;
use sp_version::RuntimeVersion;

frame_support::construct_runtime!(
	pub enum Test {
		System: frame_system,
		Timestamp: pallet_timestamp,
		Upgrades: pallet_upgrades,
	}
);

parameter_types! {
	pub storage Members: Vec<u64> = (1..=7).collect();
	pub Version: RuntimeVersion = version(1);
}

/// A version of this runtime.
pub fn version(spec_version: u32) -> RuntimeVersion {
	RuntimeVersion {
		spec_name: "test".into(),
		impl_name: "test".into(),
		spec_version,
		..Default::default()
	}
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = frame_system::mocking::MockBlock<Test>;
	type Version = Version;
}

#[derive_impl(pallet_timestamp::config_preludes::TestDefaultConfig)]
impl pallet_timestamp::Config for Test {
	type MinimumPeriod = ConstU64<1>;
}

/// The council, which the tests may change.
pub struct Council;
impl SortedMembers<u64> for Council {
	fn sorted_members() -> Vec<u64> {
		Members::get()
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn add(member: &u64) {
		let mut members = Members::get();
		if let (true, Err(place)) = (members.len() < 100, members.binary_search(member)) {
			members.insert(place, *member);
			Members::set(&members);
		}
	}
}

impl pallet_upgrades::Config for Test {
	type DecideOrigin = EnsureRoot<u64>;
	type Council = Council;
	type MaxMembers = ConstU32<100>;
	type Time = Timestamp;
	type MinimumBlocks = ConstU64<3>;
	type WeightInfo = UnitWeight;
}

/// Test weights.
pub struct UnitWeight;
impl crate::WeightInfo for UnitWeight {
	fn decide() -> Weight {
		Weight::from_parts(1, 0)
	}
	fn object() -> Weight {
		Weight::from_parts(1, 0)
	}
	fn withdraw() -> Weight {
		Weight::from_parts(1, 0)
	}
}

/// Reads the version of a code of the tests, which is its first byte.
struct FirstByte;
impl ReadRuntimeVersion for FirstByte {
	fn read_runtime_version(
		&self,
		code: &[u8],
		_: &mut dyn sp_core::traits::Externalities,
	) -> Result<Vec<u8>, String> {
		let first = code.first().ok_or("no code")?;
		Ok(codec::Encode::encode(&version(u32::from(*first))))
	}
}

/// A chain on which upgrades wait for so many ms, or for as long as they do by default. Its clock stands at 1,000.
pub fn chain(notice_ms: u64) -> sp_io::TestExternalities {
	let genesis = RuntimeGenesisConfig {
		upgrades: pallet_upgrades::GenesisConfig {
			notice_ms,
			..Default::default()
		},
		..Default::default()
	};
	let mut chain = sp_io::TestExternalities::new(genesis.build_storage().unwrap());
	chain.register_extension(ReadRuntimeVersionExt::new(FirstByte));
	chain.execute_with(|| {
		System::set_block_number(1);
		Timestamp::set_timestamp(1_000);
	});
	chain
}

/// The events of this pallet so far, and forgets them.
pub fn events() -> Vec<crate::Event<Test>> {
	let mut events = Vec::new();
	for record in System::read_events_no_consensus() {
		if let RuntimeEvent::Upgrades(event) = record.event {
			events.push(event);
		}
	}
	System::reset_events();
	events
}

//! A small runtime for the tests: balances, sessions, GRANDPA and validators. A block's author is the one named in its
//! digest.

use crate as pallet_validators;
use codec::{Decode, Encode};
use frame_support::{
	derive_impl, parameter_types,
	traits::{ConstU128, ConstU32, ConstU64, FindAuthor, OnFinalize, OnInitialize},
	weights::Weight,
};
use frame_system::EnsureRoot;
use sp_consensus_grandpa::AuthorityId as GrandpaId;
use sp_core::{ed25519, Pair};
use sp_runtime::{
	generic::UncheckedExtrinsic,
	impl_opaque_keys,
	traits::{ConvertInto, IdentityLookup},
	BuildStorage, ConsensusEngineId, Digest, DigestItem,
};
use sp_session::MembershipProof;

/// Names the author of a block in its digest.
const ENGINE: ConsensusEngineId = *b"test";

frame_support::construct_runtime!(
	pub enum Test {
		System: frame_system,
		Balances: pallet_balances,
		Authorship: pallet_authorship,
		Validators: pallet_validators,
		Session: pallet_session,
		Grandpa: pallet_grandpa,
	}
);

impl_opaque_keys! {
	pub struct Keys {
		pub grandpa: Grandpa,
	}
}

pub type Block =
	sp_runtime::generic::Block<sp_runtime::generic::Header<u64, sp_runtime::traits::BlakeTwo256>, Extrinsic>;
pub type Extrinsic = UncheckedExtrinsic<u64, RuntimeCall, (), ()>;

parameter_types! {
	pub const MaxValidators: u32 = 8;
	pub const RetainedSessions: u32 = 3;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type Lookup = IdentityLookup<u64>;
	type AccountData = pallet_balances::AccountData<u128>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type Balance = u128;
	type ExistentialDeposit = ConstU128<1>;
	type AccountStore = System;
}

/// Finds the account in the digest.
pub struct Named;
impl FindAuthor<u64> for Named {
	fn find_author<'a, I: 'a + IntoIterator<Item = (ConsensusEngineId, &'a [u8])>>(
		digests: I,
	) -> Option<u64> {
		let (_, named) = digests.into_iter().find(|(engine, _)| *engine == ENGINE)?;
		u64::decode(&mut &*named).ok()
	}
}

impl pallet_authorship::Config for Test {
	type FindAuthor = Named;
	type EventHandler = Validators;
}

impl pallet_session::Config for Test {
	type RuntimeEvent = RuntimeEvent;
	type ValidatorId = u64;
	type ValidatorIdOf = ConvertInto;
	type ShouldEndSession = Validators;
	type NextSessionRotation = Validators;
	type SessionManager = Validators;
	type SessionHandler = (Grandpa,);
	type Keys = Keys;
	type DisablingStrategy = ();
	type WeightInfo = ();
	type Currency = Balances;
	type KeyDeposit = ConstU128<10>;
}

impl<C> frame_system::offchain::CreateTransactionBase<C> for Test
where
	RuntimeCall: From<C>,
{
	type RuntimeCall = RuntimeCall;
	type Extrinsic = Extrinsic;
}

impl<C> frame_system::offchain::CreateBare<C> for Test
where
	RuntimeCall: From<C>,
{
	fn create_bare(call: RuntimeCall) -> Extrinsic {
		Extrinsic::new_bare(call)
	}
}

impl pallet_grandpa::Config for Test {
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = ();
	type MaxAuthorities = MaxValidators;
	type MaxNominators = ConstU32<0>;
	type MaxSetIdSessionEntries = ConstU64<4>;
	type KeyOwnerProof = MembershipProof;
	type EquivocationReportSystem =
		pallet_grandpa::EquivocationReportSystem<Self, Validators, Validators, ConstU64<100>>;
}

impl pallet_validators::Config for Test {
	type GovernanceOrigin = EnsureRoot<u64>;
	type MaxValidators = MaxValidators;
	type RetainedSessions = RetainedSessions;
	type WeightInfo = UnitWeight;
}

/// Test weights: a change of sessions weighs 1,000 and 1 for each validator, all else 1.
pub struct UnitWeight;
impl crate::WeightInfo for UnitWeight {
	fn admit() -> Weight {
		Weight::from_parts(1, 0)
	}
	fn remove() -> Weight {
		Weight::from_parts(1, 0)
	}
	fn purge_keys() -> Weight {
		Weight::from_parts(1, 0)
	}
	fn note_author() -> Weight {
		Weight::from_parts(1, 0)
	}
	fn rotate(v: u32) -> Weight {
		Weight::from_parts(1_000 + u64::from(v), 0)
	}
	fn report_offence() -> Weight {
		Weight::from_parts(1, 0)
	}
}

/// A session has so many blocks in the tests.
pub const SESSION: u64 = 16;

/// The key for GRANDPA that an account has at first, and others that it may have later.
pub fn key(account: u64, version: u8) -> ed25519::Pair {
	let mut seed = [version; 32];
	seed[..8].copy_from_slice(&account.to_le_bytes());
	ed25519::Pair::from_seed(&seed)
}

pub fn keys(account: u64, version: u8) -> Keys {
	Keys {
		grandpa: GrandpaId::from(key(account, version).public()),
	}
}

/// A chain whose validators are 1 to `validators`. Accounts 1 to 20 have money.
pub fn chain(validators: u64) -> sp_io::TestExternalities {
	let genesis = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig {
			balances: (1..=20).map(|account| (account, 1_000)).collect(),
			..Default::default()
		},
		session: pallet_session::GenesisConfig {
			keys: (1..=validators)
				.map(|account| (account, account, keys(account, 0)))
				.collect(),
			..Default::default()
		},
		validators: pallet_validators::GenesisConfig {
			session_length: if validators > 0 { SESSION } else { 0 },
			fee_share_percent: 60,
		},
		..Default::default()
	};
	genesis.build_storage().unwrap().into()
}

/// Makes a block by this author, and checks the state after it. Returns the weight of its beginning.
pub fn block(author: u64) -> Weight {
	let number = System::block_number() + 1;
	let digest = Digest {
		logs: vec![DigestItem::PreRuntime(ENGINE, author.encode())],
	};
	System::initialize(&number, &Default::default(), &digest);
	let weight = AllPalletsWithSystem::on_initialize(number);
	AllPalletsWithSystem::on_finalize(number);
	Validators::do_try_state().unwrap();
	weight
}

/// Makes the blocks of a session, by the validators at work in turn, without those in `silent`. The session that
/// follows has begun afterwards.
pub fn session_without(silent: &[u64]) {
	let session = Session::current_index();
	for turn in 0.. {
		let at_work = Session::validators();
		let awake: Vec<_> = at_work.iter().filter(|id| !silent.contains(id)).collect();
		block(*awake[turn % awake.len()]);
		if Session::current_index() > session {
			return;
		}
	}
}

/// Makes the blocks of so many sessions, with all validators at work.
pub fn sessions(count: u32) {
	for _ in 0..count {
		session_without(&[]);
	}
}

/// The events of this pallet so far, and forgets them.
pub fn events() -> Vec<crate::Event<Test>> {
	let mut events = Vec::new();
	for record in System::read_events_no_consensus() {
		if let RuntimeEvent::Validators(event) = record.event {
			events.push(event);
		}
	}
	System::reset_events();
	events
}

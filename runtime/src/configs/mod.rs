//! The parameters of every pallet of the runtime.

pub mod governance;

use super::{
	AccountId, Aura, Balance, Balances, Block, BlockNumber, Hash, Mining, Nonce, PalletInfo, Runtime,
	RuntimeCall, RuntimeEvent, RuntimeFreezeReason, RuntimeHoldReason, RuntimeOrigin, RuntimeTask,
	SessionKeys, System, Timestamp, TxPause, UncheckedExtrinsic, Validators, EXISTENTIAL_DEPOSIT, MICRO,
	MILLI, UNIT, VERSION,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
	derive_impl,
	dispatch::DispatchClass,
	parameter_types,
	traits::{
		fungible::{Balanced, Credit},
		ConstBool, ConstU128, ConstU32, ConstU64, ConstU8, Contains, Get, Imbalance, InstanceFilter,
		OnTimestampSet, OnUnbalanced, VariantCountOf,
	},
	weights::{
		constants::{ParityDbWeight, WEIGHT_REF_TIME_PER_SECOND},
		ConstantMultiplier, IdentityFee, Weight,
	},
	PalletId,
};
use frame_system::limits::{BlockLength, BlockWeights};
use frame_system::EnsureRoot;
use governance::{MoreThanHalf, TwoThirds};
use pallet_energy_market::market::{accounts::PALLET_ID, contract::SolverLimits};
use pallet_energy_market::{Call as MarketCall, EraLengthMs};
use pallet_transaction_payment::{FungibleAdapter, Multiplier, TargetedFeeAdjustment};
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_runtime::{
	traits::{ConvertInto, One, OpaqueKeys},
	FixedPointNumber, Perbill, Perquintill,
};
use sp_session::MembershipProof;
use sp_version::RuntimeVersion;

/// Share of a block that normal transactions may fill.
const NORMAL_DISPATCH_RATIO: Perbill = Perbill::from_percent(75);

/// Aura slots in an era, as far as [`SHORTEST_SLOT_MS`] and [`LONGEST_SLOT_MS`] allow.
pub const SLOTS_PER_ERA: u64 = 30;
/// Maximum slot duration, ms. Eras of three minutes and longer have it.
pub const LONGEST_SLOT_MS: u64 = 6_000;
/// Minimum slot duration, ms. Eras of 15 seconds and shorter have it.
pub const SHORTEST_SLOT_MS: u64 = 500;

/// Slot duration of Aura, ms: a thirtieth of an era, within the limits above. Short eras, for playing and testing, need
/// short slots so that the round fits into the era. The length of an era is fixed at genesis, so the slot duration is,
/// too.
pub struct SlotDuration;
impl Get<u64> for SlotDuration {
	fn get() -> u64 {
		(EraLengthMs::<Runtime>::get() / SLOTS_PER_ERA).clamp(SHORTEST_SLOT_MS, LONGEST_SLOT_MS)
	}
}

/// Minimum difference between the timestamps of consecutive blocks, ms: half a slot, as Aura expects. Mined blocks come
/// whenever a miner finds one, so their timestamps only have to increase.
pub struct MinimumPeriod;
impl Get<u64> for MinimumPeriod {
	fn get() -> u64 {
		match Mining::is_mined() {
			true => 1,
			false => SlotDuration::get() / 2,
		}
	}
}

/// Lets Aura compare a block's timestamp with its slot. Mined blocks have no slots.
pub struct SlotCheck;
impl OnTimestampSet<u64> for SlotCheck {
	fn on_timestamp_set(moment: u64) {
		if !Mining::is_mined() {
			Aura::on_timestamp_set(moment);
		}
	}
}

parameter_types! {
	pub const BlockHashCount: BlockNumber = 2400;
	pub const Version: RuntimeVersion = VERSION;
	pub const SS58Prefix: u8 = 42;

	/// At most two seconds of computation in a block. Proof size is unlimited, since no relay chain reads it.
	pub RuntimeBlockWeights: BlockWeights = BlockWeights::with_sensible_defaults(
		Weight::from_parts(2 * WEIGHT_REF_TIME_PER_SECOND, u64::MAX),
		NORMAL_DISPATCH_RATIO,
	);
	pub RuntimeBlockLength: BlockLength = BlockLength::builder()
		.max_length(5 * 1024 * 1024)
		.modify_max_length_for_class(DispatchClass::Normal, |m| *m = NORMAL_DISPATCH_RATIO * *m)
		.build();
}

/// The migrations that the first block on this code runs, oldest first. Only `VersionedMigration`s may be here; see
/// [`pallet_energy_market::migrations`].
#[cfg(not(feature = "upgrade-rehearsal"))]
pub type Migrations = ();
/// The migrations, with the one that rehearses an upgrade.
#[cfg(feature = "upgrade-rehearsal")]
pub type Migrations = (pallet_energy_market::migrations::rehearsal::Rehearsal<Runtime>,);

#[derive_impl(frame_system::config_preludes::SolochainDefaultConfig)]
impl frame_system::Config for Runtime {
	type Block = Block;
	type BlockWeights = RuntimeBlockWeights;
	type BlockLength = RuntimeBlockLength;
	type AccountId = AccountId;
	type Nonce = Nonce;
	type Hash = Hash;
	type BlockHashCount = BlockHashCount;
	type DbWeight = ParityDbWeight;
	type Version = Version;
	type AccountData = pallet_balances::AccountData<Balance>;
	type SS58Prefix = SS58Prefix;
	type MaxConsumers = ConstU32<16>;
	type SingleBlockMigrations = Migrations;
	type BaseCallFilter = AllowedCalls;
}

/// All calls but those that the council has paused, and:
/// - `session.purge_keys`, which deletes the keys also of a validator at work, and without the keys of the last one the
///   chain would end; `validators.purge_keys` does the same for all others;
/// - `council_membership.change_key`, by which a member that is to lose its seat could hand it on;
/// - motions that cannot decide anything: see [`governance::is_sensible`].
pub struct AllowedCalls;
impl Contains<RuntimeCall> for AllowedCalls {
	fn contains(call: &RuntimeCall) -> bool {
		match call {
			RuntimeCall::Session(pallet_session::Call::purge_keys { .. })
			| RuntimeCall::CouncilMembership(pallet_membership::Call::change_key { .. }) => false,
			RuntimeCall::Council(pallet_collective::Call::propose {
				threshold, proposal, ..
			}) => governance::is_sensible(*threshold, proposal),
			_ => TxPause::contains(call),
		}
	}
}

impl pallet_timestamp::Config for Runtime {
	type Moment = u64;
	type OnTimestampSet = SlotCheck;
	type MinimumPeriod = MinimumPeriod;
	type WeightInfo = pallet_timestamp::weights::SubstrateWeight<Runtime>;
}

impl pallet_aura::Config for Runtime {
	type AuthorityId = AuraId;
	type DisabledValidators = ();
	type MaxAuthorities = MaxValidators;
	type AllowMultipleBlocksPerSlot = ConstBool<false>;
	type SlotDuration = SlotDuration;
}

impl pallet_grandpa::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = GrandpaWeight;
	type MaxAuthorities = MaxValidators;
	type MaxNominators = ConstU32<0>;
	// A set of voters lasts at least one session.
	type MaxSetIdSessionEntries = ConstU64<{ RETAINED_SESSIONS as u64 }>;
	type KeyOwnerProof = MembershipProof;
	type EquivocationReportSystem =
		pallet_grandpa::EquivocationReportSystem<Self, Validators, Validators, ReportLongevity>;
}

/// The weights of GRANDPA's calls by the SDK, and for a report also what follows from it here.
pub struct GrandpaWeight;
impl pallet_grandpa::WeightInfo for GrandpaWeight {
	fn report_equivocation(validators: u32, nominators: u32) -> Weight {
		<() as pallet_grandpa::WeightInfo>::report_equivocation(validators, nominators)
			.saturating_add(<ValidatorsWeight as pallet_validators::WeightInfo>::report_offence())
	}

	fn note_stalled() -> Weight {
		<() as pallet_grandpa::WeightInfo>::note_stalled()
	}
}

impl<C> frame_system::offchain::CreateTransactionBase<C> for Runtime
where
	RuntimeCall: From<C>,
{
	type RuntimeCall = RuntimeCall;
	type Extrinsic = UncheckedExtrinsic;
}

/// A node that sees a double vote puts the report into its own blocks, without a signature.
impl<C> frame_system::offchain::CreateBare<C> for Runtime
where
	RuntimeCall: From<C>,
{
	fn create_bare(call: RuntimeCall) -> UncheckedExtrinsic {
		UncheckedExtrinsic::new_bare(call)
	}
}

/// A double vote may be reported so many sessions later: a day of sessions of an hour.
const RETAINED_SESSIONS: u32 = 24;

type ValidatorsWeight = crate::weights::pallet_validators::WeightInfo<Runtime>;

parameter_types! {
	pub const MaxValidators: u32 = 32;
	/// A report stays in the pool of the node that made it for so many blocks.
	pub const ReportLongevity: u64 = 600;
	/// Deposit for session keys, as for an offer of membership, which costs the chain about as many bytes.
	pub const KeyDeposit: Balance = UNIT;
}

impl pallet_authorship::Config for Runtime {
	type FindAuthor = pallet_session::FindAccountFromAuthorIndex<Self, Aura>;
	type EventHandler = Validators;
}

impl pallet_session::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type ValidatorId = AccountId;
	type ValidatorIdOf = ConvertInto;
	type ShouldEndSession = Validators;
	type NextSessionRotation = Validators;
	type SessionManager = Validators;
	type SessionHandler = <SessionKeys as OpaqueKeys>::KeyTypeIdProviders;
	type Keys = SessionKeys;
	// Who must go, goes with the session after next. Until then it may make blocks, which all nodes check.
	type DisablingStrategy = ();
	type WeightInfo = pallet_session::weights::SubstrateWeight<Runtime>;
	type Currency = Balances;
	type KeyDeposit = KeyDeposit;
}

impl pallet_validators::Config for Runtime {
	type GovernanceOrigin = TwoThirds;
	type MaxValidators = MaxValidators;
	type RetainedSessions = ConstU32<RETAINED_SESSIONS>;
	type WeightInfo = ValidatorsWeight;
}

/// Pays the author's share of a fee, so that a validator has something of its work. The rest is burnt, as is all of it if
/// nobody authors blocks, or if the author's account does not exist and the share is less than its minimum balance.
pub struct ShareFees;
impl OnUnbalanced<Credit<AccountId, Balances>> for ShareFees {
	fn on_nonzero_unbalanced(fee: Credit<AccountId, Balances>) {
		if let Some((author, share)) = Validators::paid_author() {
			let share = share * fee.peek();
			let (paid, _burnt) = fee.split(share);
			let _ = Balances::resolve(&author, paid);
		}
	}
}

impl pallet_balances::Config for Runtime {
	type MaxLocks = ConstU32<50>;
	type MaxReserves = ConstU32<50>;
	type ReserveIdentifier = [u8; 8];
	type Balance = Balance;
	type RuntimeEvent = RuntimeEvent;
	type DustRemoval = ();
	type ExistentialDeposit = frame_support::traits::ConstU128<EXISTENTIAL_DEPOSIT>;
	type AccountStore = System;
	type WeightInfo = pallet_balances::weights::SubstrateWeight<Runtime>;
	type FreezeIdentifier = RuntimeFreezeReason;
	type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
	type RuntimeHoldReason = RuntimeHoldReason;
	type RuntimeFreezeReason = RuntimeFreezeReason;
	type DoneSlashHandler = ();
}

parameter_types! {
	/// Fees rise while blocks are fuller than this, and fall, down to the minimum, while they are emptier.
	pub const TargetBlockFullness: Perquintill = Perquintill::from_percent(25);
	pub AdjustmentVariable: Multiplier = Multiplier::saturating_from_rational(1, 100_000);
	pub MinimumMultiplier: Multiplier = Multiplier::one();
	pub MaximumMultiplier: Multiplier = Multiplier::saturating_from_integer(1_000);
	/// Fee for each byte of a transaction, in the smallest unit of the balance.
	pub const TransactionByteFee: Balance = MICRO;
}

impl pallet_transaction_payment::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type OnChargeTransaction = FungibleAdapter<Balances, ShareFees>;
	type OperationalFeeMultiplier = ConstU8<5>;
	type WeightToFee = IdentityFee<Balance>;
	type LengthToFee = ConstantMultiplier<Balance, TransactionByteFee>;
	type FeeMultiplierUpdate = TargetedFeeAdjustment<
		Self,
		TargetBlockFullness,
		AdjustmentVariable,
		MinimumMultiplier,
		MaximumMultiplier,
	>;
	type WeightInfo = pallet_transaction_payment::weights::SubstrateWeight<Runtime>;
}

impl pallet_skip_feeless_payment::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
}

impl pallet_utility::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type PalletsOrigin = super::OriginCaller;
	type WeightInfo = pallet_utility::weights::SubstrateWeight<Runtime>;
}

/// What a proxy may do for the account that it represents.
#[derive(
	Copy,
	Clone,
	Eq,
	PartialEq,
	Ord,
	PartialOrd,
	Encode,
	Decode,
	DecodeWithMemTracking,
	Debug,
	MaxEncodedLen,
	scale_info::TypeInfo,
	Default,
)]
pub enum ProxyType {
	/// Every call.
	#[default]
	#[codec(index = 0)]
	Any,
	/// Only an owner's daily calls: strategies, the preference and comfort. For a home energy manager.
	///
	/// A manager takes part in the market for its owner, and the owner pays for what it buys. Everything that lasts
	/// longer or reaches further stays with the owner: leaving, arrears, and whatever the same account may do as an
	/// operator or a utility. Batches are not among the calls: a manager that needs one
	/// signs a batch of `proxy.proxy` itself.
	// Index 1 was a type for all calls of the market, operators' included. It must not come back with another meaning.
	#[codec(index = 2)]
	HomeManager,
}

impl InstanceFilter<RuntimeCall> for ProxyType {
	fn filter(&self, call: &RuntimeCall) -> bool {
		match self {
			ProxyType::Any => true,
			// pallet-proxy sets this filter on the origin, so it holds at every depth of a call that dispatches others.
			ProxyType::HomeManager => matches!(
				call,
				RuntimeCall::EnergyMarket(
					MarketCall::submit_strategies { .. }
						| MarketCall::withdraw_strategies { .. }
						| MarketCall::set_preference { .. }
						| MarketCall::set_comfort { .. }
				)
			),
		}
	}

	fn is_superset(&self, other: &Self) -> bool {
		self == &ProxyType::Any || self == other
	}
}

impl pallet_proxy::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type Currency = Balances;
	type ProxyType = ProxyType;
	type ProxyDepositBase = frame_support::traits::ConstU128<{ 10 * MILLI }>;
	type ProxyDepositFactor = frame_support::traits::ConstU128<MILLI>;
	type MaxProxies = ConstU32<16>;
	type WeightInfo = pallet_proxy::weights::SubstrateWeight<Runtime>;
	type MaxPending = ConstU32<16>;
	type CallHasher = sp_runtime::traits::BlakeTwo256;
	type AnnouncementDepositBase = frame_support::traits::ConstU128<{ 10 * MILLI }>;
	type AnnouncementDepositFactor = frame_support::traits::ConstU128<MILLI>;
	type BlockNumberProvider = System;
}

impl pallet_multisig::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type Currency = Balances;
	type DepositBase = ConstU128<{ 10 * MILLI }>;
	type DepositFactor = ConstU128<MILLI>;
	type MaxSignatories = ConstU32<32>;
	type WeightInfo = pallet_multisig::weights::SubstrateWeight<Runtime>;
	type BlockNumberProvider = System;
}

impl pallet_sudo::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type WeightInfo = pallet_sudo::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
	pub const MarketPalletId: PalletId = PalletId(PALLET_ID);
	/// Maximum weight of the steps of one block. Little, because a block's author reserves only about a tenth of its time
	/// for `on_finalize`; and enough for the largest step, which weighs 14.9 % of a block by the slowest machine that was
	/// measured (docs/measurements/weights-and-speed.md).
	pub MaxClearingWeight: Weight =
		Perbill::from_percent(15) * RuntimeBlockWeights::get().max_block;
}

impl pallet_energy_market::Config for Runtime {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Time = Timestamp;
	type GovernanceOrigin = MoreThanHalf;
	type PalletId = MarketPalletId;
	// The largest community whose steps fit into `MaxClearingWeight`.
	type MaxHouseholds = ConstU32<1_000>;
	type MaxStrategies = ConstU32<16>;
	type MaxSteps = ConstU32<64>;
	// A day of half hours.
	type RetainedEras = ConstU32<48>;
	type MaxClearingWeight = MaxClearingWeight;
	type MaxSweeps = ConstU32<{ SolverLimits::RUNTIME.max_sweeps }>;
	type MaxStarts = ConstU32<{ SolverLimits::RUNTIME.max_starts }>;
	type MaxEvaluations = ConstU32<{ SolverLimits::RUNTIME.max_evaluations }>;
	type MaxEvaluationsPerHousehold = ConstU32<{ SolverLimits::RUNTIME.max_evaluations_per_household }>;
	// A thousand open offers take 1,000 tokens. An offer costs the chain about 400 bytes.
	type OfferDeposit = ConstU128<UNIT>;
	// A week of half hours.
	type OfferLifetime = ConstU32<336>;
	type WeightInfo = crate::weights::pallet_energy_market::WeightInfo<Runtime>;
}

impl pallet_mining::Config for Runtime {
	type Currency = Balances;
	type Time = Timestamp;
	type WeightInfo = crate::weights::pallet_mining::WeightInfo<Runtime>;
}

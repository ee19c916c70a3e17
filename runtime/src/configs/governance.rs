//! The council, what it decides, and what nobody can pause.
//!
//! A seat for each validator's organisation and for each community's operator. A motion is decided as soon as enough
//! members have voted; who does not vote, votes no.
//!
//! | who decides | what |
//! |---|---|
//! | more than half | communities: create, close, bounds of terms, operator, utility |
//! | half | which calls are paused: see [`Unpausable`] |
//! | two thirds | seats, validators, upgrades, which wait a day |
//! | a third | stops an upgrade until it is applied, each by a call of its own: see [`pallet_upgrades`] |
//!
//! **Seats need two thirds.** If more than half could give out seats, they could give them to themselves until they have
//! two thirds, and then decide everything: four of seven only need to admit two more. While an upgrade waits, seats stay as
//! they are, or those who decided it could take the seats of those who object.
//!
//! Root can do all of that too. Only the development chain has a key for it (Sudo).

use super::*;
use crate::Council;
use alloc::vec::Vec;
use frame_support::traits::{EitherOfDiverse, EnsureOrigin, NeverEnsureOrigin, SortedMembers};
use pallet_collective::{EnsureProportionAtLeast, EnsureProportionMoreThan, PrimeDefaultVote};
use pallet_tx_pause::RuntimeCallNameOf;

/// Maximum length of a motion's call, bytes: everybody who votes reads it.
pub const MAX_MOTION_BYTES: usize = 16 * 1024;

/// The only council.
pub type CouncilInstance = pallet_collective::Instance1;

/// More than half of the council, or Root.
pub type MoreThanHalf =
	EitherOfDiverse<EnsureRoot<AccountId>, EnsureProportionMoreThan<AccountId, CouncilInstance, 1, 2>>;
/// At least half of the council, or Root.
pub type Half =
	EitherOfDiverse<EnsureRoot<AccountId>, EnsureProportionAtLeast<AccountId, CouncilInstance, 1, 2>>;
/// At least two thirds of the council, or Root.
pub type TwoThirds =
	EitherOfDiverse<EnsureRoot<AccountId>, EnsureProportionAtLeast<AccountId, CouncilInstance, 2, 3>>;

/// [`TwoThirds`], of a council with at least `LEAST` members, and while no upgrade waits. Otherwise two thirds could take
/// the seats of those who object to the upgrade; and without any member, nobody could ever decide again.
pub struct MayChangeSeats<const LEAST: u32>;
impl<const LEAST: u32> EnsureOrigin<RuntimeOrigin> for MayChangeSeats<LEAST> {
	type Success = <TwoThirds as EnsureOrigin<RuntimeOrigin>>::Success;

	fn try_origin(origin: RuntimeOrigin) -> Result<Self::Success, RuntimeOrigin> {
		if seats() < LEAST || pallet_upgrades::Decided::<Runtime>::exists() {
			return Err(origin);
		}
		TwoThirds::try_origin(origin)
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn try_successful_origin() -> Result<RuntimeOrigin, ()> {
		TwoThirds::try_successful_origin()
	}
}

/// The number of members.
fn seats() -> u32 {
	pallet_membership::Members::<Runtime, CouncilInstance>::decode_len().unwrap_or(0) as u32
}

/// Whether a motion can be decided and voted down, and is short. No decision needs less than half of the council, or one
/// member of several; a motion with a lower threshold could hold its place against many votes. One with a higher
/// threshold than there are members never passes.
pub fn is_sensible(threshold: u32, call: &RuntimeCall) -> bool {
	let seats = seats();
	threshold <= seats
		&& threshold.saturating_mul(2) >= seats
		&& threshold >= seats.min(2)
		&& call.encoded_size() <= MAX_MOTION_BYTES
}

/// The members of the council, for [`pallet_upgrades`].
pub struct Seats;
impl SortedMembers<AccountId> for Seats {
	fn sorted_members() -> Vec<AccountId> {
		pallet_membership::Members::<Runtime, CouncilInstance>::get().into_inner()
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn add(member: &AccountId) {
		pallet_membership::Members::<Runtime, CouncilInstance>::mutate(|members| {
			if let Err(place) = members.binary_search(member) {
				// The genesis of benchmarks has a council already, so a full one is full before the last are added.
				let _ = members.try_insert(place, member.clone());
			}
		});
	}
}

parameter_types! {
	/// A motion is open for three days of blocks of 6 s.
	pub const MotionDuration: BlockNumber = 3 * 24 * 600;
	/// So few that a member can vote on all of them in one batch.
	pub const MaxMotions: u32 = 32;
	/// A seat for each validator, and as many as that for operators of communities, and some.
	pub const MaxMembers: u32 = 100;
	pub MaxMotionWeight: Weight = Perbill::from_percent(50) * RuntimeBlockWeights::get().max_block;
}

impl pallet_collective::Config<CouncilInstance> for Runtime {
	type RuntimeOrigin = RuntimeOrigin;
	type Proposal = RuntimeCall;
	type RuntimeEvent = RuntimeEvent;
	type MotionDuration = MotionDuration;
	type MaxProposals = MaxMotions;
	type MaxMembers = MaxMembers;
	// There is no prime member, so who does not vote, votes no.
	type DefaultVote = PrimeDefaultVote;
	type WeightInfo = pallet_collective::weights::SubstrateWeight<Runtime>;
	// Members change through the membership pallet alone.
	type SetMembersOrigin = NeverEnsureOrigin<()>;
	type MaxProposalWeight = MaxMotionWeight;
	type DisapproveOrigin = EnsureRoot<AccountId>;
	type KillOrigin = EnsureRoot<AccountId>;
	// A deposit would have to be released by a transaction of its own, and would not end a flood of motions. The others
	// do that by their votes.
	type Consideration = ();
}

impl pallet_membership::Config<CouncilInstance> for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type AddOrigin = MayChangeSeats<0>;
	// The last member stays.
	type RemoveOrigin = MayChangeSeats<2>;
	type SwapOrigin = MayChangeSeats<0>;
	type ResetOrigin = NeverEnsureOrigin<()>;
	type PrimeOrigin = NeverEnsureOrigin<()>;
	type MembershipInitialized = Council;
	type MembershipChanged = Council;
	type MaxMembers = MaxMembers;
	type WeightInfo = pallet_membership::weights::SubstrateWeight<Runtime>;
}

/// Half of the blocks that the notice has room for, at most half an hour of blocks of 6 s.
pub struct MinimumBlocks;
impl Get<BlockNumber> for MinimumBlocks {
	fn get() -> BlockNumber {
		let half = pallet_upgrades::Pallet::<Runtime>::notice() / (2 * SlotDuration::get().max(1));
		half.min(300) as BlockNumber
	}
}

impl pallet_upgrades::Config for Runtime {
	type DecideOrigin = TwoThirds;
	type Council = Seats;
	type MaxMembers = MaxMembers;
	type Time = Timestamp;
	type MinimumBlocks = MinimumBlocks;
	type WeightInfo = crate::weights::pallet_upgrades::WeightInfo<Runtime>;
}

impl pallet_tx_pause::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type PauseOrigin = Half;
	type UnpauseOrigin = Half;
	type WhitelistedCalls = Unpausable;
	type MaxNameLen = ConstU32<64>;
	type WeightInfo = pallet_tx_pause::weights::SubstrateWeight<Runtime>;
}

/// Calls that nobody can pause:
/// - what makes blocks and decides: the clock, validators, the council, and calls that only carry other calls;
/// - what meters report. Clearing and settlement have no calls at all;
/// - what people do to be billed rightly, less or not at all, with the money for it, and what an operator does against
///   meters that lie and to stop its community.
///
/// What is left: new communities and members, other terms, operators and utilities, and strategies for single eras.
pub struct Unpausable;

impl Unpausable {
	/// Pallets all of whose calls cannot be paused.
	pub const PALLETS: [&'static str; 12] = [
		"Timestamp",
		// Without money an owner can neither leave nor repay.
		"Balances",
		"Grandpa",
		"Session",
		"Validators",
		"Council",
		"CouncilMembership",
		"Upgrades",
		"Utility",
		"Proxy",
		"Multisig",
		"Sudo",
	];
	/// Calls of the market that cannot be paused.
	pub const MARKET: [&'static str; 20] = [
		"submit_reading",
		"submit_readings",
		"submit_late_reading",
		"confirm_meter",
		"withdraw_strategies",
		"set_preference",
		"set_max_debit",
		"leave",
		"withdraw_offer",
		"repay_arrears",
		"set_paused",
		"set_suspended",
		"set_concentrator",
		"remove_household",
		"set_comfort",
		"propose_change",
		"accept_change",
		"offer_household",
		"accept_household",
		"write_off_arrears",
	];
}

impl Contains<RuntimeCallNameOf<Runtime>> for Unpausable {
	fn contains((pallet, call): &RuntimeCallNameOf<Runtime>) -> bool {
		let is = |name: &&str| name.as_bytes() == pallet.as_slice();
		Self::PALLETS.iter().any(is)
			|| (is(&"EnergyMarket") && Self::MARKET.iter().any(|name| name.as_bytes() == call.as_slice()))
	}
}

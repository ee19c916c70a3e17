//! The market's types as this program reads and writes them: those of [`commonwatt_market`] with the client's lists and
//! accounts, and those that only a client needs, such as events and the arguments of calls.
//!
//! Values are decoded by field and variant name against the metadata of the connected chain.

// Events and calls have the pallets' names. The pallets document them, and a chain's metadata repeats it.
#![allow(missing_docs)]

use commonwatt_market::EndedTerms;
pub use commonwatt_market::{
	game::{Certificate, Comfort, Delivered, Kind, Status, Strategy},
	money::serialized as money,
	Amounts, Balance, Bill, Channels, CommunityId, Debt, EraRecord, EraView, HouseholdId, Metered, Quality,
	Reading, ReportedBy, RoundState, Statement, Terms, TermsBounds, Totals,
};
use serde::{Deserialize, Serialize};
use subxt::{
	ext::{scale_decode::DecodeAsType, scale_encode::EncodeAsType},
	utils::AccountId32,
};

/// A community.
pub type Community = commonwatt_market::Community<AccountId32, Vec<u8>, Vec<EndedTerms>>;
/// A household.
pub type Household = commonwatt_market::Household<AccountId32>;
/// An offer of membership.
pub type MembershipOffer = commonwatt_market::MembershipOffer<AccountId32>;
/// A change of a household that its operator proposes.
pub type Proposal = commonwatt_market::Proposal<AccountId32>;
/// A contract.
pub type Contract = commonwatt_market::Contract<Vec<Strategy>>;
/// A household's submission for an era.
pub type Submission = commonwatt_market::Submission<Vec<Strategy>>;

/// The version of the runtime that executed the block. The chain stores it because migrations depend on it.
#[derive(Clone, Debug, DecodeAsType)]
#[decode_as_type(crate_path = "::subxt::ext::scale_decode")]
pub struct LastRuntimeUpgrade {
	pub spec_version: u32,
}

/// The market's events. The names are the pallet's; fields that this program does not read are left out.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType, Serialize, Deserialize)]
#[decode_as_type(crate_path = "::subxt::ext::scale_decode")]
pub enum MarketEvent {
	CommunityCreated {
		community: CommunityId,
	},
	HouseholdJoined {
		community: CommunityId,
		household: HouseholdId,
		comfort: Option<Comfort>,
	},
	TermsChanged {
		community: CommunityId,
	},
	ComfortChanged {
		household: HouseholdId,
		comfort: Option<Comfort>,
	},
	PreferenceChanged {
		household: HouseholdId,
	},
	StrategiesSubmitted {
		household: HouseholdId,
		era: u32,
		generation_wh: u32,
		strategies: Vec<Strategy>,
	},
	ReadingSubmitted {
		household: HouseholdId,
		era: u32,
		reading: Reading,
	},
	EraStarted {
		era: u32,
		readings_of: Option<u32>,
		settling: Option<u32>,
	},
	ErasMissed {
		first: u32,
		last: u32,
	},
	ContractMade {
		community: CommunityId,
		era: u32,
		household: HouseholdId,
		generation_wh: u32,
		strategy: Strategy,
		chosen: u8,
		main_grid_only: bool,
		energy: Channels,
		#[serde(with = "money")]
		held: Balance,
	},
	EraCleared {
		community: CommunityId,
		record: EraRecord,
	},
	ClearingFailed {
		community: CommunityId,
		era: u32,
	},
	HouseholdSettled {
		community: CommunityId,
		household: HouseholdId,
		statement: Statement,
	},
	EraSettled {
		community: CommunityId,
		era: u32,
		totals: Totals,
	},
	ArrearsRepaid {
		household: HouseholdId,
		#[serde(with = "money")]
		paid: Balance,
		#[serde(with = "money")]
		arrears: Balance,
	},
	OperatorChanged {
		community: CommunityId,
	},
	ConcentratorChanged {
		community: CommunityId,
	},
	CommunityPaused {
		community: CommunityId,
	},
	HouseholdSuspended {
		household: HouseholdId,
	},
	HouseholdChanged {
		household: HouseholdId,
	},
	StrategiesWithdrawn {
		household: HouseholdId,
		era: u32,
	},
	ReadingRefused {
		household: HouseholdId,
	},
	HouseholdLeaving {
		household: HouseholdId,
		last_era: u32,
	},
	HouseholdLeft {
		community: CommunityId,
		household: HouseholdId,
	},
	TermsBoundsChanged {
		community: CommunityId,
	},
	UtilityChanged {
		community: CommunityId,
	},
	CommunityClosed {
		community: CommunityId,
	},
	LateReadingSettled {
		community: CommunityId,
		household: HouseholdId,
		statement: Statement,
		#[serde(with = "money")]
		paid: Balance,
		#[serde(with = "money")]
		received: Balance,
	},
	CreditPaid {
		household: HouseholdId,
		#[serde(with = "money")]
		paid: Balance,
		#[serde(with = "money")]
		credit: Balance,
	},
	MembershipOffered {
		community: CommunityId,
	},
	MembershipAccepted {
		household: HouseholdId,
	},
	MeterConfirmed {
		household: HouseholdId,
	},
	OfferWithdrawn {
		community: CommunityId,
	},
	MaxDebitChanged {
		household: HouseholdId,
	},
	ChangeProposed {
		household: HouseholdId,
	},
	ChangeAccepted {
		household: HouseholdId,
	},
	HouseholdOffered {
		household: HouseholdId,
	},
	OwnerChanged {
		household: HouseholdId,
	},
	ArrearsWrittenOff {
		household: HouseholdId,
		#[serde(with = "money")]
		arrears: Balance,
	},
}

/// Calls by pallet, also as arguments of batches, of Sudo and of motions.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "::subxt::ext::scale_encode")]
// Few of them exist at a time, and they are encoded at once.
#[allow(clippy::large_enum_variant)]
pub enum RuntimeCall {
	EnergyMarket(MarketCall),
	Balances(BalancesCall),
	Validators(ValidatorsCall),
	CouncilMembership(MembershipCall),
	Upgrades(UpgradesCall),
	TxPause(PauseCall),
}

/// Calls of the set of validators.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "::subxt::ext::scale_encode")]
#[allow(non_camel_case_types)]
pub enum ValidatorsCall {
	admit { validator: AccountId32 },
	remove { validator: AccountId32 },
	note_stalled { delay: u32, best_final: u32 },
}

/// Calls of the council's seats.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "::subxt::ext::scale_encode")]
#[allow(non_camel_case_types)]
pub enum MembershipCall {
	add_member { who: Address },
	remove_member { who: Address },
}

/// Calls of upgrades.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "::subxt::ext::scale_encode")]
#[allow(non_camel_case_types)]
pub enum UpgradesCall {
	decide { code_hash: [u8; 32] },
	withdraw { code_hash: [u8; 32] },
}

/// Calls of the pause. A call's name is its pallet's and its own.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "::subxt::ext::scale_encode")]
#[allow(non_camel_case_types)]
pub enum PauseCall {
	pause { full_name: (Vec<u8>, Vec<u8>) },
	unpause { ident: (Vec<u8>, Vec<u8>) },
}

/// Calls of the market.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "::subxt::ext::scale_encode")]
#[allow(non_camel_case_types)]
#[allow(clippy::large_enum_variant)]
pub enum MarketCall {
	create_community {
		name: Vec<u8>,
		operator: AccountId32,
		utility: AccountId32,
		terms: Terms,
		bounds: TermsBounds,
	},
	offer_membership {
		community: CommunityId,
		owner: AccountId32,
		meter: AccountId32,
		connection_limit_wh: u32,
	},
}

/// Calls of the balances.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "::subxt::ext::scale_encode")]
#[allow(non_camel_case_types)]
pub enum BalancesCall {
	transfer_keep_alive { dest: Address, value: Balance },
}

/// How a call names an account.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "::subxt::ext::scale_encode")]
pub enum Address {
	Id(AccountId32),
}

/// Arguments of `submit_strategies`.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "::subxt::ext::scale_encode")]
pub struct SubmitStrategies {
	pub household: HouseholdId,
	pub era: u32,
	pub generation_wh: u32,
	pub strategies: Vec<Strategy>,
}

/// Arguments of `accept_membership`.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "::subxt::ext::scale_encode")]
pub struct AcceptMembership {
	pub household: HouseholdId,
	pub max_debit_per_era: Balance,
	pub comfort: Option<Comfort>,
}

/// Arguments of `confirm_meter`.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "::subxt::ext::scale_encode")]
pub struct ConfirmMeter {
	pub household: HouseholdId,
}

/// Arguments of `submit_reading`.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "::subxt::ext::scale_encode")]
pub struct SubmitReading {
	pub era: u32,
	pub reading: Reading,
}

/// Arguments of `Utility.batch_all`.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "::subxt::ext::scale_encode")]
pub struct Batch {
	pub calls: Vec<RuntimeCall>,
}

/// Arguments of `Sudo.sudo`.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "::subxt::ext::scale_encode")]
pub struct Sudo {
	pub call: RuntimeCall,
}

/// Arguments of `Council.propose`.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "::subxt::ext::scale_encode")]
pub struct Propose {
	pub threshold: u32,
	pub proposal: RuntimeCall,
	pub length_bound: u32,
}

/// Arguments of `Council.vote`.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "::subxt::ext::scale_encode")]
pub struct Vote {
	pub proposal: [u8; 32],
	pub index: u32,
	pub approve: bool,
}

/// Arguments of `Council.close`.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "::subxt::ext::scale_encode")]
pub struct Close {
	pub proposal_hash: [u8; 32],
	pub index: u32,
	pub proposal_weight_bound: super::council::Weight,
	pub length_bound: u32,
}

/// Arguments of `Upgrades.object`.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "::subxt::ext::scale_encode")]
pub struct Object {
	pub code_hash: [u8; 32],
}

/// Arguments of `Upgrades.apply`.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "::subxt::ext::scale_encode")]
pub struct Apply {
	pub code: Vec<u8>,
}

//! Types of the balances pallet as this program decodes them; [`super::types`] says how they are matched.

// The pallet documents these names, and a chain's metadata repeats it.
#![allow(missing_docs)]
// The derive `DecodeAsType` adds imports that some enums do not need. Inside a macro of this crate the lint reports
// them here.
#![allow(unused_imports)]

use super::types::Balance;
use serde::Serialize;
use subxt::{ext::scale_decode::DecodeAsType, utils::AccountId32};

/// Why funds are on hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, DecodeAsType)]
#[decode_as_type(crate_path = "::subxt::ext::scale_decode")]
pub enum HoldReason {
	EnergyMarket(MarketHold),
	Session(SessionHold),
}

/// Why the market has funds on hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, DecodeAsType)]
#[decode_as_type(crate_path = "::subxt::ext::scale_decode")]
pub enum MarketHold {
	Contract,
	Offer,
}

/// Why the sessions have funds on hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, DecodeAsType)]
#[decode_as_type(crate_path = "::subxt::ext::scale_decode")]
pub enum SessionHold {
	Keys,
}

/// Where repatriated reserves go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
#[decode_as_type(crate_path = "::subxt::ext::scale_decode")]
pub enum Status {
	Free,
	Reserved,
}

/// All events of the balances; the names are the pallet's. Events that change no amount, or do not say which, have no
/// fields here.
#[derive(Clone, Debug, DecodeAsType)]
#[decode_as_type(crate_path = "::subxt::ext::scale_decode")]
pub enum BalancesEvent {
	Endowed {},
	DustLost {
		account: AccountId32,
		amount: Balance,
	},
	Transfer {
		from: AccountId32,
		to: AccountId32,
		amount: Balance,
	},
	BalanceSet {
		who: AccountId32,
		free: Balance,
	},
	Reserved {
		who: AccountId32,
		amount: Balance,
	},
	Unreserved {
		who: AccountId32,
		amount: Balance,
	},
	ReserveRepatriated {
		from: AccountId32,
		to: AccountId32,
		amount: Balance,
		destination_status: Status,
	},
	Deposit {
		who: AccountId32,
		amount: Balance,
	},
	Withdraw {
		who: AccountId32,
		amount: Balance,
	},
	Slashed {},
	Minted {
		who: AccountId32,
		amount: Balance,
	},
	MintedCredit {
		amount: Balance,
	},
	Burned {
		who: AccountId32,
		amount: Balance,
	},
	BurnedDebt {
		amount: Balance,
	},
	Suspended {
		who: AccountId32,
		amount: Balance,
	},
	Restored {
		who: AccountId32,
		amount: Balance,
	},
	Upgraded {},
	Issued {
		amount: Balance,
	},
	Rescinded {
		amount: Balance,
	},
	Locked {},
	Unlocked {},
	Frozen {},
	Thawed {},
	TotalIssuanceForced {
		new: Balance,
	},
	Held {
		reason: HoldReason,
		who: AccountId32,
		amount: Balance,
	},
	BurnedHeld {
		reason: HoldReason,
		who: AccountId32,
		amount: Balance,
	},
	TransferOnHold {
		reason: HoldReason,
		source: AccountId32,
		dest: AccountId32,
		amount: Balance,
	},
	TransferAndHold {
		reason: HoldReason,
		source: AccountId32,
		dest: AccountId32,
		transferred: Balance,
	},
	Released {
		reason: HoldReason,
		who: AccountId32,
		amount: Balance,
	},
	Unexpected {},
}

/// An account's balance and nonce.
#[derive(Clone, Debug, Default, DecodeAsType)]
#[decode_as_type(crate_path = "::subxt::ext::scale_decode")]
pub struct AccountInfo {
	pub nonce: u64,
	pub data: AccountData,
}

/// An account's balance: `free`; `reserved`, which includes what is on hold; and `frozen`, the part of both that cannot
/// be spent. Smallest unit.
#[derive(Clone, Debug, Default, DecodeAsType)]
#[decode_as_type(crate_path = "::subxt::ext::scale_decode")]
pub struct AccountData {
	pub free: Balance,
	pub reserved: Balance,
	pub frozen: Balance,
}

/// Funds of an account on hold.
#[derive(Clone, Debug, DecodeAsType)]
#[decode_as_type(crate_path = "::subxt::ext::scale_decode")]
pub struct Hold {
	pub id: HoldReason,
	pub amount: Balance,
}

//! The balances' types as this program reads them; see [`super::types`] for how they are matched.

// `DecodeAsType` imports what an enum may not need; inside a macro of this crate that counts as written here.
#![allow(unused_imports)]

use super::types::Money;
use serde::Serialize;
use subxt::{ext::scale_decode::DecodeAsType, utils::AccountId32};

/// Why funds are on hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, DecodeAsType)]
#[decode_as_type(crate_path = "::subxt::ext::scale_decode")]
pub enum HoldReason {
	EnergyMarket(MarketHold),
}

/// Why the market has funds on hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, DecodeAsType)]
#[decode_as_type(crate_path = "::subxt::ext::scale_decode")]
pub enum MarketHold {
	Contract,
}

/// Where repatriated reserves go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
#[decode_as_type(crate_path = "::subxt::ext::scale_decode")]
pub enum Status {
	Free,
	Reserved,
}

/// Everything that the balances tell; the names are the pallet's. Of those that change no amount, or do not say which,
/// the fields are left out.
#[derive(Clone, Debug, DecodeAsType)]
#[decode_as_type(crate_path = "::subxt::ext::scale_decode")]
pub enum BalancesEvent {
	Endowed {},
	DustLost {
		account: AccountId32,
		amount: Money,
	},
	Transfer {
		from: AccountId32,
		to: AccountId32,
		amount: Money,
	},
	BalanceSet {
		who: AccountId32,
		free: Money,
	},
	Reserved {
		who: AccountId32,
		amount: Money,
	},
	Unreserved {
		who: AccountId32,
		amount: Money,
	},
	ReserveRepatriated {
		from: AccountId32,
		to: AccountId32,
		amount: Money,
		destination_status: Status,
	},
	Deposit {
		who: AccountId32,
		amount: Money,
	},
	Withdraw {
		who: AccountId32,
		amount: Money,
	},
	Slashed {},
	Minted {
		who: AccountId32,
		amount: Money,
	},
	MintedCredit {
		amount: Money,
	},
	Burned {
		who: AccountId32,
		amount: Money,
	},
	BurnedDebt {
		amount: Money,
	},
	Suspended {
		who: AccountId32,
		amount: Money,
	},
	Restored {
		who: AccountId32,
		amount: Money,
	},
	Upgraded {},
	Issued {
		amount: Money,
	},
	Rescinded {
		amount: Money,
	},
	Locked {},
	Unlocked {},
	Frozen {},
	Thawed {},
	TotalIssuanceForced {
		new: Money,
	},
	Held {
		reason: HoldReason,
		who: AccountId32,
		amount: Money,
	},
	BurnedHeld {
		reason: HoldReason,
		who: AccountId32,
		amount: Money,
	},
	TransferOnHold {
		reason: HoldReason,
		source: AccountId32,
		dest: AccountId32,
		amount: Money,
	},
	TransferAndHold {
		reason: HoldReason,
		source: AccountId32,
		dest: AccountId32,
		transferred: Money,
	},
	Released {
		reason: HoldReason,
		who: AccountId32,
		amount: Money,
	},
	Unexpected {},
}

/// An account's balance and nonce.
#[derive(Clone, Debug, DecodeAsType)]
#[decode_as_type(crate_path = "::subxt::ext::scale_decode")]
pub struct AccountInfo {
	pub nonce: u64,
	pub data: AccountData,
}

/// An account's balance: what it can spend, and all that it cannot, on hold or reserved.
#[derive(Clone, Debug, DecodeAsType)]
#[decode_as_type(crate_path = "::subxt::ext::scale_decode")]
pub struct AccountData {
	pub free: Money,
	pub reserved: Money,
}

/// Funds of an account on hold.
#[derive(Clone, Debug, DecodeAsType)]
#[decode_as_type(crate_path = "::subxt::ext::scale_decode")]
pub struct Hold {
	pub id: HoldReason,
	pub amount: Money,
}

//! # The Commonwatt runtime
//!
//! A solochain for energy communities: [`pallet_energy_market`] on Aura and GRANDPA, whose validators come and go
//! ([`pallet_validators`]), or, if the genesis says so, on proof of work ([`pallet_mining`]). A council governs: see
//! [`configs::governance`]. It also has balances, fees, batches, proxies (so that a home energy manager can sign for an
//! owner) and accounts of several signers.
//!
//! - [`configs`]: the parameters of every pallet;
//! - [`extensions`]: this runtime's own transaction extension;
//! - [`apis`]: the runtime APIs, including the market's;
//! - [`genesis_config_presets`]: the chains that a node can start from.

#![cfg_attr(not(feature = "std"), no_std)]
#![recursion_limit = "256"]
// The runtime macros and the wasm build generate public items without documentation.
#![allow(missing_docs)]

#[cfg(feature = "std")]
include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
#[macro_use]
mod benches;

pub mod apis;
pub mod configs;
pub mod extensions;
pub mod genesis_config_presets;
pub mod weights;

use alloc::vec::Vec;
use sp_runtime::{
	generic, impl_opaque_keys,
	traits::{BlakeTwo256, IdentifyAccount, Verify},
	MultiAddress, MultiSignature,
};
use sp_version::RuntimeVersion;

/// Types for a node, which does not need to know this runtime's calls.
pub mod opaque {
	use super::BlakeTwo256;
	use sp_runtime::generic;
	pub use sp_runtime::OpaqueExtrinsic as UncheckedExtrinsic;

	/// Block header.
	pub type Header = generic::Header<super::BlockNumber, BlakeTwo256>;
	/// Block whose extrinsics stay encoded.
	pub type Block = generic::Block<Header, UncheckedExtrinsic>;
}

impl_opaque_keys! {
	/// The session keys of a validator.
	pub struct SessionKeys {
		/// Signs blocks.
		pub aura: Aura,
		/// Signs finality votes.
		pub grandpa: Grandpa,
	}
}

// The attribute `runtime_version` accepts only literals, so a macro inserts them.
macro_rules! version {
	($spec_version:tt) => {
		/// Name and version of this runtime.
		#[sp_version::runtime_version]
		pub const VERSION: RuntimeVersion = RuntimeVersion {
			spec_name: alloc::borrow::Cow::Borrowed("commonwatt"),
			impl_name: alloc::borrow::Cow::Borrowed("commonwatt-node"),
			authoring_version: 1,
			spec_version: $spec_version,
			impl_version: 1,
			apis: apis::RUNTIME_API_VERSIONS,
			transaction_version: 3,
			system_version: 1,
		};
	};
}

#[cfg(not(feature = "upgrade-rehearsal"))]
version!(105);
// One higher, like the next release.
#[cfg(feature = "upgrade-rehearsal")]
version!(106);

/// Number of a block.
pub type BlockNumber = u32;
/// A signature of any of the supported schemes.
pub type Signature = MultiSignature;
/// An account: the public key that signs for it, or its hash.
pub type AccountId = <<Signature as Verify>::Signer as IdentifyAccount>::AccountId;
/// Number of transactions of an account; part of every signature.
pub type Nonce = u32;
/// Hash of a block or of an extrinsic.
pub type Hash = sp_core::H256;
/// How an extrinsic names an account.
pub type Address = MultiAddress<AccountId, ()>;
/// Block header.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
/// Block.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;
/// Block with its justification.
pub type SignedBlock = generic::SignedBlock<Block>;
/// A block by its hash or its number.
pub type BlockId = generic::BlockId<Block>;

pub use pallet_energy_market::market::money::{Balance, MICRO, MILLI, UNIT};

/// Minimum balance: what an account must hold to exist.
pub const EXISTENTIAL_DEPOSIT: Balance = MILLI;

/// The checks and charges around every transaction, in this order.
pub type TxExtension = (
	frame_system::AuthorizeCall<Runtime>,
	frame_system::CheckNonZeroSender<Runtime>,
	frame_system::CheckSpecVersion<Runtime>,
	frame_system::CheckTxVersion<Runtime>,
	frame_system::CheckGenesis<Runtime>,
	frame_system::CheckEra<Runtime>,
	frame_system::CheckNonce<Runtime>,
	frame_system::CheckWeight<Runtime>,
	// Fees. A valid first reading of an era costs no fee, so a meter needs no funds.
	extensions::RankedFees,
	// Lets a hardware wallet sign what it shows: see `build.rs`.
	frame_metadata_hash_extension::CheckMetadataHash<Runtime>,
	frame_system::WeightReclaim<Runtime>,
);

/// An extrinsic as nodes exchange it and blocks contain it.
pub type UncheckedExtrinsic = generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;
/// The payload that a transaction's signature covers.
pub type SignedPayload = generic::SignedPayload<RuntimeCall, TxExtension>;

/// Executes blocks: runs the pallets' hooks, the transactions and the migrations.
pub type Executive = frame_executive::Executive<
	Runtime,
	Block,
	frame_system::ChainContext<Runtime>,
	Runtime,
	AllPalletsWithSystem,
>;

#[frame_support::runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeFreezeReason,
		RuntimeHoldReason,
		RuntimeSlashReason,
		RuntimeLockId,
		RuntimeTask,
		RuntimeViewFunction
	)]
	pub struct Runtime;

	#[runtime::pallet_index(0)]
	pub type System = frame_system;

	#[runtime::pallet_index(1)]
	pub type Timestamp = pallet_timestamp;

	#[runtime::pallet_index(2)]
	pub type Aura = pallet_aura;

	#[runtime::pallet_index(3)]
	pub type Grandpa = pallet_grandpa;

	#[runtime::pallet_index(4)]
	pub type Balances = pallet_balances;

	#[runtime::pallet_index(5)]
	pub type TransactionPayment = pallet_transaction_payment;

	#[runtime::pallet_index(6)]
	pub type Utility = pallet_utility;

	#[runtime::pallet_index(7)]
	pub type Proxy = pallet_proxy;

	#[runtime::pallet_index(8)]
	pub type Sudo = pallet_sudo;

	#[runtime::pallet_index(9)]
	pub type EnergyMarket = pallet_energy_market;

	#[runtime::pallet_index(10)]
	pub type SkipFeelessPayment = pallet_skip_feeless_payment;

	#[runtime::pallet_index(11)]
	pub type Mining = pallet_mining;

	// The author of a block is noted before a session ends in it.
	#[runtime::pallet_index(12)]
	pub type Authorship = pallet_authorship;

	#[runtime::pallet_index(13)]
	pub type Validators = pallet_validators;

	#[runtime::pallet_index(14)]
	pub type Session = pallet_session;

	#[runtime::pallet_index(15)]
	pub type Multisig = pallet_multisig;

	// Polkadot.js Apps finds a council by this name.
	#[runtime::pallet_index(16)]
	pub type Council = pallet_collective<Instance1>;

	#[runtime::pallet_index(17)]
	pub type CouncilMembership = pallet_membership<Instance1>;

	#[runtime::pallet_index(18)]
	pub type Upgrades = pallet_upgrades;

	#[runtime::pallet_index(19)]
	pub type TxPause = pallet_tx_pause;
}

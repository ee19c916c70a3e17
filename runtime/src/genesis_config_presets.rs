//! The genesis presets: the chains that a node can start from.
//!
//! - `development`: one validator, eras of one minute, and a community of the paper's four households, to play with in
//!   Polkadot.js Apps. The owners are Alice, Bob, Charlie and Dave, their meters `//Alice//stash` to `//Dave//stash`,
//!   the operator is Eve and the utility Ferdie. Alice holds the Sudo key. An upgrade waits five minutes.
//! - `local_testnet`: two validators, Alice and Bob; sessions of an hour; eras of half an hour; the same community.
//! - `pow`: miners instead of validators, a mean of 6 s between blocks, eras of half an hour, the same community.
//!
//! On all of them Alice, Bob and Eve are the council. Where there is no Sudo key, they alone govern, and an upgrade waits
//! a day.

use crate::{
	configs::{governance::MaxMembers, LONGEST_SLOT_MS},
	AccountId, Balance, BalancesConfig, BlockNumber, CouncilMembershipConfig, EnergyMarketConfig,
	MiningConfig, RuntimeGenesisConfig, SessionConfig, SessionKeys, SudoConfig, UpgradesConfig,
	ValidatorsConfig, UNIT,
};
use alloc::{string::ToString, vec, vec::Vec};
use frame_support::{build_struct_json_patch, BoundedVec};
use pallet_energy_market::{market::paper, GenesisCommunity, GenesisHousehold};
use serde_json::Value;
use sp_genesis_builder::{PresetId, DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};

/// Genesis balance of each development account.
const ENDOWMENT: Balance = 1_000_000 * UNIT;
/// Length of an era on the development chain, ms: long enough to enter a call by hand, short enough to wait for.
const DEVELOPMENT_ERA_MS: u64 = 60 * 1_000;
/// Notice of new terms on the development chain, eras: the least that there is.
const DEVELOPMENT_NOTICE: u32 = 2;
/// How long an upgrade waits on the development chain, ms.
const DEVELOPMENT_UPGRADE_NOTICE_MS: u64 = 5 * 60 * 1_000;
/// Length of a session on the development chain, blocks.
const DEVELOPMENT_SESSION: BlockNumber = 10;
/// Length of a session on the other chains, blocks: an hour of slots of 6 s.
const HOUR_OF_BLOCKS: BlockNumber = 600;
/// Length of an era on the other chains, ms.
const HALF_HOUR_MS: u64 = 30 * 60 * 1_000;

/// The owners and meters of the paper's four households.
pub fn paper_households() -> [(Sr25519Keyring, Sr25519Keyring); 4] {
	use Sr25519Keyring::*;
	[
		(Alice, AliceStash),
		(Bob, BobStash),
		(Charlie, CharlieStash),
		(Dave, DaveStash),
	]
}

fn paper_community() -> GenesisCommunity<AccountId> {
	GenesisCommunity {
		name: "paper".to_string(),
		operator: Sr25519Keyring::Eve.to_account_id(),
		utility: Sr25519Keyring::Ferdie.to_account_id(),
		terms: paper::TERMS,
		bounds: paper::BOUNDS,
		households: paper_households()
			.into_iter()
			.map(|(owner, meter)| GenesisHousehold {
				owner: owner.to_account_id(),
				meter: meter.to_account_id(),
				max_debit_per_era: 100 * UNIT,
				connection_limit_wh: 15_000,
				comfort: Some(paper::COMFORT),
				preference: None,
			})
			.collect(),
	}
}

/// Name of the preset of a mined chain.
pub const POW_RUNTIME_PRESET: &str = "pow";

/// A mean of 6 s between blocks, like Aura's longest slot, and a reward of one token. The initial difficulty takes one
/// core about two seconds; after some blocks the chain adjusts it to the actual hash rate.
fn mining() -> MiningConfig {
	MiningConfig {
		initial_difficulty: 2_000_000,
		target_block_ms: LONGEST_SLOT_MS,
		reward: UNIT,
	}
}

/// A validator with its account and its session keys.
type Validator = (AccountId, AccountId, SessionKeys);

fn genesis(
	keys: Vec<Validator>,
	validators: ValidatorsConfig,
	mining: MiningConfig,
	is_development: bool,
) -> Value {
	build_struct_json_patch!(RuntimeGenesisConfig {
		balances: BalancesConfig {
			balances: Sr25519Keyring::iter()
				.filter(|key| !matches!(key, Sr25519Keyring::One | Sr25519Keyring::Two))
				.map(|key| (key.to_account_id(), ENDOWMENT))
				.collect::<Vec<_>>(),
		},
		session: SessionConfig { keys },
		validators,
		sudo: SudoConfig {
			key: is_development.then(|| Sr25519Keyring::Alice.to_account_id())
		},
		council_membership: CouncilMembershipConfig { members: council() },
		upgrades: UpgradesConfig {
			notice_ms: if is_development {
				DEVELOPMENT_UPGRADE_NOTICE_MS
			} else {
				0
			},
		},
		mining,
		energy_market: EnergyMarketConfig {
			era_length_ms: if is_development {
				DEVELOPMENT_ERA_MS
			} else {
				HALF_HOUR_MS
			},
			terms_notice: if is_development { DEVELOPMENT_NOTICE } else { 0 },
			communities: vec![paper_community()]
		},
	})
}

/// The organisations of the validators, and the operator of the community.
fn council() -> BoundedVec<AccountId, MaxMembers> {
	use Sr25519Keyring::*;
	BoundedVec::truncate_from([Alice, Bob, Eve].map(Sr25519Keyring::to_account_id).to_vec())
}

fn validator(sr25519: Sr25519Keyring, ed25519: Ed25519Keyring) -> Validator {
	let (account, aura) = (sr25519.to_account_id(), sr25519.public().into());
	let grandpa = ed25519.public().into();
	(account.clone(), account, SessionKeys { aura, grandpa })
}

/// Sessions, and no share of fees: the accounts of these validators are also those of households, whose bills people
/// compare with the walkthrough.
fn sessions(session_length: BlockNumber) -> ValidatorsConfig {
	ValidatorsConfig {
		session_length,
		fee_share_percent: 0,
	}
}

/// The preset with this name, as a JSON patch of the default genesis; `None` if there is no such preset.
pub fn get_preset(id: &PresetId) -> Option<Vec<u8>> {
	let alice = validator(Sr25519Keyring::Alice, Ed25519Keyring::Alice);
	let bob = validator(Sr25519Keyring::Bob, Ed25519Keyring::Bob);
	let (keys, session_length, mining) = match id.as_ref() {
		DEV_RUNTIME_PRESET => (vec![alice], DEVELOPMENT_SESSION, MiningConfig::default()),
		LOCAL_TESTNET_RUNTIME_PRESET => (vec![alice, bob], HOUR_OF_BLOCKS, MiningConfig::default()),
		POW_RUNTIME_PRESET => (Vec::new(), 0, mining()),
		_ => return None,
	};
	let is_development = id.as_str() == DEV_RUNTIME_PRESET;
	serde_json::to_vec(&genesis(keys, sessions(session_length), mining, is_development)).ok()
}

/// The names of all presets.
pub fn preset_names() -> Vec<PresetId> {
	vec![
		PresetId::from(DEV_RUNTIME_PRESET),
		PresetId::from(LOCAL_TESTNET_RUNTIME_PRESET),
		PresetId::from(POW_RUNTIME_PRESET),
	]
}

//! Signing keys from names. Replays use development keys, which derive from a publicly known phrase: nobody should put
//! money of any value on them.

use crate::{chain::types::Address, fault::Fault};
use std::str::FromStr;
use subxt::utils::AccountId32;
use subxt_signer::{sr25519::Keypair, SecretUri};

/// The key of a secret URI such as `//Alice`.
pub fn key(uri: &str) -> Result<Keypair, Fault> {
	let parsed = SecretUri::from_str(uri).map_err(|error| Fault::Input(format!("key '{uri}': {error}")))?;
	Keypair::from_uri(&parsed).map_err(|error| Fault::Input(format!("key '{uri}': {error}")))
}

/// The account of a key.
pub fn account(key: &Keypair) -> AccountId32 {
	key.public_key().to_account_id()
}

/// The account of a key, as an argument of calls that name any account.
pub fn address(key: &Keypair) -> Address {
	Address::Id(account(key))
}

/// The two keys of a household in a replay.
#[derive(Clone)]
pub struct HouseholdKeys {
	/// `//NAME`
	pub owner: Keypair,
	/// `//NAME//stash`
	pub meter: Keypair,
}

impl HouseholdKeys {
	/// The keys of a household of that name.
	pub fn of(name: &str) -> Result<Self, Fault> {
		Ok(Self {
			owner: key(&format!("//{name}"))?,
			meter: key(&format!("//{name}//stash"))?,
		})
	}
}

//! Signing keys from names. Replays use development keys, which derive from a publicly known phrase: nobody should put
//! money of any value on them.

use crate::{chain::types::Address, fault::Fault};
use std::{collections::BTreeMap, str::FromStr};
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

	/// The keys of all households of these names. Refuses two names with the same keys, such as `1` and `01`. Refuses
	/// numbers of more than 64 bits, for which Polkadot.js derives other keys.
	pub fn of_all(names: &[String]) -> Result<Vec<Self>, Fault> {
		let mut seen = BTreeMap::new();
		let mut all = Vec::with_capacity(names.len());
		for name in names {
			let is_number = name.bytes().all(|digit| digit.is_ascii_digit());
			if is_number && name.parse::<u64>().is_err() {
				return Err(Fault::Input(format!(
					"household '{name}': a number above {} gives other keys here than in Polkadot.js: rename the household",
					u64::MAX
				)));
			}
			let keys = Self::of(name)?;
			if let Some(other) = seen.insert(account(&keys.owner).0, name) {
				return Err(Fault::Input(format!(
					"households '{other}' and '{name}' would have the same keys: rename one of them"
				)));
			}
			all.push(keys);
		}
		Ok(all)
	}
}

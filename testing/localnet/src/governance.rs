//! Governs a network on this machine: signs with the account of every validator, which are its council.

use crate::{account_key, folder, Fault};
use commonwatt_client::{
	chain::{
		council::upgrade as waiting,
		era,
		send::must,
		types::{Apply, RuntimeCall, UpgradesCall, ValidatorsCall},
		Node, PATIENCE,
	},
	council::{self, Share},
	keys::{account, key},
};
use serde::Deserialize;
use sp_core::Bytes;
use std::{fs, path::Path, time::Duration};
use subxt::{
	dynamic::{value, Value},
	rpcs::rpc_params,
	utils::to_hex,
};
use subxt_signer::sr25519::Keypair;

/// The operator of the preset's community, who has a seat in the council.
const OPERATOR: &str = "//Eve";

/// Time between two looks at the chain's clock.
const LOOK: Duration = Duration::from_millis(500);

/// The council of a network on this machine.
pub struct Governance {
	node: Node,
	/// The account of each node, in their order.
	accounts: Vec<Keypair>,
	/// The keys of the council, and of spare nodes, which have no seat.
	keys: Vec<Keypair>,
}

/// A validator's new session keys, as its node returns them.
#[derive(Deserialize)]
struct NewKeys {
	/// The public keys, one after the other.
	keys: Bytes,
	/// The proof that the node has the secret ones.
	proof: Bytes,
}

impl Governance {
	/// The council of the network in a folder, by way of the node with this URL.
	pub async fn of(base: &Path, url: &str) -> Result<Self, Fault> {
		let files = (0..).map(|index| account_key(&folder(base, index)));
		let mut accounts = Vec::new();
		for file in files.take_while(|file| file.exists()) {
			let phrase = fs::read_to_string(&file).map_err(|error| Fault::file(&file, error))?;
			accounts.push(key(phrase.trim())?);
		}
		if accounts.is_empty() {
			return Err(Fault::Input(format!(
				"{}: there is no network here",
				base.display()
			)));
		}
		let mut keys = accounts.clone();
		keys.push(key(OPERATOR)?);
		let node = Node::connect(url, PATIENCE).await?;
		Ok(Self { node, accounts, keys })
	}

	/// The key of a node's account.
	pub fn account(&self, index: usize) -> Result<&Keypair, Fault> {
		let count = self.accounts.len();
		self.accounts
			.get(index)
			.ok_or_else(|| Fault::Input(format!("there is no node {}: the network has {count}", index + 1)))
	}

	/// Has a node, which allows unsafe calls at this URL, make new session keys, and sets them for its account.
	pub async fn set_new_keys(&self, index: usize, url: &str) -> Result<(), Fault> {
		let signer = self.account(index)?;
		let node = Node::connect(url, PATIENCE).await?;
		let owner = to_hex(account(signer).0);
		let made: Result<NewKeys, _> = node
			.rpc()
			.request("author_rotateKeysWithOwner", rpc_params![owner])
			.await;
		let made =
			made.map_err(|error| Fault::Failed(format!("the node at {url} makes no keys: {error}")))?;
		let (aura, grandpa) = made
			.keys
			.split_at_checked(32)
			.ok_or_else(|| Fault::Failed(format!("the keys that the node at {url} made are too short")))?;
		let (aura, grandpa) = (Value::from_bytes(aura), Value::from_bytes(grandpa));
		let proof = Value::from_bytes(&made.proof.0);
		let arguments = value!({ keys: { aura: aura, grandpa: grandpa }, proof: proof });
		must(
			&node,
			signer,
			("Session", "set_keys"),
			arguments,
			"setting the session keys",
		)
		.await?;
		Ok(())
	}

	/// Two thirds of the council admit a node's account, which must have session keys.
	pub async fn admit(&self, index: usize) -> Result<(), Fault> {
		let validator = account(self.account(index)?);
		let call = RuntimeCall::Validators(ValidatorsCall::admit { validator });
		self.decide(call, &format!("admit the validator {validator}"))
			.await
	}

	/// Two thirds of the council remove a node's account.
	pub async fn remove(&self, index: usize) -> Result<(), Fault> {
		let validator = account(self.account(index)?);
		let call = RuntimeCall::Validators(ValidatorsCall::remove { validator });
		self.decide(call, &format!("remove the validator {validator}"))
			.await
	}

	/// Two thirds of the council decide on a call.
	pub async fn decide(&self, call: RuntimeCall, words: &str) -> Result<(), Fault> {
		council::agree(&self.node, &self.keys, call, Share::TwoThirds, words).await?;
		Ok(())
	}

	/// Two thirds of the council decide on code for the runtime; after the notice, a node's account applies it.
	pub async fn upgrade(&self, index: usize, code: Vec<u8>) -> Result<(), Fault> {
		let signer = self.account(index)?;
		let code_hash = council::code_hash(&code);
		let call = RuntimeCall::Upgrades(UpgradesCall::decide { code_hash });
		self.decide(call, "upgrade the runtime").await?;
		loop {
			let at = self.node.head().await?;
			let Some((upgrade, _)) = waiting(&at).await? else {
				return Err(Fault::Failed("the upgrade was stopped".into()));
			};
			if era(&at)
				.await?
				.is_some_and(|view| upgrade.is_due(&at, view.now_ms))
			{
				break;
			}
			tokio::time::sleep(LOOK).await;
		}
		must(
			&self.node,
			signer,
			("Upgrades", "apply"),
			Apply { code },
			"applying the upgrade",
		)
		.await?;
		Ok(())
	}
}

//! Signs and sends transactions, valid and invalid ones.

use super::eras::connect;
use std::str::FromStr;
use subxt::{
	config::DefaultExtrinsicParamsBuilder,
	dynamic::{self, Value},
	ext::scale_encode::EncodeAsFields,
	rpcs::{rpc_params, RpcClient},
	utils::AccountId32,
	OnlineClient, OnlineClientAtBlock, SubstrateConfig,
};
use subxt_signer::{sr25519::Keypair, SecretUri};

/// One token in the smallest unit.
pub const UNIT: u128 = 1_000_000_000_000;

/// The key of a secret URI, such as `//Alice`.
pub fn key(uri: &str) -> Keypair {
	Keypair::from_uri(&SecretUri::from_str(uri).expect("it is a secret URI")).expect("it is a key")
}

/// A key's account as an argument of calls.
pub fn address(key: &Keypair) -> Value {
	Value::unnamed_variant("Id", [Value::from_bytes(account(key).0)])
}

/// The account of a key.
pub fn account(key: &Keypair) -> AccountId32 {
	key.public_key().to_account_id()
}

/// A connection to a node, for transactions.
#[derive(Clone)]
pub struct Sender {
	pub rpc: RpcClient,
	pub api: OnlineClient<SubstrateConfig>,
}

impl Sender {
	/// Connects to a node.
	pub async fn connect(url: &str) -> Result<Self, subxt::Error> {
		Ok(Self {
			rpc: RpcClient::from_insecure_url(url).await?,
			api: connect(url).await?,
		})
	}

	/// The newest final block.
	pub async fn head(&self) -> Result<OnlineClientAtBlock<SubstrateConfig>, subxt::Error> {
		Ok(self.api.at_current_block().await?)
	}

	/// The nonce of an account's next transaction, after those in the pool.
	pub async fn next_nonce(&self, key: &Keypair) -> Result<u64, subxt::rpcs::Error> {
		let params = rpc_params![account(key).to_string()];
		self.rpc.request("system_accountNextIndex", params).await
	}

	/// Submits the bytes of a transaction to the pool.
	pub async fn submit(&self, bytes: &[u8]) -> Result<(), subxt::rpcs::Error> {
		let hex = subxt::utils::to_hex(bytes);
		let answer = self
			.rpc
			.request::<String>("author_submitExtrinsic", rpc_params![hex]);
		answer.await.map(|_| ())
	}

	/// Sends a call and waits until it is final. Panics unless it succeeds.
	pub async fn must(&self, signer: &Keypair, pallet: &str, call: &str, arguments: impl EncodeAsFields) {
		let payload = dynamic::tx(pallet, call, arguments);
		let head = self.head().await.expect("the node answers");
		let sent = head
			.transactions()
			.sign_and_submit_then_watch_default(&payload, signer)
			.await;
		let done = sent
			.expect("the pool accepts the transaction")
			.wait_for_finalized_success()
			.await;
		done.unwrap_or_else(|error| panic!("{pallet}.{call}: {error}"));
	}
}

/// The bytes of a signed immortal transaction.
pub fn signed(
	head: &OnlineClientAtBlock<SubstrateConfig>,
	signer: &Keypair,
	nonce: u64,
	(pallet, call): (&str, &str),
	arguments: impl EncodeAsFields,
) -> Vec<u8> {
	let params = DefaultExtrinsicParamsBuilder::new()
		.immortal()
		.nonce(nonce)
		.build();
	let payload = dynamic::tx(pallet, call, arguments);
	let signable = head.transactions().create_signable_offline(&payload, params);
	signable
		.and_then(|mut signable| signable.sign(signer))
		.unwrap_or_else(|error| panic!("{pallet}.{call}: {error}"))
		.encoded()
		.to_vec()
}

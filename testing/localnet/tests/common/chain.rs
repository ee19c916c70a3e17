//! Signs and sends transactions, valid and invalid ones.

use super::{OrPanic, PATIENCE};
use commonwatt_client::{
	chain::{send, At, Node},
	keys::account,
};
use subxt::{ext::scale_encode::EncodeAsFields, rpcs::rpc_params, utils::to_hex};
use subxt_signer::sr25519::Keypair;

/// One token in the smallest unit.
pub const UNIT: u128 = 1_000_000_000_000;
/// For how many blocks a transaction of [`signed`] is valid: more than any test makes meanwhile.
const VALID_BLOCKS: u64 = 1_024;

/// Connects to a node.
pub async fn connect(url: &str) -> Node {
	Node::connect(url, PATIENCE).await.or_panic()
}

/// The nonce of an account's next transaction, after those in the pool.
pub async fn next_nonce(node: &Node, key: &Keypair) -> Result<u64, subxt::rpcs::Error> {
	let params = rpc_params![account(key).to_string()];
	node.rpc().request("system_accountNextIndex", params).await
}

/// Submits the bytes of a transaction to the pool.
pub async fn submit(node: &Node, bytes: &[u8]) -> Result<(), subxt::rpcs::Error> {
	let params = rpc_params![to_hex(bytes)];
	let answer = node.rpc().request::<String>("author_submitExtrinsic", params);
	answer.await.map(|_| ())
}

/// Sends a call and waits until it is final. Panics unless it succeeds.
pub async fn must(node: &Node, signer: &Keypair, call: (&str, &str), arguments: impl EncodeAsFields + Clone) {
	let what = format!("{}.{}", call.0, call.1);
	send::must(node, signer, call, arguments, &what).await.or_panic();
}

/// The bytes of a signed transaction.
pub fn signed(
	at: &At,
	signer: &Keypair,
	nonce: u64,
	call: (&str, &str),
	arguments: impl EncodeAsFields,
) -> Vec<u8> {
	let (_, bytes) = send::encode(at, signer, (nonce, VALID_BLOCKS), call, arguments).or_panic();
	bytes
}

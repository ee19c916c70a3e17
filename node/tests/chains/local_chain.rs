//! A chain of two validators: Aura and GRANDPA over the network.

use crate::harness::Node;
use subxt::rpcs::rpc_params;

const METHOD_NOT_FOUND: i32 = -32601;

async fn start(validator: &str, more: &[&str]) -> (Node, tempfile::TempDir) {
	let dir = tempfile::tempdir().unwrap();
	let args = [
		"--chain",
		"local",
		validator,
		"--unsafe-force-node-key-generation",
	];
	let network = ["--listen-addr", "/ip4/127.0.0.1/tcp/0"];
	let node = Node::start(&[&args[..], &network, more].concat(), dir.path()).await;
	(node, dir)
}

#[tokio::test]
async fn two_validators_finalize_blocks() {
	let (alice, _alice_dir) = start("--alice", &[]).await;
	let addresses: Vec<String> = alice.call("system_localListenAddresses", rpc_params![]).await;
	let address = addresses
		.iter()
		.find(|address| address.contains("127.0.0.1"))
		.expect("the node listens on 127.0.0.1");
	let (bob, _bob_dir) = start("--bob", &["--bootnodes", address]).await;

	let on_alice = alice.wait_for_finalized(2).await;
	bob.wait_for_finalized(on_alice.number).await;
	assert_eq!(bob.at(on_alice.number).await, on_alice);
}

#[tokio::test]
async fn dev_seal_at_does_not_exist_on_other_chains() {
	let (node, _dir) = start("--alice", &[]).await;
	let (code, text) = node
		.call_fails("dev_sealAt", rpc_params![4_000_000_000_000u64])
		.await;
	assert_eq!(code, METHOD_NOT_FOUND, "{text}");
	let methods: serde_json::Value = node.call("rpc_methods", rpc_params![]).await;
	let methods = methods["methods"].as_array().unwrap();
	assert!(methods.iter().any(|method| method == "payment_queryInfo"));
	assert!(methods.iter().all(|method| method != "dev_sealAt"));
}

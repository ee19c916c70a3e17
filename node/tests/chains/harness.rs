//! Starts the real node as a child process and calls its RPC.

use commonwatt_localnet::SingleNode;
use std::{
	io::{Read, Write},
	net::TcpStream,
	path::Path,
	process::{Command, Stdio},
	time::{Duration, Instant},
};
use subxt::{
	config::DefaultExtrinsicParamsBuilder,
	dynamic,
	rpcs::{client::RpcParams, rpc_params, RpcClient},
	utils::to_hex,
	OnlineClient, SubstrateConfig,
};
use subxt_signer::sr25519::Keypair;

/// Timeout of every wait. Normally each takes a fraction of it; it only ends a test that would hang.
pub const PATIENCE: Duration = Duration::from_secs(600);

/// Storage key of `Timestamp.Now`: the Twox128 hashes of both names.
const TIMESTAMP_NOW: &str = "0xf0c365c3cf59d671eb72da0e7a4113c49f1f0515f462cdcf84e0f1d6045dfcbb";

/// A command for the node with the options that every test needs.
pub fn command(args: &[&str], base_path: &Path) -> Command {
	let mut command = Command::new(env!("CARGO_BIN_EXE_commonwatt-node"));
	command
		.args(["--no-telemetry", "--no-mdns", "--disable-log-color"])
		// Tests of metrics name a port for them.
		.args((!args.contains(&"--prometheus-port")).then_some("--no-prometheus"))
		.arg("--base-path")
		.arg(base_path)
		.args(args)
		.stdin(Stdio::null())
		.stdout(Stdio::null())
		.stderr(Stdio::piped());
	command
}

/// A running node. Dropping it kills the node.
pub struct Node {
	process: SingleNode,
	/// Address and port of the RPC server.
	pub rpc_address: String,
	/// A connection to the RPC server.
	pub rpc: RpcClient,
}

/// A block's hash, number and timestamp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
	pub hash: String,
	pub number: u64,
	pub timestamp_ms: u64,
}

impl Node {
	/// Starts a node on a free RPC port and connects to it.
	pub async fn start(args: &[&str], base_path: &Path) -> Self {
		let command = command(args, base_path);
		let process = tokio::task::spawn_blocking(|| SingleNode::start(command, None))
			.await
			.unwrap()
			.unwrap_or_else(|fault| panic!("{fault}"));
		let rpc_address = process.address();
		let rpc = RpcClient::from_insecure_url(format!("ws://{rpc_address}"))
			.await
			.expect("the RPC server takes connections");
		Self {
			process,
			rpc_address,
			rpc,
		}
	}

	/// Ends the node with SIGKILL, as a power cut would.
	pub fn kill(self) {
		self.process.kill();
	}

	/// The process's number.
	pub fn process_id(&self) -> u32 {
		self.process.process_id()
	}

	/// What the node has logged so far.
	pub fn log(&self) -> String {
		self.process.log()
	}

	/// Calls a method that must succeed.
	pub async fn call<T: serde::de::DeserializeOwned>(&self, method: &str, params: RpcParams) -> T {
		self.rpc
			.request(method, params)
			.await
			.unwrap_or_else(|error| panic!("{method} failed: {error}; the node's log:\n{}", self.log()))
	}

	/// Calls a method that must fail, and returns the error's code and text.
	pub async fn call_fails(&self, method: &str, params: RpcParams) -> (i32, String) {
		match self.rpc.request::<serde_json::Value>(method, params).await {
			Err(subxt::rpcs::Error::User(error)) => (error.code, error.message),
			other => panic!("{method} should have failed, but returned {other:?}"),
		}
	}

	/// The best block.
	pub async fn best(&self) -> Head {
		let hash = self.call("chain_getBlockHash", rpc_params![]).await;
		self.head(hash).await
	}

	/// The newest finalized block.
	pub async fn finalized(&self) -> Head {
		let hash = self.call("chain_getFinalizedHead", rpc_params![]).await;
		self.head(hash).await
	}

	/// The block at a height.
	pub async fn at(&self, number: u64) -> Head {
		let hash: Option<String> = self.call("chain_getBlockHash", rpc_params![number]).await;
		self.head(hash.expect("the chain has a block at this height"))
			.await
	}

	/// A block's header.
	pub async fn header(&self, hash: &str) -> serde_json::Value {
		self.call("chain_getHeader", rpc_params![hash]).await
	}

	async fn head(&self, hash: String) -> Head {
		let header = self.header(&hash).await;
		let number = header["number"]
			.as_str()
			.expect("the block number is hexadecimal text");
		let number = u64::from_str_radix(number.trim_start_matches("0x"), 16).unwrap();
		let now: Option<String> = self
			.call("state_getStorage", rpc_params![TIMESTAMP_NOW, &hash])
			.await;
		Head {
			hash,
			number,
			timestamp_ms: now.as_deref().map_or(0, decode_u64),
		}
	}

	/// The runtime's slot duration, ms.
	pub async fn slot_ms(&self) -> u64 {
		decode_u64(
			&self
				.call::<String>("state_call", rpc_params!["AuraApi_slot_duration", "0x"])
				.await,
		)
	}

	/// Number of transactions in the pool that could be included now.
	pub async fn pending(&self) -> usize {
		let pending: Vec<String> = self.call("author_pendingExtrinsics", rpc_params![]).await;
		pending.len()
	}

	/// Waits until the pool has a transaction that could be included now.
	pub async fn wait_for_pending(&self) {
		let start = Instant::now();
		while self.pending().await == 0 {
			assert!(
				start.elapsed() < PATIENCE,
				"the pool has no transaction; the node's log:\n{}",
				self.log()
			);
			tokio::time::sleep(Duration::from_millis(50)).await;
		}
	}

	/// Waits until the block at a height is final; returns the newest final block.
	pub async fn wait_for_finalized(&self, number: u64) -> Head {
		let start = Instant::now();
		loop {
			let head = self.finalized().await;
			if head.number >= number {
				return head;
			}
			assert!(
				start.elapsed() < PATIENCE,
				"block {number} was not finalized in time; the node's log:\n{}",
				self.log()
			);
			tokio::time::sleep(Duration::from_millis(50)).await;
		}
	}
}

/// Seals the next block of a development chain at a timestamp.
pub async fn seal_at(node: &Node, timestamp_ms: u64) -> Head {
	let sealed: serde_json::Value = node.call("dev_sealAt", rpc_params![timestamp_ms]).await;
	Head {
		hash: sealed["hash"].as_str().unwrap().to_owned(),
		number: sealed["number"].as_u64().unwrap(),
		timestamp_ms: sealed["timestamp_ms"].as_u64().unwrap(),
	}
}

/// Sends an HTTP request; returns the answer with its headers.
pub fn http(address: &str, request: &str) -> String {
	let mut stream = TcpStream::connect(address).expect("the server takes connections");
	stream.write_all(request.as_bytes()).unwrap();
	let mut answer = String::new();
	stream.read_to_string(&mut answer).unwrap();
	answer
}

/// Decodes a SCALE-encoded u64, which is little endian, from hexadecimal text.
pub fn decode_u64(hex: &str) -> u64 {
	let digits = hex.trim_start_matches("0x");
	assert_eq!(digits.len(), 16, "{hex} is not a u64");
	u64::from_str_radix(digits, 16).unwrap().swap_bytes()
}

/// Signs a remark for each signer and nonce; returns the transactions as hexadecimal text.
pub async fn signed_remarks(
	api: &OnlineClient<SubstrateConfig>,
	signers: impl IntoIterator<Item = (Keypair, u64)>,
) -> Vec<String> {
	let mut transactions = api.at_current_block().await.unwrap().transactions();
	let remark = dynamic::transaction("System", "remark", (vec![7u8; 64],));
	let mut signed = Vec::new();
	for (signer, nonce) in signers {
		let params = DefaultExtrinsicParamsBuilder::new()
			.immortal()
			.nonce(nonce)
			.build();
		let transaction = transactions.create_signed(&remark, &signer, params).await;
		signed.push(to_hex(transaction.unwrap().encoded()));
	}
	signed
}

//! One node: its process, and calls of its RPC.

use crate::{genesis, Binary, Fault};
use codec::Decode;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{
	fs::{File, OpenOptions},
	io::{Read, Seek, SeekFrom},
	os::unix::process::{CommandExt, ExitStatusExt},
	path::{Path, PathBuf},
	process::{Child, Command, ExitStatus, Stdio},
	time::{Duration, Instant},
};
use subxt::rpcs::{client::RpcParams, rpc_params, RpcClient};

/// Maximum time that a node may take to stop when asked. After that it is killed.
const GRACE: Duration = Duration::from_secs(15);
/// Timeout of an RPC call. It is long because a node that starts on a busy machine is slow.
const ANSWER: Duration = Duration::from_secs(60);
/// How much of the end of a log is read, in bytes.
const TAIL: u64 = 16 * 1024;

/// The ports on which a node listens, on the loopback interface only.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
	/// For other nodes.
	pub p2p: u16,
	/// For light clients in browsers: WebSocket, and WebRTC at the UDP port of the same number.
	pub browsers: u16,
	/// For RPC.
	pub rpc: u16,
	/// For Prometheus.
	pub metrics: u16,
}

/// A block, by its header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
	/// Its number.
	pub number: u64,
	/// Its hash, in hexadecimal.
	pub hash: String,
	/// The hash of the state after it, in hexadecimal.
	pub state_root: String,
}

/// The state of a node.
#[derive(Clone, Debug)]
pub struct Status {
	/// Number of peers.
	pub peers: u64,
	/// Whether it is still downloading blocks of others.
	pub is_syncing: bool,
	/// Number of its newest block.
	pub best: u64,
	/// Number of its newest final block.
	pub finalized: u64,
	/// The era that runs in its newest block. `None` before block 1.
	pub era: Option<u32>,
}

/// A validator or miner, started or not.
#[derive(Debug)]
pub struct Node {
	/// Its name, such as `validator-1`.
	pub name: String,
	/// The ID by which its peers know it.
	pub peer_id: String,
	/// The ports on which it listens.
	pub ports: Ports,
	folder: PathBuf,
	child: Option<Child>,
}

impl Node {
	/// A node that is not started yet. `folder` is for its database, keys and log.
	pub fn new(name: String, peer_id: String, ports: Ports, folder: PathBuf) -> Self {
		Self {
			name,
			peer_id,
			ports,
			folder,
			child: None,
		}
	}

	/// The folder of its session keys, in its own folder.
	pub fn keystore(folder: &Path) -> PathBuf {
		folder.join("chains").join(genesis::CHAIN_ID).join("keystore")
	}

	/// The file with the secret of its peer ID, in its own folder.
	pub fn node_key(folder: &Path) -> PathBuf {
		folder.join("node-key")
	}

	/// The multiaddress at which its peers reach it.
	pub fn address(&self) -> String {
		format!("/ip4/127.0.0.1/tcp/{}/p2p/{}", self.ports.p2p, self.peer_id)
	}

	/// The multiaddresses at which light clients in browsers reach it: by WebSocket and by WebRTC. The latter names a
	/// certificate, which the node makes from its key, so the node must run.
	pub async fn browser_addresses(&self) -> Result<Vec<String>, Fault> {
		let rpc = self.rpc().await?;
		let mut addresses: Vec<String> = self
			.call(&rpc, "system_localListenAddresses", rpc_params![])
			.await?;
		addresses.retain(|address| address.contains("/ws/") || address.contains("/webrtc-direct/"));
		Ok(addresses)
	}

	/// The URL of its RPC.
	pub fn url(&self) -> String {
		format!("ws://127.0.0.1:{}", self.ports.rpc)
	}

	/// The file of its log.
	pub fn log_file(&self) -> PathBuf {
		self.folder.join("node.log")
	}

	fn fault(&self, reason: impl Into<String>) -> Fault {
		Fault::Node {
			name: self.name.clone(),
			reason: reason.into(),
		}
	}

	/// Starts it. `more` and `environment` are options and environment variables that not every node has.
	pub fn start(
		&mut self,
		binary: &Binary,
		chain: &Path,
		more: &[String],
		environment: &[(String, String)],
	) -> Result<(), Fault> {
		if self.child.is_some() {
			return Err(self.fault("is started already"));
		}
		let log_file = self.log_file();
		let log = OpenOptions::new().create(true).append(true).open(&log_file);
		let log = log.map_err(|error| Fault::file(&log_file, error))?;
		let mut command = binary.command();
		self.arguments(&mut command, chain);
		command.args(more).envs(environment.iter().cloned());
		// A process group of its own, so that Ctrl-C on the terminal reaches only this program, which then stops its
		// nodes.
		command.process_group(0).stdout(Stdio::null()).stderr(log);
		self.child = Some(
			command
				.spawn()
				.map_err(|error| self.fault(format!("cannot be started: {error}")))?,
		);
		Ok(())
	}

	fn arguments(&self, command: &mut Command, chain: &Path) {
		let Ports {
			p2p,
			browsers,
			rpc,
			metrics,
		} = self.ports;
		command.arg("--chain").arg(chain);
		command.arg("--base-path").arg(&self.folder);
		command.arg("--node-key-file").arg(Self::node_key(&self.folder));
		command.args(["--name", &self.name]);
		command.args(["--listen-addr", &format!("/ip4/127.0.0.1/tcp/{p2p}")]);
		command.args(["--listen-addr", &format!("/ip4/127.0.0.1/tcp/{browsers}/ws")]);
		command.args([
			"--listen-addr",
			&format!("/ip4/127.0.0.1/udp/{browsers}/webrtc-direct"),
		]);
		command.args(["--rpc-port", &rpc.to_string()]);
		command.args(["--prometheus-port", &metrics.to_string()]);
		command.args(["--no-mdns", "--no-telemetry", "--disable-log-color"]);
	}

	/// Kills it at once, as a power cut would.
	pub fn kill(&mut self) -> Result<(), Fault> {
		let Some(mut child) = self.child.take() else {
			return Err(self.fault("is not started"));
		};
		let ended = child.kill().and_then(|()| child.wait());
		ended
			.map(|_| ())
			.map_err(|error| self.fault(format!("cannot be killed: {error}")))
	}

	/// Asks it to stop (SIGTERM), and does not wait.
	pub fn ask_to_stop(&self) {
		if let Some(child) = &self.child {
			// If there is no such command, `stop` kills the node.
			let _ = Command::new("kill")
				.args(["-TERM", &child.id().to_string()])
				.stderr(Stdio::null())
				.status();
		}
	}

	/// Asks it to stop, and kills it if it has not ended within 15 s.
	pub fn stop(&mut self) -> Result<(), Fault> {
		self.ask_to_stop();
		let begun = Instant::now();
		while self.child.is_some() && self.ended().is_none() {
			if begun.elapsed() > GRACE {
				return self.kill();
			}
			std::thread::sleep(Duration::from_millis(50));
		}
		self.child = None;
		Ok(())
	}

	/// Whether it was started and not stopped since. Its process may have ended by itself.
	pub fn is_started(&self) -> bool {
		self.child.is_some()
	}

	/// The exit status of its process, if it has ended by itself.
	pub fn ended(&mut self) -> Option<ExitStatus> {
		self.child.as_mut()?.try_wait().ok().flatten()
	}

	/// The last line of its log that is not blank, or an empty text without one.
	pub fn last_log_line(&self) -> String {
		let text = self.log_tail().unwrap_or_default();
		let mut lines = text.lines().rev().map(str::trim);
		lines.find(|line| !line.is_empty()).unwrap_or("").to_owned()
	}

	/// The last 16 KiB of its log.
	pub fn log_tail(&self) -> std::io::Result<String> {
		let mut file = File::open(self.log_file())?;
		let length = file.metadata()?.len();
		file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
		let mut bytes = Vec::new();
		file.read_to_end(&mut bytes)?;
		Ok(String::from_utf8_lossy(&bytes).into_owned())
	}

	/// A connection to its RPC server.
	pub async fn rpc(&self) -> Result<RpcClient, Fault> {
		let connecting = RpcClient::from_insecure_url(self.url());
		match tokio::time::timeout(ANSWER, connecting).await {
			Ok(Ok(client)) => Ok(client),
			Ok(Err(error)) => Err(self.fault(format!("no connection: {error}"))),
			Err(_) => Err(self.fault("no connection: timeout")),
		}
	}

	/// Calls an RPC method over a connection. Fails if there is no answer within 60 s.
	pub async fn call<T: DeserializeOwned>(
		&self,
		rpc: &RpcClient,
		method: &str,
		params: RpcParams,
	) -> Result<T, Fault> {
		match tokio::time::timeout(ANSWER, rpc.request(method, params)).await {
			Ok(Ok(answer)) => Ok(answer),
			Ok(Err(error)) => Err(self.fault(format!("{method}: {error}"))),
			Err(_) => Err(self.fault(format!("{method}: no answer in {} s", ANSWER.as_secs()))),
		}
	}

	/// Waits until its RPC server accepts connections, for at most `patience`. Fails at once if the process has ended.
	pub async fn wait_until_ready(&mut self, patience: Duration) -> Result<(), Fault> {
		let begun = Instant::now();
		loop {
			if let Some(status) = self.ended() {
				return Err(self.fault(format!("ended ({}): {}", in_words(status), self.last_log_line())));
			}
			let Err(fault) = self.rpc().await else {
				return Ok(());
			};
			if begun.elapsed() > patience {
				return Err(fault);
			}
			tokio::time::sleep(Duration::from_millis(100)).await;
		}
	}

	/// Its newest block.
	pub async fn best(&self) -> Result<Head, Fault> {
		let rpc = self.rpc().await?;
		let hash: String = self.call(&rpc, "chain_getBlockHash", rpc_params![]).await?;
		self.head(&rpc, hash).await
	}

	/// Its newest final block.
	pub async fn finalized(&self) -> Result<Head, Fault> {
		let rpc = self.rpc().await?;
		let hash: String = self.call(&rpc, "chain_getFinalizedHead", rpc_params![]).await?;
		self.head(&rpc, hash).await
	}

	/// The block with this number on its best chain, if there is one.
	pub async fn at(&self, number: u64) -> Result<Option<Head>, Fault> {
		let rpc = self.rpc().await?;
		let hash: Option<String> = self.call(&rpc, "chain_getBlockHash", rpc_params![number]).await?;
		match hash {
			Some(hash) => self.head(&rpc, hash).await.map(Some),
			None => Ok(None),
		}
	}

	async fn head(&self, rpc: &RpcClient, hash: String) -> Result<Head, Fault> {
		let header: Value = self.call(rpc, "chain_getHeader", rpc_params![&hash]).await?;
		let number = header["number"]
			.as_str()
			.and_then(|text| u64::from_str_radix(text.trim_start_matches("0x"), 16).ok());
		match (number, header["stateRoot"].as_str()) {
			(Some(number), Some(state_root)) => Ok(Head {
				number,
				hash,
				state_root: state_root.to_owned(),
			}),
			_ => Err(self.fault(format!("the header of block {hash} is malformed"))),
		}
	}

	/// Its current state, over RPC.
	pub async fn status(&self) -> Result<Status, Fault> {
		let rpc = self.rpc().await?;
		let health: Value = self.call(&rpc, "system_health", rpc_params![]).await?;
		let final_hash: String = self.call(&rpc, "chain_getFinalizedHead", rpc_params![]).await?;
		let finalized = self.head(&rpc, final_hash).await?.number;
		let best_hash: String = self.call(&rpc, "chain_getBlockHash", rpc_params![]).await?;
		let params = rpc_params!["EnergyMarketApi_current_era", "0x", &best_hash];
		let view: String = self.call(&rpc, "state_call", params).await?;
		Ok(Status {
			peers: health["peers"].as_u64().unwrap_or(0),
			is_syncing: health["isSyncing"].as_bool().unwrap_or(false),
			best: self.head(&rpc, best_hash).await?.number,
			finalized,
			era: current_era(&view),
		})
	}
}

impl Drop for Node {
	fn drop(&mut self) {
		if self.child.is_some() {
			// An error is fine: the process may have ended by itself.
			let _ = self.kill();
		}
	}
}

/// An exit status as text.
pub fn in_words(status: ExitStatus) -> String {
	match (status.code(), status.signal()) {
		(Some(code), _) => format!("exit code {code}"),
		(None, Some(signal)) => format!("signal {signal}"),
		(None, None) => "unknown exit status".into(),
	}
}

/// Decodes the running era from the runtime API's answer: an `Option<EraView>` in hexadecimal, whose first field is the
/// era.
fn current_era(view: &str) -> Option<u32> {
	let bytes = sp_core::bytes::from_hex(view).ok()?;
	Option::<u32>::decode(&mut bytes.as_slice()).ok().flatten()
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::fs;

	#[test]
	fn current_era_is_decoded_from_the_first_field() {
		assert_eq!(current_era("0x00"), None);
		assert_eq!(current_era("0x012a000000ffffff"), Some(42));
		assert_eq!(current_era("nonsense"), None);
	}

	#[test]
	fn last_log_line_skips_blank_lines() {
		let folder = tempfile::tempdir().unwrap();
		let ports = Ports {
			p2p: 1,
			browsers: 4,
			rpc: 2,
			metrics: 3,
		};
		let node = Node::new("one".into(), "id".into(), ports, folder.path().into());
		assert_eq!(node.last_log_line(), "");
		fs::write(node.log_file(), "first\n  Error: no room \n\n").unwrap();
		assert_eq!(node.last_log_line(), "Error: no room");
		assert_eq!(node.address(), "/ip4/127.0.0.1/tcp/1/p2p/id");
	}
}

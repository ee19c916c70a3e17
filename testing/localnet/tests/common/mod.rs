//! Shared by the fault tests: a network of real nodes, the real client, and the checks that must pass after a fault.

#![allow(dead_code)]

pub mod chain;
pub mod eras;

use commonwatt_localnet::{Binary, Consensus, Head, Network, Plan};
use eras::Eras;
use serde_json::Value;
use std::{
	fmt,
	path::{Path, PathBuf},
	process::{Child, Command, Stdio},
	time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};

/// Length of an era in these tests: 20 slots of half a second.
pub const ERA_SECONDS: u64 = 10;
/// [`ERA_SECONDS`] as a duration.
pub const ERA: Duration = Duration::from_secs(ERA_SECONDS);
/// How long an upgrade waits on networks with sessions.
const UPGRADE_SECONDS: u64 = 20;
/// Timeout of every wait. Nothing takes nearly as long; it only ends a test that would hang.
pub const PATIENCE: Duration = Duration::from_secs(600);

/// The folder with the programs of this build.
fn programs() -> PathBuf {
	let this = Path::new(env!("CARGO_BIN_EXE_commonwatt-localnet"));
	this.parent().expect("a program is in a folder").to_owned()
}

/// The node's program.
pub fn node_binary() -> Binary {
	Binary::in_folder(&programs()).unwrap_or_else(|fault| panic!("{fault}"))
}

/// A command of `commonwatt` with these arguments.
pub fn commonwatt(arguments: &[&str]) -> Command {
	let mut command = Command::new(programs().join("commonwatt"));
	command.args(arguments).stdin(Stdio::null());
	command
}

/// The path of the paper's day, `examples/paper.csv`.
pub fn paper() -> String {
	// Read when the test runs, not when it is compiled: several clones may share one build.
	let package = std::env::var("CARGO_MANIFEST_DIR").expect("cargo runs this test");
	format!("{package}/../../examples/paper.csv")
}

/// The seed of a test's random choices: `COMMONWATT_SEED` or a random one.
pub fn seed() -> u64 {
	match std::env::var("COMMONWATT_SEED") {
		Ok(seed) => seed.parse().expect("COMMONWATT_SEED is a number"),
		Err(_) => rand::random(),
	}
}

/// Allows one network at a time: two on the same few cores would disturb each other's slots.
static TURN: Mutex<()> = Mutex::const_new(());

/// Nodes that can be split into groups. The folder is still to be chosen.
fn plan(validators: usize, consensus: Consensus, era_seconds: u64) -> Plan {
	Plan {
		validators,
		spare: 0,
		consensus,
		era_seconds: Some(era_seconds),
		session_seconds: None,
		upgrade_seconds: None,
		base: PathBuf::new(),
		first_rpc_port: None,
		can_be_split: true,
	}
}

/// Waits until a condition holds. `what` names it in the error message.
pub async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
	let begun = Instant::now();
	while !is_so().await {
		assert!(begun.elapsed() < PATIENCE, "waited too long for: {what}");
		tokio::time::sleep(Duration::from_millis(100)).await;
	}
}

/// A started network and its temporary folder.
pub struct Running {
	pub network: Network,
	place: TempDir,
	_turn: MutexGuard<'static, ()>,
}

/// What a node saw while it was watched.
#[derive(Debug)]
pub struct Progress {
	/// How long the node was watched.
	pub time: Duration,
	/// By how much the number of the best block grew.
	pub blocks: u64,
	/// By how much the number of the final block grew.
	pub finalized: u64,
	/// By how much the era of the best block grew.
	pub eras: u32,
}

impl fmt::Display for Progress {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(
			f,
			"in {} s {} blocks, {} made final, {} era(s) began",
			self.time.as_secs(),
			self.blocks,
			self.finalized,
			self.eras
		)
	}
}

impl Running {
	/// Starts validators with eras of [`ERA_SECONDS`] and waits until block 2 is final.
	pub async fn start(validators: usize) -> Self {
		Self::start_with_eras(validators, ERA_SECONDS).await
	}

	/// Like [`Running::start`], with eras of another length. A slot is a thirtieth of an era, at least half a second.
	pub async fn start_with_eras(validators: usize, era_seconds: u64) -> Self {
		Self::start_plan(plan(validators, Consensus::Authorities, era_seconds)).await
	}

	/// Starts miners with eras of [`ERA_SECONDS`] and two blocks a second, and waits until block 2 is final.
	pub async fn mined(miners: usize, finality_depth: u32) -> Self {
		Self::mined_with_eras(miners, finality_depth, ERA_SECONDS).await
	}

	/// Like [`Running::mined`], with eras of another length.
	pub async fn mined_with_eras(miners: usize, finality_depth: u32, era_seconds: u64) -> Self {
		let consensus = Consensus::Work {
			target_block_ms: 500,
			finality_depth,
		};
		Self::start_plan(plan(miners, consensus, era_seconds)).await
	}

	/// Starts validators that anybody may connect to, light clients too.
	pub async fn start_for_light_clients(validators: usize, era_seconds: u64) -> Self {
		Self::start_plan(Plan {
			can_be_split: false,
			..plan(validators, Consensus::Authorities, era_seconds)
		})
		.await
	}

	/// Starts validators, and spare nodes, with sessions of so many seconds.
	pub async fn start_with_sessions(validators: usize, spare: usize, session_seconds: u64) -> Self {
		Self::start_plan(Plan {
			spare,
			session_seconds: Some(session_seconds),
			upgrade_seconds: Some(UPGRADE_SECONDS),
			// Light clients may connect, and with a spare node the RPC allows unsafe methods.
			can_be_split: false,
			..plan(validators + spare, Consensus::Authorities, ERA_SECONDS)
		})
		.await
	}

	/// Starts the nodes of a plan in a temporary folder, and waits until block 2 is final.
	async fn start_plan(plan: Plan) -> Self {
		let turn = TURN.lock().await;
		let place = tempfile::tempdir().expect("there is room for temporary files");
		let plan = Plan {
			base: place.path().join("network"),
			..plan
		};
		let mut network = Network::new(node_binary(), plan).expect("keys and chain are made");
		network.start_all().expect("the nodes start");
		network.wait_until_ready().await.expect("the nodes answer");
		let running = Self {
			network,
			place,
			_turn: turn,
		};
		running.wait_for_final(0, 2).await;
		running
	}

	/// The path of a file in the network's temporary folder.
	pub fn file(&self, name: &str) -> String {
		self.place.path().join(name).display().to_string()
	}

	/// Panics with the last log lines of every node.
	fn give_up(&self, what: &str) -> ! {
		let logs = self.network.nodes().iter().map(|node| {
			let tail = node.log_tail().unwrap_or_default();
			let lines: Vec<_> = tail.lines().rev().take(12).collect();
			format!(
				"{}:\n{}",
				node.name,
				lines.into_iter().rev().collect::<Vec<_>>().join("\n")
			)
		});
		panic!("{what}\n{}", logs.collect::<Vec<_>>().join("\n"))
	}

	/// Waits until a node has finalized block `number`, and returns its newest final block.
	pub async fn wait_for_final(&self, node: usize, number: u64) -> Head {
		let begun = Instant::now();
		loop {
			let head = self.network.node(node).finalized().await;
			if let Ok(head) = head {
				if head.number >= number {
					return head;
				}
			}
			if begun.elapsed() > PATIENCE {
				self.give_up(&format!("block {number} did not become final in time"));
			}
			tokio::time::sleep(Duration::from_millis(100)).await;
		}
	}

	/// Watches a node until its progress is `enough`.
	pub async fn watch_until(&self, node: usize, enough: impl Fn(&Progress) -> bool) -> Progress {
		let begun = Instant::now();
		let node = self.network.node(node);
		let before = node.status().await.expect("it runs");
		loop {
			let now = node.status().await.expect("it runs");
			let seen = Progress {
				time: begun.elapsed(),
				blocks: now.best.saturating_sub(before.best),
				finalized: now.finalized.saturating_sub(before.finalized),
				eras: now.era.unwrap_or(0).saturating_sub(before.era.unwrap_or(0)),
			};
			if enough(&seen) {
				return seen;
			}
			if begun.elapsed() > PATIENCE {
				self.give_up(&format!(
					"{} did not make enough progress in time: {seen}",
					node.name
				));
			}
			tokio::time::sleep(Duration::from_millis(100)).await;
		}
	}

	/// Waits until a node has finalized no block for half an era. Votes that are under way when validators stop may
	/// still finalize a block or two.
	pub async fn wait_until_finality_stops(&self, node: usize) {
		let begun = Instant::now();
		let mut last = self.network.node(node).finalized().await.or_panic();
		let mut since = Instant::now();
		while since.elapsed() < ERA / 2 {
			if begun.elapsed() > PATIENCE {
				self.give_up("blocks still become final");
			}
			tokio::time::sleep(Duration::from_millis(100)).await;
			let head = self.network.node(node).finalized().await.or_panic();
			if head != last {
				(last, since) = (head, Instant::now());
			}
		}
	}

	/// Starts a replay of the first `periods` periods of the paper's day on a node, without moving the chain's clock.
	pub fn replay(&self, node: usize, periods: u32) -> Replay {
		self.replay_of(&paper(), node, periods)
	}

	/// Like [`Running::replay`], with another file.
	pub fn replay_of(&self, file: &str, node: usize, periods: u32) -> Replay {
		Replay::start(
			self.replaying(file, node, periods),
			self.file("report.json"),
			periods,
		)
	}

	/// Like [`Running::replay`], after another replay.
	pub fn replay_again(&self, node: usize, periods: u32) -> Replay {
		let mut command = self.replaying(&paper(), node, periods);
		command.arg("--restart");
		Replay::start(command, self.file("report.json"), periods)
	}

	fn replaying(&self, file: &str, node: usize, periods: u32) -> Command {
		let mut command = commonwatt(&["replay", file, "--wait", "--retry-seconds", "600"]);
		command.args(["--url", &self.network.node(node).url()]);
		command.args(["--first", &periods.to_string()]);
		command.args(["--journal", &self.file("journal")]);
		command
	}

	/// Checks what must hold once a fault is over: all nodes have the same final block and state, every era was handled
	/// once on each of them, and their books agree with their state. Returns the eras of the first node.
	pub async fn check(&self) -> Eras {
		let nodes = self.network.nodes();
		let mut height = 0;
		for node in nodes {
			height = height.max(node.finalized().await.expect("it runs").number);
		}
		let mut heads = Vec::new();
		for (index, node) in nodes.iter().enumerate() {
			self.wait_for_final(index, height).await;
			heads.push(node.at(height).await.expect("it runs").expect("it is there"));
		}
		assert!(heads.iter().all(|head| *head == heads[0]), "{heads:?}");
		let mut seen = None;
		for node in nodes {
			let eras = Eras::of(&chain::connect(&node.url()).await).await.or_panic();
			eras.check()
				.unwrap_or_else(|fault| panic!("{}: {fault}", node.name));
			books(&node.url());
			seen.get_or_insert(eras);
		}
		let seen = seen.expect("there are nodes");
		println!(
			"  {} nodes agree on the state after block {height}; on each: {seen}; books agree",
			nodes.len()
		);
		seen
	}
}

/// Runs `commonwatt books`, which keeps a node's books from its first block on. Panics unless they agree with its
/// state.
pub fn books(url: &str) {
	let outcome = commonwatt(&["books", "--url", url])
		.output()
		.expect("commonwatt runs");
	assert!(
		outcome.status.success(),
		"books of {url}:\n{}{}",
		String::from_utf8_lossy(&outcome.stdout),
		String::from_utf8_lossy(&outcome.stderr)
	);
}

/// A running replay. Dropping it kills the process.
pub struct Replay {
	child: Child,
	report: String,
	periods: u32,
}

impl Replay {
	/// Starts a replay, which writes its report to the file `report`.
	pub fn start(mut command: Command, report: String, periods: u32) -> Self {
		command
			.args(["--json", &report])
			.stdout(Stdio::null())
			.stderr(Stdio::piped());
		let child = command.spawn().expect("commonwatt starts");
		Self {
			child,
			report,
			periods,
		}
	}

	/// Waits for the end and returns the report. Panics unless the replay played every period and found no fault.
	pub async fn finish(mut self) -> Value {
		let begun = Instant::now();
		let status = loop {
			match self.child.try_wait().expect("the child is ours to wait for") {
				Some(status) => break status,
				None if begun.elapsed() > PATIENCE => {
					let _ = self.child.kill();
					panic!("the replay did not end in time: {}", self.said());
				}
				None => tokio::time::sleep(Duration::from_millis(100)).await,
			}
		};
		assert!(status.success(), "the replay failed: {}", self.said());
		let text = std::fs::read(&self.report).expect("the report was written");
		let report: Value = serde_json::from_slice(&text).expect("the report is JSON");
		let sums = &report["sums"];
		assert_eq!(sums["periods"], self.periods, "{sums}");
		assert_eq!(report["faults"], serde_json::json!([]));
		println!(
			"  replay: {} periods played, {} repeats in later eras, {} readings missing, {} checks of sums passed",
			sums["periods"], sums["repeated"], sums["missing_readings"], sums["checks_passed"]
		);
		report
	}

	fn said(&mut self) -> String {
		let mut text = String::new();
		if let Some(mut pipe) = self.child.stderr.take() {
			let _ = std::io::Read::read_to_string(&mut pipe, &mut text);
		}
		text
	}
}

impl Drop for Replay {
	fn drop(&mut self) {
		let _ = self.child.kill();
		let _ = self.child.wait();
	}
}

/// Unwraps results, with their message.
pub trait OrPanic<T> {
	/// Returns the value, or panics with the error's message.
	fn or_panic(self) -> T;
}

impl<T, E: fmt::Display> OrPanic<T> for Result<T, E> {
	fn or_panic(self) -> T {
		self.unwrap_or_else(|fault| panic!("{fault}"))
	}
}

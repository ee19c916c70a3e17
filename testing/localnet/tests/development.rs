//! Kills a development node at random moments, always on the same database, while replays and transfers run.

mod common;

use common::{
	books,
	chain::{next_nonce, signed, submit, UNIT},
	commonwatt,
	eras::Eras,
	node_binary, paper, OrPanic,
};
use commonwatt_client::{
	chain::Node,
	keys::{address, key},
};
use commonwatt_localnet::free_ports;
use rand::{rngs::StdRng, Rng, SeedableRng};
use std::{
	path::Path,
	process::{Child, Command, Stdio},
	sync::{
		atomic::{AtomicU64, Ordering},
		Arc,
	},
	time::{Duration, Instant},
};

/// Maximum time that a node may take to start.
const START: Duration = Duration::from_secs(300);
/// Maximum time from a node's start until it is killed, ms.
const LONGEST_LIFE_MS: u64 = 3_000;

/// Time between two transfers, so that the replay's transactions fit in.
const BETWEEN_TRANSFERS: Duration = Duration::from_millis(10);

/// A process that is killed when this is dropped.
struct Process(Child);

impl Drop for Process {
	fn drop(&mut self) {
		// It may have ended by itself.
		let _ = self.0.kill();
		let _ = self.0.wait();
	}
}

/// Starts the node and connects to it.
async fn start(base: &Path, port: u16) -> (Process, Arc<Node>) {
	let mut command = node_binary().command();
	command.args(["--dev", "--no-prometheus", "--no-telemetry", "--no-mdns"]);
	command.args(["--rpc-port", &port.to_string(), "--base-path"]);
	command.arg(base.join("chain"));
	let log = base.join("node.log");
	let file = std::fs::File::create(&log).expect("there is room for a log");
	let mut process = Process(command.stderr(file).spawn().expect("the node starts"));
	let begun = Instant::now();
	loop {
		if let Ok(node) = Node::connect(&url(port), Duration::ZERO).await {
			return (process, Arc::new(node));
		}
		let ended = process.0.try_wait().expect("the child is ours to wait for");
		assert!(
			ended.is_none() && begun.elapsed() < START,
			"the node did not start ({ended:?}):\n{}",
			std::fs::read_to_string(&log).unwrap_or_default()
		);
		tokio::time::sleep(Duration::from_millis(50)).await;
	}
}

fn url(port: u16) -> String {
	format!("ws://127.0.0.1:{port}")
}

/// Replays the paper's day again and again, although its node is killed meanwhile.
struct Replays {
	replay: Option<Process>,
	base: std::path::PathBuf,
	port: u16,
	finished: u32,
}

impl Replays {
	fn command(&self) -> Command {
		let mut command = commonwatt(&[
			"replay",
			&paper(),
			"--retry-seconds",
			"1",
			"--url",
			&url(self.port),
		]);
		command.arg("--journal").arg(self.base.join("journal"));
		let said = std::fs::File::create(self.base.join("replay.log")).expect("there is room for a log");
		command.stdout(Stdio::null()).stderr(said);
		command
	}

	/// Makes sure that a replay is running: resumes one that lost its node, and starts another after one that finished.
	fn go_on(&mut self) {
		let mut restart = false;
		if let Some(replay) = &mut self.replay {
			match replay.0.try_wait().expect("the child is ours to wait for") {
				None => return,
				Some(status) if status.success() => {
					self.finished += 1;
					restart = true;
				}
				Some(status) => assert_eq!(status.code(), Some(3), "a replay failed: {}", self.said()),
			}
		}
		let mut command = self.command();
		if restart {
			command.arg("--restart");
		}
		self.replay = Some(Process(command.spawn().expect("commonwatt starts")));
	}

	/// Resumes the last replay and waits until it has finished.
	fn finish(&mut self) {
		self.replay = None;
		let status = self.command().status().expect("commonwatt runs");
		assert!(status.success(), "a replay failed: {}", self.said());
		self.finished += 1;
	}

	fn said(&self) -> String {
		std::fs::read_to_string(self.base.join("replay.log")).unwrap_or_default()
	}
}

/// Sends one transfer after the other until the node is gone, and counts those that the pool accepted.
async fn transfers(node: Arc<Node>, taken: Arc<AtomicU64>) {
	let (eve, other) = (key("//Eve").or_panic(), key("//Somebody").or_panic());
	let (Ok(head), Ok(mut nonce)) = (node.head().await, next_nonce(&node, &eve).await) else {
		return;
	};
	loop {
		let arguments = (address(&other), UNIT);
		let transfer = signed(&head, &eve, nonce, ("Balances", "transfer_keep_alive"), arguments);
		if submit(&node, &transfer).await.is_err() {
			return;
		}
		nonce += 1;
		taken.fetch_add(1, Ordering::Relaxed);
		tokio::time::sleep(BETWEEN_TRANSFERS).await;
	}
}

/// Number of the newest block. On a development chain every block is final at once.
async fn height(node: &Node) -> u64 {
	node.head().await.or_panic().block_number()
}

async fn kill_at_random_moments(kills: u32) {
	let seed = common::seed();
	println!("killing a development node {kills} times, seed {seed}");
	let mut random = StdRng::seed_from_u64(seed);
	let place = tempfile::tempdir().expect("there is room for temporary files");
	let port = free_ports(1).expect("there is a port")[0];
	let taken = Arc::new(AtomicU64::new(0));
	let mut replays = Replays {
		replay: None,
		base: place.path().to_owned(),
		port,
		finished: 0,
	};
	let (mut seen, mut lost, mut most_lost) = (0u64, 0u64, 0u64);
	for kill in 0..=kills {
		let (process, node) = start(place.path(), port).await;
		let now = height(&node).await;
		if kill > 0 {
			books(&url(port));
			lost += seen.saturating_sub(now);
			most_lost = most_lost.max(seen.saturating_sub(now));
		}
		if kill == kills {
			replays.finish();
			books(&url(port));
			let eras = Eras::of(&node).await.or_panic();
			eras.check().unwrap_or_else(|fault| panic!("{fault}"));
			println!(
				"  restarted {kills} times, books correct each time; the pool accepted {} transfers; {} replays of \
				 the day finished; {lost} blocks lost, at most {most_lost} at once; {eras}",
				taken.load(Ordering::Relaxed),
				replays.finished
			);
			return;
		}
		replays.go_on();
		let sending = tokio::spawn(transfers(node.clone(), taken.clone()));
		tokio::time::sleep(Duration::from_millis(random.gen_range(0..LONGEST_LIFE_MS))).await;
		seen = height(&node).await;
		drop(process);
		sending.await.expect("the sender stops when its node is gone");
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn node_killed_at_random_moments_restarts_with_correct_books() {
	kill_at_random_moments(8).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; scripts/faults.sh runs it"]
async fn node_killed_fifty_times_restarts_with_correct_books() {
	kill_at_random_moments(50).await;
}

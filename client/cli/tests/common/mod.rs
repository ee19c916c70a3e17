//! Runs the real programs: the node as a child of the test, and `commonwatt` against it.

#![allow(dead_code)]

pub mod meter;

use commonwatt_localnet::{free_ports, Binary, SingleNode};
use serde_json::Value;
use std::{
	io::{BufRead, BufReader},
	path::{Path, PathBuf},
	process::{Child, ChildStdout, Command, Output, Stdio},
	time::{Duration, Instant},
};
use subxt::rpcs::{rpc_params, RpcClient};
use tempfile::TempDir;

/// Timeout for a test that would otherwise hang; nothing here takes a fraction of it.
pub const PATIENCE: Duration = Duration::from_secs(600);

/// The root of the repository.
pub fn repository() -> PathBuf {
	// Read when the test runs, not when it is compiled: several clones may share one build.
	let package = std::env::var("CARGO_MANIFEST_DIR").expect("cargo runs this test");
	Path::new(&package)
		.ancestors()
		.nth(2)
		.expect("the crate lies two folders deep in the repository")
		.to_path_buf()
}

/// A `commonwatt` command.
pub fn commonwatt(arguments: &[&str]) -> Command {
	let mut command = Command::new(env!("CARGO_BIN_EXE_commonwatt"));
	command.args(arguments).stdin(Stdio::null());
	command
}

/// The result of a finished command.
pub struct Outcome {
	pub code: Option<i32>,
	pub stdout: String,
	pub stderr: String,
}

impl From<Output> for Outcome {
	fn from(output: Output) -> Self {
		Self {
			code: output.status.code(),
			stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
			stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
		}
	}
}

impl Outcome {
	/// Returns the outcome, and panics if the exit code is a different one.
	pub fn expect_code(self, code: i32) -> Self {
		assert_eq!(
			self.code,
			Some(code),
			"stdout:\n{}\nstderr:\n{}",
			self.stdout,
			self.stderr
		);
		self
	}
}

/// A development chain of its own. It is killed on drop.
pub struct Node {
	process: SingleNode,
	pub url: String,
}

impl Node {
	/// Starts the node that was built beside this test's binary, on a free port of the loopback interface.
	pub fn start(base_path: &Path) -> Self {
		Self::start_with(base_path, &[])
	}

	/// The same, with more options.
	pub fn start_with(base_path: &Path, options: &[&str]) -> Self {
		Self::start_at(base_path, None, options)
	}

	/// The same, on the given port of the loopback interface, or on a free one.
	pub fn start_at(base_path: &Path, port: Option<u16>, options: &[&str]) -> Self {
		Self::run(base_path, port, &[&["--dev"], options].concat())
	}

	/// Starts the node on the chain of a specification.
	pub fn start_chain(base_path: &Path, specification: &str) -> Self {
		Self::run(base_path, None, &["--chain", specification])
	}

	fn run(base_path: &Path, port: Option<u16>, options: &[&str]) -> Self {
		let mut command = node_binary().command();
		command
			.args(["--no-prometheus", "--no-telemetry", "--no-mdns"])
			.args(["--disable-log-color", "--base-path"])
			.arg(base_path)
			.args(options);
		let process = SingleNode::start(command, port).unwrap_or_else(|fault| panic!("{fault}"));
		Self {
			url: format!("ws://{}", process.address()),
			process,
		}
	}

	/// Ends the node with SIGKILL, as a power cut would.
	pub fn kill(self) {
		self.process.kill();
	}
}

/// The node that was built beside this test's binary.
pub fn node_binary() -> Binary {
	let binaries = Path::new(env!("CARGO_BIN_EXE_commonwatt")).parent();
	let binary = Binary::in_folder(binaries.expect("a binary lies in a folder"));
	binary.unwrap_or_else(|fault| panic!("{fault}"))
}

/// A folder for one test's chain, journal and report.
pub struct Folder(TempDir);

impl Folder {
	pub fn new() -> Self {
		Self(tempfile::tempdir().expect("there is room for temporary files"))
	}

	/// A path in it, which need not exist yet.
	pub fn folder(&self, name: &str) -> PathBuf {
		self.0.path().join(name)
	}

	pub fn path(&self, name: &str) -> String {
		self.folder(name).display().to_string()
	}

	/// The JSON of the last replay.
	pub fn report(&self) -> serde_json::Value {
		json(&self.folder("report.json"))
	}

	/// A command that replays a file, with its journal and JSON here.
	pub fn replay(&self, node: &str, file: &Path, more: &[&str]) -> Command {
		let mut command = commonwatt(&["replay", "--url", node]);
		command.arg(file).args([
			"--journal",
			&self.path("journal"),
			"--json",
			&self.path("report.json"),
		]);
		command.args(["--retry-seconds", "1"]).args(more);
		command
	}

	/// Runs such a replay to its end.
	pub fn run(&self, node: &Node, file: &Path, more: &[&str]) -> Outcome {
		self.replay(&node.url, file, more)
			.output()
			.expect("commonwatt runs")
			.into()
	}
}

/// The paper's day.
pub fn paper() -> PathBuf {
	repository().join("examples/paper.csv")
}

/// Writes a made-up week of eight homes, in half hours: less sun each day, one home without solar panels, and one whose
/// people are away for a day. Every call writes the same.
pub fn week(place: &Folder) -> PathBuf {
	const SUNRISE: u32 = 5 * 60;
	const SUNSET: u32 = 19 * 60;
	const NOON_HEIGHT: u32 = (SUNSET - SUNRISE) * (SUNSET - SUNRISE) / 4;
	let mut text = String::from("period_start,household,generation_wh,consumption_wh,outdoor_c\n");
	for half_hour in 0..7 * 48_u32 {
		let (day, minute) = (half_hour / 48, half_hour % 48 * 30);
		// A parabola stands for the sun, in thousandths of its height at noon.
		let height = minute.saturating_sub(SUNRISE) * SUNSET.saturating_sub(minute);
		let sun = height * 1_000 / NOON_HEIGHT * (10 - day) / 10;
		for home in 1..=8 {
			let panels_wh = if home == 8 { 0 } else { 1_200 + 50 * home };
			let is_evening = (17 * 60..22 * 60).contains(&minute);
			let habit_wh = if is_evening { 700 + 100 * home } else { 150 };
			let is_away = home == 5 && day == 4;
			let consumption_wh = if is_away {
				0
			} else {
				habit_wh + (half_hour * 7_919 + home * 104_729) % 613
			};
			text += &format!(
				"2021-08-{:02}T{:02}:{:02}:00,home-{home:02},{},{consumption_wh},{}.{}\n",
				2 + day,
				minute / 60,
				minute % 60,
				panels_wh * sun / 1_000,
				16 + sun / 100,
				sun / 10 % 10,
			);
		}
	}
	let file = place.folder("week.csv");
	std::fs::write(&file, text).expect("there is room for temporary files");
	file
}

/// A port of the loopback interface on which nobody listens. It is below those that systems hand out for connections,
/// so that no connection takes it while its node is down.
pub fn free_port() -> u16 {
	let ports = free_ports(1).unwrap_or_else(|fault| panic!("{fault}"));
	ports[0]
}

/// The chain's time, ms since the Unix epoch. Waits for the first block, with which it begins.
pub async fn now_ms(rpc: &RpcClient) -> u64 {
	// `Timestamp.Now`, little-endian: the hash of both names is the key.
	let key = "0xf0c365c3cf59d671eb72da0e7a4113c49f1f0515f462cdcf84e0f1d6045dfcbb";
	let begun = Instant::now();
	loop {
		let now: Option<String> = rpc.request("state_getStorage", rpc_params![key]).await.unwrap();
		if let Some(now) = now {
			return u64::from_str_radix(now.trim_start_matches("0x"), 16)
				.unwrap()
				.swap_bytes();
		}
		assert!(begun.elapsed() < PATIENCE, "no first block");
		tokio::time::sleep(Duration::from_millis(50)).await;
	}
}

/// Seals one block with this timestamp.
pub async fn seal_at(rpc: &RpcClient, timestamp_ms: u64) {
	// A block that the clock sealed meanwhile serves as well.
	let _: Result<Value, _> = rpc.request("dev_sealAt", rpc_params![timestamp_ms]).await;
}

/// Seals a few blocks. The database writes in the background, so a node that is killed may lose its last blocks. What
/// must survive has to be in earlier ones.
pub async fn bury(rpc: &RpcClient) {
	for _ in 0..5 {
		pass_slot(rpc).await;
	}
}

/// Seals one block, a slot after the newest.
pub async fn pass_slot(rpc: &RpcClient) {
	seal_at(rpc, now_ms(rpc).await + 2_000).await;
}

/// A running `commonwatt replay`. It is killed on drop.
pub struct Running {
	child: Child,
	stdout: BufReader<ChildStdout>,
}

impl Running {
	/// Starts it.
	pub fn start(mut command: Command) -> Self {
		command.stdout(Stdio::piped()).stderr(Stdio::piped());
		let mut child = command.spawn().expect("commonwatt starts");
		let stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
		Self { child, stdout }
	}

	/// Waits until it has printed the headings and this number of eras.
	pub fn wait_for_eras(&mut self, eras: usize) {
		for _ in 0..=eras {
			let mut line = String::new();
			let read = self.stdout.read_line(&mut line).expect("its output is text");
			assert!(read > 0, "the replay ended before {eras} eras");
		}
	}

	/// Ends it with SIGKILL.
	pub fn kill(mut self) {
		self.child.kill().expect("the child is ours to kill");
		self.child.wait().expect("the child is ours to wait for");
	}

	/// Waits for its end. The outcome has only the standard output that was not read before.
	pub fn finish(mut self) -> Outcome {
		let mut rest = String::new();
		std::io::Read::read_to_string(&mut self.stdout, &mut rest).expect("its output is text");
		let mut stderr = String::new();
		let pipe = self.child.stderr.as_mut().expect("stderr is piped");
		std::io::Read::read_to_string(pipe, &mut stderr).expect("its output is text");
		let code = self.child.wait().expect("the child is ours to wait for").code();
		Outcome {
			code,
			stdout: rest,
			stderr,
		}
	}
}

impl Drop for Running {
	fn drop(&mut self) {
		let _ = self.child.kill();
		let _ = self.child.wait();
	}
}

/// Reads a JSON report.
pub fn json(path: &Path) -> Value {
	let text = std::fs::read_to_string(path).expect("the report was written");
	serde_json::from_str(&text).expect("the report is JSON")
}

/// Checks what must hold after any replay: every period was played once, in order and in an era of its own; every era
/// is an equilibrium; nothing is missing; every check passed. Computes again the balance of community energy and what
/// was tradable.
pub fn assert_complete(report: &Value, periods: usize) {
	let sums = &report["sums"];
	assert_eq!(sums["periods"], periods, "{sums}");
	assert_eq!(sums["equilibria"], periods, "{sums}");
	assert_eq!(sums["missing_readings"], 0, "{sums}");
	let none = serde_json::json!([]);
	assert_eq!((&report["faults"], &report["not_judged"]), (&none, &none));
	assert!(
		sums["checks_passed"].as_u64().unwrap() > 10 * periods as u64,
		"{sums}"
	);
	let eras = report["eras"].as_array().unwrap();
	let played = || eras.iter().filter(|era| era["played"] == true);
	let order: Vec<_> = played().map(|era| era["period"].as_u64().unwrap()).collect();
	assert_eq!(order, (0..periods as u64).collect::<Vec<_>>());
	let number = |value: &Value| value.as_u64().unwrap();
	let (mut traded, mut tradable, mut idle) = (0, 0, 0);
	for era in played() {
		let mut sides = [0, 0];
		for household in era["households"].as_array().unwrap() {
			let (generated, consumed) = (
				&household["generation_wh"],
				&household["contracted_consumption_wh"],
			);
			sides[0] += number(generated).saturating_sub(number(consumed));
			sides[1] += number(consumed).saturating_sub(number(generated));
		}
		let most = sides[0].min(sides[1]);
		assert_eq!(era["tradable_wh"], most, "{era}");
		let contracted = number(&era["certificate"]["traded_wh"]);
		assert!(contracted <= most, "{era}");
		assert_eq!(era["pool_idle"], contracted == 0 && most >= 10, "{era}");
		traded += number(&era["settled"]["community_wh"]);
		tradable += most;
		idle += u64::from(era["pool_idle"] == true);
		let sum = |channel: &str| -> u64 {
			let households = era["households"].as_array().unwrap();
			households
				.iter()
				.map(|household| household["delivered"][channel].as_u64().unwrap())
				.sum()
		};
		assert_eq!(
			sum("sold_to_community_wh"),
			sum("bought_from_community_wh"),
			"{era}"
		);
	}
	let expected = [
		("traded_wh", traded),
		("tradable_wh", tradable),
		("idle_pools", idle),
	];
	for (name, expected) in expected {
		assert_eq!(sums[name], expected, "{name} of {sums}");
	}
}

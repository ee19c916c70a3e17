//! Runs `commonwatt meter run` as a household's device does, and moves the clock of the development chain.

use super::{commonwatt, now_ms, pass_slot, seal_at, Folder, Outcome, PATIENCE};
use commonwatt_client::keys;
use std::{
	fs,
	io::{BufRead, BufReader, Read, Write},
	path::Path,
	process::{Child, ChildStdin, Command, Stdio},
	sync::mpsc::{channel, Receiver},
	thread,
	time::{Duration, Instant},
};
use subxt::{
	dynamic,
	ext::scale_encode::EncodeAsFields,
	rpcs::{rpc_params, RpcClient},
	OnlineClient, SubstrateConfig,
};
use subxt_signer::sr25519::Keypair;

/// Lengths of the development chain's eras and slots, ms.
pub const ERA_MS: u64 = 60_000;
pub const SLOT_MS: u64 = 2_000;
/// The chain's time passes only when the test seals a block.
pub const STILL: [&str; 2] = ["--block-interval-ms", "0"];
/// The secret of the meter of Alice's household. The development chain gives it money.
pub const ALICE: &str = "//Alice//stash";
pub const PASSPHRASE: &str = "correct horse battery staple";
pub const HEADER: &str = "period_start,generation_wh,consumption_wh,indoor_c\n";

/// Delivers lines as they arrive.
fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
	let (to, lines) = channel();
	thread::spawn(move || {
		for line in BufReader::new(from).lines().map_while(Result::ok) {
			if to.send(line).is_err() {
				return;
			}
		}
	});
	lines
}

/// A running `commonwatt meter run`. It is killed on drop.
pub struct Meter {
	child: Child,
	pub stdin: Option<ChildStdin>,
	said: [Receiver<String>; 2],
	heard: String,
}

impl Meter {
	pub fn start(mut command: Command) -> Self {
		let piped = command
			.stdin(Stdio::piped())
			.stdout(Stdio::piped())
			.stderr(Stdio::piped());
		let mut child = piped.spawn().expect("commonwatt starts");
		let said = [
			lines(child.stdout.take().unwrap()),
			lines(child.stderr.take().unwrap()),
		];
		Self {
			stdin: child.stdin.take(),
			child,
			said,
			heard: String::new(),
		}
	}

	/// Starts it and writes rows to its input.
	pub fn start_with(command: Command, rows: &str) -> (Self, ChildStdin) {
		let mut meter = Self::start(command);
		let mut input = meter.stdin.take().expect("the input is a pipe");
		input.write_all(rows.as_bytes()).unwrap();
		(meter, input)
	}

	/// Waits for a line that contains all of these.
	pub fn wait_for(&mut self, parts: &[&str]) {
		let begun = Instant::now();
		loop {
			for lines in &self.said {
				while let Ok(line) = lines.recv_timeout(Duration::from_millis(50)) {
					self.heard += &format!("{line}\n");
					if parts.iter().all(|part| line.contains(part)) {
						return;
					}
				}
			}
			assert!(begun.elapsed() < PATIENCE, "no {parts:?} in\n{}", self.heard);
		}
	}

	pub fn kill(mut self) {
		self.child.kill().expect("the child is ours to kill");
		self.child.wait().expect("the child is ours to wait for");
	}

	/// Whether it has ended by itself.
	pub fn has_ended(&mut self) -> bool {
		self.child.try_wait().expect("the child is ours").is_some()
	}

	/// Ends it as Ctrl-C does.
	pub fn interrupt(self) -> Outcome {
		let pid = self.child.id().to_string();
		let sent = Command::new("kill").args(["-INT", &pid]).status();
		assert!(sent.expect("kill runs").success());
		self.finish()
	}

	/// Closes its input and waits for its end.
	pub fn finish(mut self) -> Outcome {
		drop(self.stdin.take());
		let code = self.child.wait().expect("the child is ours to wait for").code();
		let [stdout, stderr] = &self.said;
		let text = |lines: &Receiver<String>| lines.iter().collect::<Vec<_>>().join("\n");
		Outcome {
			code,
			stdout: text(stdout),
			stderr: self.heard.clone() + &text(stderr),
		}
	}
}

impl Drop for Meter {
	fn drop(&mut self) {
		let _ = self.child.kill();
		let _ = self.child.wait();
	}
}

/// A household's device. Its key and its queue are in `place`.
pub struct Device<'a> {
	place: &'a Folder,
	url: String,
}

impl<'a> Device<'a> {
	/// The meter of Alice's household of the development chain.
	pub fn alice(place: &'a Folder, url: &str) -> Self {
		Self::with(place, url, ALICE)
	}

	/// The meter with the key of a secret URI.
	pub fn with(place: &'a Folder, url: &str, uri: &str) -> Self {
		fs::write(place.folder("passphrase"), PASSPHRASE).unwrap();
		let made = commonwatt(&["meter", "key", &place.path("key.json"), "--import", uri])
			.args(["--passphrase-file", &place.path("passphrase")])
			.output();
		let outcome = Outcome::from(made.unwrap()).expect_code(0);
		let account = keys::account(&keys::key(uri).unwrap());
		assert_eq!(outcome.stdout.trim(), account.to_string());
		Self {
			place,
			url: url.into(),
		}
	}

	pub fn command(&self, more: &[&str]) -> Command {
		let mut command = commonwatt(&["meter", "run", "--url", &self.url]);
		command
			.args([
				"--key",
				&self.place.path("key.json"),
				"--queue",
				&self.place.path("queue"),
			])
			.args(["--passphrase-file", &self.place.path("passphrase")])
			.args(more);
		command
	}

	pub fn log(&self) -> Vec<String> {
		let shown = commonwatt(&["meter", "log", "--queue", &self.place.path("queue")]).output();
		let outcome = Outcome::from(shown.unwrap()).expect_code(0);
		outcome.stdout.lines().map(str::to_owned).collect()
	}
}

/// A time as a meter writes it.
pub fn time(ms: u64) -> String {
	jiff::Timestamp::from_millisecond(ms as i64).unwrap().to_string()
}

pub fn row(era: u64, generation_wh: u32) -> String {
	format!("{},{generation_wh},300,21.5\n", time(era * ERA_MS))
}

pub fn append(path: &Path, text: &str) {
	let mut file = fs::File::options().append(true).create(true).open(path).unwrap();
	file.write_all(text.as_bytes()).unwrap();
}

/// Lets the next era begin, and returns the one whose readings the chain takes then.
pub async fn next_era(rpc: &RpcClient) -> u64 {
	let era = now_ms(rpc).await / ERA_MS;
	loop {
		let now = now_ms(rpc).await;
		if now / ERA_MS > era {
			return now / ERA_MS - 1;
		}
		// A block's timestamp is at least a slot after that of its parent, even if that is past the era's end.
		seal_at(rpc, ((era + 1) * ERA_MS).max(now + SLOT_MS)).await;
	}
}

pub async fn connect(url: &str) -> RpcClient {
	RpcClient::from_insecure_url(url).await.unwrap()
}

/// The number of readings that were sent in blocks, successful or not.
pub async fn sent(url: &str) -> usize {
	let api = OnlineClient::<SubstrateConfig>::from_insecure_url(url)
		.await
		.unwrap();
	let last = api.at_current_block().await.unwrap().block_number();
	let mut sent = 0;
	for number in 1..=last {
		let at = api.at_block(number).await.unwrap();
		let extrinsics = at.extrinsics().fetch().await.unwrap();
		sent += extrinsics
			.iter()
			.map(Result::unwrap)
			.filter(|extrinsic| matches!(extrinsic.call_name(), "submit_reading" | "submit_late_reading"))
			.count();
	}
	sent
}

/// Waits until exactly one transaction is in the pool.
pub async fn wait_for_pending(rpc: &RpcClient) {
	let begun = Instant::now();
	loop {
		let pending: Vec<String> = rpc
			.request("author_pendingExtrinsics", rpc_params![])
			.await
			.unwrap();
		if pending.len() == 1 {
			return;
		}
		assert!(begun.elapsed() < PATIENCE && pending.is_empty(), "{pending:?}");
		thread::sleep(Duration::from_millis(100));
	}
}

/// Signs a call with the key's next nonce, puts it into the pool, and seals it into a block.
pub async fn seal_call(
	rpc: &RpcClient,
	signer: &Keypair,
	call: (&str, &str),
	arguments: impl EncodeAsFields,
) {
	let api = OnlineClient::<SubstrateConfig>::from_rpc_client(rpc.clone())
		.await
		.unwrap();
	let call = dynamic::transaction(call.0, call.1, arguments);
	let mut transactions = api.at_current_block().await.unwrap().transactions();
	transactions.sign_and_submit_default(&call, signer).await.unwrap();
	wait_for_pending(rpc).await;
	pass_slot(rpc).await;
	let pending: Vec<String> = rpc
		.request("author_pendingExtrinsics", rpc_params![])
		.await
		.unwrap();
	assert!(pending.is_empty(), "{pending:?}");
}

//! One node that a test starts with options of its own.

use crate::{in_words, ports, Fault};
use std::{
	io::{BufRead, BufReader},
	net::{Ipv4Addr, SocketAddr, TcpStream},
	process::{Child, Command, Stdio},
	sync::{Arc, Mutex},
	thread,
	time::{Duration, Instant},
};

/// Timeout for a node to open its RPC server.
const START: Duration = Duration::from_secs(600);
/// Pause between two attempts to connect.
const RETRY: Duration = Duration::from_millis(50);

/// A running node with a log in memory. Dropping it kills the node.
#[derive(Debug)]
pub struct SingleNode {
	child: Child,
	port: u16,
	log: Arc<Mutex<Vec<String>>>,
}

impl SingleNode {
	/// Starts a node and waits until its RPC server takes connections. `command` names the program and all options but the
	/// RPC port, which is `port` or a free one.
	pub fn start(mut command: Command, port: Option<u16>) -> Result<Self, Fault> {
		let port = match port {
			Some(port) => port,
			None => ports::free(1)?.remove(0),
		};
		command.args(["--rpc-port", &port.to_string()]);
		command
			.stdin(Stdio::null())
			.stdout(Stdio::null())
			.stderr(Stdio::piped());
		let failed = |what: &str| Fault::Failed(format!("the node at port {port} {what}"));
		let mut child = command
			.spawn()
			.map_err(|error| failed(&format!("cannot be started: {error}")))?;
		let stderr = child.stderr.take().ok_or_else(|| failed("has no log"))?;
		let log = Arc::new(Mutex::new(Vec::new()));
		let lines = log.clone();
		// Reads to the end: the node would block on a full pipe.
		thread::spawn(move || {
			for line in BufReader::new(stderr).lines().map_while(Result::ok) {
				if let Ok(mut lines) = lines.lock() {
					lines.push(line);
				}
			}
		});
		let mut node = Self { child, port, log };
		node.wait_until_ready()?;
		Ok(node)
	}

	fn wait_until_ready(&mut self) -> Result<(), Fault> {
		let begun = Instant::now();
		let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
		loop {
			if let Some(status) = self.child.try_wait().ok().flatten() {
				let how = in_words(status);
				return Err(Fault::Failed(format!("the node ended ({how}):\n{}", self.log())));
			}
			if TcpStream::connect_timeout(&address, RETRY).is_ok() {
				return Ok(());
			}
			if begun.elapsed() > START {
				return Err(Fault::Failed(format!(
					"no RPC server at {address}:\n{}",
					self.log()
				)));
			}
			thread::sleep(RETRY);
		}
	}

	/// The process's number.
	pub fn process_id(&self) -> u32 {
		self.child.id()
	}

	/// Address and port of the RPC server.
	pub fn address(&self) -> String {
		format!("{}:{}", Ipv4Addr::LOCALHOST, self.port)
	}

	/// What the node has logged so far.
	pub fn log(&self) -> String {
		self.log.lock().map(|lines| lines.join("\n")).unwrap_or_default()
	}

	/// Ends the node with SIGKILL, as a power cut would.
	pub fn kill(mut self) {
		self.end();
	}

	fn end(&mut self) {
		// Fails only if the node has ended already.
		let _ = self.child.kill();
		let _ = self.child.wait();
	}
}

impl Drop for SingleNode {
	fn drop(&mut self) {
		self.end();
	}
}

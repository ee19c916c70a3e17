//! The RPC server: which pages may use it, and how much it takes.

use crate::harness::{command, http, Node};
use codec::{Compact, Encode};
use serde_json::Value;
use std::{
	io::{Read, Write},
	net::{TcpListener, TcpStream},
};
use subxt::{rpcs::rpc_params, utils::to_hex};

const STILL: &[&str] = &["--dev", "--sealing", "manual"];
const EVIL: Option<&str> = Some("https://somewhere.example");

fn temp_dir() -> tempfile::TempDir {
	tempfile::tempdir().unwrap()
}

fn origin_line(origin: Option<&str>) -> String {
	origin.map_or_else(String::new, |origin| format!("Origin: {origin}\r\n"))
}

/// Calls a method over HTTP, as a page of this origin or as a program without one; returns the answer with its headers.
fn post(node: &Node, origin: Option<&str>, method: &str, params: &str) -> String {
	post_to(&node.rpc_address, origin, method, params)
}

fn post_to(address: &str, origin: Option<&str>, method: &str, params: &str) -> String {
	post_as(address, address, origin, method, params)
}

/// Calls a method at an address, by the name `host`.
fn post_as(address: &str, host: &str, origin: Option<&str>, method: &str, params: &str) -> String {
	let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
	let length = body.len();
	let request = format!(
		"POST / HTTP/1.1\r\nHost: {host}\r\n{}Content-Type: application/json\r\nContent-Length: {length}\r\n\
		 Connection: close\r\n\r\n{body}",
		origin_line(origin)
	);
	http(address, &request)
}

/// Offers a WebSocket's handshake; returns the status line of the answer.
fn handshake(node: &Node, origin: Option<&str>) -> String {
	let mut stream = TcpStream::connect(&node.rpc_address).unwrap();
	let request = format!(
		"GET / HTTP/1.1\r\nHost: {}\r\n{}Upgrade: websocket\r\nConnection: Upgrade\r\n\
		 Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
		node.rpc_address,
		origin_line(origin)
	);
	stream.write_all(request.as_bytes()).unwrap();
	let mut answer = [0; 512];
	let length = stream.read(&mut answer).unwrap();
	let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
	answer.lines().next().unwrap_or_default().to_owned()
}

fn status(answer: &str) -> &str {
	answer.split(' ').nth(1).unwrap_or_default()
}

/// Pages of other origins can neither open a WebSocket nor call a method.
async fn assert_refuses_other_pages(node: &Node) {
	let head = node.best().await;
	let wanted = format!("[{}]", head.timestamp_ms + 60_000);
	for origin in [
		EVIL,
		Some("null"),
		Some("http://localhost.somewhere.example"),
		Some("http://polkadot.js.org"),
	] {
		assert_eq!(status(&handshake(node, origin)), "403", "{origin:?}");
		let answer = post(node, origin, "dev_sealAt", &wanted);
		assert_eq!(status(&answer), "403", "{answer}");
		assert!(
			!answer.to_lowercase().contains("access-control-allow-origin"),
			"{answer}"
		);
	}
	assert_eq!(node.best().await, head, "a page moved the chain's clock");
}

/// Local pages, Polkadot.js Apps and programs can do both.
async fn assert_serves_local_pages(node: &Node) {
	for origin in [
		None,
		Some("https://polkadot.js.org"),
		Some("http://localhost"),
		Some("http://localhost:3000"),
		Some("http://127.0.0.1:8000"),
		Some("https://localhost:8443"),
	] {
		assert_eq!(status(&handshake(node, origin)), "101", "{origin:?}");
		let head = node.best().await;
		let wanted = format!("[{}]", head.timestamp_ms + 60_000);
		let answer = post(node, origin, "dev_sealAt", &wanted);
		assert_eq!(status(&answer), "200", "{answer}");
		assert_eq!(node.best().await.number, head.number + 1, "{answer}");
		// The browser needs this header to give the answer to the page.
		assert!(
			answer.to_lowercase().contains("access-control-allow-origin: *"),
			"{answer}"
		);
	}
}

/// A page's owner may point its name at this machine, and then the page's origin is this name. A tunnel changes the port.
fn assert_checks_the_name(node: &Node) {
	for (host, expected) in [
		("evil.example:9944", "403"),
		("localhost:1", "200"),
		("127.0.0.1", "200"),
	] {
		let answer = post_as(&node.rpc_address, host, None, "system_chain", "[]");
		assert_eq!(status(&answer), expected, "{host}: {answer}");
	}
}

/// The framework insists on a server of its own. It must not be a way around the checks of this one.
fn assert_no_other_port_serves_methods(node: &Node) {
	let log = node.log();
	let lines = log
		.lines()
		.filter(|line| line.contains("Running JSON-RPC server"));
	assert_eq!(lines.count(), 1, "{log}");
	for port in other_ports(node) {
		let answer = post_to(&format!("127.0.0.1:{port}"), None, "system_chain", "[]");
		assert_eq!(status(&answer), "429", "{answer}");
	}
}

/// A request of more than 4 MB is refused by its length alone, and a game of too many households has no solution.
fn assert_limits_requests(node: &Node) {
	// Without a body: the server need not wait for one.
	let head = format!(
		"POST / HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
		 Connection: close\r\n\r\n",
		node.rpc_address,
		4 * 1024 * 1024 + 1
	);
	let answer = http(&node.rpc_address, &head);
	assert_eq!(status(&answer), "413", "{answer}");
	for count in [1_000, 1_001, 280_000] {
		let call = format!(r#"["EnergyMarketApi_solve","{}"]"#, households(count));
		let answer = post(node, None, "state_call", &call);
		assert!(answer.contains(r#""result":"0x00""#), "{answer}");
	}
}

/// All in one test: a node takes half a minute of computation to start.
#[tokio::test]
async fn by_default_only_local_pages_the_apps_and_programs_are_served_within_limits() {
	let dir = temp_dir();
	let node = Node::start(STILL, dir.path()).await;
	node.wait_for_finalized(1).await;
	assert_refuses_other_pages(&node).await;
	assert_serves_local_pages(&node).await;
	assert_checks_the_name(&node);
	assert_no_other_port_serves_methods(&node);
	assert_limits_requests(&node);
}

#[tokio::test]
async fn options_name_origins_size_and_methods() {
	let dir = temp_dir();
	let options = [
		"--rpc-cors",
		"https://somewhere.example",
		"--rpc-max-request-size",
		"5",
		"--rpc-methods",
		"safe",
	];
	let node = Node::start(&[STILL, &options].concat(), dir.path()).await;
	assert_eq!(status(&handshake(&node, EVIL)), "101");
	assert_eq!(status(&handshake(&node, Some("http://localhost:3000"))), "403");
	assert_eq!(status(&handshake(&node, None)), "101");

	let transaction = format!(r#"["0x{}"]"#, "00".repeat(2_200_000));
	let answer = post(&node, None, "author_submitExtrinsic", &transaction);
	assert_eq!(status(&answer), "200", "{answer}");

	let head = node.wait_for_finalized(1).await;
	let (_, text) = node
		.call_fails("dev_sealAt", rpc_params![head.timestamp_ms + 60_000])
		.await;
	assert!(text.contains("unsafe"), "{text}");
	let listed: Value = node.call("rpc_methods", rpc_params![]).await;
	let listed = listed["methods"].as_array().unwrap();
	assert!(listed.contains(&"rpc_methods".into()) && listed.contains(&"dev_sealAt".into()));
}

#[tokio::test]
async fn other_chains_check_origins_too_unless_all_are_allowed() {
	let dir = temp_dir();
	let chain = [
		"--chain",
		"local",
		"--unsafe-force-node-key-generation",
		"--port",
		"0",
	];
	let node = Node::start(&chain, dir.path()).await;
	assert_eq!(status(&handshake(&node, EVIL)), "403");
	assert_eq!(status(&handshake(&node, Some("http://localhost:3000"))), "101");
	assert_eq!(status(&handshake(&node, None)), "101");
	node.kill();

	let node = Node::start(&[&chain[..], &["--rpc-cors", "all"]].concat(), dir.path()).await;
	assert_eq!(status(&handshake(&node, EVIL)), "101");
	assert_eq!(status(&post(&node, EVIL, "system_chain", "[]")), "200");
}

/// The other TCP ports on which the node listens at 127.0.0.1.
fn other_ports(node: &Node) -> Vec<u16> {
	let of_the_node: Vec<_> = std::fs::read_dir(format!("/proc/{}/fd", node.process_id()))
		.unwrap()
		.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
		.filter_map(|target| {
			Some(
				target
					.to_str()?
					.strip_prefix("socket:[")?
					.strip_suffix(']')?
					.to_owned(),
			)
		})
		.collect();
	let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
	let listening = table.lines().filter_map(|line| {
		let fields: Vec<_> = line.split_whitespace().collect();
		let port = fields[1].strip_prefix("0100007F:")?;
		(fields[3] == "0A" && of_the_node.iter().any(|inode| inode == fields[9]))
			.then(|| u16::from_str_radix(port, 16).unwrap())
	});
	let own: u16 = node.rpc_address.rsplit(':').next().unwrap().parse().unwrap();
	let others: Vec<_> = listening.filter(|port| *port != own).collect();
	assert_eq!(others.len(), 1, "{table}");
	others
}

#[test]
fn rpc_port_in_use_is_an_error() {
	let dir = temp_dir();
	let taken = TcpListener::bind("127.0.0.1:0").unwrap();
	let port = taken.local_addr().unwrap().port().to_string();
	let output = command(STILL, dir.path())
		.args(["--rpc-port", &port])
		.output()
		.unwrap();
	assert!(!output.status.success());
	let text = String::from_utf8_lossy(&output.stderr);
	assert!(
		text.contains(&format!("cannot be served on 127.0.0.1:{port}")),
		"{text}"
	);
}

/// `EnergyMarketApi_solve` with this many households of the fewest bytes: no comfort and no strategies.
fn households(count: u32) -> String {
	let rules = [3u32, 2, 1_000];
	to_hex([(rules, Compact(count)).encode(), vec![0; 6 * count as usize]].concat())
}

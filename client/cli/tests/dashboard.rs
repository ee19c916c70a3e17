//! `commonwatt dashboard` hands out the page's files and the chain specification, and nothing else.

mod common;

use common::{commonwatt, Outcome};
use std::{
	fs,
	io::{BufRead, BufReader, Read, Write},
	net::{TcpListener, TcpStream},
	path::Path,
	process::{Child, Stdio},
};
use tempfile::TempDir;

const SPECIFICATION: &str =
	r#"{"name":"Elm Street","genesis":{"raw":{"top":{}}},"bootNodes":["/ip4/127.0.0.1/tcp/1/ws"]}"#;

/// A folder with a page, and beside it a file that is no part of it.
fn page() -> TempDir {
	let folder = tempfile::tempdir().unwrap();
	fs::create_dir(folder.path().join("page")).unwrap();
	fs::write(folder.path().join("page/index.html"), "<title>Commonwatt</title>").unwrap();
	fs::write(folder.path().join("secret"), "not for the browser").unwrap();
	fs::write(folder.path().join("chain.json"), SPECIFICATION).unwrap();
	folder
}

fn run(folder: &Path, options: &[&str]) -> Outcome {
	let mut command = commonwatt(&["dashboard"]);
	let command = command.current_dir(folder).args(options);
	command.output().expect("commonwatt runs").into()
}

/// A running server. It is killed on drop.
struct Server {
	child: Child,
	/// What it says its address is.
	page: String,
	port: u16,
}

impl Server {
	fn start(folder: &Path, options: &[&str]) -> Self {
		let mut command = commonwatt(&["dashboard", "--files", "page", "--port", "0"]);
		let command = command.current_dir(folder).args(options).stdout(Stdio::piped());
		let mut child = command.spawn().expect("commonwatt starts");
		let mut line = String::new();
		BufReader::new(child.stdout.take().unwrap())
			.read_line(&mut line)
			.unwrap();
		let page = line.trim().strip_prefix("The page: ").expect(&line).to_owned();
		let port = page
			.split(['/', ':'])
			.find_map(|part| part.parse().ok())
			.expect(&page);
		Self { child, page, port }
	}

	/// The answer to a request for this path, sent as it is.
	fn get(&self, path: &str) -> String {
		let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
		write!(
			stream,
			"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
		)
		.unwrap();
		let mut answer = String::new();
		stream.read_to_string(&mut answer).unwrap();
		answer
	}
}

impl Drop for Server {
	fn drop(&mut self) {
		let _ = self.child.kill();
		let _ = self.child.wait();
	}
}

#[test]
fn page_and_specification_are_served_and_nothing_beside_them() {
	let folder = page();
	let server = Server::start(folder.path(), &["--chain", "chain.json"]);
	assert_eq!(server.page, format!("http://127.0.0.1:{}/", server.port));
	assert!(server.get("/").contains("<title>Commonwatt</title>"));
	let specification = server.get("/chain.json");
	assert!(
		specification.contains("content-type: application/json") && specification.contains("Elm Street"),
		"{specification}"
	);
	for path in ["/../secret", "/%2e%2e/secret", "//etc/passwd"] {
		let answer = server.get(path);
		assert!(answer.starts_with("HTTP/1.1 4"), "{path}: {answer}");
		assert!(
			!answer.contains("not for the browser") && !answer.contains("root:"),
			"{path}"
		);
	}
}

#[test]
fn without_a_specification_the_address_names_the_node_that_is_believed() {
	let folder = page();
	let server = Server::start(folder.path(), &["--url", "ws://127.0.0.1:9"]);
	assert!(
		server.page.ends_with("/?rpc=ws%3A%2F%2F127.0.0.1%3A9"),
		"{}",
		server.page
	);
	assert!(server.get("/chain.json").starts_with("HTTP/1.1 404"));
}

#[test]
fn what_is_wrong_is_named() {
	let folder = page();
	fs::write(
		folder.path().join("plain.json"),
		r#"{"name":"a","genesis":{"runtimeGenesis":{}}}"#,
	)
	.unwrap();
	let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
	let port = taken.local_addr().unwrap().port().to_string();
	for (options, said) in [
		(&["--files", "."] as &[&str], "has no index.html"),
		(
			&["--files", "page", "--chain", "plain.json"],
			"plain.json: not a raw chain specification",
		),
		(&["--files", "page", "--chain", "none.json"], "none.json"),
		(
			&["--files", "page", "--port", &port],
			"another program listens at this port",
		),
	] {
		let outcome = run(folder.path(), options).expect_code(2);
		assert!(outcome.stderr.contains(said), "{}", outcome.stderr);
	}
}

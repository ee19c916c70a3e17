//! `commonwatt council` on a development chain, whose council is Alice, Bob and Eve.

mod common;

use common::{commonwatt, Node, Outcome, PATIENCE};
use commonwatt_client::chain::{self, executed_by};
use commonwatt_runtime_rehearsal::WASM_BINARY;
use std::path::Path;
use tempfile::TempDir;

const EVE: &str = "5HGjWAeFDfFCWPsjFQdVV2Msvz2XtMktvgocEZcCj68kUMaw";
const FERDIE: &str = "5CiPPseXPECbkjWCa6MnjNokrgYjMqmKndv2rSnekmSK2DjL";

/// A chain, and the commands of its council.
struct Chain {
	node: Node,
	folder: TempDir,
}

impl Chain {
	fn start() -> Self {
		let folder = tempfile::tempdir().unwrap();
		let node = Node::start(&folder.path().join("chain"));
		Self { node, folder }
	}

	/// Runs `commonwatt council` and expects this exit code. Returns what it said.
	fn council(&self, arguments: &[&str], code: i32) -> String {
		let (first, rest) = arguments.split_at(1);
		let all = [&["council"], first, &["--url", &self.node.url], rest].concat();
		let outcome: Outcome = commonwatt(&all).output().unwrap().into();
		let outcome = outcome.expect_code(code);
		format!("{}{}", outcome.stdout, outcome.stderr)
	}

	/// The same, signed with a development key. Options come before what a motion does.
	fn run(&self, key: &str, arguments: &[&str], code: i32) -> String {
		let (first, rest) = arguments.split_at(1);
		self.council(&[first, &["--uri", key], rest].concat(), code)
	}

	fn list(&self) -> String {
		self.council(&["list"], 0)
	}

	/// Alice moves a motion, Bob agrees, and Alice closes it, with this exit code.
	fn decide(&self, what: &[&str], code: i32) -> String {
		let moved = self.run("//Alice", &[&["propose"], what].concat(), 0);
		let number = moved
			.split_once("motion ")
			.and_then(|(_, rest)| rest.split_once(" is open"))
			.map(|(number, _)| number.rsplit(' ').next().unwrap_or(number).to_owned())
			.unwrap_or_else(|| panic!("{moved}"));
		self.run("//Bob", &["vote", &number, "yes"], 0);
		self.run("//Alice", &["close", &number], code)
	}
}

fn assert_says(said: &str, words: &str) {
	assert!(said.contains(words), "'{words}' is not in:\n{said}");
}

#[tokio::test]
async fn council_decides_by_motions_and_every_mistake_is_named() {
	let chain = Chain::start();
	let listed = chain.list();
	assert_says(&listed, "3 member(s):");
	assert_says(&listed, "no open motion");
	assert_says(&listed, "holds the Sudo key");

	let elm: &[&str] = &[
		"propose",
		"create-community",
		"Elm",
		"--operator",
		EVE,
		"--utility",
		FERDIE,
	];
	assert_says(&chain.run("//Charlie", elm, 2), "is not a member of the council");
	assert_says(
		&chain.run("//Alice", elm, 0),
		"motion 0 is open; it needs 2 of 3 votes",
	);
	assert_says(
		&chain.run("//Bob", elm, 2),
		"is open already: it is number 0, with a threshold of 2",
	);
	assert_says(
		&chain.run("//Bob", &["close", "0"], 2),
		"cannot be closed yet: 1 of 2 votes are in",
	);
	assert_says(
		&chain.run("//Charlie", &["vote", "0", "yes"], 2),
		"is not a member of the council",
	);
	assert_says(
		&chain.run("//Bob", &["vote", "7", "yes"], 2),
		"there is no open motion 7",
	);
	assert_says(&chain.run("//Alice", &["vote", "0", "yes"], 1), "DuplicateVote");
	let voted = chain.run("//Bob", &["vote", "0", "yes"], 0);
	assert_says(
		&voted,
		"EnergyMarket.create_community(name: \"Elm\", operator: 5HGjWAeFDfFCWPsj",
	);
	assert_says(&voted, "2 yes, 0 no of 3; needs 2 yes; enough");
	assert_says(&chain.list(), "motion 0: EnergyMarket.create_community");
	// Anybody may close it.
	assert_says(&chain.run("//Dave", &["close", "0"], 0), "carried out");
	assert_says(&chain.list(), "no open motion");
	let connected = chain::Node::connect(&chain.node.url, PATIENCE).await.unwrap();
	let at = connected.head().await.unwrap();
	assert!(chain::community_named(&at, "Elm").await.unwrap().is_some());

	// A motion that passes, whose call fails.
	let said = chain.decide(&["admit-validator", FERDIE], 1);
	assert_says(&said, "passed, but its call failed");
	assert_says(&said, "NoKeys");
	// One that is voted down.
	let pause: &[&str] = &["propose", "pause", "EnergyMarket.submit_strategies"];
	assert_says(&chain.run("//Alice", pause, 0), "motion 2 is open");
	chain.run("//Bob", &["vote", "2", "no"], 0);
	assert_says(&chain.run("//Eve", &["vote", "2", "no"], 0), "refused: close it");
	assert_says(
		&chain.run("//Bob", &["close", "2"], 0),
		"not enough members voted yes",
	);

	for (what, mistake) in [
		(&["pause", "Foo.bar"], "the runtime has no pallet Foo"),
		(&["pause", "Balances.bar"], "the pallet Balances has no call bar"),
		(&["pause", "transfer"], "a call is written as PALLET.CALL"),
		(&["add-member", "Bob"], "'Bob' is not an account's address"),
		(&["upgrade", "Cargo.toml"], "this is not the code of a runtime"),
	] {
		let arguments = [&["propose"], &what[..]].concat();
		assert_says(&chain.run("//Alice", &arguments, 2), mistake);
	}
}

#[tokio::test]
async fn upgrade_waits_is_stopped_by_a_third_and_applied_by_anybody() {
	let chain = Chain::start();
	let file = chain.folder.path().join("next.wasm");
	std::fs::write(&file, WASM_BINARY.expect("without SKIP_WASM_BUILD there is one")).unwrap();
	let file = path(&file);
	assert_says(&chain.run("//Eve", &["object"], 2), "no upgrade waits");
	assert_says(&chain.decide(&["upgrade", file], 0), "carried out");
	assert_says(&chain.list(), "0 of 3 member(s) object; 1 stop it");
	assert_says(
		&chain.run("//Dave", &["apply", file], 2),
		"the upgrade waits until",
	);
	assert_says(
		&chain.run("//Dave", &["object"], 2),
		"is not a member of the council",
	);
	assert_says(&chain.run("//Eve", &["object"], 0), "is stopped");
	assert_says(&chain.run("//Dave", &["apply", file], 2), "no upgrade waits");

	// It is decided again, and withdrawn, and decided again.
	chain.decide(&["upgrade", file], 0);
	chain.decide(&["withdraw-upgrade"], 0);
	chain.decide(&["upgrade", file], 0);
	let other = chain.folder.path().join("other.wasm");
	std::fs::write(&other, b"\0asm").unwrap();
	assert_says(
		&chain.run("//Dave", &["apply", path(&other)], 2),
		"but the council decided on 0x",
	);
	let connected = chain::Node::connect(&chain.node.url, PATIENCE).await.unwrap();
	let at = connected.head().await.unwrap();
	let (upgrade, _) = chain::council::upgrade(&at).await.unwrap().unwrap();
	// The clock alone is not enough: blocks must pass as well.
	assert!(connected.seal_at(upgrade.from).await.unwrap());
	assert_says(&chain.run("//Dave", &["apply", file], 2), "and block");
	for second in 1.. {
		if connected.head().await.unwrap().block_number() >= u64::from(upgrade.from_block) {
			break;
		}
		connected.seal_at(upgrade.from + 2_000 * second).await.unwrap();
	}
	let before = executed_by(&at).await.unwrap().unwrap();
	assert_says(&chain.run("//Dave", &["apply", file], 0), "is the runtime now");
	assert!(connected.seal_at(upgrade.from + 600_000).await.unwrap());
	let at = connected.head().await.unwrap();
	assert_eq!(executed_by(&at).await.unwrap(), Some(before + 1));
}

fn path(path: &Path) -> &str {
	path.to_str().expect("temporary folders have plain names")
}

//! `commonwatt meter` against the real node and a real broker.

mod common;

use common::{
	bury, commonwatt, free_port,
	meter::{
		append, connect, next_era, row, seal_call, sent, time, wait_for_pending, Device, Meter, ALICE,
		ERA_MS, HEADER, PASSPHRASE, STILL,
	},
	now_ms, pass_slot, Folder, Node, Outcome,
};
use commonwatt_client::keys;
use std::{fs, io::Write, thread, time::Duration};
use subxt::{
	dynamic::{self, Value},
	rpcs::RpcClient,
	OnlineClient, SubstrateConfig,
};
use subxt_signer::sr25519::{dev, Keypair};

#[test]
fn key_is_made_once_and_opens_only_with_its_passphrase() {
	use std::os::unix::fs::PermissionsExt;
	let place = Folder::new();
	let make = |passphrase: &str| -> Outcome {
		let mut command = commonwatt(&["meter", "key", &place.path("key.json")]);
		command.env("COMMONWATT_PASSPHRASE", passphrase);
		command.output().unwrap().into()
	};
	assert!(make("").expect_code(2).stderr.contains("the passphrase is empty"));
	let address = make(PASSPHRASE).expect_code(0).stdout;
	let file = place.folder("key.json");
	assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
	let text = fs::read_to_string(&file).unwrap();
	assert!(make(PASSPHRASE).expect_code(2).stderr.contains("already exists"));
	assert_eq!(fs::read_to_string(&file).unwrap(), text);
	assert!(text.contains(address.trim()));

	let run = |passphrase: &str| -> Outcome {
		let mut command = commonwatt(&["meter", "run", "--stdin", "--url", "ws://127.0.0.1:9"]);
		command
			.args(["--key", &place.path("key.json"), "--queue", &place.path("queue")])
			.env("COMMONWATT_PASSPHRASE", passphrase);
		command.output().unwrap().into()
	};
	let wrong = run("correct horse").expect_code(2);
	assert!(wrong.stderr.contains("wrong passphrase"), "{}", wrong.stderr);
	let right = run(PASSPHRASE).expect_code(0);
	assert!(right.stderr.contains(address.trim()), "{}", right.stderr);
}

/// The file grows, while the program and the node are killed in turn. Each reading is in the chain once, and was sent
/// once.
#[tokio::test(flavor = "multi_thread")]
async fn readings_of_a_growing_file_are_sent_once_despite_crashes() {
	let place = Folder::new();
	let port = free_port();
	let node = Node::start_at(&place.folder("chain"), Some(port), &STILL);
	let url = node.url.clone();
	let mut rpc = connect(&url).await;
	let device = Device::alice(&place, &url);
	let file = place.folder("meter.csv");
	let csv = file.display().to_string();

	let first = next_era(&rpc).await;
	append(&file, HEADER);
	append(&file, &row(first, 1_000));
	let mut meter = Meter::start(device.command(&["--csv", &csv]));
	meter.wait_for(&[&time(first * ERA_MS), "1000 Wh generated", "final"]);

	// An incomplete line does not count yet.
	let next = row(first + 1, 1_001);
	let (head, tail) = next.split_at(25);
	append(&file, head);
	thread::sleep(Duration::from_secs(2));
	append(&file, tail);
	meter.wait_for(&["1001 Wh generated", "queued"]);
	meter.kill();
	assert_eq!(next_era(&rpc).await, first + 1);
	let mut meter = Meter::start(device.command(&["--csv", &csv]));
	meter.wait_for(&["1001 Wh generated", "final"]);

	bury(&rpc).await;
	node.kill();
	append(&file, &row(first + 2, 1_002));
	meter.wait_for(&["1002 Wh generated", "queued"]);
	meter.wait_for(&["no connection to the node"]);
	let node = Node::start_at(&place.folder("chain"), Some(port), &STILL);
	rpc = connect(&node.url).await;
	assert_eq!(next_era(&rpc).await, first + 2);
	meter.wait_for(&["1002 Wh generated", "final"]);

	// The same file from the beginning, and a different reading of an era that was reported.
	append(&file, &row(first, 9_999));
	meter.wait_for(&["9999 Wh generated", "a different reading of this era came before"]);
	meter.kill();
	let again = Meter::start(device.command(&["--csv", &csv, "--once"]))
		.finish()
		.expect_code(2);
	assert!(
		again
			.stderr
			.contains("0 new reading(s), 3 duplicate(s), 1 row(s) rejected"),
		"{}",
		again.stderr
	);
	let log = device.log();
	assert_eq!(log.len(), 3, "{log:?}");
	assert!(log.iter().all(|line| line.ends_with("final")), "{log:?}");
	assert_eq!(sent(&node.url).await, 3);
}

/// A table with two malformed rows and three readings that the chain refuses; `open` is an era that it takes.
fn malformed_and_refused_rows(open: u64) -> String {
	[
		HEADER.to_owned(),
		row(open, 1_000).replace(",300,", ",3OO,"),
		row(open, 1_000).replace("21.5", ""),
		format!("{},1,1,20\n", time(open * ERA_MS + 1_000)),
		// Before the chain's first era.
		row(open - 60, 5),
		// Above the connection limit.
		row(open, 900_000_000),
	]
	.concat()
}

/// Asserts that the program names every row of [`malformed_and_refused_rows`], with the reason.
fn assert_rows_are_named(outcome: &Outcome) {
	for (told, parts) in [
		(
			&outcome.stderr,
			[
				"standard input: row 2, column consumption_wh: ",
				"'3OO' is not a whole number of Wh",
			],
		),
		(
			&outcome.stderr,
			[
				"standard input: row 3, column indoor_c: ",
				"is missing, and there is no --indoor-c",
			],
		),
		(
			&outcome.stdout,
			["refused: no era begins at ", "eras are 60 s long"],
		),
		(
			&outcome.stdout,
			[
				"5 Wh generated",
				"not taken: the chain has no statement of the era",
			],
		),
		(
			&outcome.stdout,
			[
				"900000000 Wh generated",
				"more than the connection limit of 15000 Wh",
			],
		),
	] {
		let is_told = told
			.lines()
			.any(|line| parts.iter().all(|part| line.contains(part)));
		assert!(is_told, "{parts:?} in\n{told}");
	}
}

/// Lets three eras begin, and the rounds of them end. Returns the era whose readings the chain takes then.
async fn three_eras(rpc: &RpcClient) -> u64 {
	next_era(rpc).await;
	next_era(rpc).await;
	let open = next_era(rpc).await;
	bury(rpc).await;
	open
}

/// What the audit of an era prints, which finds no fault.
fn audited(node: &Node, era: u64) -> Outcome {
	let audit = commonwatt(&["audit", "--url", &node.url, "--era", &era.to_string()]).output();
	Outcome::from(audit.unwrap()).expect_code(0)
}

/// The chain settled the era without it. The program sends the reading all the same, and the bill is corrected.
#[tokio::test(flavor = "multi_thread")]
async fn reading_that_missed_its_time_is_sent_late() {
	let place = Folder::new();
	let node = Node::start_with(&place.folder("chain"), &STILL);
	let rpc = connect(&node.url).await;
	let device = Device::alice(&place, &node.url);
	let open = three_eras(&rpc).await;

	let rows = [HEADER, &row(open - 2, 5)].concat();
	let (mut meter, input) = Meter::start_with(device.command(&["--stdin"]), &rows);
	meter.wait_for(&["5 Wh generated", "late"]);
	bury(&rpc).await;
	meter.wait_for(&["5 Wh generated", "final"]);
	drop(input);
	meter.finish().expect_code(0);
	assert_eq!(sent(&node.url).await, 1);

	let audit = audited(&node, open - 2);
	assert!(
		audit.stdout.contains("household 0 reported late"),
		"{}",
		audit.stdout
	);
	// The estimate of 188 Wh becomes 295 Wh, at retail.
	let bill = commonwatt(&["bills", "--url", &node.url, "--household", "0"]).output();
	let bill = Outcome::from(bill.unwrap()).expect_code(0);
	let corrected = "late readings changed this bill by 0.0321";
	assert!(bill.stdout.contains(corrected), "{}", bill.stdout);
}

/// A data concentrator says something else about the household. The meter's own reading takes its place, in time and late.
#[tokio::test(flavor = "multi_thread")]
async fn meter_reports_what_a_concentrator_has_reported() {
	let place = Folder::new();
	let node = Node::start_with(&place.folder("chain"), &STILL);
	let rpc = connect(&node.url).await;
	let device = Device::alice(&place, &node.url);
	next_era(&rpc).await;
	let named = Value::unnamed_variant("Some", [Value::from_bytes(dev::bob().public_key().0)]);
	let arguments = vec![Value::u128(0), named];
	act(&node.url, "set_concentrator", dev::eve(), arguments).await;
	// It may report from the era after next on.
	let open = three_eras(&rpc).await;
	let concentrate = |era: u64| {
		let reading = Value::named_composite([
			("generation_wh", Value::u128(0)),
			("consumption_wh", Value::u128(15_000)),
			("indoor_centi_c", Value::i128(2_100)),
			("quality", Value::unnamed_variant("Measured", [])),
		]);
		let item = Value::named_composite([
			("household", Value::u128(0)),
			("era", Value::u128(era.into())),
			("reading", reading),
		]);
		let items = vec![Value::unnamed_composite([item])];
		act(&node.url, "submit_readings", dev::bob(), items)
	};
	let taken = |events: Vec<String>| events.iter().any(|name| name == "ReadingSubmitted");
	assert!(taken(concentrate(open).await));
	assert_eq!(next_era(&rpc).await, open + 1);
	bury(&rpc).await;
	assert!(taken(concentrate(open + 1).await));

	let rows = [HEADER, &row(open + 1, 6)].concat();
	let (mut meter, mut input) = Meter::start_with(device.command(&["--stdin"]), &rows);
	meter.wait_for(&["6 Wh generated", "sent for era"]);
	bury(&rpc).await;
	meter.wait_for(&["6 Wh generated", "final"]);
	input.write_all(row(open, 5).as_bytes()).unwrap();
	meter.wait_for(&["5 Wh generated", "late"]);
	bury(&rpc).await;
	meter.wait_for(&["5 Wh generated", "final"]);
	drop(input);
	meter.finish().expect_code(0);
	for era in [open, open + 1] {
		audited(&node, era);
	}
}

/// Messages name file, row and field; the other readings are processed.
#[tokio::test(flavor = "multi_thread")]
async fn malformed_rows_and_refused_readings_are_named() {
	let place = Folder::new();
	let node = Node::start_with(&place.folder("chain"), &STILL);
	let rpc = connect(&node.url).await;
	let device = Device::alice(&place, &node.url);
	let open = three_eras(&rpc).await;

	let rows = malformed_and_refused_rows(open);
	let (meter, input) = Meter::start_with(device.command(&["--stdin"]), &rows);
	drop(input);
	let outcome = meter.finish().expect_code(2);
	assert_rows_are_named(&outcome);
	assert!(
		outcome.stderr.contains("3 not taken, 0 still queued"),
		"{}",
		outcome.stderr
	);
	assert_eq!(sent(&node.url).await, 0, "what cannot be taken is not sent");

	let header = place.folder("header.csv");
	fs::write(&header, "period_start,generation_wh\n").unwrap();
	let outcome = Meter::start(device.command(&["--csv", &header.display().to_string()])).finish();
	let outcome = outcome.expect_code(2);
	assert!(
		outcome
			.stderr
			.contains("row 1, column consumption_wh: the header has no such column"),
		"{}",
		outcome.stderr
	);
}

/// The pool holds one transaction, and the governor's call comes before every reading. The pool takes the removed bytes no
/// more for half an hour, so the program signs the reading again.
#[tokio::test(flavor = "multi_thread")]
async fn reading_that_a_full_pool_removed_is_signed_again() {
	let place = Folder::new();
	let options = [
		"--sealing",
		"manual",
		"--pool-limit",
		"1",
		"--tx-ban-seconds",
		"1800",
	];
	let node = Node::start_with(&place.folder("chain"), &options);
	let rpc = connect(&node.url).await;
	let device = Device::alice(&place, &node.url);
	next_era(&rpc).await;
	let open = next_era(&rpc).await;
	let rows = [HEADER, &row(open, 1_000)].concat();
	let (mut meter, _input) = Meter::start_with(device.command(&["--stdin"]), &rows);
	meter.wait_for(&["1000 Wh generated", "sent for era"]);
	wait_for_pending(&rpc).await;
	let remark = Value::unnamed_variant(
		"System",
		[Value::named_variant(
			"remark",
			[("remark", Value::from_bytes(b"first"))],
		)],
	);
	let api = OnlineClient::<SubstrateConfig>::from_rpc_client(rpc.clone())
		.await
		.unwrap();
	let mut transactions = api.at_current_block().await.unwrap().transactions();
	let call = dynamic::transaction("Sudo", "sudo", (remark,));
	transactions
		.sign_and_submit_default(&call, &dev::alice())
		.await
		.unwrap();
	meter.wait_for(&[
		"1000 Wh generated",
		"pool was full and removed it; it is signed again",
	]);
	pass_slot(&rpc).await;
	wait_for_pending(&rpc).await;
	pass_slot(&rpc).await;
	meter.wait_for(&["1000 Wh generated", "final"]);
	assert_eq!(sent(&node.url).await, 1);
}

/// A transaction that was lost with the pool is offered again, by the next run too; no other is signed.
#[tokio::test(flavor = "multi_thread")]
async fn signed_reading_is_offered_again_after_program_and_pool_are_lost() {
	let place = Folder::new();
	let port = free_port();
	let start = || Node::start_at(&place.folder("chain"), Some(port), &["--sealing", "manual"]);
	let node = start();
	let rpc = connect(&node.url).await;
	let device = Device::alice(&place, &node.url);
	next_era(&rpc).await;
	let era = next_era(&rpc).await;
	bury(&rpc).await;
	let file = place.folder("meter.csv");
	append(&file, HEADER);
	append(&file, &row(era, 1_000));
	let run = || Meter::start(device.command(&["--csv", &file.display().to_string()]));
	let mut meter = run();
	meter.wait_for(&["1000 Wh generated", "sent for era"]);
	meter.kill();
	node.kill();

	let mut meter = run();
	meter.wait_for(&["no connection to the node"]);
	let node = start();
	let rpc = connect(&node.url).await;
	wait_for_pending(&rpc).await;
	pass_slot(&rpc).await;
	meter.wait_for(&["1000 Wh generated", "final"]);
	assert_eq!(sent(&node.url).await, 1);
	let queue = fs::read_to_string(place.folder("queue")).unwrap();
	assert_eq!(queue.matches("Signed").count(), 1, "{queue}");
}

/// Another program signs with the meter's key too. Its transaction takes the nonce of a reading that was lost with the
/// pool: the reading is signed again, and is in the chain once.
#[tokio::test(flavor = "multi_thread")]
async fn reading_whose_nonce_another_transaction_took_is_signed_again() {
	let place = Folder::new();
	let port = free_port();
	let start = || Node::start_at(&place.folder("chain"), Some(port), &["--sealing", "manual"]);
	let node = start();
	let rpc = connect(&node.url).await;
	let device = Device::alice(&place, &node.url);
	next_era(&rpc).await;
	let era = next_era(&rpc).await;
	bury(&rpc).await;
	let file = place.folder("meter.csv");
	append(&file, HEADER);
	append(&file, &row(era, 1_000));
	let run = || Meter::start(device.command(&["--csv", &file.display().to_string()]));
	let mut meter = run();
	meter.wait_for(&["1000 Wh generated", "sent for era"]);
	meter.kill();
	node.kill();

	let node = start();
	let rpc = connect(&node.url).await;
	let key = keys::key(ALICE).unwrap();
	seal_call(&rpc, &key, ("System", "remark"), (b"another".to_vec(),)).await;
	let mut meter = run();
	meter.wait_for(&["1000 Wh generated", "sent for era"]);
	wait_for_pending(&rpc).await;
	pass_slot(&rpc).await;
	meter.wait_for(&["1000 Wh generated", "final"]);
	assert_eq!(sent(&node.url).await, 1);
	let queue = fs::read_to_string(place.folder("queue")).unwrap();
	assert_eq!(queue.matches("Signed").count(), 2, "{queue}");
}

/// Sends a call of the market and waits until it is final. Returns the names of its events.
async fn act(url: &str, name: &str, signer: Keypair, arguments: Vec<Value>) -> Vec<String> {
	let api = OnlineClient::<SubstrateConfig>::from_insecure_url(url)
		.await
		.unwrap();
	let call = dynamic::transaction("EnergyMarket", name, Value::unnamed_composite(arguments));
	let mut transactions = api.at_current_block().await.unwrap().transactions();
	let sent = transactions
		.sign_and_submit_then_watch_default(&call, &signer)
		.await
		.unwrap();
	let events = sent.wait_for_finalized_success().await.unwrap();
	let names = events.iter().map(|event| event.unwrap().event_name().to_string());
	names.collect()
}

/// The operator offers Ferdie a membership with this meter, and Ferdie accepts: household 4, which lacks only its meter's
/// confirmation.
async fn join_household(url: &str, meter: [u8; 32]) {
	let owner = Value::from_bytes(dev::ferdie().public_key().0);
	let offer = vec![
		Value::u128(0),
		owner,
		Value::from_bytes(meter),
		Value::u128(5_000),
	];
	act(url, "offer_membership", dev::eve(), offer).await;
	let none = Value::unnamed_variant("None", []);
	let acceptance = vec![Value::u128(4), Value::u128(1_000), none];
	act(url, "accept_membership", dev::ferdie(), acceptance).await;
}

/// A meter that has no money waits for its household, confirms it without a fee, and reports.
#[tokio::test(flavor = "multi_thread")]
async fn gateway_confirms_its_meter_and_then_reports() {
	const URI: &str = "//Gateway";
	let place = Folder::new();
	let node = Node::start_with(&place.folder("chain"), &STILL);
	let rpc = connect(&node.url).await;
	next_era(&rpc).await;
	let device = Device::with(&place, &node.url, URI);
	let mut meter = Meter::start(device.command(&["--stdin", "--household", "4"]));
	meter.wait_for(&["nothing to confirm yet", "household 4"]);
	join_household(&node.url, keys::key(URI).unwrap().public_key().0).await;
	meter.wait_for(&["the meter has confirmed household 4"]);
	bury(&rpc).await;

	let open = next_era(&rpc).await;
	let open = next_era(&rpc).await.max(open);
	let mut input = meter.stdin.take().unwrap();
	input
		.write_all([HEADER, &row(open, 5)].concat().as_bytes())
		.unwrap();
	meter.wait_for(&["5 Wh generated", "queued"]);
	bury(&rpc).await;
	meter.wait_for(&["5 Wh generated", "final"]);
	drop(input);
	meter.finish().expect_code(0);
	assert_eq!(sent(&node.url).await, 1);
}

/// A meter with money could pay for one failed transaction after the other, so a reading that failed in a block is not
/// sent again.
#[tokio::test(flavor = "multi_thread")]
async fn reading_that_failed_in_a_block_is_not_sent_again() {
	let place = Folder::new();
	let node = Node::start_with(&place.folder("chain"), &STILL);
	let rpc = connect(&node.url).await;
	next_era(&rpc).await;
	next_era(&rpc).await;
	// A household that was not a member yet in the era that is reported.
	join_household(&node.url, dev::ferdie().public_key().0).await;
	act(&node.url, "confirm_meter", dev::ferdie(), vec![Value::u128(4)]).await;

	let device = Device::with(&place, &node.url, "//Ferdie");
	let open = now_ms(&rpc).await / ERA_MS - 1;
	let file = place.folder("meter.csv");
	append(&file, HEADER);
	append(&file, &row(open, 1_000));
	let mut meter = Meter::start(device.command(&["--csv", &file.display().to_string()]));
	meter.wait_for(&[
		"1000 Wh generated",
		"not taken so far: its transaction failed in a block: ",
	]);
	thread::sleep(Duration::from_secs(3));
	assert_eq!(next_era(&rpc).await, open + 1);
	bury(&rpc).await;
	meter.wait_for(&[
		"1000 Wh generated",
		"not taken: the chain has no statement of the era",
	]);
	assert_eq!(sent(&node.url).await, 1);
}

/// The actual value comes after the estimate, before and after the estimate is on the chain.
#[tokio::test(flavor = "multi_thread")]
async fn actual_value_corrects_an_estimate() {
	let place = Folder::new();
	let node = Node::start_with(&place.folder("chain"), &STILL);
	let rpc = connect(&node.url).await;
	let device = Device::alice(&place, &node.url);
	let file = place.folder("meter.csv");
	append(
		&file,
		"period_start,generation_wh,consumption_wh,indoor_c,quality\n",
	);
	let with = |era: u64, wh: u32, quality: &str| {
		append(&file, &format!("{},{wh},0,21,{quality}\n", time(era * ERA_MS)));
	};
	let first = next_era(&rpc).await;
	with(first, 500, "estimated");
	let mut meter = Meter::start(device.command(&["--csv", &file.display().to_string()]));
	meter.wait_for(&["500 Wh generated", "estimated", "final"]);
	with(first, 620, "measured");
	meter.wait_for(&["620 Wh generated", "queued, as a correction"]);
	meter.wait_for(&["620 Wh generated", "corrected", "final"]);
	// Another actual value is no correction unless it says so.
	with(first, 700, "measured");
	meter.wait_for(&["700 Wh generated", "a different reading of this era came before"]);
	with(first, 710, "corrected");
	meter.wait_for(&["710 Wh generated", "corrected", "final"]);
	assert_eq!(next_era(&rpc).await, first + 1);
	bury(&rpc).await;
	// The chain has settled that era, by the last correction.
	with(first, 800, "corrected");
	meter.wait_for(&["800 Wh generated", "too late"]);
	assert_eq!(sent(&node.url).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_of_a_clock_that_is_wrong_is_refused() {
	let place = Folder::new();
	let node = Node::start_with(&place.folder("chain"), &STILL);
	let rpc = connect(&node.url).await;
	next_era(&rpc).await;
	let device = Device::alice(&place, &node.url);
	let file = place.folder("meter.csv");
	append(&file, HEADER);
	append(&file, "2070-01-01T00:00:00Z,1,2,20\n");
	let outcome = Meter::start(device.command(&["--csv", &file.display().to_string(), "--once"])).finish();
	let outcome = outcome.expect_code(1);
	assert!(
		outcome
			.stdout
			.contains("refused: 2070-01-01T00:00:00Z is more than a day ahead"),
		"{}{}",
		outcome.stdout,
		outcome.stderr
	);
}

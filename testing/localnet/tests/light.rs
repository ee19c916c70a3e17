//! `commonwatt` as a light client of a network: it gets from the network what it would get from a node, and proves it.

mod common;

use common::{chain::connect, commonwatt, OrPanic, Running, PATIENCE};
use commonwatt_client::chain::{self, types::HouseholdId};
use jiff::Timestamp;
use serde_json::Value;
use std::{
	fs,
	time::{Duration, Instant},
};

/// Length of an era. Long enough for two waves of transactions, one after the other, to become final within one.
const ERA_SECONDS: u64 = 15;
/// The meter of the first household of the genesis.
const METER: &str = "//Alice//stash";

/// Runs `commonwatt` to its end, and returns its exit code and all that it said.
fn run(arguments: &[&str]) -> (Option<i32>, String) {
	let outcome = commonwatt(arguments)
		.env("COMMONWATT_PASSPHRASE", "correct horse battery staple")
		.output()
		.expect("commonwatt runs");
	let said = [outcome.stdout, outcome.stderr].concat();
	(outcome.status.code(), String::from_utf8_lossy(&said).into_owned())
}

/// The JSON that a command writes by each of the two ways to the chain.
fn both_ways(running: &Running, light: &str, arguments: &[&str]) -> [Value; 2] {
	let url = running.network.node(0).url();
	[["--url", &url], ["--light", light]].map(|way| {
		let file = running.file("answer.json");
		let (code, said) = run(&[arguments, &way, &["--json", &file]].concat());
		assert_eq!(code, Some(0), "{way:?}: {said}");
		let mut json: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
		json["url"] = Value::Null;
		json
	})
}

#[tokio::test(flavor = "multi_thread")]
async fn light_client_bills_audits_and_reports_like_a_node() {
	let running = Running::start_for_light_clients(4, ERA_SECONDS).await;
	let light = running.network.write_light_specification().await.or_panic();
	let light = light.display().to_string();
	let report = running.replay(0, 2).finish().await;
	let eras: Vec<u64> = report["eras"]
		.as_array()
		.unwrap()
		.iter()
		.map(|line| line["era"].as_u64().unwrap())
		.collect();
	let (first, last) = (eras[0].to_string(), eras[eras.len() - 1].to_string());

	let [by_node, by_light] = both_ways(&running, &light, &["bills", "--from", &first, "--to", &last]);
	assert_eq!(by_light, by_node);
	assert!(by_light["compared"][0].as_u64().unwrap() > 0, "{by_light}");

	let [by_node, by_light] = both_ways(&running, &light, &["audit", "--era", &first]);
	assert_eq!(by_light, by_node);
	assert!(by_light["proved"].as_u64().unwrap() > 0);
	assert_eq!(
		by_light["settlement"]["claimed"],
		by_light["settlement"]["computed"]
	);

	let node = connect(&running.network.node(0).url()).await;
	let view = chain::era(&node.head().await.or_panic())
		.await
		.or_panic()
		.unwrap();
	let (start, era) = (view.started_ms, view.current);
	let (key_file, csv, queue) = (
		running.file("meter.json"),
		running.file("meter.csv"),
		running.file("queue"),
	);
	let (code, said) = run(&["meter", "key", &key_file, "--import", METER]);
	assert_eq!(code, Some(0), "{said}");
	let moment = Timestamp::from_millisecond(i64::try_from(start).unwrap()).unwrap();
	fs::write(
		&csv,
		format!("period_start,generation_wh,consumption_wh,indoor_c\n{moment},1200,400,21\n"),
	)
	.unwrap();
	let begun = Instant::now();
	let (code, said) = run(&[
		"meter", "run", "--key", &key_file, "--csv", &csv, "--once", "--queue", &queue, "--light", &light,
	]);
	assert_eq!(code, Some(0), "{said}");
	println!(
		"  a reading was final {} s after the meter started",
		begun.elapsed().as_secs()
	);
	let statement = settled(&node, era).await;
	assert_eq!(
		(statement.reading.generation_wh, statement.reading.consumption_wh),
		(1_200, 400)
	);
}

/// The statement of the first household of an era.
async fn settled(node: &chain::Node, era: u32) -> chain::types::Statement {
	let begun = Instant::now();
	loop {
		let statement = chain::statement(&node.head().await.or_panic(), HouseholdId(0), era).await;
		if let Some(statement) = statement.or_panic() {
			return statement;
		}
		assert!(begun.elapsed() < PATIENCE, "era {era} is not settled");
		tokio::time::sleep(Duration::from_millis(200)).await;
	}
}

//! How fast a real node takes readings, beside as many transfers on the same node in the same run.
//!
//! Ten communities of 1,000 households. Each measurement signs its transactions first, and then takes the time from the
//! first offer to the final block with the last one:
//!
//! - 1,000 transfers, 1,000 readings that the meters send one by one, 1,000 readings in a data concentrator's batch,
//!   in turns;
//! - the readings of all 10,000 households at once, more than the node's transaction pool holds. Every one of them must
//!   be on the chain.
//!
//! Run by `scripts/bench.sh readings`.

use commonwatt_client::{
	chain::{
		self, send,
		types::{CommunityId, HouseholdId, Quality, Reading, SubmitReading},
		Node,
	},
	keys::{account, address, key},
};
use commonwatt_localnet::{Binary, SingleNode};
use futures::future::try_join_all;
use serde_json::{json, Value as Json};
use std::{
	error::Error,
	fs,
	time::{Duration, Instant},
};
use subxt::dynamic::{value, Value};
use subxt_signer::sr25519::Keypair;

const COMMUNITIES: usize = 10;
const HOUSEHOLDS: usize = 1_000;
/// How often each of the three is measured.
const ROUNDS: usize = 5;
/// Interval of the blocks, ms.
const BLOCK_MS: &str = "500";
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the chain takes the readings of an era.
const HALF_AN_HOUR: Duration = Duration::from_secs(1_800);

type Done<T> = Result<T, Box<dyn Error>>;

/// A fault as an error.
fn words(fault: impl std::fmt::Display) -> String {
	fault.to_string()
}

fn main() -> Done<()> {
	// `cargo bench` builds and starts this; `cargo build --all-targets` only builds it.
	tokio::runtime::Runtime::new()?.block_on(measure())
}

/// The meter of a household, counted over all communities.
fn meter(household: usize) -> Keypair {
	key(&format!("//bench//{household}")).expect("a development key")
}

/// Writes the specification of a development chain with the communities, in eras of half an hour.
fn specification(binary: &Binary, meters: &[Keypair], path: &std::path::Path) -> Done<()> {
	let exported = binary.run(["export-chain-spec", "--chain", "dev"])?;
	let mut spec: Json = serde_json::from_slice(&exported)?;
	let genesis = &mut spec["genesis"]["runtimeGenesis"]["patch"];
	let market = &mut genesis["energyMarket"];
	market["eraLengthMs"] = json!(0);
	let (community, household) = (
		market["communities"][0].clone(),
		market["communities"][0]["households"][0].clone(),
	);
	let communities = meters.chunks(HOUSEHOLDS).enumerate().map(|(number, meters)| {
		let households = meters.iter().map(|meter| {
			let mut household = household.clone();
			household["meter"] = json!(account(meter).to_string());
			household
		});
		let mut community = community.clone();
		community["name"] = json!(format!("bench {number}"));
		community["households"] = households.collect();
		community
	});
	market["communities"] = communities.collect();
	let balances = genesis["balances"]["balances"]
		.as_array_mut()
		.ok_or("no balances")?;
	for meter in &meters[..HOUSEHOLDS] {
		balances.push(json!([account(meter).to_string(), 1_000_000_000_000_000_u64]));
	}
	fs::write(path, spec.to_string())?;
	Ok(())
}

/// The time that a wave takes, all of whose transactions must succeed.
async fn time(node: &Node, wave: Vec<send::Signed>) -> Done<Duration> {
	let at = node.head().await.map_err(words)?;
	let begun = Instant::now();
	let outcome = send::send(node, &at, wave).await.map_err(words)?;
	let took = begun.elapsed();
	match (outcome.failed.first(), outcome.missed.first()) {
		(None, None) => Ok(took),
		(Some(failed), _) => Err(format!("{} failed: {}", failed.what, failed.reason).into()),
		(_, Some(missed)) => Err(format!("{}: {}", missed.what, missed.why).into()),
	}
}

/// Lets the next era begin, and returns the era whose readings the chain now takes.
async fn next_era(node: &Node) -> Done<u32> {
	loop {
		let at = node.head().await.map_err(words)?;
		let view = chain::era(&at).await.map_err(words)?.ok_or("no era yet")?;
		node.seal_at(view.ends_ms).await.map_err(words)?;
		// The round of the era before needs some blocks.
		loop {
			let at = node.head().await.map_err(words)?;
			let now = chain::era(&at).await.map_err(words)?.ok_or("no era")?;
			if now.current > view.current && now.round.is_none() {
				match now.readings_of {
					Some(era) => return Ok(era),
					None => break,
				}
			}
			tokio::time::sleep(Duration::from_millis(50)).await;
		}
	}
}

fn reading() -> Reading {
	Reading {
		generation_wh: 100,
		consumption_wh: 300,
		indoor_centi_c: 2_000,
		quality: Quality::Measured,
	}
}

/// Signs a reading of each of these meters.
async fn readings(node: &Node, era: u32, meters: &[Keypair]) -> Done<Vec<send::Signed>> {
	let at = node.head().await.map_err(words)?;
	let sign = |meter| {
		let arguments = SubmitReading {
			era,
			reading: reading(),
		};
		let call = ("EnergyMarket", "submit_reading");
		send::sign(&at, meter, call, arguments, "a reading".into())
	};
	let signed = try_join_all(meters.iter().map(sign)).await;
	Ok(signed.map_err(words)?)
}

/// A concentrator's batch for the first community.
async fn batch(node: &Node, era: u32, concentrator: &Keypair) -> Done<Vec<send::Signed>> {
	let at = node.head().await.map_err(words)?;
	let members = chain::members(&at, CommunityId(0)).await;
	let items: Vec<Value> = members
		.map_err(words)?
		.iter()
		.map(|HouseholdId(id)| {
			value!({
				household: *id,
				era: era,
				reading: { generation_wh: 100u32, consumption_wh: 300u32, indoor_centi_c: 2_000, quality: Measured() }
			})
		})
		.collect();
	let call = ("EnergyMarket", "submit_readings");
	let arguments = (Value::unnamed_composite(items),);
	let signed = send::sign(&at, concentrator, call, arguments, "a batch".into()).await;
	Ok(vec![signed.map_err(words)?])
}

async fn transfers(node: &Node, meters: &[Keypair]) -> Done<Vec<send::Signed>> {
	let at = node.head().await.map_err(words)?;
	let to = address(&key("//Bob").map_err(words)?);
	let sign = |from| {
		let call = ("Balances", "transfer_keep_alive");
		send::sign(
			&at,
			from,
			call,
			(to.clone(), 1_000_000_000_u128),
			"a transfer".into(),
		)
	};
	let signed = try_join_all(meters.iter().map(sign)).await;
	Ok(signed.map_err(words)?)
}

fn median(mut times: Vec<Duration>) -> Duration {
	times.sort();
	times.get(times.len() / 2).copied().unwrap_or_default()
}

async fn measure() -> Done<()> {
	let this = std::env::current_exe()?;
	let folder = this.parent().and_then(|deps| deps.parent()).ok_or("no folder")?;
	let binary = Binary::in_folder(folder).map_err(words)?;
	let place = tempfile::tempdir()?;
	let spec = place.path().join("chain.json");
	let meters: Vec<Keypair> = (0..COMMUNITIES * HOUSEHOLDS).map(meter).collect();
	specification(&binary, &meters, &spec)?;
	let mut command = binary.command();
	command
		.args([
			"--sealing",
			"interval",
			"--block-interval-ms",
			BLOCK_MS,
			"--no-prometheus",
		])
		.args(["--rpc-max-connections", "100", "--base-path"])
		.arg(place.path().join("node"))
		.arg("--chain")
		.arg(&spec);
	eprintln!("starting a node with {COMMUNITIES} communities of {HOUSEHOLDS} households");
	let server = SingleNode::start(command, None).map_err(words)?;
	let url = format!("ws://{}", server.address());
	let node = Node::connect(&url, PATIENCE).await.map_err(words)?;

	let (operator, concentrator) = (key("//Eve"), key("//Ferdie"));
	let (operator, concentrator) = (operator.map_err(words)?, concentrator.map_err(words)?);
	let at = node.head().await.map_err(words)?;
	let named = Value::unnamed_variant("Some", [Value::from_bytes(account(&concentrator).0)]);
	let call = ("EnergyMarket", "set_concentrator");
	let signed = send::sign(
		&at,
		&operator,
		call,
		(Value::u128(0), named),
		"the concentrator".into(),
	)
	.await;
	time(&node, vec![signed.map_err(words)?]).await?;
	// It takes its office in the era after next.
	for _ in 0..4 {
		next_era(&node).await?;
	}

	let mut times: [Vec<Duration>; 3] = Default::default();
	let first = &meters[..HOUSEHOLDS];
	for round in 1..=ROUNDS {
		times[0].push(time(&node, transfers(&node, first).await?).await?);
		let era = next_era(&node).await?;
		times[1].push(time(&node, readings(&node, era, first).await?).await?);
		let era = next_era(&node).await?;
		times[2].push(time(&node, batch(&node, era, &concentrator).await?).await?);
		eprintln!("round {round} of {ROUNDS}");
	}
	let times = times.map(median);
	let per_second = |time: Duration| HOUSEHOLDS as f64 / time.as_secs_f64();
	let ratio = |time| per_second(time) / per_second(times[0]);
	println!("| 1,000 at once, blocks every {BLOCK_MS} ms, median of {ROUNDS} | s | a second | to transfers | at least |");
	println!("|---|---|---|---|---|");
	println!(
		"| transfers | {:.2} | {:.0} | 1 | |",
		times[0].as_secs_f64(),
		per_second(times[0])
	);
	for (name, time) in [
		("readings, one by one", times[1]),
		("readings, in a batch", times[2]),
	] {
		println!(
			"| {name} | {:.2} | {:.0} | {:.2} | 0.80 |",
			time.as_secs_f64(),
			per_second(time),
			ratio(time)
		);
	}
	all_at_once(&url, &node, &meters).await
}

/// The readings of all communities, each community by a program of its own, as many gateways would send them.
async fn all_at_once(url: &str, node: &Node, meters: &[Keypair]) -> Done<()> {
	let era = next_era(node).await?;
	let mut waves = Vec::new();
	for meters in meters.chunks(HOUSEHOLDS) {
		let sender = Node::connect(url, PATIENCE).await.map_err(words)?;
		waves.push((sender, readings(node, era, meters).await?));
	}
	let begun = Instant::now();
	let sent = try_join_all(
		waves
			.into_iter()
			.map(|(sender, wave)| async move { time(&sender, wave).await }),
	);
	tokio::time::timeout(HALF_AN_HOUR, sent)
		.await
		.map_err(|_| "the era is over, and readings are missing")??;
	let took = begun.elapsed();
	let at = node.head().await.map_err(words)?;
	let mut there = 0;
	for community in (0..COMMUNITIES as u32).map(CommunityId) {
		for household in chain::members(&at, community).await.map_err(words)? {
			let known = chain::meter_reading(&at, era, household).await;
			there += usize::from(known.map_err(words)?.is_some());
		}
	}
	let all = meters.len();
	println!(
		"\n{there} of {all} readings of one era are on the chain, {:.1} s after the first was sent",
		took.as_secs_f64()
	);
	if there < all {
		return Err(format!("{} readings are lost", all - there).into());
	}
	Ok(())
}

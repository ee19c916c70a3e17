//! How fast a real node takes readings, beside as many transfers on the same node in the same run.
//!
//! Ten communities of 1,000 households. Each measurement signs its transactions first, and then takes the time from the
//! first offer to the final block with the last one:
//!
//! - 1,000 transfers, 1,000 readings that the meters send one by one, 1,000 readings in a data concentrator's batch,
//!   in turns;
//! - the readings of all households, more than the node's transaction pool holds. Ten programs send them at the same
//!   time. Every reading must be on the chain. With `--pool-limit 2048` the pool surely removes some.
//!
//! With `--communities 100`, only the readings of that many communities are measured.
//!
//! Run by `scripts/bench.sh readings`.

use commonwatt_client::{
	chain::{
		self,
		send::{self, Tries},
		types::{CommunityId, HouseholdId, Quality, Reading, SubmitReading},
		Node,
	},
	keys::{account, address, key},
};
use commonwatt_localnet::{write_development_chain, Binary, SingleNode};
use futures::future::try_join_all;
use serde_json::json;
use std::{
	error::Error,
	sync::OnceLock,
	time::{Duration, Instant},
};
use subxt::dynamic::{value, Value};
use subxt_signer::{sr25519::Keypair, DeriveJunction};
use tokio::sync::Barrier;

/// Number of communities, unless the command line gives another.
const COMMUNITIES: usize = 10;
const HOUSEHOLDS: usize = 1_000;
/// Number of programs that send all readings. Each has as many communities as the others.
const PROGRAMS: usize = 10;
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

/// The number after this option of the command line.
fn option(name: &str) -> Done<Option<usize>> {
	let mut arguments = std::env::args().skip_while(|argument| argument != name);
	let Some(_) = arguments.next() else {
		return Ok(None);
	};
	let number = arguments.next().unwrap_or_default();
	match number.parse() {
		Ok(number) if number > 0 => Ok(Some(number)),
		_ => Err(format!("{name} needs a number above 0, not '{number}'").into()),
	}
}

/// The meters of this many households, counted over all communities.
fn meters(households: usize) -> Done<Vec<Keypair>> {
	// Each from the same key, since a key takes 2,048 rounds of hashing to get from its words.
	let base = key("//bench").map_err(words)?;
	let meter = |household: usize| base.derive([DeriveJunction::hard(household as u64)]);
	Ok((0..households).map(meter).collect())
}

/// Writes the specification of a development chain with the communities, in eras of half an hour.
fn specification(binary: &Binary, meters: &[Keypair], path: &std::path::Path) -> Done<()> {
	let addresses: Vec<String> = meters.iter().map(|meter| account(meter).to_string()).collect();
	let communities: Vec<&[String]> = addresses.chunks(HOUSEHOLDS).collect();
	write_development_chain(binary, path, &communities, |genesis| {
		// The runtime's own length of an era, half an hour.
		genesis["energyMarket"]["eraLengthMs"] = json!(0);
		if let Some(balances) = genesis["balances"]["balances"].as_array_mut() {
			let first = addresses.iter().take(HOUSEHOLDS);
			balances.extend(first.map(|meter| json!([meter, 1_000_000_000_000_000_u64])));
		}
		// A runtime cannot allocate more than 32 MiB at once, so the genesis of many households must be small.
		for community in genesis["energyMarket"]["communities"]
			.as_array_mut()
			.into_iter()
			.flatten()
		{
			for household in community["households"].as_array_mut().into_iter().flatten() {
				household["comfort"] = json!(null);
			}
		}
	})
	.map_err(words)?;
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
		let what = format!("the reading of {}", account(meter));
		send::sign(&at, meter, call, arguments, what)
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
	let asked = option("--communities")?;
	let communities = asked.unwrap_or(COMMUNITIES);
	let meters = meters(communities * HOUSEHOLDS)?;
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
	if let Some(limit) = option("--pool-limit")? {
		command.args(["--pool-limit", &limit.to_string()]);
	}
	eprintln!("starting a node with {communities} communities of {HOUSEHOLDS} households");
	let server = SingleNode::start(command, None).map_err(words)?;
	let url = format!("ws://{}", server.address());
	let node = Node::connect(&url, PATIENCE).await.map_err(words)?;

	if asked.is_none() {
		beside_transfers(&node, &meters[..HOUSEHOLDS]).await?;
	}
	all(&url, &node, &meters).await
}

/// Transfers and the readings of the first community, in turns.
async fn beside_transfers(node: &Node, first: &[Keypair]) -> Done<()> {
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
	time(node, vec![signed.map_err(words)?]).await?;
	// It takes its office in the era after next.
	for _ in 0..4 {
		next_era(node).await?;
	}

	let mut times: [Vec<Duration>; 3] = Default::default();
	for round in 1..=ROUNDS {
		times[0].push(time(node, transfers(node, first).await?).await?);
		let era = next_era(node).await?;
		times[1].push(time(node, readings(node, era, first).await?).await?);
		let era = next_era(node).await?;
		times[2].push(time(node, batch(node, era, &concentrator).await?).await?);
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
	Ok(())
}

/// The households of a community, and their meters.
type Homes<'a> = (Vec<HouseholdId>, &'a [Keypair]);

/// The readings of all communities, sent by several programs at the same time, as gateways would.
async fn all(url: &str, node: &Node, meters: &[Keypair]) -> Done<()> {
	let era = next_era(node).await?;
	let at = node.head().await.map_err(words)?;
	let mut homes: Vec<Homes> = Vec::new();
	for (community, meters) in (0_u32..).map(CommunityId).zip(meters.chunks(HOUSEHOLDS)) {
		homes.push((chain::members(&at, community).await.map_err(words)?, meters));
	}
	eprintln!("{} readings of era {era}", meters.len());
	let shares = homes.chunks(homes.len().div_ceil(PROGRAMS));
	// All have signed before the first sends.
	let (start, begun) = (Barrier::new(shares.len()), OnceLock::new());
	let programs = shares.map(|share| program(url, era, share, (&start, &begun)));
	let signed = tokio::time::timeout(HALF_AN_HOUR, try_join_all(programs)).await;
	let signed = signed.map_err(|_| "the era is over, and readings are missing")??;
	let took = begun.get_or_init(Instant::now).elapsed();
	let at = node.head().await.map_err(words)?;
	let mut there = 0;
	for household in homes.iter().flat_map(|(households, _)| households) {
		let known = chain::meter_reading(&at, era, *household).await;
		there += usize::from(known.map_err(words)?.is_some());
	}
	let all = meters.len();
	println!(
		"\n{there} of {all} readings of one era are on the chain, {:.1} s after the first was sent, {:.0} a second; \
		 {} signatures, since a full pool removes what it cannot keep",
		took.as_secs_f64(),
		there as f64 / took.as_secs_f64(),
		signed.iter().sum::<usize>(),
	);
	if there < all {
		return Err(format!("{} readings are lost", all - there).into());
	}
	Ok(())
}

/// Sends the readings of some communities, one community after another, as a client does: what is in no block is signed
/// again, until the chain has it. Returns the number of signatures.
async fn program(
	url: &str,
	era: u32,
	homes: &[Homes<'_>],
	(start, begun): (&Barrier, &OnceLock<Instant>),
) -> Done<usize> {
	let node = Node::connect(url, PATIENCE).await.map_err(words)?;
	let mut signed = 0;
	for (households, meters) in homes {
		let mut tries = Tries::default();
		loop {
			let at = node.head().await.map_err(words)?;
			let mut missing = Vec::new();
			for (household, meter) in households.iter().zip(*meters) {
				let known = chain::meter_reading(&at, era, *household).await;
				if known.map_err(words)?.is_none() {
					missing.push(meter.clone());
				}
			}
			if missing.is_empty() {
				break;
			}
			let wave = readings(&node, era, &missing).await?;
			if signed == 0 {
				start.wait().await;
				begun.get_or_init(Instant::now);
			}
			signed += missing.len();
			let missed = send::send_all(&node, &at, wave).await.map_err(words)?;
			tries.enter(missed).map_err(words)?;
		}
	}
	Ok(signed)
}

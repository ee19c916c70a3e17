//! Hostile input over RPC and the pool while a replay runs: nothing crashes, honest readings enter, blocks keep coming.

mod common;

use common::{
	chain::{account, address, key, signed, Sender, UNIT},
	eras::Eras,
	OrPanic, Running, ERA_SECONDS,
};
use rand::{rngs::StdRng, Rng, RngCore, SeedableRng};
use std::{
	collections::BTreeMap,
	fmt,
	sync::{
		atomic::{AtomicBool, Ordering},
		Arc,
	},
};
use subxt::{
	config::SubstrateConfig,
	dynamic::{self, value, Value},
	OnlineClientAtBlock,
};
use subxt_signer::sr25519::Keypair;

/// So many senders at once.
const SENDERS: usize = 4;
/// So many households each of them has, with owners and meters that have money.
const HOUSEHOLDS: usize = 4;
/// The preset's own households come before them.
const FIRST_HOUSEHOLD: usize = 4;
/// What each of these accounts has to spend.
const FUNDS: u128 = 25_000 * UNIT;
/// A batch of readings holds at most so many.
const BATCH: usize = 1_000;
/// A household has at most so many strategies.
const STRATEGIES: usize = 16;
/// Length of a transaction that says nothing and is long.
const BULK: usize = 100_000;

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
	Undecodable,
	WrongSignature,
	UnknownMeter,
	SecondReading,
	WrongEra,
	OwnStrategies,
	OthersStrategies,
	OthersBatch,
	OversizeBatch,
	Bulk,
}

impl Kind {
	const ALL: [Self; 10] = [
		Self::Undecodable,
		Self::WrongSignature,
		Self::UnknownMeter,
		Self::SecondReading,
		Self::WrongEra,
		Self::OwnStrategies,
		Self::OthersStrategies,
		Self::OthersBatch,
		Self::OversizeBatch,
		Self::Bulk,
	];

	/// Whether it pays its fee, and so gets into a block, where most of it fails or comes to nothing.
	fn pays(self) -> bool {
		!matches!(
			self,
			Self::Undecodable | Self::WrongSignature | Self::UnknownMeter | Self::OversizeBatch
		)
	}
}

/// How many were tried, and how many of them the pool took.
#[derive(Debug, Default)]
struct Counts(BTreeMap<Kind, (u64, u64)>);

impl Counts {
	fn add(&mut self, other: Self) {
		for (kind, (tried, taken)) in other.0 {
			let counts = self.0.entry(kind).or_default();
			counts.0 += tried;
			counts.1 += taken;
		}
	}
}

impl fmt::Display for Counts {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		for (kind, (tried, taken)) in &self.0 {
			writeln!(
				f,
				"    {:<18} {tried:>6} tried, {taken:>6} taken by the pool",
				format!("{kind:?}")
			)?;
		}
		Ok(())
	}
}

/// One who sends all kinds, one after the other.
struct Attacker {
	sender: Sender,
	number: usize,
	/// What was made of each kind; the households take turns.
	made: usize,
	random: StdRng,
	counts: Counts,
}

fn reading(generation_wh: u32) -> Value {
	value!({
		generation_wh: generation_wh,
		consumption_wh: 100u32,
		indoor_centi_c: 2_000,
		quality: Measured()
	})
}

impl Attacker {
	async fn connect(url: &str, number: usize, seed: u64) -> Self {
		Self {
			sender: Sender::connect(url).await.expect("the node answers"),
			number,
			made: 0,
			random: StdRng::seed_from_u64(seed.wrapping_add(number as u64)),
			counts: Counts::default(),
		}
	}

	/// Sends until it is told to stop.
	async fn attack(mut self, kinds: Vec<Kind>, stop: Arc<AtomicBool>) -> Counts {
		while !stop.load(Ordering::Relaxed) {
			self.made += 1;
			let head = self.sender.head().await.expect("the node answers");
			for kind in &kinds {
				let bytes = self.make(*kind, &head).await;
				let taken = match self.sender.submit(&bytes).await {
					Ok(()) => true,
					Err(subxt::rpcs::Error::User(_)) => false,
					Err(error) => panic!("the node does not answer any more: {error}"),
				};
				let counts = self.counts.0.entry(*kind).or_default();
				counts.0 += 1;
				counts.1 += u64::from(taken);
			}
		}
		self.counts
	}

	async fn make(&mut self, kind: Kind, head: &OnlineClientAtBlock<SubstrateConfig>) -> Vec<u8> {
		let household = self.number * HOUSEHOLDS + self.made % HOUSEHOLDS;
		let payer = &match kind {
			Kind::SecondReading | Kind::WrongEra => meter(household),
			_ => owner(household),
		};
		let nonce = self.sender.next_nonce(payer).await.expect("the node answers");
		match kind {
			Kind::Undecodable => {
				let mut bytes = vec![0; self.random.gen_range(1..2_000)];
				self.random.fill_bytes(&mut bytes);
				bytes
			}
			Kind::WrongSignature => {
				let call = ("Balances", "transfer_keep_alive");
				let mut bytes = signed(head, payer, nonce, call, (address(payer), UNIT));
				bytes[60] ^= 1;
				bytes
			}
			Kind::UnknownMeter => {
				let nobody = key(&format!("//Nobody//{}", self.random.next_u32()));
				let era = era(head).await;
				let arguments = (era.saturating_sub(1), reading(5));
				signed(head, &nobody, 0, ("EnergyMarket", "submit_reading"), arguments)
			}
			Kind::SecondReading | Kind::WrongEra => {
				let off = if kind == Kind::WrongEra { 40 } else { 1 };
				let arguments = (era(head).await.saturating_sub(off), reading(7));
				signed(head, payer, nonce, ("EnergyMarket", "submit_reading"), arguments)
			}
			Kind::OwnStrategies | Kind::OthersStrategies => {
				let one =
					value!({ kind: BuyFromCommunity(), consumption_wh: 900u32, temperature_centi_c: 2_000 });
				let of = match kind {
					Kind::OwnStrategies => (FIRST_HOUSEHOLD + household) as u32,
					_ => 0,
				};
				let arguments = (of, era(head).await + 1, 0u32, vec![one; STRATEGIES]);
				signed(
					head,
					payer,
					nonce,
					("EnergyMarket", "submit_strategies"),
					arguments,
				)
			}
			Kind::OthersBatch | Kind::OversizeBatch => {
				let era = era(head).await.saturating_sub(1);
				let reading = reading(9);
				let item = value!({ household: 0u32, era: era, reading: reading });
				let items = BATCH + usize::from(kind == Kind::OversizeBatch);
				let arguments = (vec![item; items],);
				signed(head, payer, nonce, ("EnergyMarket", "submit_readings"), arguments)
			}
			Kind::Bulk => {
				let arguments = (Value::from_bytes(vec![0u8; BULK]),);
				signed(head, payer, nonce, ("System", "remark"), arguments)
			}
		}
	}
}

/// Who owns one of the attackers' households.
fn owner(household: usize) -> Keypair {
	key(&format!("//Stranger//{household}"))
}

/// The meter of one.
fn meter(household: usize) -> Keypair {
	key(&format!("//Stranger//{household}//stash"))
}

/// The era that runs.
async fn era(head: &OnlineClientAtBlock<SubstrateConfig>) -> u32 {
	let clock = dynamic::storage::<(), Value>("EnergyMarket", "Clock");
	let clock = head.storage().fetch(clock, ()).await.expect("it runs");
	let clock: Clock = clock.decode_as().expect("it has an era");
	clock.current
}

#[derive(subxt::ext::scale_decode::DecodeAsType)]
#[decode_as_type(crate_path = "::subxt::ext::scale_decode")]
struct Clock {
	current: u32,
}

/// Gives every attacker households, with owners and meters that can pay.
async fn prepare(sender: &Sender) {
	let call = |pallet: &str, call: Value| Value::unnamed_variant(pallet, [call]);
	let mut calls = Vec::new();
	for household in 0..SENDERS * HOUSEHOLDS {
		let (owner, meter) = (owner(household), meter(household));
		for who in [&owner, &meter] {
			let arguments = [("dest", address(who)), ("value", Value::u128(FUNDS))];
			let transfer = Value::named_variant("transfer_keep_alive", arguments);
			calls.push(call("Balances", transfer));
		}
		let [owner, meter] = [&owner, &meter].map(|key| Value::from_bytes(account(key).0));
		let arguments = [
			("community", Value::u128(0)),
			("owner", owner),
			("meter", meter),
			("connection_limit_wh", Value::u128(5_000)),
			("comfort", value!(None())),
		];
		let register = Value::named_variant("register_household", arguments);
		calls.push(call("EnergyMarket", register));
	}
	sender.must(&key("//Eve"), "Utility", "batch_all", (calls,)).await;
}

/// How far apart blocks are, ms.
struct Intervals(Vec<u64>);

impl Intervals {
	/// Of the blocks after one, up to another.
	async fn between(sender: &Sender, first: u64, last: u64) -> Self {
		let mut times = Vec::new();
		for number in first..=last {
			let at = sender.api.at_block(number).await.expect("it is there");
			let now = dynamic::storage::<(), u64>("Timestamp", "Now");
			let now = at.storage().fetch(now, ()).await.expect("every block has a time");
			times.push(now.decode().expect("it is a number"));
		}
		let mut intervals: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
		intervals.sort();
		Self(intervals)
	}

	fn mean(&self) -> u64 {
		self.0.iter().sum::<u64>() / (self.0.len() as u64).max(1)
	}

	fn part(&self, percent: usize) -> u64 {
		self.0[(self.0.len() - 1) * percent / 100]
	}
}

impl fmt::Display for Intervals {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(
			f,
			"{} blocks, ms apart: mean {}, half within {}, 95 % within {}, all within {}",
			self.0.len(),
			self.mean(),
			self.part(50),
			self.part(95),
			self.part(100)
		)
	}
}

/// How many readings of the replay's own households entered in time, and how many the chain had to estimate; those of
/// the attackers' households, of the same community, are their own affair.
fn honest_readings(report: &serde_json::Value) -> (usize, usize) {
	let eras = report["eras"].as_array().expect("there are eras");
	let households = eras
		.iter()
		.filter(|era| era["played"] == true)
		.flat_map(|era| era["households"].as_array().expect("there are households"));
	let (late, entered): (Vec<_>, Vec<_>) =
		households.partition(|household| household["reading"]["quality"] == "Estimated");
	assert!(entered
		.iter()
		.all(|household| household["reading"]["quality"] == "Measured"));
	(entered.len(), late.len())
}

/// Two validators, a replay on one, and a flood on the other.
/// Returns how far apart blocks were before it and under it.
async fn withstand(kinds: Vec<Kind>, periods: u32, era_seconds: u64) -> (Intervals, Intervals) {
	let seed = common::seed();
	let running = Running::start_with_eras(2, era_seconds).await;
	let (honest, open) = (running.network.node(0), running.network.node(1));
	let sender = Sender::connect(&honest.url()).await.expect("the node answers");
	prepare(&sender).await;
	let replay = running.replay(0, periods);
	let calm = honest.finalized().await.or_panic().number;
	running
		.watch_until(0, |seen| seen.eras >= 1 && seen.finalized > 10)
		.await;

	let begun = honest.finalized().await.or_panic().number;
	let stop = Arc::new(AtomicBool::new(false));
	let mut attackers = Vec::new();
	for number in 0..SENDERS {
		let attacker = Attacker::connect(&open.url(), number, seed).await;
		attackers.push(tokio::spawn(attacker.attack(kinds.clone(), stop.clone())));
	}
	let report = replay.finish().await;
	stop.store(true, Ordering::Relaxed);
	let mut counts = Counts::default();
	for attacker in attackers {
		counts.add(attacker.await.expect("the node answers to the end"));
	}
	let over = honest.finalized().await.or_panic().number;

	let without = Intervals::between(&sender, calm, begun).await;
	let with = Intervals::between(&sender, begun, over).await;
	println!("hostile input, seed {seed}:\n{counts}  before it: {without}\n  under it:  {with}");
	for (kind, (tried, taken)) in &counts.0 {
		assert!(*tried > 5, "{kind:?}: {tried}");
		assert!(kind.pays() || *taken == 0, "{kind:?}: {taken} were taken");
	}
	let (entered, late) = honest_readings(&report);
	println!("  honest readings: {entered} entered, {late} came too late");
	assert_eq!(late, 0);
	let eras: Eras = running.check().await;
	assert_eq!(eras.missed(), 0, "{eras}");
	(without, with)
}

#[tokio::test(flavor = "multi_thread")]
async fn honest_readings_enter_under_invalid_input() {
	let invalid = Kind::ALL.into_iter().filter(|kind| !kind.pays());
	let (without, with) = withstand(invalid.collect(), 2, ERA_SECONDS).await;
	assert!(with.mean() * 10 < without.mean() * 12, "{with}");
}

/// With slots as short as here a flood that fills blocks costs some of them: who makes a block and who takes it up share
/// the cores with the senders.
#[tokio::test(flavor = "multi_thread")]
async fn honest_readings_enter_under_input_that_pays_its_fees() {
	let (_, with) = withstand(Kind::ALL.to_vec(), 2, ERA_SECONDS).await;
	assert!(with.mean() < 2_000, "{with}");
}

/// With slots of 1.3 s, which are 6 s on a chain with eras of half an hour, blocks come in time.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; scripts/faults.sh runs it"]
async fn blocks_come_in_time_under_input_that_pays_its_fees() {
	let (without, with) = withstand(Kind::ALL.to_vec(), 3, 40).await;
	assert!(with.mean() * 10 < without.mean() * 11, "{with}");
}

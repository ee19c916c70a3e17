//! Sends hostile input over RPC while a replay runs: no node crashes, honest readings get in, blocks keep coming.

mod common;

use common::{
	chain::{connect, must, next_nonce, signed, submit, UNIT},
	eras::Eras,
	OrPanic, Running, ERA_SECONDS,
};
use commonwatt_client::{
	chain::{
		self, send,
		types::{AcceptMembership, BalancesCall, Batch, CommunityId, ConfirmMeter, MarketCall, RuntimeCall},
		At, Node,
	},
	keys::{account, address, key},
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
use subxt::dynamic::{value, Value};
use subxt_signer::sr25519::Keypair;

/// Number of attackers that send at the same time.
const SENDERS: usize = 4;
/// Number of households of each attacker. Their owners and meters have money.
const HOUSEHOLDS: usize = 4;
/// The ID of the attackers' first household, after those of the preset.
const FIRST_HOUSEHOLD: usize = 4;
/// The balance of each of these owners and meters.
const FUNDS: u128 = 25_000 * UNIT;
/// Maximum number of readings in a batch.
const BATCH: usize = 1_000;
/// Maximum number of strategies in a submission.
const STRATEGIES: usize = 16;
/// Length of the remark in a [`Kind::Bulk`] transaction, bytes.
const BULK: usize = 100_000;

/// The kinds of hostile transactions.
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

	/// Whether it pays a fee and so gets into a block, where most of these calls fail or change nothing.
	fn pays(self) -> bool {
		!matches!(
			self,
			Self::Undecodable | Self::WrongSignature | Self::UnknownMeter | Self::OversizeBatch
		)
	}
}

/// By kind: how many transactions were sent, and how many of them the pool accepted.
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
				"    {:<18} {tried:>6} sent, {taken:>6} accepted by the pool",
				format!("{kind:?}")
			)?;
		}
		Ok(())
	}
}

/// Sends transactions of all given kinds in turn.
struct Attacker {
	node: Node,
	number: usize,
	/// How many transactions of each kind were made. It selects the household, so that they take turns.
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
			node: connect(url).await,
			number,
			made: 0,
			random: StdRng::seed_from_u64(seed.wrapping_add(number as u64)),
			counts: Counts::default(),
		}
	}

	/// Sends until `stop` is set.
	async fn attack(mut self, kinds: Vec<Kind>, stop: Arc<AtomicBool>) -> Counts {
		while !stop.load(Ordering::Relaxed) {
			self.made += 1;
			let head = self.node.head().await.or_panic();
			for kind in &kinds {
				let bytes = self.make(*kind, &head).await;
				let taken = match submit(&self.node, &bytes).await {
					Ok(()) => true,
					Err(subxt::rpcs::Error::User(_)) => false,
					Err(error) => panic!("the node stopped answering: {error}"),
				};
				let counts = self.counts.0.entry(*kind).or_default();
				counts.0 += 1;
				counts.1 += u64::from(taken);
			}
		}
		self.counts
	}

	async fn make(&mut self, kind: Kind, head: &At) -> Vec<u8> {
		let household = self.number * HOUSEHOLDS + self.made % HOUSEHOLDS;
		let payer = &match kind {
			Kind::SecondReading | Kind::WrongEra => meter(household),
			_ => owner(household),
		};
		let nonce = next_nonce(&self.node, payer).await.expect("the node answers");
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
				let nobody = key(&format!("//Nobody//{}", self.random.next_u32())).or_panic();
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

/// The owner of an attackers' household, numbered from 0.
fn owner(household: usize) -> Keypair {
	key(&format!("//Stranger//{household}")).or_panic()
}

/// The meter of an attackers' household.
fn meter(household: usize) -> Keypair {
	key(&format!("//Stranger//{household}//stash")).or_panic()
}

/// The running era.
async fn era(head: &At) -> u32 {
	let view = chain::era(head).await.or_panic();
	view.expect("the clock runs").current
}

/// Registers the attackers' households and gives their owners and meters money.
async fn prepare(node: &Node) {
	let mut calls = Vec::new();
	for household in 0..SENDERS * HOUSEHOLDS {
		let (owner, meter) = (owner(household), meter(household));
		for who in [&owner, &meter] {
			calls.push(RuntimeCall::Balances(BalancesCall::transfer_keep_alive {
				dest: address(who),
				value: FUNDS,
			}));
		}
		calls.push(RuntimeCall::EnergyMarket(MarketCall::offer_membership {
			community: CommunityId(0),
			owner: account(&owner),
			meter: account(&meter),
			connection_limit_wh: 5_000,
		}));
	}
	let eve = key("//Eve").or_panic();
	must(node, &eve, ("Utility", "batch_all"), Batch { calls }).await;
	let at = &node.head().await.or_panic();
	let mut consents = Vec::new();
	for (household, offer) in chain::offers(at).await.or_panic() {
		let number = (0..SENDERS * HOUSEHOLDS).find(|number| account(&meter(*number)) == offer.meter);
		let Some(number) = number else { continue };
		let acceptance = AcceptMembership {
			household,
			max_debit_per_era: FUNDS,
			comfort: None,
		};
		let what = format!("household {household}");
		let accept = ("EnergyMarket", "accept_membership");
		let accepted = send::sign(at, &owner(number), accept, acceptance, what.clone()).await;
		consents.push(accepted.or_panic());
		let confirm = ("EnergyMarket", "confirm_meter");
		let confirmation = ConfirmMeter { household };
		let confirmed = send::sign(at, &meter(number), confirm, confirmation, what).await;
		consents.push(confirmed.or_panic());
	}
	let missed = send::send_all(node, at, consents).await.or_panic();
	assert!(missed.is_empty(), "{missed:?}");
}

/// Times between consecutive blocks, in ms and in ascending order.
struct Intervals(Vec<u64>);

impl Intervals {
	/// The times between the blocks from `first` to `last`.
	async fn between(node: &Node, first: u64, last: u64) -> Self {
		let mut times = Vec::new();
		for number in first..=last {
			let at = node.at(number).await.or_panic();
			let now: Option<u64> = chain::value(&at, "Timestamp", "Now").await.or_panic();
			times.push(now.expect("every block has a time"));
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
			"{} blocks, ms between them: mean {}, median {}, 95th percentile {}, maximum {}",
			self.0.len(),
			self.mean(),
			self.part(50),
			self.part(95),
			self.part(100)
		)
	}
}

/// How many readings of the replay's own households got in, and how many the chain had to estimate. The report does not
/// list the attackers' households, although they are in the same community.
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

/// Runs a replay on one of two validators and floods the other with transactions. Returns the block times before and
/// during the flood.
async fn withstand(kinds: Vec<Kind>, periods: u32, era_seconds: u64) -> (Intervals, Intervals) {
	let seed = common::seed();
	let running = Running::start_with_eras(2, era_seconds).await;
	let (honest, open) = (running.network.node(0), running.network.node(1));
	let node = connect(&honest.url()).await;
	prepare(&node).await;
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
		counts.add(attacker.await.expect("the node answers until the end"));
	}
	let over = honest.finalized().await.or_panic().number;

	let without = Intervals::between(&node, calm, begun).await;
	let with = Intervals::between(&node, begun, over).await;
	println!("hostile input, seed {seed}:\n{counts}  before: {without}\n  during: {with}");
	for (kind, (tried, taken)) in &counts.0 {
		assert!(*tried > 5, "{kind:?}: only {tried} were sent");
		assert!(kind.pays() || *taken == 0, "{kind:?}: the pool accepted {taken}");
	}
	let (entered, late) = honest_readings(&report);
	println!("  honest readings: {entered} got in, {late} came too late");
	assert_eq!(late, 0);
	let eras: Eras = running.check().await;
	assert_eq!(eras.missed(), 0, "{eras}");
	(without, with)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; scripts/faults.sh runs it"]
async fn honest_readings_get_in_during_a_flood_of_invalid_input() {
	let invalid = Kind::ALL.into_iter().filter(|kind| !kind.pays());
	let (without, with) = withstand(invalid.collect(), 2, ERA_SECONDS).await;
	assert!(with.mean() * 10 < without.mean() * 12, "{with}");
}

/// With slots this short, a flood that fills blocks makes the chain miss half of them: making and importing a block share
/// the cores with the senders. So an era is long enough that readings still have some ten blocks.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; scripts/faults.sh runs it"]
async fn honest_readings_get_in_during_a_flood_that_pays_fees() {
	let (_, with) = withstand(Kind::ALL.to_vec(), 2, 2 * ERA_SECONDS).await;
	assert!(with.mean() < 2_000, "{with}");
}

/// With slots of 1.3 s, blocks come in time. A chain with eras of half an hour has slots of 6 s.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; scripts/faults.sh runs it"]
async fn blocks_come_in_time_during_a_flood_that_pays_fees() {
	let (without, with) = withstand(Kind::ALL.to_vec(), 3, 40).await;
	assert!(with.mean() * 10 < without.mean() * 11, "{with}");
}

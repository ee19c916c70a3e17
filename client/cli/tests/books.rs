//! `commonwatt books` against the real node: balances and energy rebuilt from events agree with the state.

mod common;

use common::{
	assert_complete, commonwatt, json, node_binary, now_ms, paper, pass_slot, seal_at, week, Folder, Node,
	Outcome, PATIENCE,
};
use commonwatt_client::{
	chain::{
		self, send,
		types::{CommunityId, MarketCall, RuntimeCall, Sudo},
	},
	keys,
};
use commonwatt_localnet::write_development_chain;
use commonwatt_market::paper as paper_terms;
use serde_json::Value as Json;
use std::str::FromStr;
use subxt::{
	dynamic::{value, Value},
	ext::scale_encode::EncodeAsFields,
	utils::AccountId32,
};

/// One token in the smallest unit.
const UNIT: u128 = 1_000_000_000_000;
const MILLI: u128 = UNIT / 1_000;
const ERA_MS: u64 = 60_000;

/// Keeps the books of the whole chain of a node.
fn books(place: &Folder, node: &Node, more: &[&str]) -> Outcome {
	let mut command = commonwatt(&["books", "--url", &node.url, "--json", &place.path("books.json")]);
	command.args(more).output().expect("commonwatt runs").into()
}

/// The report of books that must agree with the state.
fn agreed(place: &Folder, node: &Node) -> Json {
	let outcome = books(place, node, &[]).expect_code(0);
	let report = json(&place.folder("books.json"));
	assert_eq!(report["differences"], serde_json::json!([]));
	let block = report["compared_with"].to_string();
	let said =
		format!("rebuilt from the events of {block} blocks; all agree with the state of block {block}\n");
	assert!(outcome.stdout.ends_with(&said), "{}", outcome.stdout);
	println!("{}", outcome.stdout);
	report
}

/// Energy of all households by channel, summed over all eras, Wh.
fn energy(report: &Json, channel: &str) -> u64 {
	let households = report["energy"].as_object().unwrap().values();
	households.map(|energy| energy[channel].as_u64().unwrap()).sum()
}

/// Plays a replay and keeps its books, which must have every Wh of the replay.
fn replayed(place: &Folder, node: &Node, file: &std::path::Path, more: &[&str], periods: usize) -> Json {
	place.run(node, file, more).expect_code(0);
	let replay = place.report();
	assert_complete(&replay, periods);
	let report = agreed(place, node);
	let traded = replay["sums"]["community_wh"].as_u64().unwrap();
	assert!(traded > 0);
	assert_eq!(energy(&report, "sold_to_community_wh"), traded);
	assert_eq!(energy(&report, "bought_from_community_wh"), traded);
	report
}

#[test]
fn paper_day_is_rebuilt_from_its_events() {
	let place = Folder::new();
	let node = Node::start(&place.folder("chain"));
	let report = replayed(&place, &node, &paper(), &[], 24);
	assert_eq!(report["books"]["households"].as_object().unwrap().len(), 4);
	// At least the eras that were played; one or two more had passed before.
	assert!(report["books"]["statements"]["0"].as_object().unwrap().len() >= 24);
	assert!(u128::from_str(report["fees"].as_str().unwrap()).unwrap() > 0);
}

/// Far more eras than the chain retains, so the statements at the end depend on all events before.
#[test]
fn week_of_a_new_community_is_rebuilt_from_its_events() {
	let place = Folder::new();
	let node = Node::start(&place.folder("chain"));
	let report = replayed(&place, &node, &week(&place), &["--community", "street"], 336);
	let books = &report["books"];
	assert_eq!(books["households"].as_object().unwrap().len(), 12);
	for community in ["0", "1"] {
		assert_eq!(books["statements"][community].as_object().unwrap().len(), 48);
	}
}

/// A connection that signs with keys of these names.
struct Chain(chain::Node);

fn account(uri: &str) -> AccountId32 {
	keys::account(&keys::key(uri).unwrap())
}

/// An account as calls name it.
fn address(uri: &str) -> Value {
	named(account(uri))
}

fn named(account: AccountId32) -> Value {
	Value::unnamed_variant("Id", [Value::from_bytes(account.0)])
}

impl Chain {
	async fn connect(node: &Node) -> Self {
		Self(chain::Node::connect(&node.url, PATIENCE).await.unwrap())
	}

	/// Sends a call that must succeed.
	async fn send(&self, signer: &str, pallet: &str, call: &str, arguments: impl EncodeAsFields) {
		let (at, key) = (self.0.head().await.unwrap(), keys::key(signer).unwrap());
		let what = format!("{pallet}.{call}");
		let signed = send::sign(&at, &key, (pallet, call), arguments, what)
			.await
			.unwrap();
		let missed = send::send_all(&self.0, &at, vec![signed]).await.unwrap();
		assert!(missed.is_empty(), "{missed:?}");
	}

	/// Ends the current era and the next ones, each with one more block for its round.
	async fn pass_eras(&self, eras: u64) {
		for _ in 0..eras {
			let ends = (now_ms(self.0.rpc()).await / ERA_MS + 1) * ERA_MS;
			seal_at(self.0.rpc(), ends).await;
			seal_at(self.0.rpc(), ends + 2_000).await;
		}
	}

	/// The current era.
	async fn era(&self) -> u32 {
		(now_ms(self.0.rpc()).await / ERA_MS) as u32
	}

	async fn transfer(&self, from: &str, to: Value, amount: u128) {
		self.send(from, "Balances", "transfer_allow_death", (to, amount))
			.await;
	}

	/// A call of the balances through Sudo.
	async fn force(&self, call: &str, arguments: impl IntoIterator<Item = (&str, Value)>) {
		let call = Value::unnamed_variant("Balances", [Value::named_variant(call, arguments)]);
		self.send("//Alice", "Sudo", "sudo", (call,)).await;
	}
}

/// A community's households may come later than it does.
#[tokio::test(flavor = "multi_thread")]
async fn community_without_households_has_no_books_to_differ() {
	let place = Folder::new();
	let node = Node::start_with(&place.folder("chain"), &["--block-interval-ms", "0"]);
	let chain = Chain::connect(&node).await;
	let call = RuntimeCall::EnergyMarket(MarketCall::create_community {
		name: b"to come".to_vec(),
		operator: account("//Eve"),
		utility: account("//Ferdie"),
		terms: paper_terms::TERMS,
		bounds: paper_terms::BOUNDS,
	});
	chain.send("//Alice", "Sudo", "sudo", Sudo { call }).await;
	chain.pass_eras(3).await;
	let report = agreed(&place, &node);
	let communities = report["books"]["statements"].as_object().unwrap();
	assert_eq!(communities.keys().collect::<Vec<_>>(), ["0"]);
}

/// As many households as a community may have, over as many eras as the chain keeps statements of.
#[tokio::test(flavor = "multi_thread")]
async fn community_at_the_documented_maximum_is_rebuilt_from_its_events() {
	const HOUSEHOLDS: u32 = 1_000;
	const RETAINED: u64 = 48;
	let place = Folder::new();
	let (binary, specification) = (node_binary(), place.path("chain.json"));
	let meter = |number| account(&format!("//large//{number}")).to_string();
	let meters: Vec<String> = (0..HOUSEHOLDS).map(meter).collect();
	write_development_chain(&binary, specification.as_ref(), &[&meters], |_| ()).unwrap();
	let node = Node::start_chain(&place.folder("chain"), &specification);
	let chain = Chain::connect(&node).await;
	let concentrator = Value::unnamed_variant("Some", [Value::from_bytes(account("//Ferdie").0)]);
	chain
		.send("//Eve", "EnergyMarket", "set_concentrator", (0u32, concentrator))
		.await;
	// It takes its office in the era after next.
	chain.pass_eras(4).await;
	for _ in 0..=RETAINED {
		let era = chain.era().await - 1;
		let reading = |household: u32| {
			let (generation_wh, consumption_wh) = (household % 2 * 700, 300 + household);
			value!({
				household: household,
				era: era,
				reading: {
					generation_wh: generation_wh,
					consumption_wh: consumption_wh,
					indoor_centi_c: 2_000,
					quality: Measured()
				}
			})
		};
		let batch = Value::unnamed_composite((0..HOUSEHOLDS).map(reading));
		chain
			.send("//Ferdie", "EnergyMarket", "submit_readings", (batch,))
			.await;
		chain.pass_eras(1).await;
	}
	let report = agreed(&place, &node);
	let eras = report["books"]["statements"]["0"].as_object().unwrap();
	assert_eq!(eras.len() as u64, RETAINED);
	for (era, statements) in eras {
		assert_eq!(
			statements.as_object().unwrap().len(),
			HOUSEHOLDS as usize,
			"era {era}"
		);
	}
	assert!(energy(&report, "bought_from_main_wh") > 48 * 300 * u64::from(HOUSEHOLDS));
}

/// Removes accounts with and without dust, burns and mints money, and reserves deposits for proxies.
async fn move_money(chain: &Chain) {
	chain.transfer("//Alice", address("//Ended"), UNIT).await;
	chain.transfer("//Ended", address("//Alice"), UNIT / 2).await;
	chain
		.send("//Ended", "Balances", "transfer_all", (address("//Bob"), false))
		.await;
	chain.transfer("//Alice", address("//Dusty"), UNIT).await;
	// What is left is half of the minimum balance.
	let value = Value::u128(UNIT - MILLI / 2);
	let (source, dest) = (address("//Dusty"), address("//Bob"));
	chain
		.force(
			"force_transfer",
			[("source", source), ("dest", dest), ("value", value)],
		)
		.await;
	for free in [5 * UNIT, 3 * UNIT] {
		let new_free = Value::u128(free);
		chain
			.force(
				"force_set_balance",
				[("who", address("//Forced")), ("new_free", new_free)],
			)
			.await;
	}
	chain.send("//Bob", "Balances", "burn", (3 * UNIT, true)).await;
	let proxy = || (address("//Dave"), value!(HomeManager()), 0u32);
	chain.send("//Charlie", "Proxy", "add_proxy", proxy()).await;
	chain.send("//Bob", "Proxy", "add_proxy", proxy()).await;
	chain.send("//Bob", "Proxy", "remove_proxy", proxy()).await;
}

/// Has household 4 join, which owes the utility more than its owner has. The operator removes it, and then its owner
/// gets enough money and pays.
async fn fall_into_arrears(chain: &Chain) {
	let (owner, meter) = (account("//Poor"), account("//Poor//stash"));
	let (owner, meter) = (Value::from_bytes(owner.0), Value::from_bytes(meter.0));
	chain
		.send(
			"//Eve",
			"EnergyMarket",
			"offer_membership",
			(0u32, owner, meter, 5_000u32),
		)
		.await;
	// Enough for the fee of accepting, and less than a kilowatt-hour costs.
	chain.transfer("//Alice", address("//Poor"), 50 * MILLI).await;
	let acceptance = (4u32, 100 * UNIT, value!(None()));
	chain
		.send("//Poor", "EnergyMarket", "accept_membership", acceptance)
		.await;
	chain
		.send("//Poor//stash", "EnergyMarket", "confirm_meter", (4u32,))
		.await;
	let joined = chain.era().await;
	chain.pass_eras(1).await;
	let reading = value!({
		generation_wh: 0u32,
		consumption_wh: 1_000u32,
		indoor_centi_c: 2_000,
		quality: Measured()
	});
	chain
		.send(
			"//Poor//stash",
			"EnergyMarket",
			"submit_reading",
			(joined, reading),
		)
		.await;
	chain
		.send("//Eve", "EnergyMarket", "remove_household", (4u32,))
		.await;
	chain.pass_eras(3).await;
	chain.transfer("//Alice", address("//Poor"), 100 * UNIT).await;
	// Nothing is collected from an owner who has left.
	chain
		.send("//Poor", "EnergyMarket", "repay_arrears", (4u32,))
		.await;
}

/// Sets an incentive of one CWT for every era from the one after next on, pays 5 CWT into the pot, and narrows the comfort.
async fn fill_the_pot(chain: &Chain) {
	let pot = chain::pot_account(&chain.0.head().await.unwrap(), CommunityId(0))
		.await
		.unwrap();
	chain.transfer("//Alice", named(pot), 5 * UNIT).await;
	let milli = |count: u128| Value::u128(count * MILLI);
	// The macro would take `milli(300)` for a variant, hence these names.
	let [retail, feed_in, import, export, fee, incentive, cap] = [300, 80, 360, 40, 10, 1_000, 5].map(milli);
	let terms = value!({
		rules: { lambda: { numerator: 4u32, denominator: 1u32 }, resolution_wh: 10u32 },
		tariffs: {
			retail_per_kwh: retail,
			feed_in_per_kwh: feed_in,
			imbalance_import_per_kwh: import,
			imbalance_export_per_kwh: export,
			grid_fee_per_kwh: fee
		},
		price_rule: MidMarket(),
		incentive_per_era: incentive,
		comfort_bounds: Some({ min_centi_c: 1_600, max_centi_c: 2_600 }),
		reward_cap_per_kwh: cap
	});
	let from_era = chain.era().await + 2;
	chain
		.send("//Eve", "EnergyMarket", "set_terms", (0u32, terms, from_era))
		.await;
}

/// Everything that moves money: besides a replay's settlements also rewards, debts of a household that has left, and
/// what any account can do.
#[tokio::test]
async fn every_kind_of_payment_is_rebuilt() {
	let place = Folder::new();
	let node = Node::start(&place.folder("chain"));
	let chain = Chain::connect(&node).await;
	move_money(&chain).await;
	fall_into_arrears(&chain).await;
	fill_the_pot(&chain).await;

	// The replay's own checks see the rewards, and the debts of household 4 being paid as it leaves.
	let replay = place.run(&node, &paper(), &["--first", "8"]).expect_code(0);
	assert_complete(&place.report(), 8);
	// At most 0.005 CWT for each kWh that was delivered or taken.
	let rewards = "rewards from the incentive pot: 0.";
	assert!(replay.stdout.contains(rewards), "{}", replay.stdout);
	chain.send("//Dave", "EnergyMarket", "leave", (3u32,)).await;
	chain.pass_eras(4).await;

	let report = agreed(&place, &node);
	let books = &report["books"];
	let households = books["households"].as_object().unwrap();
	assert_eq!(households.keys().collect::<Vec<_>>(), ["0", "1", "2"]);
	let account = |uri: &str| &books["accounts"][account(uri).to_string()];
	assert_eq!(account("//Charlie")["reserved"], (11 * MILLI).to_string());
	assert_eq!(account("//Forced")["free"], (3 * UNIT).to_string());
	assert_eq!(account("//Ended"), &Json::Null);
	assert_eq!(account("//Dusty"), &Json::Null);
}

#[tokio::test]
async fn books_can_start_where_the_node_still_has_the_state() {
	let place = Folder::new();
	let node = Node::start_with(&place.folder("chain"), &["--state-pruning", "32"]);
	place.run(&node, &paper(), &["--first", "6"]).expect_code(0);
	let chain = Chain::connect(&node).await;
	for _ in 0..40 {
		pass_slot(chain.0.rpc()).await;
	}
	let refused = books(&place, &node, &[]).expect_code(2);
	assert!(
		refused
			.stderr
			.contains("the node no longer has the state of block 0"),
		"{}",
		refused.stderr
	);
	let (_, oldest) = refused.stderr.split_once("--from ").expect("it names a block");
	let oldest: u64 = oldest.split(',').next().unwrap().parse().unwrap();
	// New blocks arrive meanwhile, and the node discards more states.
	books(&place, &node, &["--from", &(oldest + 16).to_string()]).expect_code(0);
	let future = books(&place, &node, &["--from", "1000000"]).expect_code(2);
	assert!(
		future.stderr.contains("the newest final block is"),
		"{}",
		future.stderr
	);
}

#[test]
fn unreachable_node_is_named() {
	let outcome: Outcome = commonwatt(&["books", "--url", "ws://127.0.0.1:1"])
		.output()
		.expect("commonwatt runs")
		.into();
	let outcome = outcome.expect_code(3);
	assert!(
		outcome
			.stderr
			.contains("no connection to the node at ws://127.0.0.1:1"),
		"{}",
		outcome.stderr
	);
}

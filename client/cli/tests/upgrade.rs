//! Changes the runtime's code on a running chain, in the middle of a day that `commonwatt replay` plays.

mod common;

use common::{assert_complete, commonwatt, json, repository, Node, Outcome, Running, PATIENCE};
use commonwatt_client::chain::types::HouseholdId;
use commonwatt_runtime_rehearsal::WASM_BINARY;
use std::{
	collections::{BTreeMap, BTreeSet},
	path::Path,
	process::Command,
	sync::Arc,
	time::{Duration, Instant},
};
use subxt::{
	backend::LegacyBackend,
	client::OnlineClientAtBlockImpl,
	dynamic,
	error::DispatchError,
	ext::{
		scale_decode::{self, DecodeAsType},
		scale_encode::{self, EncodeAsType},
	},
	rpcs::{rpc_params, RpcClient},
	OnlineClient, SubstrateConfig,
};
use subxt_signer::sr25519::dev;

/// The key of the market's storage version in the state: the two-x hashes of `EnergyMarket` and
/// `:__STORAGE_VERSION__:`.
const STORAGE_VERSION: &str = "0x494cc779897271f89905e97b2f54102e4e7b9012096b41c4eb3aaf947f6ea429";
/// The key of the code in the state, `:code`.
const CODE: &str = "0x3a636f6465";
/// Periods of the paper's day.
const PERIODS: usize = 24;

/// Arguments of `Sudo.sudo`.
#[derive(EncodeAsType)]
#[encode_as_type(crate_path = "scale_encode")]
struct Sudo {
	call: RuntimeCall,
}

#[derive(EncodeAsType)]
#[encode_as_type(crate_path = "scale_encode")]
enum RuntimeCall {
	System(SystemCall),
}

#[derive(EncodeAsType)]
#[encode_as_type(crate_path = "scale_encode")]
#[allow(non_camel_case_types)]
enum SystemCall {
	set_code { code: Vec<u8> },
}

/// The market's events about a household's era.
#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "scale_decode")]
struct ContractMade {
	household: HouseholdId,
	era: u32,
	held: u128,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "scale_decode")]
struct HouseholdSettled {
	household: HouseholdId,
	statement: Statement,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "scale_decode")]
struct Statement {
	era: u32,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "scale_decode")]
struct EraCleared {
	record: Era,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "scale_decode")]
struct Era {
	era: u32,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "scale_decode")]
struct LastRuntimeUpgrade {
	spec_version: u64,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "scale_decode")]
struct Account {
	data: AccountData,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "scale_decode")]
struct AccountData {
	reserved: u128,
}

type TransactionInBlock =
	subxt::transactions::TransactionInBlock<SubstrateConfig, OnlineClientAtBlockImpl<SubstrateConfig>>;

/// A household and an era.
type Key = (HouseholdId, u32);

/// What the events of all blocks say about contracts.
#[derive(Default)]
struct Contracts {
	/// The amount that was put on hold.
	made: BTreeMap<Key, u128>,
	/// How often the contract was settled.
	settled: BTreeMap<Key, u32>,
	/// In which block an era was cleared, and in which it was settled.
	cleared_in: BTreeMap<u32, u64>,
	settled_in: BTreeMap<u32, u64>,
}

impl Contracts {
	fn open(&self) -> BTreeSet<Key> {
		let made = self.made.keys().copied();
		made.filter(|key| !self.settled.contains_key(key)).collect()
	}
}

/// A chain as its clients see it.
struct Chain {
	rpc: RpcClient,
	api: OnlineClient<SubstrateConfig>,
}

impl Chain {
	async fn of(node: &Node) -> Self {
		let rpc = RpcClient::from_insecure_url(&node.url).await.unwrap();
		let backend = LegacyBackend::builder().build(rpc.clone());
		let api = OnlineClient::from_backend(Arc::new(backend)).await.unwrap();
		Self { rpc, api }
	}

	async fn head(&self) -> u64 {
		self.api.at_current_block().await.unwrap().block_number()
	}

	async fn storage(&self, key: &str, block: u64) -> String {
		let hash: String = self
			.rpc
			.request("chain_getBlockHash", rpc_params![block])
			.await
			.unwrap();
		self.rpc
			.request("state_getStorage", rpc_params![key, hash])
			.await
			.unwrap()
	}

	/// The version of the code that runs the next block.
	async fn code_version(&self) -> u64 {
		let version: serde_json::Value = self
			.rpc
			.request("state_getRuntimeVersion", rpc_params![])
			.await
			.unwrap();
		version["specVersion"].as_u64().unwrap()
	}

	/// After a block: the version that the state was last migrated for, and the market's storage version.
	async fn state_versions(&self, block: u64) -> (u64, String) {
		let at = self.api.at_block(block).await.unwrap();
		let address = dynamic::storage::<(), LastRuntimeUpgrade>("System", "LastRuntimeUpgrade");
		let last = at.storage().fetch(address, ()).await.unwrap().decode().unwrap();
		(last.spec_version, self.storage(STORAGE_VERSION, block).await)
	}

	/// What an account has reserved or on hold.
	async fn reserved(&self, account: [u8; 32]) -> u128 {
		let at = self.api.at_current_block().await.unwrap();
		let address = dynamic::storage::<([u8; 32],), Account>("System", "Account");
		let account = at.storage().fetch(address, (account,)).await.unwrap();
		account.decode().unwrap().data.reserved
	}

	/// Alice signs a call of Sudo. Returns the transaction in its final block. She also owns a household, so a
	/// transaction that the replay left in the pool may take her nonce or her place in the pool; then she signs again.
	async fn sudo(&self, call: RuntimeCall) -> TransactionInBlock {
		let (sudo, alice) = (dynamic::transaction("Sudo", "sudo", Sudo { call }), dev::alice());
		let begun = Instant::now();
		loop {
			let at = self.api.at_current_block().await.unwrap();
			let mut transactions = at.transactions();
			let sent = transactions
				.sign_and_submit_then_watch_default(&sudo, &alice)
				.await;
			let refused = match sent {
				Ok(progress) => match progress.wait_for_finalized().await {
					Ok(included) => return included,
					Err(error) => error.to_string(),
				},
				Err(error) => error.to_string(),
			};
			// If a transaction of hers is in the pool, the next final block has it.
			while self.head().await <= at.block_number() {
				assert!(begun.elapsed() < PATIENCE, "no block takes it: {refused}");
				tokio::time::sleep(Duration::from_millis(50)).await;
			}
		}
	}

	/// Changes the code. Returns the block that did it, or the reason why it was refused.
	async fn set_code(&self, code: Vec<u8>) -> Result<u64, String> {
		let included = self
			.sudo(RuntimeCall::System(SystemCall::set_code { code }))
			.await;
		let events = included.wait_for_success().await.unwrap();
		let at = included.at().await.unwrap();
		for event in events.iter() {
			let event = event.unwrap();
			if event.pallet_name() == "Sudo" && event.event_name() == "Sudid" {
				// The result of the call: 0, or 1 and an error.
				return match event.field_bytes() {
					[0] => Ok(at.block_number()),
					[_, error @ ..] => Err(DispatchError::decode_from(error, at.metadata())
						.unwrap()
						.to_string()),
					[] => panic!("an event without its field"),
				};
			}
		}
		panic!("Sudo says nothing");
	}

	async fn contracts(&self) -> Contracts {
		let mut contracts = Contracts::default();
		for number in 1..=self.head().await {
			let at = self.api.at_block(number).await.unwrap();
			for event in at.events().fetch().await.unwrap().iter() {
				let event = event.unwrap();
				match (event.pallet_name(), event.event_name()) {
					("EnergyMarket", "ContractMade") => {
						let ContractMade { household, era, held } =
							event.decode_fields_unchecked_as().unwrap();
						assert_eq!(contracts.made.insert((household, era), held), None);
					}
					("EnergyMarket", "EraCleared") => {
						let EraCleared { record } = event.decode_fields_unchecked_as().unwrap();
						assert_eq!(contracts.cleared_in.insert(record.era, number), None);
					}
					("EnergyMarket", "EraSettled") => {
						let Era { era } = event.decode_fields_unchecked_as().unwrap();
						assert_eq!(contracts.settled_in.insert(era, number), None);
					}
					("EnergyMarket", "HouseholdSettled") => {
						let HouseholdSettled { household, statement } =
							event.decode_fields_unchecked_as().unwrap();
						*contracts.settled.entry((household, statement.era)).or_default() += 1;
					}
					_ => (),
				}
			}
		}
		contracts
	}
}

fn from_hex(text: &str) -> Vec<u8> {
	let digits = text.strip_prefix("0x").unwrap();
	(0..digits.len())
		.step_by(2)
		.map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
		.collect()
}

fn replay(node: &Node, folder: &Path) -> Command {
	let mut command = commonwatt(&["replay", "--url", &node.url]);
	command.arg(repository().join("examples/paper.csv"));
	command.arg("--journal").arg(folder.join("journal"));
	command.arg("--json").arg(folder.join("report.json"));
	command
}

#[tokio::test]
async fn replay_resumes_after_a_runtime_upgrade_in_the_middle_of_a_day() {
	let next = WASM_BINARY.expect("without SKIP_WASM_BUILD there is one");
	let folder = tempfile::tempdir().unwrap();
	let node = Node::start(&folder.path().join("chain"));
	let chain = Chain::of(&node).await;
	let mut running = Running::start(replay(&node, folder.path()));
	running.wait_for_eras(7);
	running.kill();

	let head = chain.head().await;
	let old = chain.code_version().await;
	assert_eq!(chain.state_versions(head).await, (old, "0x0200".to_owned()));
	let same = from_hex(&chain.storage(CODE, head).await);
	let refused = chain.set_code(same).await.unwrap_err();
	assert!(refused.contains("SpecVersionNeedsToIncrease"), "{refused}");

	let changed = chain.set_code(next.to_vec()).await.unwrap();
	assert_eq!(chain.code_version().await, old + 1);
	let contracts = chain.contracts().await;
	let open = contracts.open();
	assert!(open.iter().any(|key| contracts.made[key] > 0), "{open:?}");

	let outcome: Outcome = replay(&node, folder.path()).output().unwrap().into();
	outcome.expect_code(0);
	let report = json(&folder.path().join("report.json"));
	assert_complete(&report, PERIODS);

	let contracts = chain.contracts().await;
	assert!(contracts.open().is_empty(), "{:?}", contracts.open());
	assert!(contracts.settled.values().all(|times| *times == 1));
	assert!(open.iter().all(|key| contracts.settled.contains_key(key)));
	for owner in [dev::alice(), dev::bob(), dev::charlie(), dev::dave()] {
		assert_eq!(chain.reserved(owner.public_key().0).await, 0);
	}
	// Each era's line has the versions that cleared and settled it. The block that changed the code ran on the old one.
	let version = |block: u64| if block > changed { old + 1 } else { old };
	let mut across = None;
	for line in report["eras"].as_array().unwrap() {
		let era = u32::try_from(line["era"].as_u64().unwrap()).unwrap();
		let (cleared, settled) = (contracts.cleared_in[&era], contracts.settled_in[&era]);
		assert_eq!(line["cleared_by"], version(cleared), "era {era} of {changed}");
		assert_eq!(line["settled_by"], version(settled), "era {era} of {changed}");
		across = across.or((version(cleared) < version(settled)).then_some(era));
	}
	let era = across.expect("an era was open during the upgrade").to_string();
	let audit = commonwatt(&["audit", "--url", &node.url, "--era", &era]).output();
	let outcome = Outcome::from(audit.unwrap()).expect_code(0);
	for version in [old, old + 1] {
		let words = format!("runtime version {version}");
		assert!(outcome.stdout.contains(&words), "{}", outcome.stdout);
	}
	// The state is migrated in the first block on the new code, and never again.
	for block in [changed - 1, changed, changed + 1, changed + 2, chain.head().await] {
		let expected = match block > changed {
			true => (old + 1, "0x0300".to_owned()),
			false => (old, "0x0200".to_owned()),
		};
		assert_eq!(
			chain.state_versions(block).await,
			expected,
			"block {block} of {changed}"
		);
	}
}

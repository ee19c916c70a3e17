//! The connection to a node, and queries to it.

pub mod balances;
pub mod council;
pub mod events;
pub mod game;
pub mod light;
pub mod send;
pub mod types;

use crate::fault::{Fault, OrFault};
use balances::AccountInfo;
use light::Light;
use std::{
	fmt,
	path::PathBuf,
	sync::Arc,
	time::{Duration, Instant},
};
use subxt::{
	backend::LegacyBackend,
	config::substrate::H256,
	dynamic,
	ext::{
		frame_decode::storage::{IntoDecodableValues, IntoEncodableValues},
		scale_decode::DecodeAsType,
	},
	rpcs::{client::RpcParams, methods::legacy::Bytes, rpc_params, RpcClient},
	storage::PrefixOf,
	utils::{to_hex, AccountId32},
	OnlineClient, OnlineClientAtBlock, SubstrateConfig,
};
use types::{
	Bill, Community, CommunityId, Contract, Debt, EraRecord, EraView, Household, HouseholdId,
	LastRuntimeUpgrade, MembershipOffer, Metered, Proposal, Reading, Statement,
};

/// The chain at one block: its state, events and transactions.
pub type At = OnlineClientAtBlock<SubstrateConfig>;

/// JSON-RPC's error code for invalid parameters.
const INVALID_PARAMS: i32 = -32602;
/// How long commands that only read retry to connect to a node.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// How the node's server and this program's client say that an answer is too long.
const TOO_LONG: [&str; 2] = ["Response is too big", "too large: len"];
/// Timeout for a node to show that it is alive.
const LIVENESS: Duration = Duration::from_secs(3);

/// How amounts are written: the decimals and the symbol of the token.
#[derive(Clone, Debug)]
pub struct Token {
	/// A token is ten to this power of the smallest unit.
	pub decimals: u32,
	/// The name of a token, such as `CWT`.
	pub symbol: String,
}

/// Maximum decimals: amounts have 128 bits, which is some 38 digits.
const MOST_DECIMALS: u32 = 30;

impl Token {
	/// The token that a chain's properties name. As in Polkadot.js, a list of tokens begins with the chain's own.
	fn of(properties: &serde_json::Value) -> Result<Self, String> {
		let property = |name: &str| match &properties[name] {
			serde_json::Value::Array(list) => list.first().cloned().unwrap_or_default(),
			other => other.clone(),
		};
		let wrong = |name: &str, value: &serde_json::Value, what: &str| {
			match value.is_null() {
			true => format!("the chain has no property {name}, without which amounts cannot be written: its specification lacks it"),
			false => format!("the chain's property {name} is {value}, but must be {what}"),
		}
		};
		let (decimals, symbol) = (property("tokenDecimals"), property("tokenSymbol"));
		let number = decimals.as_u64().and_then(|number| u32::try_from(number).ok());
		let number = number.filter(|number| *number <= MOST_DECIMALS);
		let name = symbol.as_str().filter(|name| !name.is_empty());
		Ok(Self {
			decimals: number.ok_or_else(|| wrong("tokenDecimals", &decimals, "a number from 0 to 30"))?,
			symbol: name
				.ok_or_else(|| wrong("tokenSymbol", &symbol, "a name"))?
				.into(),
		})
	}

	/// An amount in tokens, with four decimal places, rounded down.
	pub fn text(&self, amount: types::Balance) -> String {
		let whole = 10u128.saturating_pow(self.decimals);
		let ten_thousandths = amount % whole * 10_000 / whole;
		format!("{}.{ten_thousandths:04}", amount / whole)
	}

	/// A signed amount in tokens, with four decimal places.
	pub fn signed_text(&self, amount: i128) -> String {
		let sign = if amount < 0 { "-" } else { "" };
		format!("{sign}{}", self.text(amount.unsigned_abs()))
	}
}

/// How to reach a chain.
#[derive(Clone, Debug)]
pub enum Access {
	/// By the RPC server of the node with this URL, which is believed.
	Node(String),
	/// By a light client, with the raw chain specification in this file.
	Light(PathBuf),
}

impl fmt::Display for Access {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Node(url) => f.write_str(url),
			Self::Light(path) => write!(f, "the network of {}", path.display()),
		}
	}
}

/// A connected node, or a light client, which answers like one.
pub struct Node {
	access: Access,
	rpc: RpcClient,
	light: Option<Light>,
	api: OnlineClient<SubstrateConfig>,
	/// Whether the chain's clock can be moved, as it can on a development chain.
	pub has_movable_clock: bool,
	/// Length of an Aura slot, ms: the minimum distance between blocks.
	pub slot_ms: u64,
}

#[derive(serde::Deserialize)]
struct Methods {
	methods: Vec<String>,
}

impl Node {
	/// Connects to a node. Retries for as long as `patience`.
	pub async fn connect(url: &str, patience: Duration) -> Result<Self, Fault> {
		let begun = Instant::now();
		loop {
			match Self::try_connect(url).await {
				Ok(node) => return Ok(node),
				Err(fault) if begun.elapsed() >= patience => return Err(fault),
				Err(_) => tokio::time::sleep(Duration::from_millis(250)).await,
			}
		}
	}

	/// Connects to a node, or joins a network as a light client.
	pub async fn open(access: &Access, patience: Duration) -> Result<Self, Fault> {
		let path = match access {
			Access::Node(url) => return Self::connect(url, patience).await,
			Access::Light(path) => path,
		};
		let (name, rpc, light) = light::join(path).await?;
		let joined = Self::with(access.clone(), rpc, Some(light)).await;
		joined.map_err(|fault| {
			fault.because(|reason| {
				format!("the network {name} does not serve a Commonwatt chain as this program expects it: {reason}")
			})
		})
	}

	/// Calls a method of the node that answers unless something is wrong.
	async fn request<Answer: serde::de::DeserializeOwned>(
		&self,
		method: &str,
		params: RpcParams,
	) -> Result<Answer, Fault> {
		self.rpc.request(method, params).await.or_fault()
	}

	async fn try_connect(url: &str) -> Result<Self, Fault> {
		let rpc = RpcClient::from_insecure_url(url).await.or_fault();
		let rpc = rpc.map_err(|reason| Fault::Lost {
			url: url.into(),
			reason: reason.to_string(),
		})?;
		let access = Access::Node(url.into());
		match Self::with(access.clone(), rpc.clone(), None).await {
			Ok(node) => Ok(node),
			Err(fault) => Err(diagnose(&access, &rpc, fault).await.because(|reason| {
				format!("the node at {url} does not serve a Commonwatt chain as this program expects it: {reason}")
			})),
		}
	}

	async fn with(access: Access, rpc: RpcClient, light: Option<Light>) -> Result<Self, Fault> {
		let methods: Methods = rpc.request("rpc_methods", rpc_params![]).await.or_fault()?;
		// The legacy methods answer for any block, those of `chainHead_v1` only for blocks that they have announced.
		let backend = LegacyBackend::builder().build(rpc.clone());
		let api = OnlineClient::<SubstrateConfig>::from_backend(Arc::new(backend))
			.await
			.or_fault()?;
		let mut node = Self {
			access,
			rpc,
			light,
			api,
			has_movable_clock: methods.methods.iter().any(|method| method == "dev_sealAt"),
			slot_ms: 0,
		};
		let head = node.head().await?;
		node.slot_ms = call(&head, "AuraApi", "slot_duration", ()).await?;
		Ok(node)
	}

	/// Returns [`Fault::Lost`] if the connection failed, else the fault itself.
	pub async fn diagnose(&self, fault: Fault) -> Fault {
		diagnose(&self.access, &self.rpc, fault).await
	}

	/// The decimals and the symbol of the chain's token.
	pub async fn money(&self) -> Result<Token, Fault> {
		let properties: serde_json::Value = self.request("system_properties", rpc_params![]).await?;
		Token::of(&properties).map_err(Fault::Chain)
	}

	/// The connection, for calls that have no method here.
	pub fn rpc(&self) -> &RpcClient {
		&self.rpc
	}

	/// Hash of the first block.
	pub fn genesis(&self) -> H256 {
		self.api.genesis_hash()
	}

	/// The newest final block.
	pub async fn head(&self) -> Result<At, Fault> {
		self.api.at_current_block().await.or_fault()
	}

	/// The newest block, final or not.
	pub async fn best(&self) -> Result<At, Fault> {
		// A light client insists on the parameter.
		let newest: Option<u64> = None;
		let hash: H256 = self.request("chain_getBlockHash", rpc_params![newest]).await?;
		self.api.at_block(hash).await.or_fault()
	}

	/// The final block with this number.
	pub async fn at(&self, number: u64) -> Result<At, Fault> {
		match &self.light {
			None => self.api.at_block(number).await.or_fault(),
			Some(light) => match light.hash(self, number).await? {
				Some(hash) => self.api.at_block(hash).await.or_fault(),
				None => Err(Fault::Chain(format!("there is no final block {number} yet"))),
			},
		}
	}

	/// The first block in which to look for an era: one that has its state, and is not after the era's beginning. A node
	/// knows the oldest block whose state it has. A light client reaches a block only through all blocks after it, so it
	/// starts where the era can have begun at the earliest: blocks are at least a slot apart.
	pub async fn first_block_for(&self, wanted: u32, head: &At) -> Result<u64, Fault> {
		let number = head.block_number();
		if self.light.is_none() {
			return self.first_readable(0, number).await;
		}
		let Some(view) = era(head).await? else {
			return Ok(number);
		};
		let era_ms = view.ends_ms.saturating_sub(view.started_ms);
		let began = u64::from(wanted).saturating_mul(era_ms);
		let blocks = view.now_ms.saturating_sub(began) / self.slot_ms.max(1);
		// Block 0 has no era.
		Ok(number.saturating_sub(blocks.saturating_add(1)).max(1))
	}

	/// Whether this is a light client, which believes no node.
	pub fn is_light(&self) -> bool {
		self.light.is_some()
	}

	/// Binary-searches for the first block after `known` whose state, and with it its events, the node still has. The
	/// node must have the state of `last`.
	pub async fn first_readable(&self, known: u64, last: u64) -> Result<u64, Fault> {
		first_number(known.saturating_add(1), last, async |number| {
			self.is_readable(number).await
		})
		.await
	}

	/// Whether the node still has the state of a block.
	pub async fn is_readable(&self, number: u64) -> Result<bool, Fault> {
		let probe = async { era(&self.at(number).await?).await };
		let Err(fault) = probe.await else { return Ok(true) };
		match self.diagnose(fault).await {
			Fault::Chain(_) => Ok(false),
			lost => Err(lost),
		}
	}

	/// Binary-searches `from..=head` for the first block whose clock satisfies `is_so`, which must be monotone. `None`
	/// if the head's clock does not satisfy it.
	pub async fn first_block_where(
		&self,
		from: u64,
		head: &At,
		is_so: impl Fn(&EraView) -> bool,
	) -> Result<Option<u64>, Fault> {
		if !era(head).await?.is_some_and(|view| is_so(&view)) {
			return Ok(None);
		}
		let is_so_at = async |number| {
			let view = era(&self.at(number).await?).await?;
			Ok(view.is_some_and(|view| is_so(&view)))
		};
		let found = first_number(from, head.block_number(), is_so_at).await?;
		Ok(Some(found))
	}

	/// Hash of the block with this number, if there is one.
	pub async fn block_hash(&self, number: u64) -> Result<Option<H256>, Fault> {
		if let Some(light) = &self.light {
			return light.hash(self, number).await;
		}
		self.request("chain_getBlockHash", rpc_params![number]).await
	}

	/// A storage proof: the nodes of the state's trie that prove the values of these keys in a block's state.
	pub async fn read_proof(&self, block: H256, keys: &[&[u8]]) -> Result<Vec<Vec<u8>>, Fault> {
		#[derive(serde::Deserialize)]
		struct ReadProof {
			proof: Vec<Bytes>,
		}
		let keys: Vec<String> = keys.iter().map(to_hex).collect();
		let params = rpc_params![keys, block];
		let answer: ReadProof = self.request("state_getReadProof", params).await?;
		Ok(answer.proof.into_iter().map(|node| node.0).collect())
	}

	/// The metadata of a block's runtime, with its types and constants, as the node sends it.
	pub async fn metadata(&self, block: H256) -> Result<String, Fault> {
		self.request("state_getMetadata", rpc_params![block]).await
	}

	/// Seals the next block with this timestamp. False if the chain's clock has already passed it.
	pub async fn seal_at(&self, timestamp_ms: u64) -> Result<bool, Fault> {
		let sealed: Result<serde_json::Value, _> =
			self.rpc.request("dev_sealAt", rpc_params![timestamp_ms]).await;
		match sealed {
			Ok(_) => Ok(true),
			Err(subxt::rpcs::Error::User(error)) if error.code == INVALID_PARAMS => Ok(false),
			Err(error) => Err(error).or_fault(),
		}
	}
}

/// Returns [`Fault::Lost`] if the connection to a node failed, else the fault itself.
async fn diagnose(access: &Access, rpc: &RpcClient, fault: Fault) -> Fault {
	let Fault::Chain(reason) = fault else { return fault };
	// The client ends a connection over which a longer answer arrives than it takes.
	if TOO_LONG.iter().any(|words| reason.contains(words)) {
		return Fault::Chain(format!("the node's answer is too long: {reason}"));
	}
	let health = rpc.request::<serde_json::Value>("system_health", rpc_params![]);
	match tokio::time::timeout(LIVENESS, health).await {
		Ok(Ok(_)) => Fault::Chain(reason),
		_ => Fault::Lost {
			url: access.to_string(),
			reason,
		},
	}
}

/// Searches for the first number from `low` on for which `is_so`, which must be monotone. Returns `high` if no smaller
/// number satisfies it. Goes back from `high` in growing steps, and then halves what is left: most of what is looked for is
/// recent, and a light client reaches old blocks only through the newer ones.
async fn first_number(
	mut low: u64,
	mut high: u64,
	is_so: impl AsyncFn(u64) -> Result<bool, Fault>,
) -> Result<u64, Fault> {
	let mut step = 1;
	while low < high {
		let probe = high.saturating_sub(step).max(low);
		if !is_so(probe).await? {
			low = probe + 1;
			break;
		}
		high = probe;
		step *= 2;
	}
	while low < high {
		let middle = low.midpoint(high);
		if is_so(middle).await? {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	Ok(high)
}

/// Calls a runtime API.
pub async fn call<Answer: DecodeAsType>(
	at: &At,
	api: &'static str,
	method: &'static str,
	arguments: impl IntoEncodableValues,
) -> Result<Answer, Fault> {
	let payload = dynamic::runtime_api_call::<_, Answer>(api, method, arguments);
	at.runtime_apis().call(payload).await.or_fault()
}

const MARKET_API: &str = "EnergyMarketApi";

/// The current era, or `None` before the first block.
pub async fn era(at: &At) -> Result<Option<EraView>, Fault> {
	call(at, MARKET_API, "current_era", ()).await
}

/// A community by its number.
pub async fn community(at: &At, id: CommunityId) -> Result<Option<Community>, Fault> {
	call(at, MARKET_API, "community", (id,)).await
}

/// The community with this name, and its number.
pub async fn community_named(at: &At, name: &str) -> Result<Option<(CommunityId, Community)>, Fault> {
	for id in (0..community_count(at).await?).map(CommunityId) {
		if let Some(found) = community(at, id).await? {
			if found.name == name.as_bytes() {
				return Ok(Some((id, found)));
			}
		}
	}
	Ok(None)
}

/// The number of a community that is given by name or by number.
pub async fn community_id(at: &At, named: &str) -> Result<CommunityId, Fault> {
	if let Some((id, _)) = community_named(at, named).await? {
		return Ok(id);
	}
	let count = community_count(at).await?;
	let id = named.parse().ok().filter(|id: &CommunityId| id.0 < count);
	id.ok_or_else(|| Fault::Input(format!("--community {named}: there is no such community")))
}

/// The numbers of a community's households.
pub async fn members(at: &At, community: CommunityId) -> Result<Vec<HouseholdId>, Fault> {
	call(at, MARKET_API, "members", (community,)).await
}

/// A household by its number.
pub async fn household(at: &At, id: HouseholdId) -> Result<Option<Household>, Fault> {
	call(at, MARKET_API, "household", (id,)).await
}

/// What a household and the utility owe each other.
pub async fn debt(at: &At, id: HouseholdId) -> Result<Option<Debt>, Fault> {
	call(at, MARKET_API, "debt", (id,)).await
}

/// A community's record of an era.
pub async fn record(at: &At, community: CommunityId, era: u32) -> Result<Option<EraRecord>, Fault> {
	call(at, MARKET_API, "record", (community, era)).await
}

/// A community's contracts for an era, including those of households that have left since.
pub async fn contracts(
	at: &At,
	community: CommunityId,
	era: u32,
) -> Result<Vec<(HouseholdId, Contract)>, Fault> {
	call(at, MARKET_API, "contracts", (community, era)).await
}

/// A community's statements of an era, including those of households that have left since.
pub async fn statements(
	at: &At,
	community: CommunityId,
	era: u32,
) -> Result<Vec<(HouseholdId, Statement)>, Fault> {
	call(at, MARKET_API, "statements", (community, era)).await
}

/// A household's statement of an era, if the era is settled and still retained.
pub async fn statement(at: &At, household: HouseholdId, era: u32) -> Result<Option<Statement>, Fault> {
	call(at, MARKET_API, "statement", (household, era)).await
}

/// A household's bill for the retained eras from `first` to `last`; `None` if there is no such era.
pub async fn bill(at: &At, household: HouseholdId, (first, last): (u32, u32)) -> Result<Option<Bill>, Fault> {
	call(at, MARKET_API, "bill", (household, first, last)).await
}

/// What the households of a community and the utility owe each other.
pub async fn debts(at: &At, community: CommunityId) -> Result<Vec<(HouseholdId, Debt)>, Fault> {
	let debts = entry(at, "EnergyMarket", "Debts", (community,)).await?;
	Ok(debts.unwrap_or_default())
}

/// The statements in one of the slots, counted from 0, in which a community keeps those of the retained eras.
pub async fn statements_in_slot(
	at: &At,
	community: CommunityId,
	slot: u32,
) -> Result<Vec<(HouseholdId, Statement)>, Fault> {
	let statements = entry(at, "EnergyMarket", "Statements", (community, slot)).await?;
	Ok(statements.unwrap_or_default())
}

/// The account of a community's pool.
pub async fn pool_account(at: &At, community: CommunityId) -> Result<AccountId32, Fault> {
	call(at, MARKET_API, "pool_account", (community,)).await
}

/// The account of a community's incentive pot.
pub async fn pot_account(at: &At, community: CommunityId) -> Result<AccountId32, Fault> {
	call(at, MARKET_API, "pot_account", (community,)).await
}

/// The number of communities, which is also the number that the next one gets.
pub async fn community_count(at: &At) -> Result<u32, Fault> {
	let count = value(at, "EnergyMarket", "CommunityCount").await?;
	Ok(count.unwrap_or(0))
}

/// The household that a meter measures.
pub async fn household_of_meter(at: &At, meter: &AccountId32) -> Result<Option<HouseholdId>, Fault> {
	entry(at, "EnergyMarket", "MeterOf", (meter.0,)).await
}

/// An open offer of membership, by the number that the household will have.
pub async fn offer(at: &At, household: HouseholdId) -> Result<Option<MembershipOffer>, Fault> {
	entry(at, "EnergyMarket", "Offers", (household,)).await
}

/// All offers of membership whose time is not over.
pub async fn offers(at: &At) -> Result<Vec<(HouseholdId, MembershipOffer)>, Fault> {
	let current = era(at).await?.map_or(0, |view| view.current);
	let all: Vec<((HouseholdId,), MembershipOffer)> = entries(at, "EnergyMarket", "Offers").await?;
	let all = all.into_iter().map(|((id,), offer)| (id, offer));
	Ok(all.filter(|(_, offer)| current <= offer.expires).collect())
}

/// The change of a household that its operator proposes.
pub async fn proposal(at: &At, household: HouseholdId) -> Result<Option<Proposal>, Fault> {
	entry(at, "EnergyMarket", "Proposals", (household,)).await
}

/// What a household's own meter reported of an era, if that is one of the household's newest two readings.
pub async fn meter_reading(at: &At, era: u32, household: HouseholdId) -> Result<Option<Reading>, Fault> {
	let metered: Option<Metered> = entry(at, "EnergyMarket", "Readings", (household,)).await?;
	let reported = metered.and_then(|metered| metered.of(era));
	Ok(reported
		.filter(|reported| reported.by_meter)
		.map(|reported| reported.reading))
}

/// `spec_version` of the runtime that executed a block. The code in the block's state may be newer: a block that
/// changes the code still runs on the old one.
pub async fn executed_by(at: &At) -> Result<Option<u32>, Fault> {
	let last: Option<LastRuntimeUpgrade> = value(at, "System", "LastRuntimeUpgrade").await?;
	Ok(last.map(|last| last.spec_version))
}

/// A single value of the state; `None` if it was never set.
pub async fn value<Value: DecodeAsType>(
	at: &At,
	pallet: &'static str,
	item: &'static str,
) -> Result<Option<Value>, Fault> {
	entry(at, pallet, item, ()).await
}

/// A map's entry for a key, if the state has one.
async fn entry<Key: IntoEncodableValues + IntoDecodableValues, Value: DecodeAsType>(
	at: &At,
	pallet: &'static str,
	item: &'static str,
	key: Key,
) -> Result<Option<Value>, Fault> {
	let address = dynamic::storage::<Key, Value>(pallet, item);
	let value = at.storage().try_fetch(address, key).await.or_fault()?;
	value.map(|value| value.decode().or_fault()).transpose()
}

/// All entries of a map in the state.
pub async fn entries<Key: IntoEncodableValues + IntoDecodableValues, Value: DecodeAsType>(
	at: &At,
	pallet: &'static str,
	item: &'static str,
) -> Result<Vec<(Key, Value)>, Fault>
where
	(): PrefixOf<Key>,
{
	let address = dynamic::storage::<Key, Value>(pallet, item);
	let mut found = at.storage().iter(address, ()).await.or_fault()?;
	let mut entries = Vec::new();
	while let Some(entry) = found.next().await {
		let entry = entry.or_fault()?;
		let key = entry.key().or_fault()?.decode().or_fault()?;
		entries.push((key, entry.value().decode().or_fault()?));
	}
	Ok(entries)
}

/// A constant of a pallet.
pub fn constant<Value: DecodeAsType>(
	at: &At,
	pallet: &'static str,
	name: &'static str,
) -> Result<Value, Fault> {
	at.constants()
		.entry(dynamic::constant::<Value>(pallet, name))
		.or_fault()
}

/// An account. One that does not exist has nonce 0 and no funds.
pub async fn account(at: &At, account: &AccountId32) -> Result<AccountInfo, Fault> {
	let info: Option<AccountInfo> = entry(at, "System", "Account", (account.0,)).await?;
	Ok(info.unwrap_or_default())
}

#[cfg(test)]
mod tests {
	use super::*;
	use serde_json::json;

	#[test]
	fn token_is_read_as_polkadot_js_reads_it() {
		for properties in [
			json!({"tokenDecimals": 12, "tokenSymbol": "CWT"}),
			json!({"tokenDecimals": [12], "tokenSymbol": ["CWT"]}),
			json!({"tokenDecimals": [12, 6], "tokenSymbol": ["CWT", "OTHER"]}),
		] {
			let token = Token::of(&properties).unwrap();
			assert_eq!((token.decimals, token.symbol.as_str()), (12, "CWT"));
			assert_eq!(token.text(1_234_567_800_000), "1.2345");
		}
	}

	#[test]
	fn missing_and_wrong_properties_are_named() {
		for (properties, said) in [
			(
				json!({"tokenSymbol": "CWT"}),
				"the chain has no property tokenDecimals",
			),
			(
				json!({"tokenDecimals": [], "tokenSymbol": "CWT"}),
				"the chain has no property tokenDecimals",
			),
			(
				json!({"tokenDecimals": 12}),
				"the chain has no property tokenSymbol",
			),
			(
				json!({"tokenDecimals": "12", "tokenSymbol": "CWT"}),
				"the chain's property tokenDecimals is \"12\", but must be a number from 0 to 30",
			),
			(
				json!({"tokenDecimals": 31, "tokenSymbol": "CWT"}),
				"tokenDecimals is 31, but must be a number from 0 to 30",
			),
		] {
			let refused = Token::of(&properties).err().unwrap();
			assert!(refused.contains(said), "{refused}");
		}
	}
}

//! The genesis of a chain.

use crate::{accounts, Chain};
use commonwatt_runtime::{genesis_config_presets::get_preset, AccountId, RuntimeGenesisConfig, UNIT};
use frame_support::traits::BuildGenesisConfig;
use pallet_energy_market::{market::paper, GenesisCommunity, GenesisHousehold};
use sp_io::TestExternalities;
use sp_keyring::Sr25519Keyring;

/// The balance that operator, utility and owners of an added community start with, unless the preset gives them one.
const ENDOWMENT: u128 = 1_000_000 * UNIT;

/// Length of an era of [`Setup::empty`], ms.
pub const HALF_HOUR_MS: u64 = 30 * 60 * 1_000;

/// The genesis of a chain, to be changed before the chain starts.
pub struct Setup {
	/// The whole genesis, for changes that the methods do not cover.
	pub genesis: RuntimeGenesisConfig,
}

impl Setup {
	/// A preset of the runtime, such as `development`, with its community. Panics if the runtime has no such preset.
	pub fn preset(name: &str) -> Self {
		let patch = get_preset(&name.into()).expect("a preset of that name");
		let mut genesis = serde_json::to_value(RuntimeGenesisConfig::default()).expect("serialises");
		merge(&mut genesis, serde_json::from_slice(&patch).expect("JSON"));
		Self {
			genesis: serde_json::from_value(genesis).expect("the preset fits its own runtime"),
		}
	}

	/// The accounts of the development preset, with Alice as Sudo, eras of half an hour and no community.
	pub fn empty() -> Self {
		let mut setup = Self::preset("development").era_length_ms(HALF_HOUR_MS);
		setup.genesis.energy_market.communities.clear();
		setup
	}

	/// Sets the length of an era, in ms.
	pub fn era_length_ms(mut self, ms: u64) -> Self {
		self.genesis.energy_market.era_length_ms = ms;
		self
	}

	/// Adds a community, and gives its operator, utility and owners money. Meters need none.
	pub fn community(mut self, community: GenesisCommunity<AccountId>) -> Self {
		let owners = community.households.iter().map(|household| &household.owner);
		for who in [&community.operator, &community.utility]
			.into_iter()
			.chain(owners)
		{
			let balances = &mut self.genesis.balances.balances;
			if !balances.iter().any(|(other, _)| other == who) {
				balances.push((who.clone(), ENDOWMENT));
			}
		}
		self.genesis.energy_market.communities.push(community);
		self
	}

	/// Returns state and chain after the first block, for tests that hold the state themselves. They must use the chain
	/// inside the state's `execute_with`.
	pub fn start(self) -> (TestExternalities, Chain) {
		let mut ext = TestExternalities::default();
		let chain = ext.execute_with(|| {
			self.genesis.build();
			Chain::first_block()
		});
		(ext, chain)
	}

	/// Runs a test on the chain after its first block.
	pub fn run(self, test: impl FnOnce(&mut Chain)) {
		let (mut ext, mut chain) = self.start();
		ext.execute_with(|| test(&mut chain));
	}
}

/// A community on the seed paper's terms. Its operator is Eve, its utility Ferdie. Household N belongs to
/// [`owner`](accounts::owner)`(N)` and has [`meter`](accounts::meter)`(N)`, the paper's comfort, a connection limit of
/// 15 kWh and no preference. Change what your test needs.
pub fn community(households: u32) -> GenesisCommunity<AccountId> {
	GenesisCommunity {
		name: "test".to_string(),
		operator: Sr25519Keyring::Eve.to_account_id(),
		utility: Sr25519Keyring::Ferdie.to_account_id(),
		terms: paper::TERMS,
		bounds: paper::BOUNDS,
		households: (0..households)
			.map(|number| GenesisHousehold {
				owner: accounts::owner(number),
				meter: accounts::meter(number),
				max_debit_per_era: 100 * UNIT,
				connection_limit_wh: 15_000,
				comfort: Some(paper::COMFORT),
				preference: None,
			})
			.collect(),
	}
}

/// Merges as in RFC 7396, by which a node applies a preset to the default genesis.
fn merge(into: &mut serde_json::Value, patch: serde_json::Value) {
	match (into, patch) {
		(serde_json::Value::Object(into), serde_json::Value::Object(patch)) => {
			for (key, value) in patch {
				merge(into.entry(key).or_insert(serde_json::Value::Null), value);
			}
		}
		(into, patch) => *into = patch,
	}
}

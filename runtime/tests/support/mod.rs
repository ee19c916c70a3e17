//! A chain in memory on the real runtime: signed extrinsics, Aura digests and timestamps as a node makes them.

use codec::Encode;
use commonwatt_runtime::*;
use frame_support::{assert_ok, genesis_builder_helper::build_state, traits::Get};
use sp_consensus_aura::AURA_ENGINE_ID;
use sp_core::Pair;
use sp_keyring::Sr25519Keyring;
use sp_runtime::{
	generic::Era,
	traits::{Header as _, Zero},
	ApplyExtrinsicResult, Digest, DigestItem,
};

/// A chain started from a preset. All it does happens inside [`Chain::run`].
pub struct Chain {
	parent: Header,
	now_ms: u64,
}

/// Runs a test on a fresh chain of that preset.
pub fn on_chain(preset: &str, test: impl FnOnce(&mut Chain)) {
	let patch = genesis_config_presets::get_preset(&preset.into()).expect("a preset of that name");
	let mut genesis = serde_json::to_value(RuntimeGenesisConfig::default()).expect("serialises");
	merge(&mut genesis, serde_json::from_slice(&patch).expect("JSON"));
	let mut ext = sp_io::TestExternalities::default();
	ext.execute_with(|| {
		build_state::<RuntimeGenesisConfig>(genesis.to_string().into_bytes()).expect("the preset builds");
		let genesis = Header::new(
			0,
			Default::default(),
			Default::default(),
			Default::default(),
			Default::default(),
		);
		// A moment in a running era, far from its ends.
		let era_ms = pallet_energy_market::EraLengthMs::<Runtime>::get();
		let mut chain = Chain {
			parent: genesis,
			now_ms: 1_000_000 * era_ms,
		};
		chain.block(vec![]);
		test(&mut chain);
	});
}

/// RFC 7396 merge, as a node applies a preset to the default genesis.
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

impl Chain {
	/// One block, a slot later, with these extrinsics; their results.
	pub fn block(&mut self, extrinsics: Vec<UncheckedExtrinsic>) -> Vec<ApplyExtrinsicResult> {
		self.now_ms += configs::SlotDuration::get();
		let slot = self.now_ms / configs::SlotDuration::get();
		let digest = Digest {
			logs: vec![DigestItem::PreRuntime(AURA_ENGINE_ID, slot.encode())],
		};
		let header = Header::new(
			self.parent.number() + 1,
			Default::default(),
			Default::default(),
			self.parent.hash(),
			digest,
		);
		Executive::initialize_block(&header);
		let set = RuntimeCall::Timestamp(pallet_timestamp::Call::set { now: self.now_ms });
		assert_ok!(Executive::apply_extrinsic(UncheckedExtrinsic::new_bare(set)).expect("applies"));
		let results = extrinsics.into_iter().map(Executive::apply_extrinsic).collect();
		self.parent = Executive::finalize_block();
		assert_ok!(EnergyMarket::do_try_state());
		results
	}

	/// Moves the clock to the next era's first block, and makes blocks until its clearing is through.
	pub fn next_era(&mut self) -> u32 {
		let view = EnergyMarket::view_current_era().expect("the clock runs");
		self.now_ms = self.now_ms.max(view.ends_ms);
		self.block(vec![]);
		for _ in 0..10 {
			if EnergyMarket::view_current_era()
				.expect("the clock runs")
				.round
				.is_none()
			{
				return EnergyMarket::view_current_era().expect("the clock runs").current;
			}
			self.block(vec![]);
		}
		panic!("clearing of four households takes more than ten blocks");
	}

	/// No block for so long.
	pub fn stand_still(&mut self, ms: u64) {
		self.now_ms += ms;
	}

	/// One block with these calls, each signed by its account; all must succeed.
	pub fn submit(&mut self, calls: Vec<(Sr25519Keyring, RuntimeCall)>) {
		let mut nonces = std::collections::BTreeMap::new();
		let extrinsics = calls
			.into_iter()
			.map(|(who, call)| {
				let nonce = nonces
					.entry(who)
					.or_insert_with(|| System::account_nonce(who.to_account_id()));
				*nonce += 1;
				signed(who, *nonce - 1, call)
			})
			.collect();
		for result in self.block(extrinsics) {
			assert_ok!(result.expect("applies"));
		}
	}

	/// One block with one signed call; what came of it.
	pub fn try_submit(
		&mut self,
		who: Sr25519Keyring,
		call: impl Into<RuntimeCall>,
	) -> sp_runtime::DispatchResult {
		let xt = signed(who, System::account_nonce(who.to_account_id()), call.into());
		self.block(vec![xt]).remove(0).expect("applies")
	}
}

fn signed(who: Sr25519Keyring, nonce: Nonce, call: RuntimeCall) -> UncheckedExtrinsic {
	let extension: TxExtension = (
		frame_system::AuthorizeCall::new(),
		frame_system::CheckNonZeroSender::new(),
		frame_system::CheckSpecVersion::new(),
		frame_system::CheckTxVersion::new(),
		frame_system::CheckGenesis::new(),
		frame_system::CheckEra::from(Era::Immortal),
		frame_system::CheckNonce::from(nonce),
		frame_system::CheckWeight::new(),
		pallet_transaction_payment::ChargeTransactionPayment::from(Zero::zero()),
		frame_system::WeightReclaim::new(),
	);
	let payload =
		SignedPayload::new(call.clone(), extension.clone()).expect("the extensions know this chain");
	let signature = payload.using_encoded(|bytes| who.pair().sign(bytes));
	UncheckedExtrinsic::new_signed(call, who.to_account_id().into(), signature.into(), extension)
}

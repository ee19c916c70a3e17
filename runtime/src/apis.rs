//! The runtime APIs: the queries that nodes and their RPC clients make.

use super::{
	configs::SlotDuration, AccountId, Balance, Block, EnergyMarket, Executive, Grandpa, InherentDataExt,
	Nonce, Runtime, RuntimeCall, RuntimeGenesisConfig, SessionKeys, System, TransactionPayment, Validators,
	VERSION,
};
use alloc::{collections::BTreeSet, format, vec::Vec};
use codec::Encode;
use frame_support::{
	genesis_builder_helper::get_preset,
	traits::{BuildGenesisConfig, Get},
	weights::Weight,
};
use pallet_energy_market::{
	game::{Certificate, Rules, Solution},
	runtime_api::{Bill, EraView, Explanation, Overview, QueueView, RecordView, Trade},
	Communities, Community, CommunityId, Contract, Debt, EraIndex, Household, HouseholdId, Households,
	Members, Players, Statement,
};
use sp_api::impl_runtime_apis;
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_core::OpaqueMetadata;
use sp_runtime::{
	traits::{Block as BlockT, NumberFor},
	transaction_validity::{TransactionSource, TransactionValidity},
	ApplyExtrinsicResult,
};
use sp_version::RuntimeVersion;

impl_runtime_apis! {
	impl sp_api::Core<Block> for Runtime {
		fn version() -> RuntimeVersion {
			VERSION
		}

		fn execute_block(block: <Block as BlockT>::LazyBlock) {
			Executive::execute_block(block);
		}

		fn initialize_block(header: &<Block as BlockT>::Header) -> sp_runtime::ExtrinsicInclusionMode {
			Executive::initialize_block(header)
		}
	}

	impl sp_api::Metadata<Block> for Runtime {
		fn metadata() -> OpaqueMetadata {
			OpaqueMetadata::new(Runtime::metadata().into())
		}

		fn metadata_at_version(version: u32) -> Option<OpaqueMetadata> {
			Runtime::metadata_at_version(version)
		}

		fn metadata_versions() -> Vec<u32> {
			Runtime::metadata_versions()
		}
	}

	impl frame_support::view_functions::runtime_api::RuntimeViewFunction<Block> for Runtime {
		fn execute_view_function(
			id: frame_support::view_functions::ViewFunctionId,
			input: Vec<u8>,
		) -> Result<Vec<u8>, frame_support::view_functions::ViewFunctionDispatchError> {
			Runtime::execute_view_function(id, input)
		}
	}

	impl sp_block_builder::BlockBuilder<Block> for Runtime {
		fn apply_extrinsic(extrinsic: <Block as BlockT>::Extrinsic) -> ApplyExtrinsicResult {
			Executive::apply_extrinsic(extrinsic)
		}

		fn finalize_block() -> <Block as BlockT>::Header {
			Executive::finalize_block()
		}

		fn inherent_extrinsics(data: sp_inherents::InherentData) -> Vec<<Block as BlockT>::Extrinsic> {
			data.create_extrinsics()
		}

		fn check_inherents(
			block: <Block as BlockT>::LazyBlock,
			data: sp_inherents::InherentData,
		) -> sp_inherents::CheckInherentsResult {
			data.check_extrinsics(&block)
		}
	}

	impl sp_transaction_pool::runtime_api::TaggedTransactionQueue<Block> for Runtime {
		fn validate_transaction(
			source: TransactionSource,
			tx: <Block as BlockT>::Extrinsic,
			block_hash: <Block as BlockT>::Hash,
		) -> TransactionValidity {
			Executive::validate_transaction(source, tx, block_hash)
		}
	}

	impl sp_offchain::OffchainWorkerApi<Block> for Runtime {
		fn offchain_worker(header: &<Block as BlockT>::Header) {
			Executive::offchain_worker(header)
		}
	}

	impl sp_consensus_aura::AuraApi<Block, AuraId> for Runtime {
		fn slot_duration() -> sp_consensus_aura::SlotDuration {
			sp_consensus_aura::SlotDuration::from_millis(SlotDuration::get())
		}

		fn authorities() -> Vec<AuraId> {
			pallet_aura::Authorities::<Runtime>::get().into_inner()
		}
	}

	impl sp_consensus_pow::DifficultyApi<Block, u128> for Runtime {
		fn difficulty() -> u128 {
			pallet_mining::Difficulty::<Runtime>::get()
		}
	}

	impl sp_session::SessionKeys<Block> for Runtime {
		fn generate_session_keys(owner: Vec<u8>, seed: Option<Vec<u8>>) -> sp_session::OpaqueGeneratedSessionKeys {
			SessionKeys::generate(&owner, seed).into()
		}

		fn decode_session_keys(encoded: Vec<u8>) -> Option<Vec<(Vec<u8>, sp_core::crypto::KeyTypeId)>> {
			SessionKeys::decode_into_raw_public_keys(&encoded)
		}
	}

	impl sp_consensus_grandpa::GrandpaApi<Block> for Runtime {
		fn grandpa_authorities() -> sp_consensus_grandpa::AuthorityList {
			Grandpa::grandpa_authorities()
		}

		fn current_set_id() -> sp_consensus_grandpa::SetId {
			Grandpa::current_set_id()
		}

		fn submit_report_equivocation_unsigned_extrinsic(
			equivocation_proof: sp_consensus_grandpa::EquivocationProof<
				<Block as BlockT>::Hash,
				NumberFor<Block>,
			>,
			key_owner_proof: sp_consensus_grandpa::OpaqueKeyOwnershipProof,
		) -> Option<()> {
			let key_owner_proof = key_owner_proof.decode()?;
			Grandpa::submit_unsigned_equivocation_report(equivocation_proof, key_owner_proof)
		}

		fn generate_key_ownership_proof(
			set_id: sp_consensus_grandpa::SetId,
			authority_id: sp_consensus_grandpa::AuthorityId,
		) -> Option<sp_consensus_grandpa::OpaqueKeyOwnershipProof> {
			let session = Grandpa::session_for_set(set_id)?;
			let proof = Validators::prove_vote(session, &authority_id)?;
			Some(sp_consensus_grandpa::OpaqueKeyOwnershipProof::new(proof.encode()))
		}
	}

	impl frame_system_rpc_runtime_api::AccountNonceApi<Block, AccountId, Nonce> for Runtime {
		fn account_nonce(account: AccountId) -> Nonce {
			System::account_nonce(account)
		}
	}

	impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentApi<Block, Balance> for Runtime {
		fn query_info(
			uxt: <Block as BlockT>::Extrinsic,
			len: u32,
		) -> pallet_transaction_payment_rpc_runtime_api::RuntimeDispatchInfo<Balance> {
			TransactionPayment::query_info(uxt, len)
		}

		fn query_fee_details(
			uxt: <Block as BlockT>::Extrinsic,
			len: u32,
		) -> pallet_transaction_payment::FeeDetails<Balance> {
			TransactionPayment::query_fee_details(uxt, len)
		}

		fn query_weight_to_fee(weight: Weight) -> Balance {
			TransactionPayment::weight_to_fee(weight)
		}

		fn query_length_to_fee(length: u32) -> Balance {
			TransactionPayment::length_to_fee(length)
		}
	}

	impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentCallApi<Block, Balance, RuntimeCall>
		for Runtime
	{
		fn query_call_info(
			call: RuntimeCall,
			len: u32,
		) -> pallet_transaction_payment::RuntimeDispatchInfo<Balance> {
			TransactionPayment::query_call_info(call, len)
		}

		fn query_call_fee_details(
			call: RuntimeCall,
			len: u32,
		) -> pallet_transaction_payment::FeeDetails<Balance> {
			TransactionPayment::query_call_fee_details(call, len)
		}

		fn query_weight_to_fee(weight: Weight) -> Balance {
			TransactionPayment::weight_to_fee(weight)
		}

		fn query_length_to_fee(length: u32) -> Balance {
			TransactionPayment::length_to_fee(length)
		}
	}

	impl pallet_energy_market::runtime_api::EnergyMarketApi<Block, AccountId, Contract<Runtime>, Players<Runtime>> for Runtime {
		fn current_era() -> Option<EraView> {
			EnergyMarket::view_current_era()
		}

		fn queue() -> QueueView {
			EnergyMarket::view_queue()
		}

		fn overview(community: CommunityId) -> Option<Overview<AccountId>> {
			EnergyMarket::view_overview(community)
		}

		fn community(community: CommunityId) -> Option<Community<AccountId>> {
			Communities::<Runtime>::get(community)
		}

		fn pool_account(community: CommunityId) -> AccountId {
			EnergyMarket::pool_account(community)
		}

		fn pot_account(community: CommunityId) -> AccountId {
			EnergyMarket::pot_account(community)
		}

		fn members(community: CommunityId) -> Vec<HouseholdId> {
			Members::<Runtime>::get(community).into_inner()
		}

		fn household(household: HouseholdId) -> Option<Household<AccountId>> {
			Households::<Runtime>::get(household)
		}

		fn debt(household: HouseholdId) -> Option<Debt> {
			EnergyMarket::view_debt(household)
		}

		fn households_of(owner: AccountId) -> Vec<HouseholdId> {
			EnergyMarket::view_households_of(owner)
		}

		fn contract(household: HouseholdId, era: EraIndex) -> Option<Contract<Runtime>> {
			EnergyMarket::view_contract(household, era)
		}

		fn contracts(community: CommunityId, era: EraIndex) -> Vec<(HouseholdId, Contract<Runtime>)> {
			EnergyMarket::view_contracts(community, era)
		}

		fn statements(community: CommunityId, era: EraIndex) -> Vec<(HouseholdId, Statement)> {
			EnergyMarket::view_statements(community, era)
		}

		fn statement(household: HouseholdId, era: EraIndex) -> Option<Statement> {
			EnergyMarket::view_statement(household, era)
		}

		fn record(community: CommunityId, era: EraIndex) -> Option<RecordView> {
			EnergyMarket::view_record_with_tradable(community, era)
		}

		fn verify(community: CommunityId, era: EraIndex) -> Option<Certificate> {
			EnergyMarket::view_verify(community, era)
		}

		fn explain(household: HouseholdId, era: EraIndex) -> Option<Explanation> {
			EnergyMarket::view_explain(household, era)
		}

		fn bill(household: HouseholdId, first_era: EraIndex, last_era: EraIndex) -> Option<Bill> {
			EnergyMarket::view_bill(household, first_era, last_era)
		}

		fn trades(community: CommunityId, era: EraIndex) -> Vec<Trade> {
			EnergyMarket::view_trades(community, era)
		}

		fn solve(rules: Rules, households: Players<Runtime>) -> Option<Solution> {
			EnergyMarket::view_solve(rules, households.0?)
		}
	}

	impl sp_genesis_builder::GenesisBuilder<Block> for Runtime {
		fn build_state(config: Vec<u8>) -> sp_genesis_builder::Result {
			let mut config: RuntimeGenesisConfig =
				serde_json::from_slice(&config).map_err(|error| format!("genesis: {error}"))?;
			// People write these, so what is wrong with them is an error in words; `build` could only panic.
			check_keys(&config)?;
			check_governance(&config)?;
			config.validators.try_build(Some(config.session.keys.len() as u32))?;
			let (market, mining) = (
				core::mem::take(&mut config.energy_market),
				core::mem::take(&mut config.mining),
			);
			config.build();
			market.try_build()?;
			Ok(mining.try_build()?)
		}

		fn get_preset(id: &Option<sp_genesis_builder::PresetId>) -> Option<Vec<u8>> {
			get_preset::<RuntimeGenesisConfig>(id, crate::genesis_config_presets::get_preset)
		}

		fn preset_names() -> Vec<sp_genesis_builder::PresetId> {
			crate::genesis_config_presets::preset_names()
		}
	}

	#[cfg(feature = "runtime-benchmarks")]
	impl frame_benchmarking::Benchmark<Block> for Runtime {
		fn benchmark_metadata(
			extra: bool,
		) -> (Vec<frame_benchmarking::BenchmarkList>, Vec<frame_support::traits::StorageInfo>) {
			use crate::{AllPalletsWithSystem, Balances, Mining, Upgrades};
			use frame_benchmarking::BenchmarkList;
			use frame_support::traits::StorageInfoTrait;
			use frame_system_benchmarking::Pallet as SystemBench;

			let mut list = Vec::<BenchmarkList>::new();
			list_benchmarks!(list, extra);
			(list, AllPalletsWithSystem::storage_info())
		}

		fn dispatch_benchmark(
			config: frame_benchmarking::BenchmarkConfig,
		) -> Result<Vec<frame_benchmarking::BenchmarkBatch>, alloc::string::String> {
			use crate::{AllPalletsWithSystem, Balances, Mining, Upgrades};
			use frame_benchmarking::BenchmarkBatch;
			use frame_support::traits::{TrackedStorageKey, WhitelistedStorageKeys};
			use frame_system_benchmarking::Pallet as SystemBench;

			let whitelist: Vec<TrackedStorageKey> = AllPalletsWithSystem::whitelisted_storage_keys();
			let mut batches = Vec::<BenchmarkBatch>::new();
			let params = (&config, &whitelist);
			add_benchmarks!(params, batches);
			Ok(batches)
		}
	}

	#[cfg(feature = "try-runtime")]
	impl frame_try_runtime::TryRuntime<Block> for Runtime {
		fn on_runtime_upgrade(checks: frame_try_runtime::UpgradeCheckSelect) -> (Weight, Weight) {
			let weight = Executive::try_runtime_upgrade(checks).unwrap();
			(weight, super::configs::RuntimeBlockWeights::get().max_block)
		}

		fn execute_block(
			block: <Block as BlockT>::LazyBlock,
			state_root_check: bool,
			signature_check: bool,
			select: frame_try_runtime::TryStateSelect,
		) -> Weight {
			Executive::try_execute_block(block, state_root_check, signature_check, select).unwrap()
		}
	}
}

/// Checks what a genesis says about validators' keys.
fn check_keys(config: &RuntimeGenesisConfig) -> Result<(), &'static str> {
	if !config.aura.authorities.is_empty() || !config.grandpa.authorities.is_empty() {
		return Err("genesis: aura.authorities and grandpa.authorities must be empty; session.keys has the validators");
	}
	let session = &config.session;
	if !session.non_authority_keys.is_empty() {
		return Err("genesis: session.non_authority_keys must be empty; all keys are of validators");
	}
	let keys = session.keys.iter();
	if keys.clone().any(|(account, validator, _)| account != validator) {
		return Err("genesis: session.keys must name each validator's account twice");
	}
	let (mut accounts, mut aura, mut grandpa) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
	for (account, _, keys) in keys {
		let is_new = accounts.insert(account)
			&& aura.insert(keys.aura.encode())
			&& grandpa.insert(keys.grandpa.encode());
		if !is_new {
			return Err("genesis: session.keys has an account or a key twice");
		}
	}
	Ok(())
}

/// Checks that somebody governs the chain, and the council as [`frame_support::traits::BuildGenesisConfig`] would by a
/// panic.
fn check_governance(config: &RuntimeGenesisConfig) -> Result<(), &'static str> {
	let members = &config.council_membership.members;
	if !config.council.members.is_empty() {
		return Err("genesis: council.members must be empty; councilMembership.members has the council");
	}
	if members.is_empty() && config.sudo.key.is_none() {
		return Err(
			"genesis: councilMembership.members must name at least one account, or nobody governs the chain",
		);
	}
	if !config.tx_pause.paused.is_empty() {
		return Err("genesis: txPause.paused must be empty; the council pauses calls");
	}
	if members.iter().collect::<BTreeSet<_>>().len() < members.len() {
		return Err("genesis: councilMembership.members has an account twice");
	}
	Ok(())
}

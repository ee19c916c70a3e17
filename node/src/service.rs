//! The parts of a node, and how they are connected.

use crate::{
	cli::{DevOptions, MiningOptions, Sealing},
	consensus::{self, aura, is_development, pow, Consensus},
	metrics, rpc,
	sealing::{DevClock, Sealer},
};
use commonwatt_runtime::{apis::RuntimeApi, opaque::Block, Hash};
use futures::FutureExt;
use sc_client_api::Backend;
use sc_consensus::DefaultImportQueue;
use sc_executor::{HeapAllocStrategy, WasmExecutor, DEFAULT_HEAP_ALLOC_STRATEGY};
use sc_network::config::{FullNetworkConfiguration, NetworkBackendType, SetConfig, TransportConfig};
use sc_network::service::traits::NetworkService;
use sc_service::{
	config::{Configuration, PrometheusConfig, PruningMode},
	error::Error as ServiceError,
	BuildNetworkParams, MetricsService, PartialComponents, TaskManager,
};
use sc_telemetry::{Telemetry, TelemetryHandle, TelemetryWorker};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_keystore::KeystorePtr;
use sp_runtime::traits::NumberFor;
use std::{path::PathBuf, sync::Arc};
use substrate_prometheus_endpoint::{init_prometheus, Registry};

/// Host functions that the runtime may call.
type HostFunctions = sp_io::SubstrateHostFunctions;
/// The chain's database and runtime.
pub type FullClient = sc_service::TFullClient<Block, RuntimeApi, WasmExecutor<HostFunctions>>;
/// The database under the client.
pub type FullBackend = sc_service::TFullBackend<Block>;
/// Chooses the parent of the next block: the head of the longest chain.
pub type SelectChain = sc_consensus::LongestChain<FullBackend, Block>;
/// The transaction pool.
pub type Pool = sc_transaction_pool::TransactionPoolHandle<Block, FullClient>;
/// Builds blocks from the pool.
pub type ProposerFactory = sc_basic_authorship::ProposerFactory<Pool, FullClient>;
/// Reverts the stored state of GRANDPA's voter when blocks are reverted.
pub type RevertVoterState =
	Box<dyn FnOnce(Arc<FullClient>, Arc<FullBackend>, NumberFor<Block>) -> sc_cli::Result<()>>;

/// Parts that differ between nodes: the consensus of the chain, and telemetry, if it is enabled.
type OtherParts = (Consensus, Option<Telemetry>);

/// The parts that both subcommands and a running node need.
pub type Partial =
	PartialComponents<FullClient, FullBackend, SelectChain, DefaultImportQueue<Block>, Pool, OtherParts>;

/// The configuration from which the network is built, on the backend `N`.
type NetworkParams<'a, N> = BuildNetworkParams<'a, Block, N, Pool, DefaultImportQueue<Block>, FullClient>;
/// Reports whether the node has caught up with its peers, and downloads their blocks.
pub type SyncingService = sc_network_sync::SyncingService<Block>;

/// The executor of runtimes, as [`sc_service::new_wasm_executor`] makes it. It also keeps compiled runtimes in a folder,
/// so that only the first start compiles.
fn executor(
	config: &Configuration,
	compiled_runtimes: Option<PathBuf>,
) -> Result<WasmExecutor<HostFunctions>, ServiceError> {
	let folder = match compiled_runtimes {
		// The cache refuses relative paths.
		Some(folder) => std::path::absolute(folder)?,
		None => std::path::absolute(config.base_path.path().join("compiled-runtimes"))?,
	};
	let limits = &config.executor;
	let heap = limits
		.default_heap_pages
		.map_or(DEFAULT_HEAP_ALLOC_STRATEGY, |pages| {
			// At most 65,536 pages are possible, so a larger number is refused later anyway.
			let extra_pages = u32::try_from(pages).unwrap_or(u32::MAX);
			HeapAllocStrategy::Static { extra_pages }
		});
	Ok(WasmExecutor::builder()
		.with_execution_method(limits.wasm_method)
		.with_onchain_heap_alloc_strategy(heap)
		.with_offchain_heap_alloc_strategy(heap)
		.with_max_runtime_instances(limits.max_runtime_instances)
		.with_runtime_cache_size(limits.runtime_cache_size)
		.with_cache_path(folder)
		.build())
}

/// Opens the database and builds the parts around it. `sealing` is set only if the node is going to run: on a
/// development chain it says what will make the blocks. Otherwise the existing blocks decide. `compiled_runtimes` is the
/// folder of that option of the command line.
pub fn new_partial(
	config: &mut Configuration,
	sealing: Option<Sealing>,
	compiled_runtimes: Option<PathBuf>,
) -> Result<Partial, ServiceError> {
	// The pruning mode is fixed when a database is created; requesting another one later is an error.
	let new_database = config.database.path().is_some_and(|path| !path.exists());
	if is_development(config) && new_database && config.state_pruning.is_none() {
		// Keep all states, because developers look back at any block.
		config.state_pruning = Some(PruningMode::ArchiveCanonical);
	}

	let telemetry = new_telemetry(config)?;
	let executor = executor(config, compiled_runtimes)?;
	let (client, backend, keystore_container, task_manager) =
		sc_service::new_full_parts::<Block, RuntimeApi, _>(
			config,
			telemetry.as_ref().map(|(_, telemetry)| telemetry.handle()),
			executor,
			Default::default(),
		)?;
	let client = Arc::new(client);
	let telemetry = telemetry.map(|(worker, telemetry)| {
		task_manager.spawn_handle().spawn("telemetry", None, worker.run());
		telemetry
	});

	let select_chain = sc_consensus::LongestChain::new(backend.clone());
	let transaction_pool = Arc::from(
		sc_transaction_pool::Builder::new(
			task_manager.spawn_essential_handle(),
			client.clone(),
			config.role.is_authority().into(),
		)
		.with_options(config.transaction_pool.clone())
		.with_prometheus(config.prometheus_registry())
		.build(),
	);

	let (import_queue, consensus) = consensus::import_queue(
		config,
		&client,
		&select_chain,
		&task_manager,
		telemetry.as_ref(),
		sealing,
	)?;

	Ok(PartialComponents {
		client,
		backend,
		task_manager,
		import_queue,
		keystore_container,
		select_chain,
		transaction_pool,
		other: (consensus, telemetry),
	})
}

fn new_telemetry(config: &Configuration) -> Result<Option<(TelemetryWorker, Telemetry)>, ServiceError> {
	let endpoints = config
		.telemetry_endpoints
		.clone()
		.filter(|endpoints| !endpoints.is_empty());
	endpoints
		.map(|endpoints| {
			let worker = TelemetryWorker::new(16)?;
			let telemetry = worker.handle().new_telemetry(endpoints);
			Ok((worker, telemetry))
		})
		.transpose()
}

/// Starts a node. The node runs until the returned task manager is dropped.
///
/// Errors: options that do not apply to the chain or contradict each other, and failures of the node's parts.
pub fn start(
	mut config: Configuration,
	dev: DevOptions,
	mining: MiningOptions,
	compiled_runtimes: Option<PathBuf>,
) -> Result<TaskManager, ServiceError> {
	if is_development(&config) {
		dev.check()?;
		leave_network(&mut config);
		// Otherwise Aura waits for peers.
		config.force_authoring = true;
	} else if dev.block_interval_ms.is_some() {
		return Err(of_other_chains(
			&config,
			"--block-interval-ms",
			"development chains",
		));
	} else if dev.sealing.is_some() {
		return Err(of_other_chains(&config, "--sealing", "development chains"));
	}

	match config.network.network_backend {
		NetworkBackendType::Libp2p => {
			start_on::<sc_network::NetworkWorker<Block, Hash>>(config, dev, mining, compiled_runtimes)
		}
		NetworkBackendType::Litep2p => {
			start_on::<sc_network::Litep2pNetworkBackend>(config, dev, mining, compiled_runtimes)
		}
	}
}

/// The error for an option that does not apply to this chain.
fn of_other_chains(config: &Configuration, option: &str, chains: &str) -> ServiceError {
	let name = config.chain_spec.name();
	format!("{option} applies only to {chains}; {name} is not one of them").into()
}

/// Disables the network. A single node makes a development chain. Another node with the same genesis, on the same
/// machine or local network, must neither receive its transactions nor disturb it with blocks of its own.
fn leave_network(config: &mut Configuration) {
	log::info!("🔌 A development chain runs on this node only: no peers, no p2p port");
	let network = &mut config.network;
	network.listen_addresses.clear();
	network.public_addresses.clear();
	network.boot_nodes.clear();
	network.default_peers_set = SetConfig {
		in_peers: 0,
		out_peers: 0,
		..Default::default()
	};
	network.default_peers_set_num_full = 0;
	network.enable_dht_random_walk = false;
	network.transport = TransportConfig::Normal {
		enable_mdns: false,
		allow_private_ip: false,
	};
}

/// Starts a node whose network runs on the backend `N`.
fn start_on<N>(
	mut config: Configuration,
	dev: DevOptions,
	mining: MiningOptions,
	compiled_runtimes: Option<PathBuf>,
) -> Result<TaskManager, ServiceError>
where
	N: sc_network::NetworkBackend<Block, Hash>,
{
	let sealing = dev.sealing.unwrap_or_default();
	let partial = new_partial(&mut config, Some(sealing), compiled_runtimes)?;
	let shared = Shared::new(&config, &partial);
	let PartialComponents {
		mut task_manager,
		import_queue,
		other: (mut consensus, mut telemetry),
		..
	} = partial;
	if mining.miner_threads > 0 && !matches!(consensus, Consensus::Work(_)) {
		return Err(of_other_chains(&config, "--miner-threads", "mined chains"));
	}

	let network_params = network_params::<N>(&config, &shared, &mut consensus, import_queue, &task_manager)?;
	let (network, system_rpc_tx, tx_handler_controller, sync_service, _bitswap) =
		sc_service::build_network(network_params)?;
	if config.offchain_worker.enabled {
		spawn_offchain_workers(&config, &shared, network.clone(), &task_manager)?;
	}
	spawn_market_metrics(&shared, &task_manager)?;

	let (dev_clock, seal_requests) = DevClock::new();
	let dev_clock = matches!(consensus, Consensus::Development).then_some(dev_clock);
	let (client, pool) = (shared.client.clone(), shared.pool.clone());
	let rpc_builder = move |_| rpc::create_full(&client, &pool, dev_clock.as_ref()).map_err(Into::into);
	let rpc_plan = rpc::server::Plan::take(&mut config.rpc);
	spawn_node_metrics(
		&mut config,
		&shared,
		network.clone(),
		sync_service.clone(),
		&task_manager,
	)?;
	let validator = validator(&config, network.clone(), sync_service.clone());
	let methods = sc_service::spawn_tasks(sc_service::SpawnTasksParams {
		config,
		client: shared.client.clone(),
		backend: shared.backend.clone(),
		task_manager: &mut task_manager,
		keystore: shared.keystore.clone(),
		transaction_pool: shared.pool.clone(),
		rpc_builder: Box::new(rpc_builder),
		network,
		system_rpc_tx,
		tx_handler_controller,
		sync_service: sync_service.clone(),
		telemetry: telemetry.as_mut(),
		tracing_execute_block: None,
	})?;
	let rpc_server = rpc_plan.serve((*methods.handle()).clone(), shared.prometheus_registry.as_ref())?;
	task_manager.keep_alive(rpc_server);
	match consensus {
		Consensus::Development => {
			let sealer = Sealer::new(&shared, &dev, seal_requests)?;
			spawn_sealer(sealer, &task_manager);
		}
		Consensus::Authorities(grandpa) => validator.spawn(&shared, *grandpa, &task_manager)?,
		Consensus::Work(block_import) => {
			pow::spawn(&shared, mining, block_import, sync_service, &task_manager)?
		}
	}
	Ok(task_manager)
}

/// How this node takes part in a chain with authorities.
fn validator(
	config: &Configuration,
	network: Arc<dyn NetworkService>,
	sync: Arc<SyncingService>,
) -> aura::Validator {
	aura::Validator {
		role: config.role,
		name: config.network.node_name.clone(),
		force_authoring: config.force_authoring,
		disable_grandpa: config.disable_grandpa,
		network,
		sync,
	}
}

fn spawn_sealer(sealer: Sealer, task_manager: &TaskManager) {
	// Essential: if sealing ends, the node stops, so that somebody notices.
	task_manager.spawn_essential_handle().spawn_blocking(
		"dev-sealing",
		Some("block-authoring"),
		sealer.run(),
	);
}

/// Handles that the tasks of a starting node share.
pub struct Shared {
	/// The chain's database and runtime.
	pub client: Arc<FullClient>,
	/// The database under the client.
	pub backend: Arc<FullBackend>,
	/// Keeps the session keys.
	pub keystore: KeystorePtr,
	/// Chooses the parent of the next block.
	pub select_chain: SelectChain,
	/// The transaction pool.
	pub pool: Arc<Pool>,
	/// Builds blocks from the pool. The only factory, because it registers its metrics when it is made.
	pub proposer_factory: ProposerFactory,
	/// Registry of the metrics, if they are enabled.
	pub prometheus_registry: Option<Registry>,
	/// Telemetry, if it is enabled.
	pub telemetry: Option<TelemetryHandle>,
}

impl Shared {
	/// Takes the handles from the parts that [`new_partial`] built.
	fn new(config: &Configuration, partial: &Partial) -> Self {
		let prometheus_registry = config.prometheus_registry().cloned();
		let telemetry = partial.other.1.as_ref().map(Telemetry::handle);
		Self {
			client: partial.client.clone(),
			backend: partial.backend.clone(),
			keystore: partial.keystore_container.keystore(),
			select_chain: partial.select_chain.clone(),
			pool: partial.transaction_pool.clone(),
			proposer_factory: ProposerFactory::new(
				partial.task_manager.spawn_handle(),
				partial.client.clone(),
				partial.transaction_pool.clone(),
				prometheus_registry.as_ref(),
				telemetry.clone(),
			),
			prometheus_registry,
			telemetry,
		}
	}
}

/// Configures the network, with the voter's protocol and warp sync on a chain that has authorities.
fn network_params<'a, N>(
	config: &'a Configuration,
	shared: &Shared,
	consensus: &mut Consensus,
	import_queue: DefaultImportQueue<Block>,
	task_manager: &TaskManager,
) -> Result<NetworkParams<'a, N>, ServiceError>
where
	N: sc_network::NetworkBackend<Block, Hash>,
{
	let registry = &shared.prometheus_registry;
	let mut net_config = FullNetworkConfiguration::<Block, Hash, N>::new(&config.network, registry.clone());
	let metrics = N::register_notification_metrics(registry.as_ref());
	let warp_sync_config = match consensus {
		Consensus::Authorities(grandpa) => {
			grandpa.join_network(config, &shared.client, &mut net_config, metrics.clone())?;
			Some(grandpa.warp_sync(shared.backend.clone()))
		}
		Consensus::Development | Consensus::Work(_) => None,
	};
	Ok(NetworkParams {
		config,
		net_config,
		client: shared.client.clone(),
		transaction_pool: shared.pool.clone(),
		spawn_handle: task_manager.spawn_handle(),
		spawn_essential_handle: task_manager.spawn_essential_handle(),
		import_queue,
		block_announce_validator_builder: None,
		warp_sync_config,
		block_relay: None,
		metrics,
		gap_sync_body_policy: None,
	})
}

/// Starts the metrics of the market, if metrics are enabled.
fn spawn_market_metrics(shared: &Shared, task_manager: &TaskManager) -> Result<(), ServiceError> {
	if let Some(registry) = &shared.prometheus_registry {
		let watcher = metrics::Watcher::new(shared.client.clone(), registry)?;
		task_manager
			.spawn_handle()
			.spawn("market-metrics", None, watcher.run());
	}
	Ok(())
}

/// Starts the metrics of every Substrate node, and the endpoint that serves all metrics, if they are enabled.
///
/// `sc_service::spawn_tasks` would start them too, and with them the metrics of its own RPC server, under the names that
/// [`rpc::server`] uses. So it sees no registry.
fn spawn_node_metrics(
	config: &mut Configuration,
	shared: &Shared,
	network: Arc<dyn NetworkService>,
	sync: Arc<SyncingService>,
	task_manager: &TaskManager,
) -> Result<(), ServiceError> {
	let Some(PrometheusConfig { port, registry }) = config.prometheus_config.take() else {
		return Ok(());
	};
	let (name, version) = (&config.network.node_name, &config.impl_version);
	let metrics = MetricsService::with_prometheus(None, &registry, config.role, name, version)?;
	let spawner = task_manager.spawn_handle();
	let endpoint = init_prometheus(port, registry).map(drop);
	spawner.spawn("prometheus-endpoint", None, endpoint);
	let updates = metrics.run(shared.client.clone(), shared.pool.clone(), network, sync);
	spawner.spawn("node-metrics", None, updates);
	Ok(())
}

/// Runs the runtime's offchain workers after each block.
fn spawn_offchain_workers(
	config: &Configuration,
	shared: &Shared,
	network: Arc<dyn NetworkService>,
	task_manager: &TaskManager,
) -> Result<(), ServiceError> {
	let workers = sc_offchain::OffchainWorkers::new(sc_offchain::OffchainWorkerOptions {
		runtime_api_provider: shared.client.clone(),
		keystore: Some(shared.keystore.clone()),
		offchain_db: shared.backend.offchain_storage(),
		transaction_pool: Some(OffchainTransactionPoolFactory::new(shared.pool.clone())),
		network_provider: Arc::new(network),
		is_validator: config.role.is_authority(),
		enable_http_requests: true,
		custom_extensions: |_| vec![],
	})?;
	task_manager.spawn_handle().spawn(
		"offchain-workers-runner",
		"offchain-worker",
		workers
			.run(shared.client.clone(), task_manager.spawn_handle())
			.boxed(),
	);
	Ok(())
}

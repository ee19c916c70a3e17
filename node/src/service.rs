//! The parts of a node, and how they are connected.

use crate::{
	cli::{DevOptions, MiningOptions, Sealing},
	consensus::{self, aura, is_development, pow, Consensus},
	metrics, rpc,
	sealing::Sealer,
};
use commonwatt_runtime::{apis::RuntimeApi, opaque::Block, Hash};
use futures::FutureExt;
use sc_client_api::Backend;
use sc_network::config::{FullNetworkConfiguration, NetworkBackendType, SetConfig, TransportConfig};
use sc_network::service::traits::NetworkService;
use sc_service::{
	config::{Configuration, PruningMode},
	error::Error as ServiceError,
	KeystoreContainer, PartialComponents, TaskManager,
};
use sc_telemetry::{Telemetry, TelemetryWorker};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_runtime::traits::NumberFor;
use std::sync::Arc;

/// Host functions that the runtime may call.
type HostFunctions = sp_io::SubstrateHostFunctions;
/// The chain's database and runtime.
pub type FullClient = sc_service::TFullClient<Block, RuntimeApi, sc_executor::WasmExecutor<HostFunctions>>;
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
pub type Partial = PartialComponents<
	FullClient,
	FullBackend,
	SelectChain,
	sc_consensus::DefaultImportQueue<Block>,
	Pool,
	OtherParts,
>;

/// Opens the database and builds the parts around it. `sealing` is set only if the node is going to run: on a
/// development chain it says what will make the blocks. Otherwise the existing blocks decide.
pub fn new_partial(config: &mut Configuration, sealing: Option<Sealing>) -> Result<Partial, ServiceError> {
	// The pruning mode is fixed when a database is created; requesting another one later is an error.
	let new_database = config.database.path().is_some_and(|path| !path.exists());
	if is_development(config) && new_database && config.state_pruning.is_none() {
		// Keep all states, because developers look back at any block.
		config.state_pruning = Some(PruningMode::ArchiveCanonical);
	}

	let telemetry = new_telemetry(config)?;
	let (client, backend, keystore_container, task_manager) =
		sc_service::new_full_parts::<Block, RuntimeApi, _>(
			config,
			telemetry.as_ref().map(|(_, telemetry)| telemetry.handle()),
			sc_service::new_wasm_executor::<HostFunctions>(&config.executor),
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
		NetworkBackendType::Libp2p => start_on::<sc_network::NetworkWorker<Block, Hash>>(config, dev, mining),
		NetworkBackendType::Litep2p => start_on::<sc_network::Litep2pNetworkBackend>(config, dev, mining),
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

fn start_on<N>(
	mut config: Configuration,
	dev: DevOptions,
	mining: MiningOptions,
) -> Result<TaskManager, ServiceError>
where
	N: sc_network::NetworkBackend<Block, Hash>,
{
	let PartialComponents {
		client,
		backend,
		mut task_manager,
		import_queue,
		keystore_container,
		select_chain,
		transaction_pool,
		other: (mut consensus, mut telemetry),
	} = new_partial(&mut config, Some(dev.sealing.unwrap_or_default()))?;
	if mining.miner_threads > 0 && !matches!(consensus, Consensus::Work(_)) {
		return Err(of_other_chains(&config, "--miner-threads", "mined chains"));
	}
	let prometheus_registry = config.prometheus_registry().cloned();

	let mut net_config =
		FullNetworkConfiguration::<Block, Hash, N>::new(&config.network, prometheus_registry.clone());
	let metrics = N::register_notification_metrics(prometheus_registry.as_ref());
	let warp_sync_config = match &mut consensus {
		Consensus::Authorities(grandpa) => {
			grandpa.join_network(&config, &client, &mut net_config, metrics.clone())?;
			Some(grandpa.warp_sync(backend.clone()))
		}
		Consensus::Development | Consensus::Work(_) => None,
	};

	let (network, system_rpc_tx, tx_handler_controller, sync_service, _bitswap) =
		sc_service::build_network(sc_service::BuildNetworkParams {
			config: &config,
			net_config,
			client: client.clone(),
			transaction_pool: transaction_pool.clone(),
			spawn_handle: task_manager.spawn_handle(),
			spawn_essential_handle: task_manager.spawn_essential_handle(),
			import_queue,
			block_announce_validator_builder: None,
			warp_sync_config,
			block_relay: None,
			metrics,
			gap_sync_body_policy: None,
		})?;

	if config.offchain_worker.enabled {
		spawn_offchain_workers(
			&config,
			&client,
			&backend,
			&keystore_container,
			&transaction_pool,
			network.clone(),
			&task_manager,
		)?;
	}

	if let Some(registry) = &prometheus_registry {
		let watcher = metrics::Watcher::new(client.clone(), registry)?;
		task_manager
			.spawn_handle()
			.spawn("market-metrics", None, watcher.run());
	}

	let proposer_factory = ProposerFactory::new(
		task_manager.spawn_handle(),
		client.clone(),
		transaction_pool.clone(),
		prometheus_registry.as_ref(),
		telemetry.as_ref().map(Telemetry::handle),
	);

	let (dev_clock, sealer) = if let Consensus::Development = consensus {
		let slot_duration = sc_consensus_aura::slot_duration(&*client)?;
		let (clock, sealer) = Sealer::new(
			client.clone(),
			transaction_pool.clone(),
			select_chain.clone(),
			proposer_factory.clone(),
			&dev,
			slot_duration.as_duration(),
		);
		(Some(clock), Some(sealer))
	} else {
		(None, None)
	};

	let miner = pow::Miner {
		options: mining,
		client: client.clone(),
		select_chain: select_chain.clone(),
		proposer_factory: proposer_factory.clone(),
		sync: sync_service.clone(),
	};
	let validator = aura::Validator {
		role: config.role,
		name: config.network.node_name.clone(),
		force_authoring: config.force_authoring,
		disable_grandpa: config.disable_grandpa,
		client: client.clone(),
		select_chain,
		pool: transaction_pool.clone(),
		proposer_factory,
		keystore: keystore_container.keystore(),
		network: network.clone(),
		sync: sync_service.clone(),
		prometheus_registry,
		telemetry: telemetry.as_ref().map(Telemetry::handle),
	};

	let rpc_deps = rpc::FullDeps {
		client: client.clone(),
		pool: transaction_pool.clone(),
		dev_clock,
	};
	sc_service::spawn_tasks(sc_service::SpawnTasksParams {
		config,
		client,
		backend,
		task_manager: &mut task_manager,
		keystore: keystore_container.keystore(),
		transaction_pool,
		rpc_builder: Box::new(move |_| rpc::create_full(&rpc_deps).map_err(Into::into)),
		network,
		system_rpc_tx,
		tx_handler_controller,
		sync_service,
		telemetry: telemetry.as_mut(),
		tracing_execute_block: None,
	})?;

	if let Some(sealer) = sealer {
		// Essential: if sealing ends, the node stops, so that somebody notices.
		task_manager.spawn_essential_handle().spawn_blocking(
			"dev-sealing",
			Some("block-authoring"),
			sealer.run(),
		);
	}
	match consensus {
		Consensus::Development => {}
		Consensus::Authorities(grandpa) => validator.spawn(*grandpa, &task_manager)?,
		Consensus::Work(block_import) => miner.spawn(block_import, &task_manager)?,
	}
	Ok(task_manager)
}

/// Runs the runtime's offchain workers after each block.
fn spawn_offchain_workers(
	config: &Configuration,
	client: &Arc<FullClient>,
	backend: &Arc<FullBackend>,
	keystore: &KeystoreContainer,
	pool: &Arc<Pool>,
	network: Arc<dyn NetworkService>,
	task_manager: &TaskManager,
) -> Result<(), ServiceError> {
	let workers = sc_offchain::OffchainWorkers::new(sc_offchain::OffchainWorkerOptions {
		runtime_api_provider: client.clone(),
		keystore: Some(keystore.keystore()),
		offchain_db: backend.offchain_storage(),
		transaction_pool: Some(OffchainTransactionPoolFactory::new(pool.clone())),
		network_provider: Arc::new(network),
		is_validator: config.role.is_authority(),
		enable_http_requests: true,
		custom_extensions: |_| vec![],
	})?;
	task_manager.spawn_handle().spawn(
		"offchain-workers-runner",
		"offchain-worker",
		workers.run(client.clone(), task_manager.spawn_handle()).boxed(),
	);
	Ok(())
}

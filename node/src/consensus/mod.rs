//! How a chain agrees on its blocks. Its genesis decides, once.

pub mod aura;
pub mod pow;

use crate::{
	cli::Sealing,
	service::{FullClient, SelectChain},
};
use commonwatt_runtime::opaque::Block;
use sc_client_api::HeaderBackend;
use sc_consensus::DefaultImportQueue;
use sc_service::{config::Configuration, error::Error as ServiceError, ChainType, TaskManager};
use sc_telemetry::Telemetry;
use sp_api::ProvideRuntimeApi;
use sp_consensus_aura::AURA_ENGINE_ID;
use sp_consensus_pow::DifficultyApi;
use sp_runtime::{traits::Header, DigestItem};
use std::sync::Arc;

/// How this chain agrees on its blocks, with what the import of blocks has of it.
pub enum Consensus {
	/// One node seals all blocks, as it likes: [`crate::sealing`].
	Development,
	/// Validators: [`aura`].
	Authorities(Box<aura::Grandpa>),
	/// Miners: [`pow`].
	Work(pow::BlockImport),
}

/// Is this a development chain, which one node seals on demand?
///
/// The chain's type decides and not the option `--dev`, so that a database is always treated the same way, however its
/// chain was named on the command line.
pub fn is_development(config: &Configuration) -> bool {
	config.chain_spec.chain_type() == ChainType::Development
}

/// Is this chain mined? Its runtime says so, in any block: it was decided in the genesis.
fn is_mined(client: &FullClient) -> Result<bool, ServiceError> {
	let any = client.info().best_hash;
	let difficulty: u128 = client
		.runtime_api()
		.difficulty(any)
		.map_err(|error| ServiceError::Application(Box::new(error)))?;
	Ok(difficulty > 0)
}

/// Have authors signed this chain's blocks? Unknown while there is none but the genesis.
fn is_authored(client: &FullClient) -> Result<Option<bool>, ServiceError> {
	let info = client.info();
	if info.best_number == 0 {
		return Ok(None);
	}
	let header = client
		.header(info.best_hash)?
		.ok_or("the database lacks its best block")?;
	let seal = header.digest().logs().last().and_then(DigestItem::as_seal);
	Ok(Some(matches!(seal, Some((AURA_ENGINE_ID, _)))))
}

/// Is this development chain to be authored by Aura? As its blocks are, or for the first one as it is wanted.
fn is_authored_development(client: &FullClient, wanted: Option<Sealing>) -> Result<bool, ServiceError> {
	let wanted = wanted.map(|sealing| sealing == Sealing::Aura);
	match (is_authored(client)?, wanted) {
		(Some(true), Some(false)) => {
			Err("this chain's blocks were authored by Aura: go on with --sealing aura, or purge it".into())
		}
		(Some(false), Some(true)) => {
			Err("this chain was sealed on demand and cannot go on with --sealing aura: purge it first".into())
		}
		(is, wanted) => Ok(is.or(wanted).unwrap_or(false)),
	}
}

/// The queue that checks blocks from peers and from files. On a development chain that is to run, `sealing` says what
/// will make its blocks.
pub fn import_queue(
	config: &Configuration,
	client: &Arc<FullClient>,
	select_chain: &SelectChain,
	task_manager: &TaskManager,
	telemetry: Option<&Telemetry>,
	sealing: Option<Sealing>,
) -> Result<(DefaultImportQueue<Block>, Consensus), ServiceError> {
	if is_development(config) && !is_authored_development(client, sealing)? {
		// Sealed blocks carry no author's signature. This queue serves `import-blocks` and `check-block` alone, as a
		// development chain has no peers.
		let queue = sc_consensus_manual_seal::import_queue(
			Box::new(client.clone()),
			&task_manager.spawn_essential_handle(),
			config.prometheus_registry(),
		);
		return Ok((queue, Consensus::Development));
	}
	if is_mined(client)? {
		let (queue, block_import) = pow::import_queue(config, client, select_chain, task_manager)?;
		return Ok((queue, Consensus::Work(block_import)));
	}
	let (queue, grandpa) = aura::import_queue(config, client, select_chain, task_manager, telemetry)?;
	Ok((queue, Consensus::Authorities(Box::new(grandpa))))
}

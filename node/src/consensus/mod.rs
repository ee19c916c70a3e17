//! How a chain agrees on its blocks, which its genesis decides.

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

/// How this chain agrees on its blocks, with what block import must hand over to the part that makes blocks.
pub enum Consensus {
	/// One node seals all blocks on demand: [`crate::sealing`].
	Development,
	/// Validators make blocks: [`aura`].
	Authorities(Box<aura::Grandpa>),
	/// Miners make blocks: [`pow`].
	Work(pow::BlockImport),
}

/// Returns whether this is a development chain, which one node makes.
///
/// The type in the chain specification decides, not the option `--dev`. So a database is treated the same way however
/// the command line names its chain.
pub fn is_development(config: &Configuration) -> bool {
	config.chain_spec.chain_type() == ChainType::Development
}

/// Returns whether this chain is mined. The runtime knows it from the genesis, so any block gives the same answer.
fn is_mined(client: &FullClient) -> Result<bool, ServiceError> {
	let any = client.info().best_hash;
	let difficulty: u128 = client
		.runtime_api()
		.difficulty(any)
		.map_err(|error| ServiceError::Application(Box::new(error)))?;
	Ok(difficulty > 0)
}

/// Returns whether Aura authored this chain's blocks; `None` if there is only the genesis block.
fn is_authored(client: &FullClient) -> Result<Option<bool>, ServiceError> {
	let info = client.info();
	if info.best_number == 0 {
		return Ok(None);
	}
	let header = client
		.header(info.best_hash)?
		.ok_or("the database does not have the header of its best block")?;
	let seal = header.digest().logs().last().and_then(DigestItem::as_seal);
	Ok(Some(matches!(seal, Some((AURA_ENGINE_ID, _)))))
}

/// Returns whether Aura authors this development chain: as its existing blocks say, or else as `wanted` says.
///
/// Error: `wanted` contradicts the existing blocks.
fn is_authored_development(client: &FullClient, wanted: Option<Sealing>) -> Result<bool, ServiceError> {
	let wanted = wanted.map(|sealing| sealing == Sealing::Aura);
	match (is_authored(client)?, wanted) {
		(Some(true), Some(false)) => {
			Err("Aura authored this chain: continue with --sealing aura, or run purge-chain first".into())
		}
		(Some(false), Some(true)) => {
			Err("this chain was sealed on demand: leave out --sealing aura, or run purge-chain first".into())
		}
		(is, wanted) => Ok(is.or(wanted).unwrap_or(false)),
	}
}

/// Builds the import queue, which checks blocks from peers and from files. If a development chain is going to run,
/// `sealing` says what will make its blocks.
pub fn import_queue(
	config: &Configuration,
	client: &Arc<FullClient>,
	select_chain: &SelectChain,
	task_manager: &TaskManager,
	telemetry: Option<&Telemetry>,
	sealing: Option<Sealing>,
) -> Result<(DefaultImportQueue<Block>, Consensus), ServiceError> {
	if is_development(config) && !is_authored_development(client, sealing)? {
		// Sealed blocks carry no author's signature. Only `import-blocks` and `check-block` use this queue, because a
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

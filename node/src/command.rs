//! Runs the subcommand or the node that the command line asks for.

use crate::{
	chain_spec,
	cli::{Cli, Subcommand},
	consensus::{is_development, Consensus},
	rpc::origins::DEFAULT_ORIGINS,
	service,
};
use commonwatt_runtime::opaque::Block;
use sc_cli::{Cors, SubstrateCli, TransactionPoolParams, TransactionPoolType};
use sc_service::{Configuration, TransactionPoolOptions};
use sc_storage_monitor::StorageMonitorService;
use std::path::Path;

impl SubstrateCli for Cli {
	fn impl_name() -> String {
		"Commonwatt Node".into()
	}

	fn impl_version() -> String {
		env!("SUBSTRATE_CLI_IMPL_VERSION").into()
	}

	fn description() -> String {
		"Runs a chain on which an energy community trades its own energy.\n\n\
		 A development chain on this machine only:\n    commonwatt-node --dev\n\
		 One of the two validators of a test network:\n    \
		 commonwatt-node --chain local --alice --unsafe-force-node-key-generation\n\
		 A miner of a mined chain:\n    \
		 commonwatt-node --chain pow --miner-threads 1 --miner-account ADDRESS\n\
		 A node of the chain in a specification file:\n    commonwatt-node --chain FILE"
			.into()
	}

	fn author() -> String {
		"the Commonwatt authors".into()
	}

	fn support_url() -> String {
		"the README that this node came with".into()
	}

	fn copyright_start_year() -> i32 {
		2026
	}

	fn load_spec(&self, id: &str) -> Result<Box<dyn sc_service::ChainSpec>, String> {
		if let Some(spec) = chain_spec::runnable(id)? {
			return Ok(Box::new(spec));
		}
		if id.is_empty() {
			let names = "use --dev, --chain dev, --chain local, --chain pow or --chain FILE";
			return Err(format!("no chain given: {names}"));
		}
		Ok(Box::new(chain_spec::ChainSpec::from_json_file(id.into())?))
	}
}

/// Parses the command line and runs the subcommand, or the node until it stops.
pub fn run() -> sc_cli::Result<()> {
	let mut cli = Cli::from_args();
	cli.run.rpc_params.rpc_cors.get_or_insert_with(default_origins);
	// Its only line of information would name the port of a server that admits no connection; see `rpc::server`.
	cli.run.shared_params.log.insert(0, "sc_rpc_server=warn".into());

	let compiled_runtimes = cli.compiled_runtimes.clone();
	let parts = |config: &mut Configuration| service::new_partial(config, None, compiled_runtimes.clone());
	match &cli.subcommand {
		None => {
			let runner = cli.create_runner(&cli.run)?;
			let (dev, mining, pool) = (cli.dev.clone(), cli.mining.clone(), cli.run.pool_config.clone());
			let storage = cli.storage.clone();
			runner.run_node_until_exit(|mut config| async move {
				if is_development(&config) {
					config.transaction_pool = development_pool(pool);
				}
				let database = config.database.path().map(Path::to_path_buf);
				let task_manager = service::start(config, dev, mining, compiled_runtimes)?;
				if let Some(database) = database {
					// A database that could not be written goes on with errors only, also when there is room again.
					StorageMonitorService::try_spawn(
						storage,
						database,
						&task_manager.spawn_essential_handle(),
					)
					.map_err(|error| sc_cli::Error::Application(Box::new(error)))?;
				}
				Ok(task_manager)
			})
		}
		Some(Subcommand::Key(cmd)) => cmd.run(&cli),
		Some(Subcommand::ExportChainSpec(cmd)) => match chain_spec::readable(&cmd.chain)? {
			Some(spec) => cmd.run(Box::new(spec)),
			None => cmd.run(cli.load_spec(&cmd.chain)?),
		},
		Some(Subcommand::CheckBlock(cmd)) => cli.create_runner(cmd)?.async_run(|mut config| {
			let parts = parts(&mut config)?;
			Ok((cmd.run(parts.client, parts.import_queue), parts.task_manager))
		}),
		Some(Subcommand::ExportBlocks(cmd)) => cli.create_runner(cmd)?.async_run(|mut config| {
			let parts = parts(&mut config)?;
			Ok((cmd.run(parts.client, config.database), parts.task_manager))
		}),
		Some(Subcommand::ImportBlocks(cmd)) => cli.create_runner(cmd)?.async_run(|mut config| {
			let parts = parts(&mut config)?;
			Ok((cmd.run(parts.client, parts.import_queue), parts.task_manager))
		}),
		Some(Subcommand::PurgeChain(cmd)) => cli
			.create_runner(cmd)?
			.sync_run(|config| cmd.run(config.database)),
		Some(Subcommand::Revert(cmd)) => cli.create_runner(cmd)?.async_run(|mut config| {
			let parts = parts(&mut config)?;
			let (consensus, _) = parts.other;
			let voter_state: service::RevertVoterState = Box::new(move |client, _, blocks| {
				// Without a voter, there is no voter's state to revert.
				if let Consensus::Authorities(_) = consensus {
					sc_consensus_grandpa::revert(client, blocks)?;
				}
				Ok(())
			});
			let reverting = cmd.run(parts.client, parts.backend, Some(voter_state));
			Ok((reverting, parts.task_manager))
		}),
		Some(Subcommand::ChainInfo(cmd)) => cli
			.create_runner(cmd)?
			.sync_run(|config| cmd.run::<Block>(&config)),
	}
}

/// The pages that may use the RPC, if the command line names none.
fn default_origins() -> Cors {
	Cors::List(DEFAULT_ORIGINS.map(String::from).to_vec())
}

/// The transaction pool of a development chain, which has no forks.
///
/// The fork-aware pool keeps a view for each head. A transaction that arrives while the pool builds the view of a new
/// head gets into the views before it, and may miss this one until the next block. So `dev_sealAt` could leave out a
/// transaction that the pool had accepted. The pool with a single state has only one set of ready transactions.
fn development_pool(mut options: TransactionPoolParams) -> TransactionPoolOptions {
	options.pool_type = TransactionPoolType::SingleState;
	options.transaction_pool(true)
}

#[cfg(test)]
mod tests {
	use super::*;
	use clap::CommandFactory;

	#[test]
	fn command_line_is_consistent() {
		Cli::setup_command(Cli::command()).debug_assert();
	}

	#[test]
	fn missing_chain_is_an_error() {
		let error = Cli::try_from_iter(["commonwatt-node"])
			.unwrap()
			.load_spec("")
			.map(|spec| spec.id().to_owned())
			.unwrap_err();
		assert!(error.contains("--chain"), "{error}");
	}

	#[test]
	fn chains_are_known_by_name() {
		let cli = Cli::try_from_iter(["commonwatt-node"]).unwrap();
		for (name, id) in [
			("dev", "commonwatt_dev"),
			("development", "commonwatt_dev"),
			("local", "commonwatt_local"),
			("pow", "commonwatt_pow"),
		] {
			assert_eq!(
				cli.load_spec(name).map(|spec| spec.id().to_owned()),
				Ok(id.to_owned())
			);
		}
		assert!(cli.load_spec("/nowhere/at-all.json").is_err());
	}
}

//! The command line.

use clap::ValueEnum;
use commonwatt_runtime::AccountId;
use sc_cli::RunCmd;
use sc_storage_monitor::StorageMonitorParams;
use std::{fmt, path::PathBuf};

/// What `--rpc-cors` does.
const RPC_CORS: &str = "Origins of the web pages that may use the RPC, over HTTP and WebSockets: a list with commas \
	(protocol://host:port, the port * for every port), or `null`, or `all`. Other pages get the status 403. Programs that \
	are no browsers send no origin and are not affected. The default is this machine's own pages and \
	https://polkadot.js.org";

/// The largest request to the RPC, in megabytes of JSON, unless the command line sets another limit.
///
/// The largest request of use is a new runtime: about 0.6 MB, as JSON twice that. The games that the runtime solves for
/// anybody (`EnergyMarketApi_solve`) are at most 0.3 MB as JSON.
const MAX_REQUEST_SIZE_MB: &str = "4";

/// The command line: a subcommand, or the options of a running node.
#[derive(Debug, clap::Parser)]
#[command(
	mut_arg("rpc_max_request_size", |option| option.default_value(MAX_REQUEST_SIZE_MB)),
	mut_arg("rpc_cors", |option| option.help(RPC_CORS).long_help(RPC_CORS))
)]
pub struct Cli {
	/// The subcommand; without one, the node runs.
	#[command(subcommand)]
	pub subcommand: Option<Subcommand>,

	/// The options of every Substrate node.
	#[clap(flatten)]
	pub run: RunCmd,

	/// Folder in which the node keeps runtimes that it has compiled to machine code.
	///
	/// Compiling one takes several seconds at every start; from this folder it takes less than one. The default is
	/// `compiled-runtimes` in the base path. Nodes of one machine may share a folder. Whoever can write to it can make
	/// the node run any code, so protect it as the node's program.
	#[arg(long, value_name = "DIR", env = "COMMONWATT_COMPILED_RUNTIMES")]
	pub compiled_runtimes: Option<PathBuf>,

	/// How much room the database's disk must have.
	#[clap(flatten)]
	pub storage: StorageMonitorParams,

	/// The options of a development chain.
	#[clap(flatten)]
	pub dev: DevOptions,

	/// The options of a mined chain.
	#[clap(flatten)]
	pub mining: MiningOptions,
}

/// Options that apply only to a development chain.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Development chain (--dev)")]
pub struct DevOptions {
	/// What makes blocks on a development chain.
	///
	/// Eras always follow the blocks' timestamps, not the wall clock. The default is `instant`.
	#[arg(long, value_enum)]
	pub sealing: Option<Sealing>,

	/// Seal an empty block after this many milliseconds without a block.
	///
	/// The default is the runtime's slot duration, so that chain time keeps pace with the wall clock. Each block moves
	/// chain time forward by at least one slot, so with a shorter interval the chain runs faster than the wall clock. 0
	/// disables blocks by time.
	#[arg(long, value_name = "MS")]
	pub block_interval_ms: Option<u64>,
}

impl DevOptions {
	/// Returns an error that names the options, if they contradict each other.
	pub fn check(&self) -> Result<(), String> {
		let sealing = self.sealing.unwrap_or_default();
		match (sealing, self.block_interval_ms) {
			(Sealing::Manual | Sealing::Aura, Some(_)) => Err(format!(
				"--block-interval-ms has no effect with --sealing {sealing}; leave it out"
			)),
			(Sealing::Interval, Some(0)) => {
				Err("--sealing interval needs --block-interval-ms above 0".into())
			}
			_ => Ok(()),
		}
	}
}

/// What makes the blocks of a development chain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Sealing {
	/// For a person at work: a block at once for transactions, and an empty block after each interval without one.
	#[default]
	Instant,
	/// For scripts and measurements: a block after each interval. Transactions wait for it, as on a real network.
	Interval,
	/// For tests that control the clock: only the RPC method `dev_sealAt` makes blocks, with the transactions in the
	/// pool.
	Manual,
	/// For a rehearsal of a validator: Alice authors and signs a block in each slot of the wall clock, and GRANDPA
	/// finalizes it. There is no `dev_sealAt`. The database must be new or of the same way of sealing.
	Aura,
}

impl fmt::Display for Sealing {
	/// Writes the value as it is given on the command line.
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		self.to_possible_value()
			.map_or(Ok(()), |value| f.write_str(value.get_name()))
	}
}

/// Options that apply only to a mined chain.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Proof of work (--chain pow)")]
pub struct MiningOptions {
	/// Number of threads that search for blocks; each keeps one core busy. 0 follows the chain without mining.
	#[arg(long, value_name = "N", default_value_t = 0)]
	pub miner_threads: u16,

	/// Account that gets the rewards of mined blocks, in SS58.
	#[arg(long, value_name = "ADDRESS")]
	pub miner_account: Option<AccountId>,

	/// Treat blocks as final this many blocks below the head.
	///
	/// The node follows no chain that branches off below such a block. So after a network split that lasted longer, one
	/// side must purge its chain and sync again. The node keeps the states of all blocks above, so a great depth needs
	/// much disk space.
	#[arg(long, value_name = "BLOCKS", default_value_t = 30)]
	pub finality_depth: u32,
}

/// The subcommands of the node.
#[derive(Debug, clap::Subcommand)]
pub enum Subcommand {
	/// Generate, inspect and store keys; sign and verify messages.
	#[command(subcommand)]
	Key(sc_cli::KeySubcommand),

	/// Write a chain's specification as JSON: plain, or with its whole genesis storage (--raw).
	///
	/// The node reads the result with --chain. All nodes of a network must use the same raw file.
	ExportChainSpec(sc_cli::ExportChainSpecCmd),

	/// Execute a stored block again and report whether it is valid.
	CheckBlock(sc_cli::CheckBlockCmd),

	/// Write blocks from the database to a file or to standard output.
	ExportBlocks(sc_cli::ExportBlocksCmd),

	/// Read blocks that `export-blocks` wrote, check them, and add them to the database.
	ImportBlocks(sc_cli::ImportBlocksCmd),

	/// Delete a chain's database. Keys and the node's network identity are kept.
	PurgeChain(sc_cli::PurgeChainCmd),

	/// Revert the newest blocks. Finalized blocks are never reverted.
	Revert(sc_cli::RevertCmd),

	/// Print the best, the finalized and the genesis block of the database as JSON.
	ChainInfo(sc_cli::ChainInfoCmd),
}

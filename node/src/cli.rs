//! The command line.

use sc_cli::RunCmd;

/// What the command line holds: a subcommand, or the options of a running node.
#[derive(Debug, clap::Parser)]
pub struct Cli {
	/// The subcommand, if any; without one the node runs.
	#[command(subcommand)]
	pub subcommand: Option<Subcommand>,

	/// The options that every Substrate node has.
	#[clap(flatten)]
	pub run: RunCmd,

	/// The options of a development chain.
	#[clap(flatten)]
	pub dev: DevOptions,
}

/// Options that only a development chain takes.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Development chain (--dev)")]
pub struct DevOptions {
	/// Milliseconds without a block after which an empty one is sealed.
	///
	/// The default is the runtime's slot duration, so that chain time keeps pace with the clock on the wall. 0 seals
	/// no blocks by time: only transactions and the RPC method `dev_sealAt` then make blocks; a transaction that comes
	/// while the pool is busy with a new block may then wait for the next one. Each block moves chain time on by one
	/// slot at least, so with a shorter interval than a slot the chain runs faster than the wall's clock.
	#[arg(long, value_name = "MS")]
	pub block_interval_ms: Option<u64>,
}

/// Everything that the node can do besides running.
#[derive(Debug, clap::Subcommand)]
pub enum Subcommand {
	/// Generate, inspect and store keys; sign and verify messages.
	#[command(subcommand)]
	Key(sc_cli::KeySubcommand),

	/// Write a chain's specification as JSON, plain or (with --raw) with its whole genesis storage.
	///
	/// The result can be given to --chain. Nodes of one network must use one and the same raw file.
	ExportChainSpec(sc_cli::ExportChainSpecCmd),

	/// Execute a stored block again and say whether it is valid.
	CheckBlock(sc_cli::CheckBlockCmd),

	/// Write blocks from the database to a file or to standard output.
	ExportBlocks(sc_cli::ExportBlocksCmd),

	/// Read blocks that `export-blocks` wrote, check them and add them to the database.
	ImportBlocks(sc_cli::ImportBlocksCmd),

	/// Delete a chain's database. Keys and the node's network identity stay.
	PurgeChain(sc_cli::PurgeChainCmd),

	/// Take back the newest blocks. Finalized blocks are never taken back.
	Revert(sc_cli::RevertCmd),

	/// Print best, finalized and genesis block of the database as JSON.
	ChainInfo(sc_cli::ChainInfoCmd),
}

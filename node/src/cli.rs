//! The command line.

use clap::ValueEnum;
use commonwatt_runtime::AccountId;
use sc_cli::RunCmd;
use std::fmt;

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

	/// The options of a chain that is mined.
	#[clap(flatten)]
	pub mining: MiningOptions,
}

/// Options that only a development chain takes.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Development chain (--dev)")]
pub struct DevOptions {
	/// What makes blocks on a development chain.
	///
	/// Eras follow the blocks' timestamps and never the wall's clock, whatever makes the blocks. The default is `instant`.
	#[arg(long, value_enum)]
	pub sealing: Option<Sealing>,

	/// Milliseconds without a block after which an empty one is sealed.
	///
	/// The default is the runtime's slot duration, so that chain time keeps pace with the clock on the wall. Each block
	/// moves chain time on by one slot at least, so with a shorter interval than a slot the chain runs faster than the
	/// wall's clock. 0 seals no blocks by time.
	#[arg(long, value_name = "MS")]
	pub block_interval_ms: Option<u64>,
}

impl DevOptions {
	/// Refuses options that contradict each other.
	pub fn check(&self) -> Result<(), String> {
		let sealing = self.sealing.unwrap_or_default();
		match (sealing, self.block_interval_ms) {
			(Sealing::Manual | Sealing::Aura, Some(_)) => Err(format!(
				"--block-interval-ms means nothing with --sealing {sealing}"
			)),
			(Sealing::Interval, Some(0)) => {
				Err("--sealing interval needs an interval: --block-interval-ms is 0".into())
			}
			_ => Ok(()),
		}
	}
}

/// What makes blocks on a development chain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Sealing {
	/// For a person at work: transactions at once, and an empty block after each interval without any.
	#[default]
	Instant,
	/// For scripts and measurements: a block after each interval, which transactions wait for, as on a real network.
	Interval,
	/// For tests that own the clock: only the RPC method `dev_sealAt` makes blocks, with what is in the pool.
	Manual,
	/// For a rehearsal of the real thing: Alice authors a block in each slot of the wall's clock, signs it, and
	/// finalizes it by GRANDPA. There is no `dev_sealAt`. A database that was sealed otherwise cannot be taken on.
	Aura,
}

impl fmt::Display for Sealing {
	/// As the command line has it.
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		self.to_possible_value()
			.map_or(Ok(()), |value| f.write_str(value.get_name()))
	}
}

/// Options that only a chain that is mined takes.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Proof of work (--chain pow)")]
pub struct MiningOptions {
	/// Look for blocks with so many threads, each of which keeps a core busy; 0: follow the chain only.
	#[arg(long, value_name = "N", default_value_t = 0)]
	pub miner_threads: u16,

	/// The account that gets the reward of mined blocks, in SS58.
	#[arg(long, value_name = "ADDRESS")]
	pub miner_account: Option<AccountId>,

	/// Take as final what lies so many blocks under the head.
	///
	/// No chain that leaves this node's chain before such a block is followed any more: after a split of the network that
	/// lasted longer, one side must purge its chain and sync again. States are kept from there on, so a great depth
	/// takes room.
	#[arg(long, value_name = "BLOCKS", default_value_t = 30)]
	pub finality_depth: u32,
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

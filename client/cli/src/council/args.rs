//! The options of `council`.

use crate::cli::{ChainArgs, Passphrase};
use clap::{Args, Subcommand};
use std::path::PathBuf;

const COUNCIL_HELP: &str = "\
The council governs a chain. Its members move motions and vote on them; a motion is a call that is carried out if enough \
members agree. Who does not vote, votes no. A motion is open for three days.

  more than half   create a community
  half             pause calls, and end a pause
  two thirds       seats of the council, validators, upgrades
  a third          stops an upgrade, each member by `council object`

An upgrade waits a day after it was decided. Then anybody applies it with `council apply`.

Exit codes: 0 done; 1 the chain refused something, or a motion's call failed; 2 an option, a file or the key is wrong; \
3 no connection to the chain.";

/// The subcommands of `council`.
#[derive(Clone, Debug, Subcommand)]
#[command(after_long_help = COUNCIL_HELP)]
pub enum CouncilCommand {
	/// Show the members, the open motions, and the upgrade that waits
	List(ListArgs),
	/// Move a motion, and vote yes on it
	Propose(Box<ProposeArgs>),
	/// Vote on a motion
	Vote(VoteArgs),
	/// Close a motion on which enough members have voted, or whose time is over, and show what became of it
	Close(CloseArgs),
	/// Object to the upgrade that waits
	Object(ObjectArgs),
	/// Apply the upgrade whose time has come, by handing in its code; anybody may
	Apply(ApplyArgs),
}

/// Options of `council list`.
#[derive(Clone, Debug, Args)]
pub struct ListArgs {
	/// How to reach the chain.
	#[command(flatten)]
	pub chain: ChainArgs,
}

/// Who signs.
#[derive(Clone, Debug, Args)]
pub struct Signer {
	/// The key file of the account that signs, as made by Polkadot.js or `meter key`
	#[arg(
		long,
		value_name = "KEY.json",
		conflicts_with = "uri",
		required_unless_present = "uri"
	)]
	pub key: Option<PathBuf>,

	/// The secret URI of a development key, such as //Alice, instead of a key file
	#[arg(long, value_name = "URI")]
	pub uri: Option<String>,

	/// Where the passphrase of the key file comes from.
	#[command(flatten)]
	pub passphrase: Passphrase,
}

/// Options of `council propose`.
#[derive(Clone, Debug, Args)]
pub struct ProposeArgs {
	/// How to reach the chain.
	#[command(flatten)]
	pub chain: ChainArgs,

	/// Who signs.
	#[command(flatten)]
	pub signer: Signer,

	/// What the motion does.
	#[command(subcommand)]
	pub what: What,
}

/// What a motion does.
#[derive(Clone, Debug, Subcommand)]
pub enum What {
	/// Admit a validator, which must have session keys (two thirds)
	AdmitValidator {
		/// The validator's account
		#[arg(value_name = "ADDRESS")]
		account: String,
	},
	/// Remove a validator (two thirds)
	RemoveValidator {
		/// The validator's account
		#[arg(value_name = "ADDRESS")]
		account: String,
	},
	/// Give out a seat of the council (two thirds)
	AddMember {
		/// The new member's account
		#[arg(value_name = "ADDRESS")]
		account: String,
	},
	/// Take a seat away (two thirds)
	RemoveMember {
		/// The member's account
		#[arg(value_name = "ADDRESS")]
		account: String,
	},
	/// Create a community (more than half). Its operator may change the terms afterwards, within the bounds
	CreateCommunity {
		/// The community's name
		#[arg(value_name = "NAME")]
		name: String,
		/// The operator's account
		#[arg(long, value_name = "ADDRESS")]
		operator: String,
		/// The utility's account
		#[arg(long, value_name = "ADDRESS")]
		utility: String,
		/// Name or number of the community whose terms and bounds it gets [default: those of the paper's experiment]
		#[arg(long, value_name = "NAME")]
		like: Option<String>,
	},
	/// Decide on the code of the next runtime (two thirds), which then waits
	Upgrade {
		/// The code, as `commonwatt_runtime.compact.compressed.wasm` of a build
		#[arg(value_name = "CODE.wasm")]
		file: PathBuf,
	},
	/// Withdraw the upgrade that waits (two thirds)
	WithdrawUpgrade,
	/// Pause a call of the runtime (half), such as EnergyMarket.submit_strategies
	Pause {
		/// The call
		#[arg(value_name = "PALLET.CALL")]
		call: String,
	},
	/// End the pause of a call (half)
	Unpause {
		/// The call
		#[arg(value_name = "PALLET.CALL")]
		call: String,
	},
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Choice {
	/// For the motion
	Yes,
	/// Against it
	No,
}

/// Options of `council vote`.
#[derive(Clone, Debug, Args)]
pub struct VoteArgs {
	/// The motion's number, as `council list` shows it
	#[arg(value_name = "MOTION")]
	pub motion: u32,

	/// The vote
	#[arg(value_enum)]
	pub choice: Choice,

	/// How to reach the chain.
	#[command(flatten)]
	pub chain: ChainArgs,

	/// Who signs.
	#[command(flatten)]
	pub signer: Signer,
}

/// Options of `council close`.
#[derive(Clone, Debug, Args)]
pub struct CloseArgs {
	/// The motion's number, as `council list` shows it
	#[arg(value_name = "MOTION")]
	pub motion: u32,

	/// How to reach the chain.
	#[command(flatten)]
	pub chain: ChainArgs,

	/// Who signs.
	#[command(flatten)]
	pub signer: Signer,
}

/// Options of `council object`.
#[derive(Clone, Debug, Args)]
pub struct ObjectArgs {
	/// Hash of the code, in hexadecimal with 0x [default: the upgrade that waits]
	#[arg(value_name = "HASH")]
	pub hash: Option<String>,

	/// How to reach the chain.
	#[command(flatten)]
	pub chain: ChainArgs,

	/// Who signs.
	#[command(flatten)]
	pub signer: Signer,
}

/// Options of `council apply`.
#[derive(Clone, Debug, Args)]
pub struct ApplyArgs {
	/// The code
	#[arg(value_name = "CODE.wasm")]
	pub file: PathBuf,

	/// How to reach the chain.
	#[command(flatten)]
	pub chain: ChainArgs,

	/// Who signs.
	#[command(flatten)]
	pub signer: Signer,
}

//! The command line.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Works with a Commonwatt chain: replays meter data as a community of households and shows what the market makes of
/// it.
#[derive(Debug, Parser)]
#[command(name = "commonwatt", version, max_term_width = 110)]
pub struct Cli {
	/// What to do.
	#[command(subcommand)]
	pub command: Command,
}

/// What this program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
	/// Play a file of meter data on a chain, one period in one era, and sum it up
	Replay(Box<ReplayArgs>),
	/// Rebuild all balances and energies from events alone and compare them with the chain's state
	Books(BooksArgs),
}

const REPLAY_HELP: &str = "\
The file is CSV with a header and the columns period_start (ISO 8601), household, generation_wh, consumption_wh and, if \
you like, outdoor_c. Every household has one row in every period, and periods come in order.

A household NAME signs with the development keys //NAME (owner) and //NAME//stash (meter). What is missing on the \
chain is made first: the community (through Sudo), its households (by its operator) and funds on their accounts (from \
the funder). A household that is registered so gets a connection limit of the larger of its greatest generation and \
twice its greatest consumption, rounded up to whole kWh, which leaves room for every flexible share.

While an era runs, the strategies of the next period are submitted for the era after it, and the readings of the era \
before it. The meter reports the generation of the file and the consumption that the household contracted. On a \
development chain the clock is moved from era to era; elsewhere, and with --wait, eras pass by themselves.

A replay that was interrupted, or whose node was, goes on where it stopped when it is started again: what the chain \
has already is not sent again.

Exit codes: 0 done; 1 the chain refused something; 2 the file or an option is wrong, nothing was sent; 3 no connection \
to the node; 4 the sums that the chain reports do not add up.";

/// Options of `replay`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = REPLAY_HELP)]
pub struct ReplayArgs {
	/// The meter data
	#[arg(value_name = "FILE.csv")]
	pub file: PathBuf,

	/// Where the node listens
	#[arg(long, default_value = "ws://127.0.0.1:9944")]
	pub url: String,

	/// The community to play, by name; created if there is none [default: the file's name without .csv]
	#[arg(long, value_name = "NAME")]
	pub community: Option<String>,

	/// Play the periods of this date only
	#[arg(long, value_name = "YYYY-MM-DD")]
	pub day: Option<String>,

	/// Play so many periods only, counted from the first one (of the day)
	#[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
	pub first: Option<u32>,

	/// Share of its consumption that a household may drop or add in an era, percent
	#[arg(long, value_name = "PERCENT", default_value_t = 20, value_parser = clap::value_parser!(u8).range(0..=100))]
	pub flexible: u8,

	/// Change of the indoor temperature for each kWh more, hundredths of a degree: positive when heating
	#[arg(
		long,
		value_name = "CENTI_C",
		default_value_t = 50,
		allow_negative_numbers = true
	)]
	pub response: i16,

	/// Write every number of the replay to this file as JSON
	#[arg(long, value_name = "FILE")]
	pub json: Option<PathBuf>,

	/// Let eras pass by themselves even where the clock can be moved
	#[arg(long)]
	pub wait: bool,

	/// Where to keep what is needed to go on after an interruption [default: a file in the user's state folder]
	#[arg(long, value_name = "FILE")]
	pub journal: Option<PathBuf>,

	/// Begin anew, whatever the journal says
	#[arg(long)]
	pub restart: bool,

	/// So long to try to connect to a node that does not answer, or no longer
	#[arg(long, value_name = "SECONDS", default_value_t = 5)]
	pub retry_seconds: u64,

	/// Keys of those who make what is missing
	#[command(flatten)]
	pub keys: RoleKeys,
}

const BOOKS_HELP: &str = "\
The books are opened with the state of one block, of the chain's beginning if you name no other. From then on only \
events count: those of the balances and of fees make every account's free, reserved and held amounts and the total \
issuance, those of the market every household's debts, statements and bill, those of the system which accounts there \
are. At the newest final block all of it is compared with the chain's state, to the last unit and in both directions. \
Nothing is sent.

A node forgets the events of old blocks unless it was started with --state-pruning archive; a development chain keeps \
them. From the first block that a node still has, books can be kept as well: see --from.

Exit codes: 0 all agrees; 1 something differs, or the chain answered what nobody expects; 2 an option is wrong; 3 no \
connection to the node.";

/// Options of `books`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = BOOKS_HELP)]
pub struct BooksArgs {
	/// Where the node listens
	#[arg(long, default_value = "ws://127.0.0.1:9944")]
	pub url: String,

	/// The block whose state the books are opened with
	#[arg(long, value_name = "BLOCK", default_value_t = 0)]
	pub from: u64,

	/// Write the books and every difference to this file as JSON
	#[arg(long, value_name = "FILE")]
	pub json: Option<PathBuf>,
}

/// Secret URIs of development keys.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Keys for what is missing")]
pub struct RoleKeys {
	/// Creates the community
	#[arg(long, value_name = "URI", default_value = "//Alice")]
	pub sudo: String,

	/// Operates a new community and registers households
	#[arg(long, value_name = "URI", default_value = "//Eve")]
	pub operator: String,

	/// The main grid of a new community
	#[arg(long, value_name = "URI", default_value = "//Ferdie")]
	pub utility: String,

	/// Gives owners and meters what they need for the run
	#[arg(long, value_name = "URI", default_value = "//Ferdie")]
	pub funder: String,
}

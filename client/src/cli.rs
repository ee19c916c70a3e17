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
	/// Play meter data through the chain and report, in figures, what the community got out of it
	Report(Box<ReportArgs>),
	/// Bill the households of a community from events, with its key figures
	Bills(BillsArgs),
	/// Rebuild all balances and energies from events alone and compare them with the chain's state
	Books(BooksArgs),
	/// Solve and settle an era again from its inputs and compare every number with what the chain claims
	Audit(AuditArgs),
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

	/// Where and how it is played
	#[command(flatten)]
	pub play: PlayArgs,

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

	/// Let a home energy manager speak for each household, with the homes that this file describes; in place of
	/// --flexible and --response
	#[arg(long, value_name = "FILE.toml", conflicts_with_all = ["flexible", "response"])]
	pub homes: Option<PathBuf>,

	/// Write every number of the replay to this file as JSON
	#[arg(long, value_name = "FILE")]
	pub json: Option<PathBuf>,

	/// Let eras pass by themselves even where the clock can be moved
	#[arg(long)]
	pub wait: bool,
}

/// Where and how data are played.
#[derive(Clone, Debug, Args)]
pub struct PlayArgs {
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

const REPORT_HELP: &str = "\
Plays the file as replay does, with a home energy manager for each household, and sets the outcome beside the same \
days without the game: each household alone with the main grid, and a pool that shares what there is while everybody \
consumes what the file says. What trading gives at equal consumption and what consuming otherwise gives are kept apart.

Written to the folder: report.html with plots, which needs nothing from elsewhere; summary.csv, periods.csv and \
households.csv. The same data, homes and seed give the same CSV to the byte, on whatever chain.

The homes' file is TOML; examples/paper.toml names every field. Without one, all homes are alike and as in its defaults.

Exit codes: 0 done, and everything holds that the report checks; 1 the chain refused something; 2 a file or an option \
is wrong; 3 no connection to the node; 4 something does not hold, or sums of the chain do not add up (the report is \
written all the same).";

/// Options of `report`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = REPORT_HELP)]
pub struct ReportArgs {
	/// The meter data, as for replay
	#[arg(long, value_name = "FILE.csv")]
	pub data: PathBuf,

	/// The homes
	#[arg(long, value_name = "FILE.toml")]
	pub homes: Option<PathBuf>,

	/// The folder to write to; made if there is none
	#[arg(long, value_name = "FOLDER")]
	pub out: PathBuf,

	/// Set the outcome beside the seed paper's tables and claims; the data are to be examples/paper.csv
	#[arg(long)]
	pub paper: bool,

	/// In place of the seed of the homes' file
	#[arg(long, value_name = "N")]
	pub seed: Option<u64>,

	/// Where and how it is played
	#[command(flatten)]
	pub play: PlayArgs,
}

impl ReportArgs {
	/// The replay that a report rests on.
	pub fn replay(&self) -> ReplayArgs {
		ReplayArgs {
			file: self.data.clone(),
			play: self.play.clone(),
			flexible: 0,
			response: 0,
			homes: self.homes.clone(),
			json: None,
			wait: false,
		}
	}
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

const BILLS_HELP: &str = "\
Adds up the events of settled eras: for each household energy by channel, cost, revenue, reward, what the same metered \
energy would have come to with the main grid alone, self-consumption, self-sufficiency, peaks and comfort; for the \
community the same and how its games were solved. What the chain's state still has of these eras is compared: every \
statement, and every bill.

Money in JSON and CSV is in the smallest unit, energy in Wh, shares in percent, comfort in millionths.

Exit codes: 0 done, and all agrees; 1 something differs, or the chain answered what nobody expects; 2 an option is \
wrong, or there is no settled era; 3 no connection to the node.";

/// Options of `bills`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = BILLS_HELP)]
pub struct BillsArgs {
	/// Where the node listens
	#[arg(long, default_value = "ws://127.0.0.1:9944")]
	pub url: String,

	/// The community, by name or number
	#[arg(long, value_name = "NAME", default_value = "0")]
	pub community: String,

	/// The first era [default: the oldest whose events the node has]
	#[arg(long, value_name = "ERA", default_value_t = 0)]
	pub from: u32,

	/// The last era [default: the newest that is settled]
	#[arg(long, value_name = "ERA", default_value_t = u32::MAX)]
	pub to: u32,

	/// Write everything to this file as JSON
	#[arg(long, value_name = "FILE")]
	pub json: Option<PathBuf>,

	/// Write the bills to this file as CSV
	#[arg(long, value_name = "FILE")]
	pub csv: Option<PathBuf>,
}

const AUDIT_HELP: &str = "\
The node is not believed. What went into the era's game and into its settlement is read from the state of the blocks \
that closed the gate and settled the era, and each value is proved against the hash of its block. The game is solved \
with this program's own solver, the settlement is computed by this program, and every number is compared with the \
contracts, records, statements and events of the chain: profile, certificate, energies, price, holds and amounts.

What is left to trust: that the blocks are those of the chain. Their hashes are printed, and --against compares them \
with another node's, together with the types that the values are read by.

A node forgets the state of old blocks unless it was started with --state-pruning archive; a development chain keeps \
all.

Exit codes: 0 the chain's claims agree with the audit; 1 something differs, or the chain answered what nobody \
expects; 2 an option is wrong, or there is no such era; 3 no connection to the node.";

/// Options of `audit`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = AUDIT_HELP)]
pub struct AuditArgs {
	/// Where the node listens
	#[arg(long, default_value = "ws://127.0.0.1:9944")]
	pub url: String,

	/// The era to audit
	#[arg(long, value_name = "ERA")]
	pub era: u32,

	/// The community, by name or number
	#[arg(long, value_name = "NAME", default_value = "0")]
	pub community: String,

	/// Another node, whose blocks must be the same
	#[arg(long, value_name = "URL")]
	pub against: Option<String>,

	/// Write what was computed, what the chain claims and every difference to this file as JSON
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

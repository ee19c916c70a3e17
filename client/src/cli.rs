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
	/// Stand between a household's meter and the chain: take its readings and see each into a final block
	Meter(MeterArgs),
	/// Find the lambda that suits the homes of a file of meter data; no node is needed
	Lambda(LambdaArgs),
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
to the node; 4 the sums that the chain reports do not add up; 5 they do, but eras were cleared or settled by a runtime \
whose game has other rules than this program's, and their certificates or payoffs cannot be judged.";

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
written all the same); 5 all holds that can be judged, but some eras have certificates or payoffs of a runtime whose \
game has other rules than this program's.";

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

Balance in JSON and CSV is in the smallest unit, energy in Wh, shares in percent, comfort in millionths.

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

An era is judged by the rules of the runtime that cleared it. Before runtime version 101 the game had other payoffs \
than this program's: the audit then takes the chosen strategies, the certificate's status and the payoffs from the \
chain, computes all other numbers from them, and says so.

Exit codes: 0 the chain's claims agree with the audit; 1 something differs, or the chain answered what nobody \
expects; 2 an option is wrong, or there is no such era; 3 no connection to the node; 5 everything that can be judged \
agrees, but the certificate or the payoffs cannot, since the runtime had other rules.";

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

/// Options of `meter`.
#[derive(Clone, Debug, Args)]
pub struct MeterArgs {
	/// What to do.
	#[command(subcommand)]
	pub command: MeterCommand,
}

/// What `meter` can do.
#[derive(Clone, Debug, Subcommand)]
pub enum MeterCommand {
	/// Make a device key, encrypted by a passphrase, and print the account that the operator registers
	Key(MeterKeyArgs),
	/// Take readings from a CSV file, standard input or MQTT, and report them
	Run(Box<MeterRunArgs>),
	/// Show what became of every reading
	Log(MeterLogArgs),
}

const METER_KEY_HELP: &str = "\
The file is what Polkadot.js writes and reads (JSON, scrypt and xsalsa20-poly1305), so a key made there does as well. \
Whoever has file and passphrase can report for the household; nobody can spend its money with it, which lies on the \
owner's account.

Exit codes: 0 done; 2 the file is there already, or an option is wrong.";

/// Options of `meter key`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = METER_KEY_HELP)]
pub struct MeterKeyArgs {
	/// The file to make; one that is there is left as it is
	#[arg(value_name = "KEY.json")]
	pub file: PathBuf,

	/// Keep the key of this secret URI or phrase in place of a new one, as //Alice//stash of a development chain
	#[arg(long, value_name = "URI")]
	pub import: Option<String>,

	/// Where the passphrase comes from
	#[command(flatten)]
	pub passphrase: Passphrase,
}

/// Where a passphrase comes from.
#[derive(Clone, Debug, Args)]
pub struct Passphrase {
	/// The first line of this file is the passphrase [default: the variable COMMONWATT_PASSPHRASE, or you are asked]
	#[arg(long, value_name = "FILE")]
	pub passphrase_file: Option<PathBuf>,
}

const METER_RUN_HELP: &str = "\
One reading is one era: period_start (ISO 8601; UTC where no offset is given) is the moment at which the era began, \
generation_wh and consumption_wh are whole Wh of the era, indoor_c (degrees Celsius, may be left out with \
--indoor-c) the temperature at its end, quality (may be left out) measured or estimated. CSV has a header with these \
columns; an MQTT message is a JSON object with these fields. What else is there is not looked at.

A reading is queued on disk before anything else. The chain takes the readings of an era while the next one runs; each \
is signed once and offered until it is in a final block. A reading that is given again is known, and not sent again; \
one that came too late for the chain, as when the node was away for long, is kept as late: the chain has estimated it.

It ends with the input: standard input when that is closed, a file with --once, and when all readings that can still \
be taken are. Otherwise end it with Ctrl-C; what is queued is taken up by the next run.

Over MQTT it is a persistent client with messages of quality of service 1: what is published while it is not running \
is kept by the broker, and a message is only acknowledged when its reading is on disk. mqtts:// is TLS with the \
system's certificates. The password of a user is the variable COMMONWATT_MQTT_PASSWORD.

Exit codes: 0 every reading that was taken up is on the chain or still queued; 1 a reading came too late or can never \
be taken; 2 an option, the key or a row is wrong (other rows count).";

/// Options of `meter run`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = METER_RUN_HELP)]
#[command(group = clap::ArgGroup::new("source").required(true))]
pub struct MeterRunArgs {
	/// The device's key, as `meter key` makes it
	#[arg(long, value_name = "KEY.json")]
	pub key: PathBuf,

	/// Where the passphrase comes from
	#[command(flatten)]
	pub passphrase: Passphrase,

	/// Read this file, and go on as it grows
	#[arg(long, value_name = "FILE.csv", group = "source")]
	pub csv: Option<PathBuf>,

	/// Read CSV from standard input
	#[arg(long, group = "source")]
	pub stdin: bool,

	/// Subscribe at this broker: mqtt://[USER@]HOST[:PORT]/TOPIC, or mqtts:// with TLS
	#[arg(long, value_name = "URL", group = "source")]
	pub mqtt: Option<String>,

	/// Read the file once, to its end, instead of waiting for more
	#[arg(long, requires = "csv")]
	pub once: bool,

	/// The indoor temperature where a reading has none, degrees Celsius
	#[arg(long, value_name = "DEGREES", allow_negative_numbers = true)]
	pub indoor_c: Option<String>,

	/// Where the node listens
	#[arg(long, default_value = "ws://127.0.0.1:9944")]
	pub url: String,

	/// Where readings are queued [default: a file in the user's state folder, by the key's account]
	#[arg(long, value_name = "FILE")]
	pub queue: Option<PathBuf>,
}

const METER_LOG_HELP: &str = "\
Exit codes: 0 done; 2 there is no such queue.";

/// Options of `meter log`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = METER_LOG_HELP)]
pub struct MeterLogArgs {
	/// Where readings are queued
	#[arg(long, value_name = "FILE", required_unless_present = "account")]
	pub queue: Option<PathBuf>,

	/// The account of a meter whose queue lies in the user's state folder
	#[arg(long, value_name = "ADDRESS", conflicts_with = "queue")]
	pub account: Option<String>,

	/// Show the newest so many
	#[arg(long, value_name = "N", default_value_t = 48)]
	pub last: usize,
}

const LAMBDA_HELP: &str = "\
Lambda weighs the energy that a household trades in the community. Above a limit that depends on its deficit, a buyer \
prefers the main grid even to a pool that serves it in full. The command computes this limit for every household, from \
its deficits in the file and at the flexible levels of its consumption. It then solves every period of the file as one \
game, at lambda 1.25, 1.5, 2 and 4, at those that you name, and at the one that it recommends. The strategies are those \
that replay submits without --homes.

docs/lambda.md explains every column.

Exit codes: 0 done; 2 the file or an option is wrong.";

/// Options of `lambda`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = LAMBDA_HELP)]
pub struct LambdaArgs {
	/// The meter data, as for replay
	#[arg(long, value_name = "FILE.csv")]
	pub data: PathBuf,

	/// Use only the periods of this date
	#[arg(long, value_name = "YYYY-MM-DD")]
	pub day: Option<String>,

	/// Use only the first N periods (of the day)
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

	/// Meter resolution of the community, Wh
	#[arg(long, value_name = "WH", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_000))]
	pub resolution: u32,

	/// Play the file at this lambda as well, a decimal number above 1; may be repeated
	#[arg(
		long = "lambda",
		value_name = "LAMBDA",
		allow_negative_numbers = true,
		value_parser = crate::lambda::value::parse
	)]
	pub lambdas: Vec<commonwatt_market::game::Ratio>,

	/// Write every number to this file as JSON
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

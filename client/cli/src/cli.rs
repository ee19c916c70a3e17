//! The command line.

use crate::{
	chain::Access,
	council::args::CouncilCommand,
	data::{format::Format, FileArgs},
	lambda::args::LambdaArgs,
};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Plays meter data on a Commonwatt chain, bills and audits settled eras, and connects meters.
#[derive(Debug, Parser)]
#[command(name = "commonwatt", version, max_term_width = 110)]
pub struct Cli {
	/// The subcommand.
	#[command(subcommand)]
	pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
	/// Play a file of meter data on a chain, one period in one era, and show a summary
	Replay(Box<ReplayArgs>),
	/// Play meter data on a chain with a home energy manager in each home, and write a report
	Report(Box<ReportArgs>),
	/// Compute the bills of a community's households, and key figures, from events
	Bills(BillsArgs),
	/// Rebuild all balances and energies from events alone and compare them with the chain's state
	Books(BooksArgs),
	/// Solve and settle an era again from its inputs and compare every number with the chain's
	Audit(AuditArgs),
	/// Connect a household's meter to the chain: make its key, report its readings, show their state
	#[command(subcommand)]
	Meter(MeterCommand),
	/// Recommend a lambda for the homes of a file of meter data; needs no node
	Lambda(LambdaArgs),
	/// Serve the household's page to a browser on this machine
	Dashboard(DashboardArgs),
	/// Govern the chain as a member of its council
	#[command(subcommand)]
	Council(CouncilCommand),
}

const REPLAY_HELP: &str = "\
The file is CSV with a header and the columns period_start (ISO 8601), household, generation_wh, consumption_wh and, \
optionally, outdoor_c. The rows may have any order. Where a household has no row in a period, or empty energies, its \
meter is silent in that era. Where no household has one, an era without readings is played.

A household NAME signs with the development keys //NAME (owner) and //NAME//stash (meter). The command first creates \
what is missing on the chain: the community (through Sudo or the council), its households (by its operator) and funds of the owners \
(from the funder). The connection limit of a new household is the larger of its largest generation and the most that \
it can consume, rounded up to whole kWh. Without --homes, the most that it can consume is twice its largest \
consumption in the file, which leaves room for every flexible share.

While an era runs, the command submits the strategies of the next period for the era after it, and the readings of \
the era before it. A reading has the generation of the file and the consumption that the household contracted (with \
--homes, what its home consumed). On a development chain the command moves the clock from era to era. On other chains, \
and with --wait, it waits for the next era.

If a replay or its node was interrupted, run the same command again. The replay resumes where it stopped and does not \
send again what the chain already has.

Exit codes: 0 done; 1 the chain refused something; 2 the file or an option is wrong; 3 no connection to the node; \
4 the chain's sums do not add up; 5 they do, but eras were cleared or settled by a runtime whose game has other rules \
than this program's, so their certificates or payoffs cannot be judged.";

/// How flexible the households are that have no home energy manager.
#[derive(Clone, Debug, Args)]
pub struct Flexibility {
	/// Share of its consumption that a household may drop or add in an era, percent
	#[arg(long, value_name = "PERCENT", default_value_t = 20, value_parser = clap::value_parser!(u8).range(0..=100))]
	pub flexible: u8,

	/// Change of the indoor temperature for each additional kWh, hundredths of a degree; positive for heating
	#[arg(
		long,
		value_name = "CENTI_C",
		default_value_t = 50,
		allow_negative_numbers = true
	)]
	pub response: i16,
}

/// Options of `replay`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = REPLAY_HELP)]
pub struct ReplayArgs {
	/// CSV file with meter data
	#[arg(value_name = "FILE.csv")]
	pub file: PathBuf,

	/// Options that replay and report share.
	#[command(flatten)]
	pub play: PlayArgs,

	/// How flexible the households are.
	#[command(flatten)]
	pub flexibility: Flexibility,

	/// Use a home energy manager for each household, with the homes that this file describes, instead of --flexible and
	/// --response
	#[arg(long, value_name = "FILE.toml", conflicts_with_all = ["flexible", "response"])]
	pub homes: Option<PathBuf>,

	/// Write every number of the replay to this file as JSON
	#[arg(long, value_name = "FILE")]
	pub json: Option<PathBuf>,

	/// Wait for the next era even if the clock can be moved
	#[arg(long)]
	pub wait: bool,
}

/// Options that replay and report share.
#[derive(Clone, Debug, Args)]
pub struct PlayArgs {
	/// URL of the node's RPC server
	#[arg(long, default_value = "ws://127.0.0.1:9944")]
	pub url: String,

	/// Name of the community to play; created if it is missing [default: the file's name without its extension]
	#[arg(long, value_name = "NAME")]
	pub community: Option<String>,

	/// File that holds what is needed to resume after an interruption [default: a file in the user's state folder]
	#[arg(long, value_name = "FILE")]
	pub journal: Option<PathBuf>,

	/// Start over and overwrite the journal
	#[arg(long)]
	pub restart: bool,

	/// How long to retry to connect, or to reconnect, to a node that does not answer
	#[arg(long, value_name = "SECONDS", default_value_t = 5)]
	pub retry_seconds: u64,

	/// How the file is read.
	#[command(flatten)]
	pub data: FileArgs,

	/// Keys that create what is missing.
	#[command(flatten)]
	pub keys: RoleKeys,
}

const REPORT_HELP: &str = "\
Plays the file as replay does, with a home energy manager for each household, and compares the result with the same \
periods without the game: each household alone with the main grid, and a pool that shares surplus and deficit while \
everybody consumes what the file says. The report separates what trading gives at equal consumption from what a \
changed consumption gives.

Files in the folder: report.html, a self-contained page with plots; summary.csv, periods.csv and households.csv. The \
same data, homes and seed give the same CSV files, byte for byte, on every chain.

The homes' file is TOML; examples/paper.toml names every field. Without one, every home has the defaults.

Exit codes: 0 all checks of the report hold; 1 the chain refused something; 2 a file or an option is wrong; 3 no \
connection to the node; 4 a check fails, or the chain's sums do not add up (the report is written anyway); 5 all \
checks that can be judged hold, but the certificates or payoffs of some eras are by a runtime whose game has other \
rules than this program's.";

/// Options of `report`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = REPORT_HELP)]
pub struct ReportArgs {
	/// CSV file with meter data, as for replay
	#[arg(long, value_name = "FILE.csv")]
	pub data: PathBuf,

	/// TOML file that describes the homes
	#[arg(long, value_name = "FILE.toml")]
	pub homes: Option<PathBuf>,

	/// Folder to write to; created if it is missing
	#[arg(long, value_name = "FOLDER")]
	pub out: PathBuf,

	/// Compare with the seed paper's tables and claims; --data must be examples/paper.csv
	#[arg(long)]
	pub paper: bool,

	/// Seed of all random numbers, instead of the seed in the homes' file
	#[arg(long, value_name = "N")]
	pub seed: Option<u64>,

	/// Options that replay and report share.
	#[command(flatten)]
	pub play: PlayArgs,
}

impl ReportArgs {
	/// Options of the replay that the report is based on.
	pub fn replay(&self) -> ReplayArgs {
		ReplayArgs {
			file: self.data.clone(),
			play: self.play.clone(),
			flexibility: Flexibility {
				flexible: 0,
				response: 0,
			},
			homes: self.homes.clone(),
			json: None,
			wait: false,
		}
	}
}

const BOOKS_HELP: &str = "\
The books start with the state of one block, by default the chain's first. After that only events count. Events of \
the balances and of fees give every account's free, reserved and held amounts and the total issuance, events of the \
market every household's debts, statements and bill, and events of the system which accounts exist. At the newest \
final block the command compares all of this with the chain's state, to the smallest unit and in both directions. It \
sends nothing.

A node discards the events of old blocks unless it was started with --state-pruning archive; a development chain keeps \
them. The books can also start at the oldest block that the node still has: see --from.

Exit codes: 0 the books and the state agree; 1 something differs, or the chain gave an unexpected answer; 2 an option \
is wrong; 3 no connection to the node.";

/// Options of `books`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = BOOKS_HELP)]
pub struct BooksArgs {
	/// URL of the node's RPC server
	#[arg(long, default_value = "ws://127.0.0.1:9944")]
	pub url: String,

	/// Block with whose state the books start
	#[arg(long, value_name = "BLOCK", default_value_t = 0)]
	pub from: u64,

	/// Write the books and every difference to this file as JSON
	#[arg(long, value_name = "FILE")]
	pub json: Option<PathBuf>,
}

/// How a command reaches the chain.
#[derive(Clone, Debug, Args)]
pub struct ChainArgs {
	/// URL of the node's RPC server
	#[arg(long, default_value = "ws://127.0.0.1:9944")]
	pub url: String,

	/// Join the network of this raw chain specification as a light client, which proves every value, instead of
	/// believing a node
	#[arg(long, value_name = "CHAIN.json", conflicts_with = "url")]
	pub light: Option<PathBuf>,
}

impl ChainArgs {
	/// How to reach the chain.
	pub fn access(&self) -> Access {
		match &self.light {
			Some(path) => Access::Light(path.clone()),
			None => Access::Node(self.url.clone()),
		}
	}
}

const BILLS_HELP: &str = "\
Adds up the events of settled eras. For each household: energy by channel, cost, revenue, reward, what the same \
metered energy would have cost or earned with the main grid alone, self-consumption, self-sufficiency, peaks and \
comfort. For the community: energy, self-consumption, self-sufficiency and peaks, and how its games were solved. The \
command compares every statement and every bill of these eras that the chain's state still has.

Amounts in JSON and CSV are in the smallest unit of money, energy in Wh, shares in percent, comfort in millionths.

Exit codes: 0 done, and everything agrees; 1 something differs, or the chain gave an unexpected answer; 2 an option is \
wrong, or there is no settled era; 3 no connection to the node.";

/// Options of `bills`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = BILLS_HELP)]
pub struct BillsArgs {
	/// How to reach the chain.
	#[command(flatten)]
	pub chain: ChainArgs,

	/// Name or number of the community
	#[arg(long, value_name = "NAME", default_value = "0")]
	pub community: String,

	/// First era [default: the oldest whose events the node has]
	#[arg(long, value_name = "ERA", default_value_t = 0)]
	pub from: u32,

	/// Last era [default: the newest settled one]
	#[arg(long, value_name = "ERA", default_value_t = u32::MAX)]
	pub to: u32,

	/// Show this household's bill in lines as well: contracts, deviations that neighbours matched or nobody did, rewards,
	/// and by how much late readings changed it
	#[arg(long, value_name = "NUMBER")]
	pub household: Option<u32>,

	/// Write everything to this file as JSON
	#[arg(long, value_name = "FILE")]
	pub json: Option<PathBuf>,

	/// Write the bills to this file as CSV
	#[arg(long, value_name = "FILE")]
	pub csv: Option<PathBuf>,
}

const DASHBOARD_HELP: &str = "\
The page runs in the browser and talks to the chain itself; this program only hands out its files, to this machine \
alone. With --chain the page joins the network as a light client: it checks the finality of every block and proves \
every value that it shows, so no node has to be believed. Without it, the page believes the node at --url and says so. \
That is the only way to a development chain, whose blocks nobody finalizes.

A network's specification for light clients is raw and names nodes that take connections of browsers; \
`commonwatt-localnet` writes one, chain-light.json.

Exit codes: 0 ended with Ctrl-C; 2 an option or a file is wrong.";

/// Options of `dashboard`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = DASHBOARD_HELP)]
pub struct DashboardArgs {
	/// Chain specification of the network that the page joins as a light client
	#[arg(long, value_name = "FILE.json", conflicts_with = "url")]
	pub chain: Option<PathBuf>,

	/// URL of the RPC server of the node that the page believes
	#[arg(long, default_value = "ws://127.0.0.1:9944")]
	pub url: String,

	/// Port of the page; 0 for any that is free
	#[arg(long, default_value_t = 9955)]
	pub port: u16,

	/// Folder of the built page [default: the folder `dashboard` beside this program]
	#[arg(long, value_name = "FOLDER")]
	pub files: Option<PathBuf>,
}

const AUDIT_HELP: &str = "\
The audit does not trust the node. It reads the inputs of the era's game and settlement from the state of the blocks \
that cleared and settled the era, and proves each value against the hash of its block. It solves the game and computes \
the settlement itself, with the same game and market crates as the runtime. Then it compares every number with the \
contracts, records, statements and events of the chain: profile, certificate, energies, price, holds and amounts.

You still have to trust that the blocks belong to the chain. The audit prints their hashes; --against compares them \
with another node's, and also the types by which the values are decoded.

A node discards the state of old blocks unless it was started with --state-pruning archive; a development chain keeps \
all states.

The audit judges an era by the rules of the runtime that cleared or settled it. Before runtime version 101 the game \
had other payoffs than this program's. For such an era the audit takes the chosen strategies, the certificate's status \
and the payoffs from the chain, computes all other numbers from them, and says so.

Exit codes: 0 the audit and the chain agree; 1 something differs, or the chain gave an unexpected answer; 2 an option \
is wrong, or there is no such era; 3 no connection to the node; 5 everything that can be judged agrees, but the \
runtime had other rules, so the certificate or the payoffs cannot be judged.";

/// Options of `audit`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = AUDIT_HELP)]
pub struct AuditArgs {
	/// How to reach the chain.
	#[command(flatten)]
	pub chain: ChainArgs,

	/// The era to audit
	#[arg(long, value_name = "ERA")]
	pub era: u32,

	/// Name or number of the community
	#[arg(long, value_name = "NAME", default_value = "0")]
	pub community: String,

	/// URL of another node that must have the same blocks
	#[arg(long, value_name = "URL")]
	pub against: Option<String>,

	/// Write the computed numbers, the chain's claims and every difference to this file as JSON
	#[arg(long, value_name = "FILE")]
	pub json: Option<PathBuf>,
}

/// The subcommands of `meter`.
#[derive(Clone, Debug, Subcommand)]
pub enum MeterCommand {
	/// Make a device key, encrypt it with a passphrase, and print the account that the operator registers
	Key(MeterKeyArgs),
	/// Take readings from a CSV file, standard input or MQTT, and report them
	Run(Box<MeterRunArgs>),
	/// Show the state of every reading
	Log(MeterLogArgs),
}

const METER_KEY_HELP: &str = "\
The file has the format of Polkadot.js (JSON, scrypt and xsalsa20-poly1305), so a key made there works as well. \
Whoever has the file and the passphrase can report readings for the household, but cannot spend its money, which is on \
the owner's account.

Exit codes: 0 done; 2 the file already exists, or an option is wrong.";

/// Options of `meter key`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = METER_KEY_HELP)]
pub struct MeterKeyArgs {
	/// File for the key; an existing file is not changed
	#[arg(value_name = "KEY.json")]
	pub file: PathBuf,

	/// Use the key of this secret URI or phrase instead of a new one, such as //Alice//stash of a development chain
	#[arg(long, value_name = "URI")]
	pub import: Option<String>,

	/// Where the passphrase comes from
	#[command(flatten)]
	pub passphrase: Passphrase,
}

/// Where a passphrase comes from.
#[derive(Clone, Debug, Args)]
pub struct Passphrase {
	/// File whose first line is the passphrase [default: the variable COMMONWATT_PASSPHRASE, or a prompt]
	#[arg(long, value_name = "FILE")]
	pub passphrase_file: Option<PathBuf>,
}

const METER_RUN_HELP: &str = "\
One reading is one era. period_start (ISO 8601; UTC if no offset is given) is when the era began, generation_wh and \
consumption_wh are whole Wh of the era, indoor_c (degrees Celsius, optional with --indoor-c) is the temperature at its \
end, and quality (optional) is measured, estimated or corrected. CSV has a header with these columns; an MQTT message \
is a JSON object with these fields. Other columns and fields are ignored.

The program first writes each reading to a queue on disk. The chain takes the readings of an era while the next one \
runs. The program signs a reading and offers the same transaction until it is in a final block. Duplicates are \
ignored. A reading that misses its time, for instance because the node was away, is sent late: the chain has estimated \
it and corrects the bill, at the imbalance prices, for as long as it keeps the era (a day of half hours).

The program ends when its input ends (standard input when it is closed, a file with --once) and no reading waits any \
more. Otherwise end it with Ctrl-C; the next run continues with the queue.

With MQTT the program is a client with a persistent session and quality of service 1: the broker keeps what is \
published while the program is not running, and the program acknowledges a message only when its reading is on disk. \
mqtts:// is TLS with the system's certificates. If the URL names a user, the variable COMMONWATT_MQTT_PASSWORD has the \
password. --map takes the messages of meters that exist, for instance of Tasmota: time=$.Time,\
generation-register=$.SML.Total_out,consumption-register=$.SML.Total_in with --unit kwh. docs/meters.md has more examples.

Exit codes: 0 every reading is on the chain or still queued; 1 a reading came too late or can never be accepted; 2 an \
option, the key or a row is wrong (the other rows are processed).";

/// Options of `meter run`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = METER_RUN_HELP)]
#[command(group = clap::ArgGroup::new("source").required(true))]
pub struct MeterRunArgs {
	/// The device's key file, as made by `meter key`
	#[arg(long, value_name = "KEY.json")]
	pub key: PathBuf,

	/// Where the passphrase comes from
	#[command(flatten)]
	pub passphrase: Passphrase,

	/// Read this file and follow it as it grows
	#[arg(long, value_name = "FILE.csv", group = "source")]
	pub csv: Option<PathBuf>,

	/// Read CSV from standard input
	#[arg(long, group = "source")]
	pub stdin: bool,

	// As a doc comment, rustdoc would read the brackets as links.
	#[arg(
		long,
		value_name = "URL",
		group = "source",
		help = "Subscribe at this MQTT broker: mqtt://[USER@]HOST[:PORT]/TOPIC, or mqtts:// with TLS"
	)]
	pub mqtt: Option<String>,

	/// Where the messages have the fields of a reading, if they are not called like them: FIELD=JSONPATH, separated by
	/// commas. Fields: time, generation and consumption of an era, or generation-register and consumption-register, which
	/// count up for years; and indoor
	#[arg(long, value_name = "FIELD=PATH,..", requires = "mqtt")]
	pub map: Option<String>,

	/// Length of the chain's eras, minutes, for registers
	#[arg(long, value_name = "MINUTES", default_value_t = 30, requires = "map", value_parser = clap::value_parser!(u32).range(1..=1_440))]
	pub era_minutes: u32,

	/// Read the file once, to its end, instead of following it
	#[arg(long, requires = "csv")]
	pub once: bool,

	/// Indoor temperature for readings without one, degrees Celsius
	#[arg(long, value_name = "DEGREES", allow_negative_numbers = true)]
	pub indoor_c: Option<String>,

	/// How to reach the chain.
	#[command(flatten)]
	pub chain: ChainArgs,

	/// How the readings are written.
	#[command(flatten)]
	pub format: Format,

	/// File of the queue [default: a file in the user's state folder, named after the key's account]
	#[arg(long, value_name = "FILE")]
	pub queue: Option<PathBuf>,

	/// Confirm that the meter measures this household, as soon as its operator names the meter; without a fee
	#[arg(long, value_name = "NUMBER")]
	pub household: Option<u32>,
}

const METER_LOG_HELP: &str = "\
Exit codes: 0 done; 2 there is no such queue.";

/// Options of `meter log`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = METER_LOG_HELP)]
pub struct MeterLogArgs {
	/// File of the queue
	#[arg(long, value_name = "FILE", required_unless_present = "account")]
	pub queue: Option<PathBuf>,

	/// Account of a meter whose queue is in the user's state folder
	#[arg(long, value_name = "ADDRESS", conflicts_with = "queue")]
	pub account: Option<String>,

	/// Show only the newest N readings
	#[arg(long, value_name = "N", default_value_t = 48)]
	pub last: usize,
}

/// Secret URIs of development keys.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Keys that create what is missing on the chain")]
pub struct RoleKeys {
	/// Sudo key; creates the community
	#[arg(long, value_name = "URI", default_value = "//Alice")]
	pub sudo: String,

	/// Key of a member of the council, which creates the community on a chain without that Sudo key; may be repeated, and
	/// more than half of the council is needed
	#[arg(long, value_name = "URI")]
	pub council: Vec<String>,

	/// Operator of a new community; registers households
	#[arg(long, value_name = "URI", default_value = "//Eve")]
	pub operator: String,

	/// Utility of a new community
	#[arg(long, value_name = "URI", default_value = "//Ferdie")]
	pub utility: String,

	/// Sends the owners the funds that they need for the run
	#[arg(long, value_name = "URI", default_value = "//Ferdie")]
	pub funder: String,
}

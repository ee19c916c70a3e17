//! `commonwatt-localnet`: runs several validators or miners on this machine, to try a network out.

mod screen;

use clap::{Args, Parser, Subcommand};
use commonwatt_localnet::{Binary, Consensus, Fault, Governance, Network, Plan, MOST_VALIDATORS};
use screen::Screen;
use std::{path::PathBuf, process::ExitCode, time::Duration};
use tokio::signal::unix::{signal, SignalKind};

/// Time between two looks at the nodes.
const LOOK: Duration = Duration::from_secs(1);

/// Miners with the preset's time for a block. Blocks become final after a minute, so that there is no long wait.
const MINED: Consensus = Consensus::Work {
	target_block_ms: 6_000,
	finality_depth: 10,
};

const HELP: &str = "\
Each validator gets new keys, its own RPC port, and a folder with its database, keys and log. The chain is the preset \
`local` (the community of the paper, development accounts with money) with these validators: Aura makes blocks, and \
GRANDPA finalizes them as long as more than two thirds of the validators take part. A validator has an \
account with 1,000 tokens, whose secret phrase is in the file account-key of its folder, and half of all fees go to the \
author of the block. These accounts and the community's operator, Eve, are the council, which alone governs \
(`commonwatt council`). With --mined the chain is the preset `pow`, and each node mines; blocks that are ten below the head count as final.

All nodes listen on the loopback interface only. Their RPC refuses unsafe methods, unless there are spare nodes, which \
must be able to make keys.

Exit codes: 0 ended by Ctrl-C; 1 something failed; 2 an option is wrong, nothing was started.";

/// Runs several validators of one chain on this machine and shows their state, until Ctrl-C.
#[derive(Debug, Parser)]
#[command(name = "commonwatt-localnet", version, max_term_width = 110, after_long_help = HELP)]
#[command(args_conflicts_with_subcommands = true)]
struct Cli {
	#[command(subcommand)]
	change: Option<Change>,

	/// Number of validators
	#[arg(value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=MOST_VALIDATORS as i64))]
	validators: u8,

	/// How many of these nodes do not validate at first; they have keys and money to join later
	#[arg(long, value_name = "N", default_value_t = 0, conflicts_with = "mined")]
	spare: u8,

	/// Keep keys, databases and logs in this folder, and continue the chain that is there [default: a temporary folder,
	/// removed at the end]
	#[arg(long, value_name = "FOLDER")]
	base_path: Option<PathBuf>,

	/// Length of an era of a new chain; a slot is a thirtieth of it, at least 0.5 s and at most 6 s [default: 1800, as
	/// in the preset]
	#[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(15..=86_400))]
	era_seconds: Option<u64>,

	/// Length of a session of a new chain, at least two slots for each validator; a change of the validators takes one
	/// to two sessions [default: 600 slots, as in the preset]
	#[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400), conflicts_with = "mined")]
	session_seconds: Option<u64>,

	/// How long an upgrade waits on a new chain after the council has decided on it [default: a day]
	#[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=604_800))]
	upgrade_seconds: Option<u64>,

	/// Run miners of a chain with proof of work, with one thread each, instead of validators
	#[arg(long)]
	mined: bool,

	/// RPC port of the first node; the other nodes get the ports that follow
	#[arg(long, value_name = "PORT", default_value_t = 9944, value_parser = clap::value_parser!(u16).range(1..))]
	rpc_port: u16,
}

/// Changes the validators of a network that runs.
#[derive(Debug, Subcommand)]
enum Change {
	/// Have a node make session keys, and the council admit it; it validates from the session after next on
	Admit(ChangeArgs),
	/// Have the council remove a validator; it validates until the session after next
	Remove(ChangeArgs),
}

#[derive(Debug, Args)]
struct ChangeArgs {
	/// The node's number: 5 for validator-5
	#[arg(value_name = "NODE", value_parser = clap::value_parser!(u8).range(1..=MOST_VALIDATORS as i64))]
	node: u8,

	/// The folder of the network
	#[arg(long, value_name = "FOLDER")]
	base_path: PathBuf,

	/// RPC port of the first node
	#[arg(long, value_name = "PORT", default_value_t = 9944, value_parser = clap::value_parser!(u16).range(1..))]
	rpc_port: u16,
}

impl Change {
	async fn make(&self) -> Result<(), Fault> {
		let (Self::Admit(args) | Self::Remove(args)) = self;
		let index = usize::from(args.node.saturating_sub(1));
		let url = |index: usize| format!("ws://127.0.0.1:{}", usize::from(args.rpc_port) + index);
		let governance = Governance::of(&args.base_path, &url(0)).await?;
		match self {
			Self::Admit(_) => {
				governance.set_new_keys(index, &url(index)).await?;
				governance.admit(index).await?;
				println!(
					"the council has admitted validator-{}; it validates from the session after next on",
					args.node
				);
			}
			Self::Remove(_) => {
				governance.remove(index).await?;
				println!(
					"the council has removed validator-{}; it validates until the session after next",
					args.node
				);
			}
		}
		Ok(())
	}
}

#[tokio::main]
async fn main() -> ExitCode {
	match run(Cli::parse()).await {
		Ok(()) => ExitCode::SUCCESS,
		Err(fault) => {
			eprintln!("commonwatt-localnet: {fault}");
			ExitCode::from(fault.code())
		}
	}
}

async fn run(cli: Cli) -> Result<(), Fault> {
	if let Some(change) = &cli.change {
		return change.make().await;
	}
	let temporary = match cli.base_path {
		Some(_) => None,
		None => Some(tempfile::tempdir().map_err(|error| Fault::Failed(error.to_string()))?),
	};
	let base = cli
		.base_path
		.or_else(|| temporary.as_ref().map(|folder| folder.path().to_owned()))
		.unwrap_or_default();
	let plan = Plan {
		validators: usize::from(cli.validators),
		spare: usize::from(cli.spare),
		consensus: match cli.mined {
			true => MINED,
			false => Consensus::Authorities,
		},
		era_seconds: cli.era_seconds,
		session_seconds: cli.session_seconds,
		upgrade_seconds: cli.upgrade_seconds,
		base,
		first_rpc_port: Some(cli.rpc_port),
		can_be_split: false,
	};
	let mut network = Network::new(Binary::beside_this()?, plan)?;
	let shown = tokio::select! {
		shown = show(&mut network) => shown,
		ended = until_ended() => ended,
	};
	eprintln!("commonwatt-localnet: stopping the nodes");
	let stopped = network.stop();
	shown.and(stopped)
}

/// Waits for Ctrl-C, SIGTERM or SIGHUP.
async fn until_ended() -> Result<(), Fault> {
	let failed = |error: std::io::Error| Fault::Failed(error.to_string());
	let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
	let mut hang_up = signal(SignalKind::hangup()).map_err(failed)?;
	tokio::select! {
		interrupted = tokio::signal::ctrl_c() => interrupted.map_err(failed),
		_ = terminate.recv() => Ok(()),
		_ = hang_up.recv() => Ok(()),
	}
}

/// Starts the nodes and shows their state until all have ended.
async fn show(network: &mut Network) -> Result<(), Fault> {
	let mut screen = Screen::new(network.nodes().len());
	for node in network.nodes() {
		screen.say(&format!(
			"{}  RPC {}  Prometheus http://127.0.0.1:{}/metrics  log {}",
			node.name,
			node.url(),
			node.ports.metrics,
			node.log_file().display()
		));
	}
	screen.say("Ctrl-C stops the nodes.");
	network.start_all()?;
	// Light clients check finality by votes of validators, which a mined chain does not have. If a node does not start,
	// the screen shows it.
	if !network.is_mined() && network.wait_until_ready().await.is_ok() {
		let file = network.write_light_specification().await?;
		screen.say(&format!(
			"Chain specification for light clients: {}",
			file.display()
		));
	}
	loop {
		let mut rows = Vec::new();
		for node in network.nodes_mut() {
			rows.push(screen::row(node).await);
		}
		screen.show(&rows);
		let all_ended = network.nodes_mut().iter_mut().all(|node| node.ended().is_some());
		if all_ended {
			screen.finish();
			return Err(Fault::Failed("all nodes have ended".into()));
		}
		tokio::time::sleep(LOOK).await;
	}
}

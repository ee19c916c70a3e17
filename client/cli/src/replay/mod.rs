//! `commonwatt replay`: plays a file of meter data on a chain.

mod engine;
pub mod journal;
mod recover;
pub mod setup;

use crate::ledger::{Ledger, Opening};
use crate::{
	chain::{self, Node},
	cli::ReplayArgs,
	data::Dataset,
	fault::Fault,
	files::{self, InFile},
	keys,
	manager::{homes::Homes, Manager},
	summary::{ReplaySummary, Screen, Sent},
};
use engine::Engine;
use journal::{Beginning, Identity, Journal, Seen};
use setup::Stage;
use std::{
	collections::BTreeMap,
	fs,
	time::{Duration, Instant},
};

/// Maximum number of reconnections.
const MOST_RECONNECTIONS: u32 = 10;
/// Maximum length of a community's name, bytes.
const LONGEST_NAME: usize = 32;

/// Runs the subcommand.
pub async fn run(args: ReplayArgs) -> Result<(), Fault> {
	let dataset = Dataset::read(&args.file, &args.play.data)?;
	let manager = match &args.homes {
		Some(path) => {
			let homes = Homes::read(path)?;
			Manager::check_names(&homes, &dataset).in_file(path)?;
			Some(Manager::new(&homes, &dataset))
		}
		None => None,
	};
	let report = replay(&args, &dataset, manager.as_ref()).await?;
	if report.faults.is_empty() {
		report.judged()
	} else {
		Err(Fault::Check(report.faults))
	}
}

/// Plays a file and shows the summary.
pub async fn replay(
	args: &ReplayArgs,
	dataset: &Dataset,
	manager: Option<&Manager>,
) -> Result<ReplaySummary, Fault> {
	let begun = Instant::now();
	let identity = identity(args, manager)?;
	for uri in [
		&args.play.keys.sudo,
		&args.play.keys.operator,
		&args.play.keys.utility,
		&args.play.keys.funder,
	] {
		keys::key(uri)?;
	}
	keys::HouseholdKeys::of_all(&dataset.households)?;
	files::probe(&args.json)?;
	let mut screen = Screen::new(dataset.periods.len());
	dataset.gaps().iter().for_each(|gap| screen.note(gap));
	let mut sent = Sent::default();
	let data = (dataset, manager);
	let report = play_through(data, &identity, args, &mut sent, &mut screen).await?;
	let report = report.finish(begun.elapsed(), sent);
	screen.finish(&report);
	files::write_json(&args.json, &report)?;
	Ok(report)
}

/// Plays until everything is played, reconnecting if necessary.
async fn play_through(
	data: (&Dataset, Option<&Manager>),
	identity: &Identity,
	args: &ReplayArgs,
	sent: &mut Sent,
	screen: &mut Screen,
) -> Result<ReplaySummary, Fault> {
	let patience = Duration::from_secs(args.play.retry_seconds);
	let mut restart = args.play.restart;
	let mut reconnections = 0;
	loop {
		let node = Node::connect(&args.play.url, patience)
			.await
			.map_err(|fault| match fault {
				Fault::Lost { url, reason } if reconnections > 0 => {
					let reason = format!("{reason}\nProgress is kept: run the same command again to resume.");
					Fault::Lost { url, reason }
				}
				fault => fault,
			})?;
		match play(&node, data, identity, args, &mut restart, sent, screen).await {
			Ok(report) => return Ok(report),
			Err(fault) => match node.diagnose(fault).await {
				Fault::Lost { reason, .. } if reconnections < MOST_RECONNECTIONS => {
					reconnections += 1;
					let url = &args.play.url;
					screen.note(&format!(
						"the connection to {url} was lost ({reason}); reconnecting"
					));
				}
				fault => return Err(fault),
			},
		}
	}
}

fn identity(args: &ReplayArgs, manager: Option<&Manager>) -> Result<Identity, Fault> {
	let stem = args.file.file_stem().unwrap_or_default().to_string_lossy();
	let community = args.play.community.clone().unwrap_or_else(|| stem.into_owned());
	if community.is_empty() || community.len() > LONGEST_NAME {
		return Err(Fault::Input(format!(
			"the community's name '{community}' must have 1 to {LONGEST_NAME} bytes: set another one with --community"
		)));
	}
	let contents = fs::read(&args.file).in_file(&args.file)?;
	Ok(Identity {
		file: journal::hash(&contents),
		community,
		day: args.play.data.day.map(|day| day.to_string()),
		first: args.play.data.first,
		label: args.play.data.label,
		format: args.play.data.format,
		flexible: args.flexibility.flexible,
		response: args.flexibility.response,
		homes: manager.map(|manager| manager.fingerprint),
	})
}

/// Plays over one connection.
async fn play(
	node: &Node,
	data: (&Dataset, Option<&Manager>),
	identity: &Identity,
	args: &ReplayArgs,
	restart: &mut bool,
	sent: &mut Sent,
	screen: &mut Screen,
) -> Result<ReplaySummary, Fault> {
	let stage = setup::prepare(node, data, &identity.community, args).await?;
	let (journal, ledger) = open_journal(node, &stage, identity, args, restart).await?;
	if !journal.plan.is_empty() {
		screen.note(&format!(
			"resuming a replay; {} period(s) were started before",
			journal.plan.len()
		));
	}
	let money = node.money().await?;
	let mut engine = Engine::new(node, data, args, &stage, journal, ledger, sent);
	if let Some(gap) = engine.bridge_gap().await? {
		screen.note(&format!(
			"the node no longer has the events of blocks {} to {}: their eras are read from its state",
			gap.start(),
			gap.end()
		));
	}
	loop {
		let done = engine.step().await?;
		screen.show(engine.lines(), &money);
		if done {
			return Ok(engine.report(money));
		}
	}
}

async fn open_journal(
	node: &Node,
	stage: &Stage,
	identity: &Identity,
	args: &ReplayArgs,
	restart: &mut bool,
) -> Result<(Journal, Ledger), Fault> {
	let path = match &args.play.journal {
		Some(path) => path.clone(),
		None => journal::default_path(&args.file, identity, node.genesis())?,
	};
	if !*restart {
		if let Some(opened) = Journal::open(&path, identity, node).await? {
			return Ok(opened);
		}
	}
	let at = node.head().await?;
	let mut households = BTreeMap::new();
	for id in &stage.members {
		if let Some(household) = chain::household(&at, *id).await? {
			let debt = chain::debt(&at, *id).await?.unwrap_or_default();
			let opening = Opening {
				comfort: household.comfort,
				arrears: debt.arrears,
				credit: debt.credit,
			};
			households.insert(*id, opening);
		}
	}
	let anchor = Seen {
		number: at.block_number(),
		hash: at.block_hash(),
	};
	let beginning = Beginning {
		identity: identity.clone(),
		anchor,
		community: stage.community,
		households: households.clone(),
	};
	let journal = Journal::create(&path, beginning)?;
	*restart = false;
	Ok((journal, Ledger::new(households)))
}

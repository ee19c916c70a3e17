//! `commonwatt meter`: what stands between a household's meter and the chain.
//!
//! A reading is on disk before anything is done with it. While the chain takes the readings of its era it is signed, once,
//! and the same bytes are offered until the reading is in the chain's final state. Whatever happens to this program or
//! to the node meanwhile, an era is never reported twice: the bytes are kept, and the chain is asked before anything
//! is signed anew.

mod key;
mod queue;
mod report;
mod row;
mod source;

use crate::{
	cli::{MeterArgs, MeterCommand, MeterLogArgs, MeterRunArgs},
	fault::Fault,
	keys::account,
	lines::state_folder,
	values::centi_c,
};
use queue::{Came, Queue};
use report::Reporter;
use row::{moment, tell};
use source::{Arrival, Source};
use std::{path::PathBuf, str::FromStr, time::Duration};
use subxt::utils::AccountId32;
use tokio::{
	signal::unix::{signal, SignalKind},
	sync::mpsc,
	time::MissedTickBehavior,
};

/// How often the chain is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Makes a key, takes readings, or shows what became of them.
pub async fn run(args: MeterArgs) -> Result<(), Fault> {
	match args.command {
		MeterCommand::Key(args) => key::make(&args),
		MeterCommand::Run(args) => take_readings(*args).await,
		MeterCommand::Log(args) => log(&args),
	}
}

/// What a run has come to.
#[derive(Default)]
struct Tally {
	came: u32,
	known: u32,
	bad: u32,
	taken: u32,
	not_taken: u32,
}

async fn take_readings(args: MeterRunArgs) -> Result<(), Fault> {
	let indoor = args.indoor_c.as_deref().map(|text| {
		let what = || {
			Fault::Input(format!(
				"--indoor-c: '{text}' is not a temperature in degrees Celsius"
			))
		};
		centi_c(text).ok_or_else(what)
	});
	let indoor = indoor.transpose()?;
	let key = key::open(&args.key, &args.passphrase)?;
	let meter = account(&key);
	let path = args.queue.clone().map_or_else(|| default_queue(&meter), Ok)?;
	let source = Source::new(&args, &meter)?;
	let mut queue = Queue::open(&path, &meter)?;
	let mut reporter = Reporter::new(&args.url, key);
	eprintln!("commonwatt: meter {meter}, queue {}", path.display());

	let mut tally = Tally::default();
	let (to, mut arrivals) = mpsc::channel(64);
	let feeding = tokio::spawn(source.feed(indoor, to));
	let mut tick = tokio::time::interval(LOOK);
	tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
	let listen = |kind| signal(kind).map_err(|error| Fault::Input(format!("signals: {error}")));
	let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
	let stop = async {
		tokio::select! { _ = interrupt.recv() => (), _ = terminate.recv() => () }
	};
	tokio::pin!(stop);
	let mut is_open = true;
	let mut ended = Ok(());
	while is_open || queue.waiting().next().is_some() {
		tokio::select! {
			() = &mut stop => break,
			arrival = arrivals.recv(), if is_open => match arrival {
				Some(Arrival::End(fault)) => ended = Err(fault),
				Some(arrival) => take(arrival, &mut queue, &mut tally)?,
				None => is_open = false,
			},
			_ = tick.tick() => {
				let done = tokio::select! {
					() = &mut stop => break,
					done = reporter.advance(&mut queue) => done?,
				};
				for (row, outcome) in done {
					tell(&row, &outcome);
					if outcome.is_good() { tally.taken += 1 } else { tally.not_taken += 1 }
				}
			}
		}
	}
	feeding.abort();
	let waiting = queue.waiting().count();
	let Tally {
		came,
		known,
		bad,
		taken,
		not_taken,
	} = tally;
	eprintln!(
		"commonwatt: {came} new reading(s), {known} known already, {bad} row(s) wrong; {taken} final, {not_taken} not taken, \
		 {waiting} still queued"
	);
	ended?;
	if bad > 0 {
		return Err(Fault::Input(format!("{bad} row(s) were wrong, see above")));
	}
	match not_taken {
		0 => Ok(()),
		_ => Err(Fault::Chain(format!(
			"{not_taken} reading(s) were not taken, see above"
		))),
	}
}

/// Queues what came, and says so.
fn take(arrival: Arrival, queue: &mut Queue, tally: &mut Tally) -> Result<(), Fault> {
	match arrival {
		Arrival::Row(row, kept) => {
			match queue.take(row)? {
				Came::New => {
					tally.came += 1;
					tell(&row, "queued");
				}
				Came::Known => tally.known += 1,
				Came::Differs => {
					tally.bad += 1;
					eprintln!(
						"commonwatt: {}  {row}: there is another reading of this era already, which counts",
						moment(row.start_ms)
					);
				}
			}
			if let Some(kept) = kept {
				// Who asked may be gone.
				let _ = kept.send(());
			}
		}
		Arrival::Bad(fault) => {
			tally.bad += 1;
			eprintln!("commonwatt: {fault}");
		}
		Arrival::Note(text) => eprintln!("commonwatt: {text}"),
		Arrival::End(_) => (),
	}
	Ok(())
}

fn default_queue(meter: &AccountId32) -> Result<PathBuf, Fault> {
	Ok(state_folder("--queue")?.join(format!("{meter}.meter")))
}

/// Shows a queue's newest readings.
fn log(args: &MeterLogArgs) -> Result<(), Fault> {
	let path = match (&args.queue, &args.account) {
		(Some(path), _) => path.clone(),
		(None, address) => {
			let address = address.as_deref().unwrap_or_default();
			let meter = AccountId32::from_str(address)
				.map_err(|error| Fault::Input(format!("--account {address}: {error}")))?;
			default_queue(&meter)?
		}
	};
	let (meter, entries) = Queue::look(&path)?;
	eprintln!("commonwatt: meter {meter}, {} reading(s)", entries.len());
	let skipped = entries.len().saturating_sub(args.last);
	for entry in entries.values().skip(skipped) {
		println!("{entry}");
	}
	Ok(())
}

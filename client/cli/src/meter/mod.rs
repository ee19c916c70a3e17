//! `commonwatt meter`: connects a household's meter to the chain.
//!
//! A reading is on disk before anything else is done with it. While the chain takes the readings of its era, the
//! program signs the reading and offers the same bytes until the reading is in the chain's final state. An era is never
//! reported twice, whatever happens to this program or to the node: the bytes are kept, and the chain is asked before
//! anything is signed again.

mod confirm;
pub mod key;
mod map;
mod queue;
mod registers;
mod report;
mod row;
mod source;

use crate::{
	cli::{MeterCommand, MeterLogArgs, MeterRunArgs},
	fault::Fault,
	keys::account,
	lines::state_folder,
	text::moment,
	values::centi_c,
};
use queue::{Came, Outcome, Queue};
use report::Reporter;
use row::tell;
use source::{Arrival, Source};
use std::{future::Future, path::PathBuf, str::FromStr, time::Duration};
use subxt::utils::AccountId32;
use tokio::{
	signal::unix::{signal, SignalKind},
	sync::mpsc,
	time::MissedTickBehavior,
};

/// Interval at which the chain is polled.
const LOOK: Duration = Duration::from_secs(1);

/// Makes a key, takes readings, or shows their state.
pub async fn run(command: MeterCommand) -> Result<(), Fault> {
	match command {
		MeterCommand::Key(args) => key::make(&args),
		MeterCommand::Run(args) => take_readings(*args).await,
		MeterCommand::Log(args) => log(&args),
	}
}

/// Counts of a run.
#[derive(Default)]
struct Tally {
	came: u32,
	known: u32,
	bad: u32,
	taken: u32,
	not_taken: u32,
}

impl Tally {
	/// Prints the counts.
	fn print(&self, waiting: usize) {
		let Self {
			came,
			known,
			bad,
			taken,
			not_taken,
		} = self;
		eprintln!(
			"commonwatt: {came} new reading(s), {known} duplicate(s), {bad} row(s) rejected; {taken} final, \
			 {not_taken} not taken, {waiting} still queued"
		);
	}

	/// Returns an error if rows were rejected or readings were not taken.
	fn outcome(&self) -> Result<(), Fault> {
		let Self { bad, not_taken, .. } = self;
		if *bad > 0 {
			return Err(Fault::Input(format!(
				"{bad} row(s) were rejected; see the messages above"
			)));
		}
		match not_taken {
			0 => Ok(()),
			_ => Err(Fault::Chain(format!(
				"{not_taken} reading(s) were not taken; see the messages above"
			))),
		}
	}
}

/// Brings the source's readings to the chain, until the source ends and the queue is empty, or a signal arrives.
async fn take_readings(args: MeterRunArgs) -> Result<(), Fault> {
	let indoor = args.indoor_c.as_deref().map(indoor_centi_c).transpose()?;
	let key = key::open(&args.key, &args.passphrase)?;
	let meter = account(&key);
	let path = args.queue.clone().map_or_else(|| default_queue(&meter), Ok)?;
	let source = Source::new(&args, &meter, &path)?;
	let mut queue = Queue::open(&path, &meter)?;
	let mut reporter = Reporter::new(args.chain.access(), key, args.household);
	eprintln!("commonwatt: meter {meter}, queue {}", path.display());

	let mut tally = Tally::default();
	let (to, mut arrivals) = mpsc::channel(64);
	let feeding = tokio::spawn(source.feed(args.format, indoor, to));
	let mut tick = tokio::time::interval(LOOK);
	tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
	let stop = stop_signal()?;
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
					if outcome == Outcome::Taken { tally.taken += 1 } else { tally.not_taken += 1 }
				}
			}
		}
	}
	feeding.abort();
	tally.print(queue.waiting().count());
	ended?;
	tally.outcome()
}

/// The value of `--indoor-c`, in hundredths of a degree Celsius.
fn indoor_centi_c(text: &str) -> Result<i16, Fault> {
	centi_c(text).ok_or_else(|| {
		Fault::Input(format!(
			"--indoor-c: '{text}' is not a temperature from -100 to 100 degrees Celsius"
		))
	})
}

/// Listens for SIGINT and SIGTERM; the returned future ends at the first one.
fn stop_signal() -> Result<impl Future<Output = ()>, Fault> {
	let listen =
		|kind| signal(kind).map_err(|error| Fault::Input(format!("cannot listen for signals: {error}")));
	let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
	Ok(async move {
		tokio::select! { _ = interrupt.recv() => (), _ = terminate.recv() => () }
	})
}

/// Queues a reading, or prints a message.
fn take(arrival: Arrival, queue: &mut Queue, tally: &mut Tally) -> Result<(), Fault> {
	match arrival {
		Arrival::Row(row, kept) => {
			match queue.take(row)? {
				Came::New => {
					tally.came += 1;
					tell(&row, "queued");
				}
				Came::Correction => {
					tally.came += 1;
					tell(&row, "queued, as a correction");
				}
				Came::Known => tally.known += 1,
				Came::Differs => {
					tally.bad += 1;
					eprintln!(
						"commonwatt: {}  {row}: rejected, because a different reading of this era came before; a correction has the quality corrected",
						moment(row.start_ms)
					);
				}
			}
			if let Some(kept) = kept {
				// The receiver may be gone.
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

/// Prints a queue's newest readings.
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

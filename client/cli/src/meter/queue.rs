//! The queue of readings on disk: each reading, the transaction that was signed for it, and its outcome.

use super::row::Row;
use crate::{chain::types::Quality, fault::Fault, files::InFile, lines::Lines, text::moment};
use serde::{Deserialize, Serialize};
use std::{
	collections::{btree_map::Entry as MapEntry, BTreeMap},
	fmt, fs,
	path::Path,
};
use subxt::{config::substrate::H256, utils::AccountId32};

/// The block from which on a transaction is valid; its signature names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Born {
	pub number: u64,
	pub hash: H256,
}

/// A transaction that was signed for a reading. Its bytes are kept, so that the same transaction is offered again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
	pub era: u32,
	/// Whether it reports the era after its settlement.
	#[serde(default)]
	pub is_late: bool,
	/// The account's nonce that it uses.
	pub nonce: u64,
	/// A chain without this block can never include it. `None` in queues that older versions wrote.
	#[serde(default)]
	pub born: Option<Born>,
	/// It is not valid in blocks after this one.
	pub last_block: u64,
	#[serde(with = "sp_core::bytes")]
	pub bytes: Vec<u8>,
}

/// The final state of a reading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
	/// It is in the chain's final state.
	Taken,
	/// The chain has another reading of this era, from another source.
	Other,
	/// The era was settled without it, and is too old for a late reading. Has the reason why it was not included, if
	/// that is known.
	Late(Option<String>),
	/// It can never be accepted, for this reason.
	Refused(String),
	/// The chain has no statement of its era.
	Unsettled,
}

impl fmt::Display for Outcome {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Taken => f.write_str("final"),
			Self::Other => f.write_str("not sent: the chain has another reading of this era"),
			Self::Late(None) => f.write_str("too late: the chain settled the era without it"),
			Self::Late(Some(reason)) => {
				write!(f, "too late: the chain settled the era without it ({reason})")
			}
			Self::Refused(reason) => write!(f, "refused: {reason}"),
			Self::Unsettled => f.write_str(
				"not taken: the chain has no statement of the era: it missed the era, discarded it, or the \
				 household was no member",
			),
		}
	}
}

/// A reading, with its transaction and its outcome if it has them.
#[derive(Clone, Debug)]
pub struct Entry {
	/// What is to be reported.
	pub row: Row,
	pub ticket: Option<Ticket>,
	pub outcome: Option<Outcome>,
	/// The readings of the era as they came.
	came: Vec<Row>,
	/// A correction that waits until the reading before it has its outcome.
	correction: Option<Row>,
}

impl Entry {
	fn new(row: Row) -> Self {
		Self {
			row,
			ticket: None,
			outcome: None,
			came: vec![row],
			correction: None,
		}
	}

	/// Whether a different reading of the era is a correction: it says so, or it is the actual value after an estimate.
	fn is_corrected_by(&self, row: &Row) -> bool {
		let last = self.came.last().map(|last| last.reading.quality);
		match row.reading.quality {
			Quality::Corrected => true,
			Quality::Measured => last == Some(Quality::Estimated),
			Quality::Estimated => false,
		}
	}

	/// Takes a correction.
	fn correct(&mut self, row: Row) {
		self.came.push(row);
		self.correction = Some(row);
		let is_sent = self.ticket.is_some() || self.outcome.is_some();
		match is_sent {
			true => self.advance(),
			false => self.begin_correction(),
		}
	}

	/// Begins with the correction, if the reading before it is done with.
	fn advance(&mut self) {
		if self.outcome.is_some() {
			self.begin_correction();
		}
	}

	fn begin_correction(&mut self) {
		let Some(mut row) = self.correction.take() else {
			return;
		};
		// A correction is one for the chain only if the chain has the reading before it.
		row.reading.quality = match self.outcome {
			Some(Outcome::Taken) => Quality::Corrected,
			_ => Quality::Measured,
		};
		self.row = row;
		self.ticket = None;
		self.outcome = None;
	}
}

#[derive(Serialize, Deserialize)]
enum QueueRecord {
	/// The meter whose readings these are.
	Meter(AccountId32),
	Came(Row),
	Signed(u64, Ticket),
	Became(u64, Outcome),
}

/// The result of adding a reading to the queue.
#[derive(Debug, PartialEq, Eq)]
pub enum Came {
	New,
	/// The same reading is queued already.
	Known,
	/// It corrects a reading that is queued already.
	Correction,
	/// A different reading of the era is queued already.
	Differs,
}

/// The queue, ordered by the start of the eras.
pub struct Queue {
	file: Lines,
	entries: BTreeMap<u64, Entry>,
}

impl Queue {
	/// Opens the queue of a meter, or creates one.
	pub fn open(path: &Path, meter: &AccountId32) -> Result<Self, Fault> {
		let file = Lines::open(path, "another process is using this queue")?;
		let Contents { whose, lines, end } = Contents::read(path)?;
		let mut queue = Self {
			file,
			entries: entries(&lines),
		};
		match whose {
			None => queue.file.append(&QueueRecord::Meter(*meter))?,
			Some(whose) if whose == *meter => (),
			Some(whose) => {
				return Err(Fault::file(
					path,
					format_args!("is the queue of another meter, {whose}; name another file with --queue"),
				))
			}
		}
		if end > 0 {
			// Drops an incomplete last line, which a crash leaves.
			queue.file.cut(end)?;
		}
		Ok(queue)
	}

	/// Reads a queue without locking it: the account of its meter, and its readings.
	pub fn look(path: &Path) -> Result<(AccountId32, BTreeMap<u64, Entry>), Fault> {
		let contents = Contents::read(path)?;
		let whose = contents.whose.ok_or_else(|| not_a_queue(path))?;
		Ok((whose, entries(&contents.lines)))
	}

	/// Adds a reading. The first one of an era counts, unless the later one corrects it.
	pub fn take(&mut self, row: Row) -> Result<Came, Fault> {
		let came = match self.entries.get(&row.start_ms) {
			None => Came::New,
			Some(there) if there.came.contains(&row) => return Ok(Came::Known),
			Some(there) if there.is_corrected_by(&row) => Came::Correction,
			Some(_) => return Ok(Came::Differs),
		};
		self.add(QueueRecord::Came(row))?;
		Ok(came)
	}

	/// Records the transaction of a reading, before it is offered.
	pub fn signed(&mut self, start_ms: u64, ticket: Ticket) -> Result<(), Fault> {
		self.add(QueueRecord::Signed(start_ms, ticket))
	}

	/// Records the outcome of a reading.
	pub fn became(&mut self, start_ms: u64, outcome: Outcome) -> Result<(), Fault> {
		self.add(QueueRecord::Became(start_ms, outcome))
	}

	/// The readings without an outcome, the oldest first.
	pub fn waiting(&self) -> impl Iterator<Item = &Entry> {
		self.entries.values().filter(|entry| entry.outcome.is_none())
	}

	fn add(&mut self, line: QueueRecord) -> Result<(), Fault> {
		self.file.append(&line)?;
		enter(&mut self.entries, &line);
		Ok(())
	}
}

/// What a queue's file says.
struct Contents {
	/// The meter, if the file is not empty.
	whose: Option<AccountId32>,
	/// The lines that can be read.
	lines: Vec<QueueRecord>,
	/// The offset at which the last complete line ends.
	end: usize,
}

impl Contents {
	/// Reads the file. A line that is damaged, as by a failing disk, is named and left out: the other lines say nothing
	/// else because of it, and before anything is sent the chain is asked.
	fn read(path: &Path) -> Result<Self, Fault> {
		let lines = Lines::read::<QueueRecord>(path)?;
		let end = lines.last().map_or(0, |line| line.end);
		let mut records = Vec::with_capacity(lines.len());
		for (number, line) in lines.into_iter().enumerate() {
			match line.record {
				Ok(record) => records.push(record),
				// Without its first line it may be any file.
				Err(what) if number == 0 => {
					return Err(Fault::file(
						path,
						format_args!("is not a queue of readings: {what}"),
					))
				}
				Err(what) => eprintln!(
					"commonwatt: {}: {what}. The line is damaged and is left out; all others are kept. If it was a reading, \
					 deliver that reading again. To end this message, remove the line while no program uses the file",
					path.display()
				),
			}
		}
		let whose = match records.first() {
			Some(QueueRecord::Meter(meter)) => Some(*meter),
			None if fs::metadata(path).in_file(path)?.len() == 0 => None,
			_ => return Err(not_a_queue(path)),
		};
		Ok(Self {
			whose,
			lines: records,
			end,
		})
	}
}

fn not_a_queue(path: &Path) -> Fault {
	Fault::file(path, "is not a queue of readings")
}

fn entries(lines: &[QueueRecord]) -> BTreeMap<u64, Entry> {
	let mut entries = BTreeMap::new();
	lines.iter().for_each(|line| enter(&mut entries, line));
	entries
}

fn enter(entries: &mut BTreeMap<u64, Entry>, line: &QueueRecord) {
	match line {
		QueueRecord::Meter(_) => (),
		QueueRecord::Came(row) => match entries.entry(row.start_ms) {
			MapEntry::Vacant(vacant) => {
				vacant.insert(Entry::new(*row));
			}
			MapEntry::Occupied(there) => there.into_mut().correct(*row),
		},
		QueueRecord::Signed(start_ms, ticket) => {
			if let Some(entry) = entries.get_mut(start_ms) {
				entry.ticket = Some(ticket.clone());
			}
		}
		QueueRecord::Became(start_ms, outcome) => {
			if let Some(entry) = entries.get_mut(start_ms) {
				entry.outcome = Some(outcome.clone());
				entry.advance();
			}
		}
	}
}

impl fmt::Display for Entry {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{}  {}  ", moment(self.row.start_ms), self.row)?;
		match (&self.outcome, &self.ticket) {
			(Some(outcome), _) => outcome.fmt(f),
			(None, Some(_)) => f.write_str("sent"),
			(None, None) => f.write_str("queued"),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::chain::types::Reading;
	use std::io::Write;

	const METER: AccountId32 = AccountId32([1; 32]);

	fn row(start_ms: u64, generation_wh: u32) -> Row {
		let reading = Reading {
			generation_wh,
			consumption_wh: 1,
			indoor_centi_c: -50,
			quality: Quality::Measured,
		};
		Row { start_ms, reading }
	}

	/// The readings without an outcome: their starts, and whether a transaction was signed.
	fn waiting(queue: &Queue) -> Vec<(u64, bool)> {
		let waiting = queue.waiting();
		waiting
			.map(|entry| (entry.row.start_ms, entry.ticket.is_some()))
			.collect()
	}

	#[test]
	fn queue_survives_a_crash() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("queue");
		let mut queue = Queue::open(&path, &METER).unwrap();
		assert_eq!(queue.take(row(60, 5)).unwrap(), Came::New);
		assert_eq!(queue.take(row(120, 5)).unwrap(), Came::New);
		assert_eq!(queue.take(row(0, 5)).unwrap(), Came::New);
		let ticket = Ticket {
			era: 1,
			is_late: false,
			nonce: 7,
			born: Some(Born {
				number: 3,
				hash: H256::repeat_byte(5),
			}),
			last_block: 9,
			bytes: vec![0, 255],
		};
		queue.signed(60, ticket.clone()).unwrap();
		queue.became(0, Outcome::Late(Some("so".into()))).unwrap();
		let busy = Queue::open(&path, &METER).err().unwrap().to_string();
		assert!(busy.contains("another process"), "{busy}");
		drop(queue);

		let mut file = fs::File::options().append(true).open(&path).unwrap();
		file.write_all(b"{\"Came\":{\"start_ms\":18").unwrap();
		let mut queue = Queue::open(&path, &METER).unwrap();
		assert_eq!(waiting(&queue), [(60, true), (120, false)]);
		assert_eq!(queue.waiting().next().unwrap().ticket, Some(ticket));
		assert_eq!(queue.take(row(0, 5)).unwrap(), Came::Known);
		assert_eq!(queue.take(row(60, 6)).unwrap(), Came::Differs);
		assert_eq!(queue.take(row(180, 6)).unwrap(), Came::New);
		drop(queue);
		let (whose, entries) = Queue::look(&path).unwrap();
		assert_eq!((whose, entries.len()), (METER, 4));
		assert!(entries[&0]
			.to_string()
			.ends_with("too late: the chain settled the era without it (so)"));
	}

	#[test]
	fn actual_value_corrects_an_estimate_and_nothing_else_does() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("queue");
		let mut queue = Queue::open(&path, &METER).unwrap();
		let with = |start_ms, generation_wh, quality| {
			let mut row = row(start_ms, generation_wh);
			row.reading.quality = quality;
			row
		};
		let (estimate, actual) = (with(60, 5, Quality::Estimated), with(60, 7, Quality::Measured));
		assert_eq!(queue.take(estimate).unwrap(), Came::New);
		// It was not sent yet, so the chain needs no correction.
		assert_eq!(queue.take(actual).unwrap(), Came::Correction);
		assert_eq!(queue.entries[&60].row, actual);
		assert_eq!(queue.take(estimate).unwrap(), Came::Known);
		assert_eq!(queue.take(with(60, 8, Quality::Measured)).unwrap(), Came::Differs);
		assert_eq!(
			queue.take(with(60, 8, Quality::Estimated)).unwrap(),
			Came::Differs
		);

		// A correction waits until the reading before it is in the chain's final state, also after a crash.
		let ticket = Ticket {
			era: 2,
			is_late: false,
			nonce: 0,
			born: None,
			last_block: 9,
			bytes: Vec::new(),
		};
		let estimate = with(120, 5, Quality::Estimated);
		queue.take(estimate).unwrap();
		queue.signed(120, ticket).unwrap();
		assert_eq!(
			queue.take(with(120, 7, Quality::Measured)).unwrap(),
			Came::Correction
		);
		assert_eq!(queue.entries[&120].row, estimate);
		drop(queue);
		let mut queue = Queue::open(&path, &METER).unwrap();
		queue.became(120, Outcome::Taken).unwrap();
		assert_eq!(queue.entries[&120].row, with(120, 7, Quality::Corrected));
		assert_eq!(waiting(&queue), [(60, false), (120, false)]);
		queue.became(120, Outcome::Taken).unwrap();
		// Another correction, of a reading that the chain refused: for the chain it is the first one.
		queue
			.became(60, Outcome::Refused("over the limit".into()))
			.unwrap();
		let again = with(60, 9, Quality::Corrected);
		assert_eq!(queue.take(again).unwrap(), Came::Correction);
		assert_eq!(queue.entries[&60].row, with(60, 9, Quality::Measured));
		assert_eq!(queue.take(again).unwrap(), Came::Known);
		drop(queue);
		let (_, entries) = Queue::look(&path).unwrap();
		assert_eq!(entries[&60].row, with(60, 9, Quality::Measured));
		assert_eq!(entries[&120].outcome, Some(Outcome::Taken));
	}

	#[test]
	fn damaged_line_is_left_out_and_the_rest_is_kept() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("queue");
		let mut queue = Queue::open(&path, &METER).unwrap();
		[0, 60, 120]
			.iter()
			.for_each(|start| assert_eq!(queue.take(row(*start, 5)).unwrap(), Came::New));
		drop(queue);
		let text = fs::read_to_string(&path).unwrap();
		let damaged: Vec<String> = text
			.lines()
			.enumerate()
			.map(|(number, line)| match number {
				2 => line.replace("Came", "C\u{1}me"),
				_ => line.into(),
			})
			.collect();
		fs::write(&path, damaged.join("\n") + "\n").unwrap();
		let mut queue = Queue::open(&path, &METER).unwrap();
		assert_eq!(waiting(&queue), [(0, false), (120, false)]);
		assert_eq!(queue.take(row(60, 5)).unwrap(), Came::New);
		drop(queue);
		let queue = Queue::open(&path, &METER).unwrap();
		assert_eq!(waiting(&queue), [(0, false), (60, false), (120, false)]);
	}

	#[test]
	fn file_of_another_meter_or_kind_is_refused_and_not_changed() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("queue");
		drop(Queue::open(&path, &METER).unwrap());
		let refused = Queue::open(&path, &AccountId32([2; 32]))
			.err()
			.unwrap()
			.to_string();
		assert!(refused.contains("is the queue of another meter"), "{refused}");
		for (text, said) in [
			("period_start,indoor_c\n", "row 1: "),
			("notes", "is not a queue of readings"),
		] {
			fs::write(&path, text).unwrap();
			let refused = Queue::open(&path, &METER).err().unwrap().to_string();
			assert!(refused.contains(said), "{refused}");
			assert_eq!(fs::read_to_string(&path).unwrap(), text);
		}
	}
}

//! Readings of eras from registers, which count up for years. A register's value at an era's beginning and end lies
//! between two messages, on the straight line from one to the other.

use super::{map::Sample, row::Row};
use crate::{
	chain::types::{Quality, Reading},
	fault::Fault,
	files::InFile,
};
use serde::{Deserialize, Serialize};
use std::{fs, path::PathBuf};

/// A register that falls from the last hundredth below a power of ten into the first one above 0 has rolled over.
const HUNDREDTH: u64 = 100;
/// Thousandths of a Wh in one.
const THOUSANDTHS: u64 = 1_000;
/// The registers are written to disk when an era ends, and after so much time, ms.
const WRITE_AFTER_MS: u64 = 60_000;

/// What one register counted. Energies are in thousandths of a Wh, so that sums are exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Register {
	/// Its last value.
	value: u64,
	/// All that it counted since the first message.
	total: u64,
	/// The total at the beginning of the era that runs, if a message came before that.
	at_start: Option<u64>,
}

/// How a register changed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Change {
	Counted(u64),
	RolledOver(u64),
	/// It began at zero again. What it counted before that is lost.
	Reset(u64),
}

impl Change {
	fn between(before: u64, after: u64) -> Self {
		if after >= before {
			return Self::Counted(after - before);
		}
		// Registers of meters have a fixed number of decimal digits.
		let digits = before.checked_ilog10().map_or(1, |last| last + 1);
		let full = 10u64.saturating_pow(digits);
		let hundredth = full / HUNDREDTH;
		if before >= full - hundredth && after <= hundredth {
			return Self::RolledOver(after.saturating_add(full - before));
		}
		Self::Reset(after)
	}

	fn counted(self) -> u64 {
		match self {
			Self::Counted(counted) | Self::RolledOver(counted) | Self::Reset(counted) => counted,
		}
	}
}

/// What a message completes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Completed {
	/// Readings of eras.
	pub rows: Vec<Row>,
	/// What is remarkable, in words.
	pub notes: Vec<String>,
}

/// What is known of the registers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Known {
	at_ms: u64,
	generation: Register,
	consumption: Register,
	/// Whether something of the era that runs is not known.
	is_estimated: bool,
}

/// The registers of a meter.
pub struct Registers {
	era_ms: u64,
	known: Option<Known>,
	/// The file that keeps them, and when it was written.
	file: PathBuf,
	written_ms: u64,
}

impl Registers {
	/// Goes on where an earlier run stopped.
	pub fn open(file: PathBuf, era_ms: u64) -> Result<Self, Fault> {
		let known = match fs::read(&file) {
			Ok(text) => Some(serde_json::from_slice(&text).in_file(&file)?),
			Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
			Err(error) => return Err(Fault::file(&file, error)),
		};
		Ok(Self {
			era_ms: era_ms.max(1),
			known,
			file,
			written_ms: 0,
		})
	}

	/// Takes a message.
	pub fn take(&mut self, sample: &Sample) -> Result<Completed, Fault> {
		let (completed, known) = advanced(self.known.as_ref(), sample, self.era_ms);
		let is_due = sample.at_ms.abs_diff(self.written_ms) >= WRITE_AFTER_MS;
		if self.known != Some(known) {
			self.known = Some(known);
			if !completed.rows.is_empty() || is_due {
				self.write(&known)?;
				self.written_ms = sample.at_ms;
			}
		}
		Ok(completed)
	}

	/// Writes a new file and then renames it, so that a crash leaves the old one or the new one.
	fn write(&self, known: &Known) -> Result<(), Fault> {
		let mut new = self.file.clone().into_os_string();
		new.push(".new");
		let new = PathBuf::from(new);
		let text = serde_json::to_vec(known).in_file(&new)?;
		fs::write(&new, text).in_file(&new)?;
		fs::rename(&new, &self.file).in_file(&self.file)
	}
}

/// What a message completes, and what is known after it.
fn advanced(known: Option<&Known>, sample: &Sample, era_ms: u64) -> (Completed, Known) {
	let mut notes = Vec::new();
	let Some(before) = known else {
		let is_at_start = sample.at_ms.is_multiple_of(era_ms);
		let first = |value| Register {
			value,
			total: 0,
			at_start: is_at_start.then_some(0),
		};
		let known = Known {
			at_ms: sample.at_ms,
			generation: first(sample.generation),
			consumption: first(sample.consumption),
			is_estimated: false,
		};
		return (Completed::default(), known);
	};
	if sample.at_ms <= before.at_ms {
		if sample.at_ms < before.at_ms {
			notes.push("a message is older than the one before it, and is left out".into());
		}
		let completed = Completed {
			rows: Vec::new(),
			notes,
		};
		return (completed, *before);
	}
	let changes = [
		("generation-register", before.generation.value, sample.generation),
		(
			"consumption-register",
			before.consumption.value,
			sample.consumption,
		),
	];
	let mut is_reset = false;
	let changes = changes.map(|(name, from, to)| {
		let change = Change::between(from, to);
		let (from, to) = (from / THOUSANDTHS, to / THOUSANDTHS);
		match change {
			Change::Counted(_) => (),
			Change::RolledOver(_) => notes.push(format!("{name} rolled over from {from} to {to} Wh")),
			Change::Reset(_) => {
				is_reset = true;
				notes.push(format!(
					"{name} fell from {from} to {to} Wh: it was reset, and what it counted just before is lost"
				));
			}
		}
		change
	});
	let mut now = Known {
		at_ms: sample.at_ms,
		is_estimated: before.is_estimated || is_reset,
		..*before
	};
	let mut rows = Vec::new();
	// The ends of eras after the message before, up to this one.
	let mut end = (before.at_ms / era_ms + 1) * era_ms;
	while end <= sample.at_ms {
		let (passed, all) = (
			u128::from(end - before.at_ms),
			u128::from(sample.at_ms - before.at_ms),
		);
		let start_ms = end - era_ms;
		// No message came in the whole era.
		let is_bridged = before.at_ms <= start_ms && end < sample.at_ms;
		let close = |register: &mut Register, change: Change| {
			// At most what was counted, which has 64 bits.
			let part = (u128::from(change.counted()) * passed / all) as u64;
			let total = register.total.saturating_add(part);
			// Rounded at both ends, so that the readings add up to what the register counted.
			let wh = register
				.at_start
				.map(|at_start| total / THOUSANDTHS - at_start / THOUSANDTHS);
			register.at_start = Some(total);
			wh
		};
		let generation_wh = close(&mut now.generation, changes[0]);
		let consumption_wh = close(&mut now.consumption, changes[1]);
		if let (Some(generation_wh), Some(consumption_wh)) = (generation_wh, consumption_wh) {
			rows.push(Row {
				start_ms,
				reading: Reading {
					generation_wh: u32::try_from(generation_wh).unwrap_or(u32::MAX),
					consumption_wh: u32::try_from(consumption_wh).unwrap_or(u32::MAX),
					indoor_centi_c: sample.indoor_centi_c,
					quality: match now.is_estimated || is_bridged {
						true => Quality::Estimated,
						false => Quality::Measured,
					},
				},
			});
		}
		// A reset lies in one of the eras that the two messages touch, nobody knows which.
		now.is_estimated = is_reset;
		end += era_ms;
	}
	for (register, change, value) in [
		(&mut now.generation, changes[0], sample.generation),
		(&mut now.consumption, changes[1], sample.consumption),
	] {
		register.total = register.total.saturating_add(change.counted());
		register.value = value;
	}
	(Completed { rows, notes }, now)
}

#[cfg(test)]
mod tests {
	use super::*;

	const ERA: u64 = 30 * 60_000;

	/// A reading: its era, generation, consumption, and whether it is an estimate.
	type Short = (u64, u32, u32, bool);

	/// A meter whose registers stand at these values, kWh, after these minutes.
	struct Meter {
		registers: Registers,
		_folder: tempfile::TempDir,
	}

	impl Meter {
		fn new() -> Self {
			let folder = tempfile::tempdir().unwrap();
			Self {
				registers: Registers::open(folder.path().join("registers"), ERA).unwrap(),
				_folder: folder,
			}
		}

		/// The readings that a message completes.
		fn at(&mut self, minute: u64, generation: f64, consumption: f64) -> Vec<Short> {
			self.noted(minute, generation, consumption).0
		}

		fn noted(&mut self, minute: u64, generation: f64, consumption: f64) -> (Vec<Short>, Vec<String>) {
			let sample = Sample {
				at_ms: minute * 60_000,
				generation: (generation * 1e6).round() as u64,
				consumption: (consumption * 1e6).round() as u64,
				indoor_centi_c: 2_100,
			};
			let Completed { rows, notes } = self.registers.take(&sample).unwrap();
			let short = |row: &Row| {
				let reading = row.reading;
				let is_estimated = reading.quality == Quality::Estimated;
				(
					row.start_ms / ERA,
					reading.generation_wh,
					reading.consumption_wh,
					is_estimated,
				)
			};
			(rows.iter().map(short).collect(), notes)
		}
	}

	#[test]
	fn reading_is_the_difference_between_two_ends_of_eras() {
		let mut meter = Meter::new();
		assert_eq!(meter.at(50, 100.0, 500.0), []);
		// Minute 60 lies in the middle between the messages: 100.5 and 501 kWh. The era that ended began before the first
		// message.
		assert_eq!(meter.at(70, 101.0, 502.0), []);
		assert_eq!(meter.at(80, 101.5, 502.0), []);
		// Minute 90 exactly: 102 - 100.5 and 503 - 501 kWh.
		assert_eq!(meter.at(90, 102.0, 503.0), [(2, 1_500, 2_000, false)]);
		assert_eq!(meter.at(100, 102.0, 503.0), []);
		assert_eq!(meter.at(140, 102.0, 507.0), [(3, 0, 2_000, false)]);
	}

	#[test]
	fn readings_add_up_to_what_the_register_counted() {
		let mut meter = Meter::new();
		meter.at(0, 0.0, 0.0);
		let mut sum = 0;
		for message in 1..=100 {
			let counted = f64::from(message) * 0.333_3;
			sum += meter
				.at(u64::from(message as u32) * 7, 0.0, counted)
				.iter()
				.map(|(_, _, wh, _)| wh)
				.sum::<u32>();
		}
		// 700 minutes have 23 whole eras, 690 minutes: 690 / 7 of a message's 333.3 Wh.
		assert_eq!(sum, (690.0 / 7.0 * 333.3_f64).floor() as u32);
	}

	#[test]
	fn era_without_a_message_is_an_estimate() {
		let mut meter = Meter::new();
		meter.at(0, 0.0, 0.0);
		assert_eq!(
			meter.at(100, 0.0, 10.0),
			[(0, 0, 3_000, true), (1, 0, 3_000, true), (2, 0, 3_000, true)]
		);
	}

	#[test]
	fn reset_and_rollover_are_recognized() {
		let mut meter = Meter::new();
		meter.at(0, 5.0, 99_999.0);
		meter.at(20, 6.0, 99_999.5);
		// From 99,999.5 to 0.5 kWh: 1 kWh in ten minutes.
		let (rows, notes) = meter.noted(30, 7.0, 0.5);
		assert_eq!(rows, [(0, 2_000, 1_500, false)]);
		assert_eq!(
			notes,
			["consumption-register rolled over from 99999500 to 500 Wh"]
		);
		// A counter of the day falls to 0.2 kWh: what it counted since is known, what it counted just before is not.
		let (rows, notes) = meter.noted(60, 0.2, 1.0);
		assert_eq!(rows, [(1, 200, 500, true)]);
		assert_eq!(
			notes,
			["generation-register fell from 7000 to 200 Wh: it was reset, and what it counted just before is lost"]
		);
		// The next era may have the reset as well, if the message came after its beginning; here it does not.
		assert_eq!(meter.at(90, 0.4, 2.0).len(), 1);
		assert_eq!(meter.at(120, 0.6, 3.0), [(3, 200, 1_000, false)]);
	}

	#[test]
	fn older_messages_change_nothing_and_a_restart_loses_nothing() {
		let folder = tempfile::tempdir().unwrap();
		let file = folder.path().join("registers");
		let sample = |minute: u64, wh: u64| Sample {
			at_ms: minute * 60_000,
			generation: 0,
			consumption: wh * THOUSANDTHS,
			indoor_centi_c: 0,
		};
		let mut registers = Registers::open(file.clone(), ERA).unwrap();
		registers.take(&sample(30, 1_000)).unwrap();
		let Completed { rows, notes } = registers.take(&sample(29, 900)).unwrap();
		assert!(rows.is_empty() && notes.len() == 1, "{notes:?}");
		drop(registers);
		let mut registers = Registers::open(file.clone(), ERA).unwrap();
		let rows = registers.take(&sample(60, 1_700)).unwrap().rows;
		assert_eq!(rows[0].reading.consumption_wh, 700);
		fs::write(&file, "{").unwrap();
		assert!(Registers::open(file, ERA).is_err());
	}
}

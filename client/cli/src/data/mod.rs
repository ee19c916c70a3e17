//! Meter data from a CSV file. The whole file is read and checked before anything is sent.

pub mod format;
mod periods;
mod rows;
#[cfg(test)]
mod tests;

use crate::{
	fault::Fault,
	values::{civil, time_of_day},
};
use clap::Args;
use format::{Format, Label};
use jiff::civil::Date;
use std::path::{Path, PathBuf};

/// How a file of meter data is read, and which part of it is used.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "What is read of the file, and how")]
pub struct FileArgs {
	/// Use only the periods that start on this date
	#[arg(long, value_name = "YYYY-MM-DD")]
	pub day: Option<Date>,

	/// Use only the first N periods (of the day)
	#[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
	pub first: Option<u32>,

	/// Which moment of a period its row names, in the column period_start or period_end
	#[arg(long, value_enum, default_value_t)]
	pub label: Label,

	/// The most that a household's connection carries in a period, Wh; a row above it is refused
	#[arg(long, value_name = "WH", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000_000))]
	pub connection_limit: u32,

	/// How the file writes its values.
	#[command(flatten)]
	pub format: Format,
}

/// What one household generated and consumed in one period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measured {
	pub generation_wh: u32,
	pub consumption_wh: u32,
}

/// One period of all households.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
	/// As the file has it, or written alike if the file names the end, or has a gap here.
	pub start: String,
	/// Outdoor temperature, hundredths of a degree, if the file has one; between the temperatures around it in a gap.
	pub outdoor_centi_c: Option<i32>,
	/// In the order of [`Dataset::households`]; `None` where the file has no reading.
	pub measured: Vec<Option<Measured>>,
}

impl Period {
	/// The hour of the day at which it starts.
	pub fn hour(&self) -> f64 {
		// A start has its time of day, or the file would have been refused.
		time_of_day(&self.start).unwrap_or(0.0)
	}

	/// The readings that the file has.
	pub fn known(&self) -> impl Iterator<Item = &Measured> {
		self.measured.iter().flatten()
	}

	/// Whether no household has a reading.
	pub fn is_gap(&self) -> bool {
		self.known().next().is_none()
	}
}

/// A whole file, or the periods of it that were asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
	pub path: PathBuf,
	/// Names in the order of their first rows in the file.
	pub households: Vec<String>,
	/// Without gaps between them.
	pub periods: Vec<Period>,
	/// Length of a period: the most frequent time between two of them, or 30 if the file has only one.
	pub period_minutes: u32,
}

impl Dataset {
	/// Reads and checks a file, and keeps what the options ask for.
	pub fn read(path: &Path, args: &FileArgs) -> Result<Self, Fault> {
		let mut dataset = periods::group(path, rows::read(path, args)?, args)?;
		if let Some(day) = args.day {
			let starts_on = |period: &Period| civil(&period.start).is_some_and(|start| start.date() == day);
			let all = dataset.periods.len();
			dataset.periods.retain(starts_on);
			match dataset.periods.len() {
				0 => return Err(Fault::file(path, format_args!("no period starts on {day}"))),
				kept => eprintln!("commonwatt: {kept} of {all} periods start on {day}"),
			}
		}
		if let Some(first) = args.first.and_then(|first| usize::try_from(first).ok()) {
			dataset.periods.truncate(first);
		}
		Ok(dataset)
	}

	/// The largest generation and the largest consumption of one household in a period.
	pub fn largest(&self, household: usize) -> Measured {
		let of = |pick: fn(&Measured) -> u32| self.of(household).map(pick).max().unwrap_or(0);
		Measured {
			generation_wh: of(|m| m.generation_wh),
			consumption_wh: of(|m| m.consumption_wh),
		}
	}

	/// The readings that the file has of one household.
	pub fn of(&self, household: usize) -> impl Iterator<Item = &Measured> {
		let periods = self.periods.iter();
		periods.filter_map(move |period| period.measured.get(household)?.as_ref())
	}

	/// What lacks, in words.
	pub fn gaps(&self) -> Vec<String> {
		let mut words = Vec::new();
		for gap in self.periods.chunk_by(|a, b| a.is_gap() && b.is_gap()) {
			if let [first, .., last] = gap {
				words.push(format!(
					"no household has a reading in the {} periods from {} to {}: they are eras without readings",
					gap.len(),
					first.start,
					last.start
				));
			} else if let [only] = gap {
				if only.is_gap() {
					words.push(format!(
						"no household has a reading in the period {}: it is an era without readings",
						only.start
					));
				}
			}
		}
		for (index, name) in self.households.iter().enumerate() {
			let mut silent = self
				.periods
				.iter()
				.filter(|period| !period.is_gap() && period.measured.get(index).is_some_and(Option::is_none));
			if let Some(first) = silent.next() {
				let more = match silent.count() {
					0 => String::new(),
					more => format!(" and {more} more"),
				};
				words.push(format!(
					"{name} has no reading in the period {}{more}: its meter is silent there",
					first.start
				));
			}
		}
		words
	}
}

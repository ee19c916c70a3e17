//! Meter data from a CSV file. The whole file is read and checked before anything is sent.

use crate::{
	fault::{Fault, Location},
	files::InFile,
	values::{energy_wh, moment_of, temperature, time_of_day},
};
use std::{
	collections::BTreeMap,
	path::{Path, PathBuf},
};

/// Columns that a file must have.
const REQUIRED: [&str; 4] = ["period_start", "household", "generation_wh", "consumption_wh"];
/// An optional column: the outdoor temperature, degrees Celsius. In each period the first household that has one counts
/// for all.
const OUTDOOR: &str = "outdoor_c";

/// What one household generated and consumed in one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
	pub generation_wh: u32,
	pub consumption_wh: u32,
}

/// One period of all households.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
	/// As the file has it.
	pub start: String,
	/// Outdoor temperature, hundredths of a degree, if the file has one.
	pub outdoor_centi_c: Option<i32>,
	/// In the order of [`Dataset::households`].
	pub measured: Vec<Measured>,
}

impl Period {
	/// The hour of the day at which it starts.
	pub fn hour(&self) -> f64 {
		// A start has its time of day, or the file would have been refused.
		time_of_day(&self.start).unwrap_or(0.0)
	}
}

/// A whole file, or the periods of it that were asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
	pub path: PathBuf,
	/// Names in the order of their first rows in the file.
	pub households: Vec<String>,
	pub periods: Vec<Period>,
	/// Length of a period: the time between the first two starts, or 30 if the file has only one period.
	pub period_minutes: u32,
}

/// A row of the file, checked.
struct Row {
	line: u64,
	start: String,
	minute: i64,
	household: String,
	measured: Measured,
	outdoor_centi_c: Option<i32>,
}

impl Dataset {
	/// Reads and checks a file. With `day`, keeps only the periods that start on this date (`YYYY-MM-DD`). `first`
	/// limits how many periods are kept.
	pub fn read(path: &Path, day: &Option<String>, first: Option<u32>) -> Result<Self, Fault> {
		let mut dataset = group(path, read_rows(path)?)?;
		if let Some(day) = day {
			let periods = &mut dataset.periods;
			periods.retain(|period| period.start.starts_with(day));
			if dataset.periods.is_empty() {
				return Err(Fault::file(path, format_args!("no period starts on {day}")));
			}
		}
		if let Some(first) = first.and_then(|first| usize::try_from(first).ok()) {
			dataset.periods.truncate(first);
		}
		Ok(dataset)
	}

	/// The largest generation and the largest consumption of one household in a period.
	pub fn largest(&self, household: usize) -> Measured {
		let of = |pick: fn(&Measured) -> u32| {
			let periods = self.periods.iter();
			let all = periods.filter_map(|period| period.measured.get(household));
			all.map(pick).max().unwrap_or(0)
		};
		Measured {
			generation_wh: of(|m| m.generation_wh),
			consumption_wh: of(|m| m.consumption_wh),
		}
	}
}

fn read_rows(path: &Path) -> Result<Vec<Row>, Fault> {
	let mut reader = csv::ReaderBuilder::new()
		.trim(csv::Trim::All)
		.flexible(true)
		.from_path(path)
		.in_file(path)?;
	let headers = reader.headers().in_file(path)?.clone();
	let column = |name: &str| headers.iter().position(|header| header == name);
	let place = Location { path, line: 1 };
	let mut columns = [0; REQUIRED.len()];
	for (slot, name) in columns.iter_mut().zip(REQUIRED) {
		*slot = column(name).ok_or_else(|| place.fault(name, "the header has no such column"))?;
	}
	let outdoor = column(OUTDOOR);
	let mut rows = Vec::new();
	for record in reader.records() {
		rows.push(read_row(path, &record.in_file(path)?, columns, outdoor)?);
	}
	if rows.is_empty() {
		return Err(Fault::file(path, "no row after the header"));
	}
	Ok(rows)
}

fn read_row(
	path: &Path,
	record: &csv::StringRecord,
	columns: [usize; 4],
	outdoor: Option<usize>,
) -> Result<Row, Fault> {
	let place = Location {
		path,
		line: record.position().map_or(0, |position| position.line()),
	};
	let field = |name: &str, column: usize| match record.get(column) {
		Some("") | None => Err(place.fault(name, "is empty")),
		Some(text) => Ok(text),
	};
	let [start, household, generation, consumption] = columns;
	let start = field(REQUIRED[0], start)?;
	let minute = moment_of(&place, REQUIRED[0], start)?.as_second().div_euclid(60);
	let household = field(REQUIRED[1], household)?;
	if household.contains('/') {
		return Err(place.fault(
			REQUIRED[1],
			format_args!("'{household}': a name must not contain '/'"),
		));
	}
	let measured = Measured {
		generation_wh: energy_wh(&place, REQUIRED[2], field(REQUIRED[2], generation)?)?,
		consumption_wh: energy_wh(&place, REQUIRED[3], field(REQUIRED[3], consumption)?)?,
	};
	let outdoor = outdoor.and_then(|column| record.get(column));
	let outdoor_centi_c = outdoor
		.filter(|text| !text.is_empty())
		.map(|text| temperature(&place, OUTDOOR, text).map(i32::from))
		.transpose()?;
	Ok(Row {
		line: place.line,
		start: start.into(),
		minute,
		household: household.into(),
		measured,
		outdoor_centi_c,
	})
}

/// Groups rows into periods, each with every household once.
fn group(path: &Path, rows: Vec<Row>) -> Result<Dataset, Fault> {
	let mut households = Vec::new();
	let mut index = BTreeMap::new();
	for row in &rows {
		index.entry(row.household.clone()).or_insert_with(|| {
			households.push(row.household.clone());
			households.len() - 1
		});
	}
	let mut periods: Vec<(Period, i64)> = Vec::new();
	for chunk in rows.chunk_by(|a, b| a.start == b.start) {
		let Row {
			line, start, minute, ..
		} = &chunk[0];
		if let Some((before, _)) = periods.last().filter(|(_, before)| minute <= before) {
			let before = &before.start;
			let what = format!("{start} is not after {before}, the start of the period before it");
			return Err(Location { path, line: *line }.fault(REQUIRED[0], what));
		}
		let period = Period {
			start: start.clone(),
			outdoor_centi_c: chunk.iter().find_map(|row| row.outdoor_centi_c),
			measured: one_period(path, chunk, &households, &index)?,
		};
		periods.push((period, *minute));
	}
	let apart = periods.get(1).zip(periods.first());
	let apart = apart.map_or(30, |((_, second), (_, first))| second - first);
	Ok(Dataset {
		path: path.to_path_buf(),
		households,
		periods: periods.into_iter().map(|(period, _)| period).collect(),
		period_minutes: u32::try_from(apart).unwrap_or(30),
	})
}

/// The data of one period in the order of the households. Each household must have exactly one row.
fn one_period(
	path: &Path,
	rows: &[Row],
	households: &[String],
	index: &BTreeMap<String, usize>,
) -> Result<Vec<Measured>, Fault> {
	let mut measured = vec![None; households.len()];
	for row in rows {
		let slot = &mut measured[index[&row.household]];
		if slot.replace(row.measured).is_some() {
			let place = Location { path, line: row.line };
			let what = format!(
				"duplicate household '{}' in the period {}",
				row.household, row.start
			);
			return Err(place.fault(REQUIRED[1], what));
		}
	}
	let of_all = households.iter().zip(&measured);
	let missing: Vec<&str> = of_all
		.filter(|(_, measured)| measured.is_none())
		.map(|(name, _)| name.as_str())
		.collect();
	match rows.first() {
		Some(Row { line, start, .. }) if !missing.is_empty() => {
			let what = format!("the period {start} has no row for {}", missing.join(", "));
			Err(Location { path, line: *line }.fault(REQUIRED[1], what))
		}
		_ => Ok(measured.into_iter().flatten().collect()),
	}
}

//! The rows of a file, each checked by itself.

use super::{
	format::{column, Label},
	FileArgs, Measured,
};
use crate::{
	fault::{Fault, Location},
	files::InFile,
	values::{end_of_day, energy_wh, moment_of, temperature},
};
use std::path::Path;

const HOUSEHOLD: &[&str] = &["household"];
/// An optional column: the outdoor temperature, degrees Celsius. In each period the first household that has one counts
/// for all.
const OUTDOOR: &str = "outdoor_c";

/// A row of the file, checked.
pub struct Row {
	pub line: u64,
	/// The moment that names the period, as the file has it.
	pub label: String,
	/// The same moment, s since the Unix epoch.
	pub second: i64,
	pub household: String,
	/// `None` if both energies are empty: the meter was silent.
	pub measured: Option<Measured>,
	pub outdoor_centi_c: Option<i32>,
}

/// Where a file has its columns: position and name.
struct Columns {
	label: (usize, &'static str),
	household: (usize, &'static str),
	generation: (usize, &'static str),
	consumption: (usize, &'static str),
	outdoor: Option<usize>,
}

/// Reads and checks all rows.
pub fn read(path: &Path, args: &FileArgs) -> Result<Vec<Row>, Fault> {
	let mut reader = csv::ReaderBuilder::new()
		.delimiter(args.format.delimiter.0)
		.trim(csv::Trim::All)
		.flexible(true)
		.from_path(path)
		.in_file(path)?;
	let headers = reader.headers().in_file(path)?.clone();
	let place = Location { path, line: 1 };
	let unit = args.format.numbers.unit;
	let find = |names| column(&place, &headers, names, &args.format);
	let columns = Columns {
		label: find(args.label.columns())?,
		household: find(HOUSEHOLD)?,
		generation: find(unit.generation())?,
		consumption: find(unit.consumption())?,
		outdoor: headers.iter().position(|header| header == OUTDOOR),
	};
	let mut rows = Vec::new();
	for record in reader.records() {
		rows.push(row(path, &record.in_file(path)?, &columns, args)?);
	}
	if rows.is_empty() {
		return Err(Fault::file(path, "no row after the header"));
	}
	Ok(rows)
}

fn row(path: &Path, record: &csv::StringRecord, columns: &Columns, args: &FileArgs) -> Result<Row, Fault> {
	let place = Location {
		path,
		line: record.position().map_or(0, |position| position.line()),
	};
	let given = |column: usize| record.get(column).filter(|text| !text.is_empty());
	let field = |(column, name): (usize, &str)| given(column).ok_or_else(|| place.fault(name, "is empty"));
	let mut label = field(columns.label)?.to_owned();
	if let Some(midnight) = end_of_day(&label).filter(|_| args.label == Label::End) {
		label = midnight;
	}
	let second = moment_of(&place, columns.label.1, &label)?.as_second();
	let household = field(columns.household)?;
	if household.contains('/') {
		let what = format!("'{household}': a name must not contain '/'");
		return Err(place.fault(columns.household.1, what));
	}
	let energies = (given(columns.generation.0), given(columns.consumption.0));
	// An empty last column may be missing.
	let is_silent = energies == (None, None) && record.len() > columns.generation.0;
	let measured = match is_silent {
		true => None,
		false => Some(Measured {
			generation_wh: energy(&place, columns.generation.1, field(columns.generation)?, args)?,
			consumption_wh: energy(&place, columns.consumption.1, field(columns.consumption)?, args)?,
		}),
	};
	let outdoor_centi_c = columns
		.outdoor
		.and_then(given)
		.map(|text| temperature(&place, OUTDOOR, text).map(i32::from))
		.transpose()?;
	Ok(Row {
		line: place.line,
		label,
		second,
		household: household.into(),
		measured,
		outdoor_centi_c,
	})
}

/// An energy that a household's connection can carry. A meter's sentinel for "no value" is often far above that.
fn energy(place: &Location, column: &str, text: &str, args: &FileArgs) -> Result<u32, Fault> {
	let wh = energy_wh(place, column, text, args.format.numbers)?;
	let limit_wh = args.connection_limit;
	if wh > limit_wh {
		let what = format!(
			"{wh} Wh is more than a connection carries in a period, {limit_wh} Wh: if the value is right, raise the limit \
			 with --connection-limit"
		);
		return Err(place.fault(column, what));
	}
	Ok(wh)
}

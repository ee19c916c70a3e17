//! Groups rows into periods. The order of the rows does not matter, and what lacks becomes a gap.

use super::{rows::Row, Dataset, FileArgs, Label, Measured, Period};
use crate::{
	fault::{Fault, Location},
	values::later,
};
use std::{collections::BTreeMap, path::Path};

/// Length of the period of a file that has only one, s.
const USUAL_LENGTH: i64 = 30 * 60;
/// The longest gap that is played, s: longer ones are mostly a wrong date.
const MOST_GAP: i64 = 7 * 24 * 60 * 60;
const DAY: i64 = 24 * 60 * 60;

/// The rows of one moment.
struct Moment<'a> {
	second: i64,
	rows: &'a [Row],
}

/// Groups rows into periods of equal length without gaps between them.
pub fn group(path: &Path, mut rows: Vec<Row>, args: &FileArgs) -> Result<Dataset, Fault> {
	let mut households = Vec::new();
	let mut index = BTreeMap::new();
	for row in &rows {
		index.entry(row.household.clone()).or_insert_with(|| {
			households.push(row.household.clone());
			households.len() - 1
		});
	}
	rows.sort_by_key(|row| row.second);
	let moments: Vec<Moment> = rows
		.chunk_by(|a, b| a.second == b.second)
		.map(|rows| Moment {
			second: rows[0].second,
			rows,
		})
		.collect();
	let fault = |moment: &Moment, what: String| {
		let line = moment.rows[0].line;
		Location { path, line }.fault(args.label.columns()[0], what)
	};
	let length = length(&moments);
	if length % 60 != 0 || length > DAY {
		let what = format!("periods are {length} s apart: they must be whole minutes, at most a day");
		return Err(fault(&moments[0], what));
	}
	let offset = match args.label {
		Label::Start => 0,
		Label::End => -length,
	};
	let mut periods: Vec<Period> = Vec::new();
	let mut before: Option<&Moment> = None;
	for moment in &moments {
		let label = &moment.rows[0].label;
		let start = match offset {
			0 => label.clone(),
			// The text is a moment, or its row would have been refused. Only at the calendar's end is there no other one.
			offset => later(label, offset).unwrap_or_else(|| label.clone()),
		};
		if let Some(before) = before {
			let apart = moment.second - before.second;
			let (first, minutes) = (&before.rows[0].label, length / 60);
			if apart % length != 0 {
				let what = format!(
					"{label} is not a whole number of periods after {first}, the one before it: most are {minutes} minutes \
					 apart"
				);
				return Err(fault(moment, what));
			}
			if apart > MOST_GAP {
				let what = format!(
					"{label} is {} days after {first}, the one before it: a gap that is played has at most {} days. \
					 Correct the date, or play the parts one by one with --day",
					apart / DAY,
					MOST_GAP / DAY
				);
				return Err(fault(moment, what));
			}
			fill_gap(
				&mut periods,
				apart / length,
				length,
				outdoor(moment),
				households.len(),
			);
		}
		periods.push(Period {
			start,
			outdoor_centi_c: outdoor(moment),
			measured: one_period(path, moment.rows, households.len(), &index)?,
		});
		before = Some(moment);
	}
	Ok(Dataset {
		path: path.to_path_buf(),
		households,
		periods,
		// At most a day, as checked above.
		period_minutes: (length / 60) as u32,
	})
}

/// The time between two periods that is most frequent, s; the shorter one of two.
fn length(moments: &[Moment]) -> i64 {
	let mut counts = BTreeMap::<i64, u32>::new();
	for pair in moments.windows(2) {
		*counts.entry(pair[1].second - pair[0].second).or_default() += 1;
	}
	let most = counts.values().copied().max();
	let found = counts.into_iter().find(|(_, count)| Some(*count) == most);
	found.map_or(USUAL_LENGTH, |(apart, _)| apart)
}

fn outdoor(moment: &Moment) -> Option<i32> {
	moment.rows.iter().find_map(|row| row.outdoor_centi_c)
}

/// Adds the periods that lack all rows. Their outdoor temperature changes evenly from the period before the gap to the
/// one after it.
fn fill_gap(periods: &mut Vec<Period>, apart: i64, length: i64, after: Option<i32>, households: usize) {
	let Some(before) = periods.last() else { return };
	let (start, from) = (before.start.clone(), before.outdoor_centi_c);
	for step in 1..apart {
		let between = |(from, to): (i32, i32)| {
			let part = i64::from(to - from) * step / apart;
			from + part as i32
		};
		periods.push(Period {
			start: later(&start, step * length).unwrap_or_else(|| start.clone()),
			outdoor_centi_c: from.zip(after).map(between),
			measured: vec![None; households],
		});
	}
}

/// The data of one period in the order of the households, of whom each has at most one row.
fn one_period(
	path: &Path,
	rows: &[Row],
	households: usize,
	index: &BTreeMap<String, usize>,
) -> Result<Vec<Option<Measured>>, Fault> {
	let mut measured = vec![None; households];
	let mut seen = vec![false; households];
	for row in rows {
		let household = index[&row.household];
		if std::mem::replace(&mut seen[household], true) {
			let place = Location { path, line: row.line };
			let what = format!(
				"duplicate household '{}' in the period {}; if the clock went back in that hour, write the offset as well, \
				 as in +01:00",
				row.household, row.label
			);
			return Err(place.fault("household", what));
		}
		measured[household] = row.measured;
	}
	Ok(measured)
}

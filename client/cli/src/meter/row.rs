//! One reading as a meter gives it: a row of CSV, or a JSON object.

use crate::{
	chain::types::{Quality, Reading},
	fault::{Fault, Location},
	text::moment,
	values::{energy_wh, moment_of, temperature, Numbers, Unit},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
	fmt,
	time::{SystemTime, UNIX_EPOCH},
};

/// The column with the start of the era.
const START: &str = "period_start";
/// The indoor temperature at the era's end, degrees Celsius.
const INDOOR: &str = "indoor_c";
/// `measured`, the default, `estimated`, or `corrected`.
const QUALITY: &str = "quality";

/// The columns that must be present, each with its possible names.
pub fn required(unit: Unit) -> [&'static [&'static str]; 3] {
	[&[START], unit.generation(), unit.consumption()]
}

/// What the options say about readings.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reads {
	pub numbers: Numbers,
	/// The indoor temperature of readings without one, hundredths of a degree Celsius.
	pub indoor_centi_c: Option<i16>,
}

/// A reading of one era.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
	/// When the era began, ms since the Unix epoch.
	pub start_ms: u64,
	pub reading: Reading,
}

impl Row {
	/// Reads and checks the fields of a reading.
	pub fn read<'a>(
		place: &Location,
		field: impl Fn(&str) -> Option<&'a str>,
		reads: Reads,
	) -> Result<Self, Fault> {
		let Reads {
			numbers,
			indoor_centi_c,
		} = reads;
		let given = |name: &str| field(name).filter(|text| !text.is_empty());
		let must = |name: &str| given(name).ok_or_else(|| place.fault(name, "is missing"));
		let energy = |names: &[&str]| {
			let there = names.iter().find(|name| given(name).is_some());
			let name = there.or(names.first()).copied().unwrap_or_default();
			energy_wh(place, name, must(name)?, numbers)
		};
		let start = must(START)?;
		let start_ms = u64::try_from(moment_of(place, START, start)?.as_millisecond()).map_err(|_| {
			place.fault(
				START,
				format_args!("'{start}' is before 1970: a reading is from 1970 on"),
			)
		})?;
		let indoor_centi_c = match (given(INDOOR), indoor_centi_c) {
			(Some(text), _) => temperature(place, INDOOR, text)?,
			(None, Some(otherwise)) => otherwise,
			(None, None) => return Err(place.fault(INDOOR, "is missing, and there is no --indoor-c")),
		};
		let quality = match given(QUALITY) {
			None | Some("measured") => Quality::Measured,
			Some("estimated") => Quality::Estimated,
			Some("corrected") => Quality::Corrected,
			Some(text) => {
				return Err(place.fault(
					QUALITY,
					format_args!("'{text}' is neither measured nor estimated nor corrected"),
				))
			}
		};
		Ok(Self {
			start_ms,
			reading: Reading {
				generation_wh: energy(numbers.unit.generation())?,
				consumption_wh: energy(numbers.unit.consumption())?,
				indoor_centi_c,
				quality,
			},
		})
	}

	/// Reads a JSON object.
	pub fn from_json(place: &Location, json: &[u8], reads: Reads) -> Result<Self, Fault> {
		let object: serde_json::Map<String, Value> = serde_json::from_slice(json).map_err(|error| {
			let (path, line) = (place.path.display(), place.line);
			Fault::Input(format!(
				"{path}: row {line}: is not a JSON object with the fields of a reading: {error}"
			))
		})?;
		let texts: Vec<(String, String)> = object
			.into_iter()
			.filter_map(|(name, value)| match value {
				Value::Null => None,
				Value::String(text) => Some((name, text)),
				other => Some((name, other.to_string())),
			})
			.collect();
		let field = |name: &str| {
			let found = texts.iter().find(|(there, _)| there == name);
			found.map(|(_, text)| text.as_str())
		};
		Self::read(place, field, reads)
	}
}

impl fmt::Display for Row {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let Reading {
			generation_wh,
			consumption_wh,
			indoor_centi_c,
			quality,
		} = self.reading;
		let indoor_c = f64::from(indoor_centi_c) / 100.0;
		write!(
			f,
			"{generation_wh} Wh generated, {consumption_wh} Wh consumed, {indoor_c} °C"
		)?;
		match quality {
			Quality::Estimated => f.write_str(", estimated"),
			Quality::Corrected => f.write_str(", corrected"),
			Quality::Measured => Ok(()),
		}
	}
}

/// This machine's time, ms since the Unix epoch.
pub fn now_ms() -> u64 {
	let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
	u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// Prints a message about a reading.
pub fn tell(row: &Row, what: impl fmt::Display) {
	println!("{}  {row}  {what}", moment(row.start_ms));
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::path::Path;

	fn json(text: &str, indoor_centi_c: Option<i16>) -> Result<Row, String> {
		let place = Location {
			path: Path::new("homes/7"),
			line: 3,
		};
		let reads = Reads {
			indoor_centi_c,
			..Reads::default()
		};
		Row::from_json(&place, text.as_bytes(), reads).map_err(|fault| fault.to_string())
	}

	#[test]
	fn readings_are_read_with_units_and_defaults() {
		let row = json(
			r#"{"period_start":"2026-08-01T12:30:00+02:00","generation_wh":1200,"consumption_wh":"300",
				"indoor_c":21.456,"quality":"estimated","voltage":[1,2]}"#,
			None,
		);
		let reading = Reading {
			generation_wh: 1_200,
			consumption_wh: 300,
			indoor_centi_c: 2_146,
			quality: Quality::Estimated,
		};
		let start_ms = 1_785_580_200_000;
		assert_eq!(row, Ok(Row { start_ms, reading }));
		assert_eq!(moment(start_ms), "2026-08-01T10:30:00Z");
		let without =
			r#"{"period_start":"2026-08-01 10:30","generation_wh":0,"consumption_wh":1,"indoor_c":null}"#;
		let row = json(without, Some(-50)).unwrap();
		assert_eq!((row.start_ms, row.reading.indoor_centi_c), (start_ms, -50));
		assert_eq!(row.reading.quality, Quality::Measured);
	}

	#[test]
	fn mistakes_are_named() {
		let good = [
			(START, "\"2026-08-01T10:30Z\""),
			("generation_wh", "1"),
			("consumption_wh", "2"),
			(INDOOR, "20"),
			(QUALITY, "\"measured\""),
		];
		let with = |name: &str, value: &str| {
			let fields: Vec<_> = good
				.iter()
				.map(|(field, good)| format!("\"{field}\":{}", if *field == name { value } else { good }))
				.collect();
			json(&format!("{{{}}}", fields.join(",")), None)
		};
		assert!(with("", "").is_ok());
		for (name, value, said) in [
			(START, "\"noon\"", "'noon' is not a time"),
			(START, "\"2026-08-01\"", "'2026-08-01' is not a time"),
			(START, "\"1969-12-31T23:30:00Z\"", "from 1970 on"),
			(START, "null", "is missing"),
			("generation_wh", "-1", "-1 is negative"),
			(
				"generation_wh",
				"1000000001",
				"above the maximum of 1000000000 Wh",
			),
			(
				"consumption_wh",
				"1.5",
				"1.5 Wh is not a whole number of Wh; if the energies are in kWh, add --unit kwh",
			),
			(INDOOR, "200", "'200' is not a temperature"),
			(INDOOR, "null", "is missing, and there is no --indoor-c"),
			(
				QUALITY,
				"\"guessed\"",
				"'guessed' is neither measured nor estimated nor corrected",
			),
		] {
			let fault = with(name, value).expect_err(value);
			assert!(
				fault.starts_with(&format!("homes/7: row 3, column {name}: ")),
				"{fault}"
			);
			assert!(fault.contains(said), "{fault}");
		}
		for text in ["", "12", "[1]", "{"] {
			assert!(json(text, None)
				.unwrap_err()
				.contains("row 3: is not a JSON object"));
		}
	}
}

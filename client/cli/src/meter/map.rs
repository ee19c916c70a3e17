//! `--map`: where a meter's own messages have the fields of a reading.

use super::row::{Reads, Row};
use crate::{
	chain::types::{Quality, Reading},
	fault::{Fault, Location},
	values::{centi_c, energy_wh, moment, Unit},
};
use serde_json::Value;
use serde_json_path::JsonPath;

/// The fields that can be mapped, as they are named in the option.
const FIELDS: [&str; 6] = [
	"time",
	"generation",
	"consumption",
	"generation-register",
	"consumption-register",
	"indoor",
];
/// Maximum value of a register, Wh.
const MOST_WH: f64 = 1e12;
/// Numbers above this are times in ms, others in s: the year 5138 in s, 1973 in ms.
const MOST_SECONDS: f64 = 1e11;

/// Where to find each field: a JSONPath (RFC 9535).
#[derive(Clone, Debug, Default)]
pub struct Map {
	paths: [Option<JsonPath>; FIELDS.len()],
}

/// What a message of registers says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
	/// ms since the Unix epoch.
	pub at_ms: u64,
	/// The registers, thousandths of a Wh. One that is not mapped stays 0.
	pub generation: u64,
	pub consumption: u64,
	pub indoor_centi_c: i16,
}

impl Map {
	/// Reads the option: `FIELD=PATH`, several separated by commas.
	pub fn parse(text: &str) -> Result<Self, String> {
		let mut map = Self::default();
		for part in parts(text) {
			let (name, path) = part.split_once('=').ok_or_else(|| {
				format!("'{part}' is not FIELD=PATH, such as generation=$.ENERGY.ExportToday")
			})?;
			let index = FIELDS.iter().position(|field| *field == name.trim());
			let index =
				index.ok_or_else(|| format!("'{name}' is no field; the fields are {}", FIELDS.join(", ")))?;
			let parsed = JsonPath::parse(path.trim()).map_err(|error| format!("'{path}': {error}"))?;
			if map.paths[index].replace(parsed).is_some() {
				return Err(format!("{name} is mapped twice"));
			}
		}
		map.check()?;
		Ok(map)
	}

	fn check(&self) -> Result<(), String> {
		let has = |name: &str| self.path(name).is_some();
		let (energies, registers) = (
			has("generation") || has("consumption"),
			has("generation-register") || has("consumption-register"),
		);
		match (energies, registers) {
			(false, false) => Err("no energy is mapped".into()),
			(true, true) => Err("registers and energies of an era cannot be mixed".into()),
			(true, false) if !has("time") => {
				Err("energies of an era need time, the moment at which the era began".into())
			}
			_ => Ok(()),
		}
	}

	/// Whether the meter reports registers, which only ever count up.
	pub fn has_registers(&self) -> bool {
		self.path("generation-register").is_some() || self.path("consumption-register").is_some()
	}

	fn path(&self, name: &str) -> Option<&JsonPath> {
		let index = FIELDS.iter().position(|field| *field == name)?;
		self.paths[index].as_ref()
	}

	/// The value of a field, if it is mapped and the message has it.
	fn value<'a>(&self, name: &str, message: &'a Value) -> Option<&'a Value> {
		let found = self.path(name)?.query(message).first()?;
		(!found.is_null()).then_some(found)
	}

	/// The reading of an era that a message has.
	pub fn row(&self, place: &Location, message: &Value, reads: Reads) -> Result<Row, Fault> {
		let energy = |name: &str| match self.path(name) {
			// Who has no solar panels maps no generation.
			None => Ok(0),
			Some(_) => {
				let text = self.text(place, name, message)?;
				energy_wh(place, name, &text, reads.numbers)
			}
		};
		Ok(Row {
			start_ms: self
				.time(place, message)?
				.ok_or_else(|| place.fault("time", "is missing"))?,
			reading: Reading {
				generation_wh: energy("generation")?,
				consumption_wh: energy("consumption")?,
				indoor_centi_c: self.indoor(place, message, reads)?,
				quality: Quality::Measured,
			},
		})
	}

	/// The registers that a message has. A message without a mapped time counts as of now.
	pub fn sample(
		&self,
		place: &Location,
		message: &Value,
		reads: Reads,
		now_ms: u64,
	) -> Result<Sample, Fault> {
		let register = |name: &str| -> Result<u64, Fault> {
			if self.path(name).is_none() {
				return Ok(0);
			}
			let text = self.text(place, name, message)?;
			let number: Option<f64> = match reads.numbers.decimal_comma {
				true => text.replace(',', ".").parse().ok(),
				false => text.parse().ok(),
			};
			let wh = number.map(|number| match reads.numbers.unit {
				Unit::Wh => number,
				Unit::Kwh => number * 1_000.0,
			});
			// Far more than any register has, and far below what a number holds exactly.
			wh.filter(|wh| (0.0..=MOST_WH).contains(wh))
				.map(|wh| (wh * 1_000.0).round() as u64)
				.ok_or_else(|| place.fault(name, format_args!("'{text}' is not a register's value")))
		};
		Ok(Sample {
			at_ms: self.time(place, message)?.unwrap_or(now_ms),
			generation: register("generation-register")?,
			consumption: register("consumption-register")?,
			indoor_centi_c: self.indoor(place, message, reads)?,
		})
	}

	/// A mapped field as text.
	fn text(&self, place: &Location, name: &str, message: &Value) -> Result<String, Fault> {
		match self.value(name, message) {
			Some(Value::String(text)) => Ok(text.trim().into()),
			Some(Value::Number(number)) => Ok(number.to_string()),
			Some(other) => Err(place.fault(name, format_args!("{other} is neither a number nor a text"))),
			None => Err(place.fault(name, "is missing")),
		}
	}

	/// The mapped time, ms since the Unix epoch: ISO 8601, or a number of seconds or milliseconds.
	fn time(&self, place: &Location, message: &Value) -> Result<Option<u64>, Fault> {
		let Some(value) = self.value("time", message) else {
			return match self.path("time") {
				Some(_) => Err(place.fault("time", "is missing")),
				None => Ok(None),
			};
		};
		let ms = match value {
			Value::String(text) => moment(text.trim()).and_then(|at| u64::try_from(at.as_millisecond()).ok()),
			Value::Number(number) => number.as_f64().filter(|number| *number >= 0.0).map(|number| {
				let ms = if number < MOST_SECONDS {
					number * 1_000.0
				} else {
					number
				};
				ms.round() as u64
			}),
			_ => None,
		};
		let ms = ms.ok_or_else(|| place.fault("time", format_args!("{value} is not a time from 1970 on")))?;
		Ok(Some(ms))
	}

	fn indoor(&self, place: &Location, message: &Value, reads: Reads) -> Result<i16, Fault> {
		if self.value("indoor", message).is_none() {
			return reads
				.indoor_centi_c
				.ok_or_else(|| place.fault("indoor", "is missing, and there is no --indoor-c"));
		}
		let text = self.text(place, "indoor", message)?;
		centi_c(&text).ok_or_else(|| {
			let what = format_args!("'{text}' is not a temperature from -100 to 100 degrees Celsius");
			place.fault("indoor", what)
		})
	}
}

/// Splits at the commas before a field. A path may have commas of its own.
fn parts(text: &str) -> Vec<&str> {
	let begins_field = |rest: &str| {
		let rest = rest.trim_start();
		FIELDS.iter().any(|field| {
			rest.strip_prefix(field)
				.is_some_and(|rest| rest.trim_start().starts_with('='))
		})
	};
	let mut parts = Vec::new();
	let mut from = 0;
	for (at, _) in text.match_indices(',') {
		if begins_field(&text[at + 1..]) {
			parts.push(&text[from..at]);
			from = at + 1;
		}
	}
	parts.push(&text[from..]);
	parts
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::values::Numbers;
	use serde_json::json;
	use std::path::Path;

	const KWH: Reads = Reads {
		numbers: Numbers {
			unit: Unit::Kwh,
			decimal_comma: false,
		},
		indoor_centi_c: Some(2_100),
	};

	fn place() -> Location<'static> {
		Location {
			path: Path::new("tele/meter/SENSOR"),
			line: 4,
		}
	}

	fn sample(map: &str, message: &Value, reads: Reads) -> Result<Sample, String> {
		let map = Map::parse(map).unwrap();
		let sample = map.sample(&place(), message, reads, 77);
		sample.map_err(|fault| fault.to_string())
	}

	/// Messages in the shapes that the makers document.
	#[test]
	fn meters_that_people_have_are_read() {
		// Tasmota with a reading head on a smart meter (SML), kWh.
		let tasmota = json!({"Time":"2026-08-01T12:29:58","SML":{"Total_in":12345.6789,"Total_out":2345.5,"Power":-310}});
		let map = "time=$.Time,generation-register=$.SML.Total_out,consumption-register=$.SML.Total_in";
		let read = sample(map, &tasmota, KWH).unwrap();
		assert_eq!(read.at_ms, 1_785_587_398_000);
		assert_eq!(
			(read.generation, read.consumption),
			(2_345_500_000, 12_345_678_900)
		);
		// Shelly Pro 3EM, component emdata:0, Wh. It has no time.
		let shelly = json!({"id":0,"a_total_act_energy":1.5,"total_act":1234567.89,"total_act_ret":123.4});
		let wh = Reads {
			indoor_centi_c: Some(2_100),
			..Reads::default()
		};
		let map = "consumption-register=$.total_act,generation-register=$.total_act_ret";
		let read = sample(map, &shelly, wh).unwrap();
		assert_eq!(
			(read.at_ms, read.generation, read.consumption),
			(77, 123_400, 1_234_567_890)
		);
		// zigbee2mqtt: a metering plug or a DIN-rail meter, kWh; the time only if last_seen is switched on.
		let zigbee = json!({"energy":"120.25","produced_energy":3.5,"last_seen":"2026-08-01T14:29:58+02:00"});
		let map = "time=$.last_seen,consumption-register=$.energy,generation-register=$.produced_energy";
		let read = sample(map, &zigbee, KWH).unwrap();
		assert_eq!((read.at_ms, read.consumption), (1_785_587_398_000, 120_250_000));
		// Home Assistant's statestream: the bare state of one sensor.
		let read = sample("consumption-register=$", &json!(321.5), KWH).unwrap();
		assert_eq!((read.generation, read.consumption), (0, 321_500_000));
		// Times in s and in ms.
		for (time, ms) in [
			(json!(1_785_587_398), 1_785_587_398_000),
			(json!(1_785_587_398_500_u64), 1_785_587_398_500),
		] {
			let read = sample(
				"time=$.ts,consumption-register=$.e",
				&json!({"ts":time,"e":1}),
				KWH,
			)
			.unwrap();
			assert_eq!(read.at_ms, ms);
		}
	}

	#[test]
	fn energies_of_an_era_are_read_from_any_field() {
		let map =
			Map::parse("time=$.from,generation=$.pv['wh'],consumption=$.load[0].wh,indoor=$.room").unwrap();
		let message =
			json!({"from":"2026-08-01T12:00Z","pv":{"wh":900},"load":[{"wh":"300"},{"wh":7}],"room":21.5});
		let row = map.row(&place(), &message, Reads::default()).unwrap();
		assert_eq!(row.start_ms, 1_785_585_600_000);
		assert_eq!(
			(row.reading.generation_wh, row.reading.consumption_wh),
			(900, 300)
		);
		assert_eq!(row.reading.indoor_centi_c, 2_150);
	}

	#[test]
	fn mistakes_are_named() {
		for (map, said) in [
			("", "is not FIELD=PATH"),
			(
				"power=$.p",
				"'power' is no field; the fields are time, generation",
			),
			("generation=ENERGY", "'ENERGY': "),
			("time=$.t", "no energy is mapped"),
			("generation=$.a", "need time"),
			(
				"generation-register=$.a,consumption=$.b,time=$.t",
				"cannot be mixed",
			),
			("generation-register=$.a,generation-register=$.b", "mapped twice"),
		] {
			let refused = Map::parse(map).expect_err(map);
			assert!(refused.contains(said), "{refused}");
		}
		for (message, said) in [
			(
				json!({"t":"noon","e":1}),
				"column time: \"noon\" is not a time from 1970 on",
			),
			(json!({"e":1}), "column time: is missing"),
			(json!({"t":5,"e":null}), "column consumption-register: is missing"),
			(
				json!({"t":5,"e":-1}),
				"column consumption-register: '-1' is not a register's value",
			),
			(
				json!({"t":5,"e":[1]}),
				"column consumption-register: [1] is neither a number nor a text",
			),
		] {
			let refused = sample("time=$.t,consumption-register=$.e", &message, KWH).unwrap_err();
			assert_eq!(refused, format!("tele/meter/SENSOR: row 4, {said}"));
		}
	}
}

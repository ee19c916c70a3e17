//! One grammar for the values of CSV files, JSON objects and messages: moments, energies and temperatures.

use crate::fault::{Fault, Location};
use clap::{Args, ValueEnum};
use commonwatt_market::game::MAX_ENERGY_WH;
use jiff::{civil::DateTime, tz::TimeZone, SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A moment in ISO 8601: a date and a time with minutes, separated by `T` or a space; seconds with or without a
/// fraction; `Z`, an offset such as `+01:00`, or neither, which counts as UTC.
pub fn moment(text: &str) -> Option<Timestamp> {
	if let Ok(moment) = text.parse() {
		return Some(moment);
	}
	// A date alone would count as its midnight.
	let civil: DateTime = text.contains(':').then(|| text.parse().ok())??;
	Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// The hour of the day that a moment's text names, in the text's own zone.
pub fn time_of_day(text: &str) -> Option<f64> {
	let civil = civil(text)?;
	Some(f64::from(civil.hour()) + f64::from(civil.minute()) / 60.0)
}

/// The date and time that a moment's text names, in the text's own zone.
pub fn civil(text: &str) -> Option<DateTime> {
	text.trim_end_matches(['Z', 'z']).parse().ok()
}

/// The text of a moment some seconds later (or earlier), written like the text.
pub fn later(text: &str, seconds: i64) -> Option<String> {
	let later = civil(text)?
		.checked_add(SignedDuration::from_secs(seconds))
		.ok()?;
	// After date and time, only an offset has a sign.
	let zone = text
		.char_indices()
		.skip("YYYY-MM-DDT".len())
		.find(|(_, letter)| matches!(letter, 'Z' | 'z' | '+' | '-'));
	let zone = zone.map_or("", |(at, _)| &text[at..]);
	let later = match text.contains(' ') {
		true => later.to_string().replace('T', " "),
		false => later.to_string(),
	};
	Some(format!("{later}{zone}"))
}

/// The text with midnight at the day's end, 24:00, written as the next day's 00:00; `None` if it names another time.
pub fn end_of_day(text: &str) -> Option<String> {
	let at = text.find("24:00")?;
	let is_time = at == "YYYY-MM-DDT".len();
	let midnight = format!("{}00:00{}", text.get(..at)?, text.get(at + "24:00".len()..)?);
	let is_midnight = civil(&midnight)?.time() == jiff::civil::Time::midnight();
	(is_time && is_midnight).then(|| later(&midnight, 24 * 60 * 60))?
}

/// A field that must hold a moment.
pub fn moment_of(location: &Location, column: &str, text: &str) -> Result<Timestamp, Fault> {
	moment(text).ok_or_else(|| {
		let what = match end_of_day(text) {
			Some(_) => format!(
				"'{text}' can only name the end of a period: in replay, report and lambda add --label end"
			),
			None => {
				format!("'{text}' is not a time like 2016-08-01T00:30:00 or 2016-08-01T00:30:00+01:00")
			}
		};
		location.fault(column, what)
	})
}

/// How energies are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Args, Serialize, Deserialize)]
pub struct Numbers {
	/// Unit of the energies
	#[arg(long, value_enum, default_value_t)]
	pub unit: Unit,

	/// Numbers have a decimal comma instead of a point
	#[arg(long)]
	pub decimal_comma: bool,
}

/// A unit of energy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub enum Unit {
	/// Watt hours
	#[default]
	Wh,
	/// Kilowatt hours; the columns may be called generation_kwh and consumption_kwh
	Kwh,
}

impl Unit {
	/// Names of the column with the generation, the preferred one first. Who names the unit may keep the usual name.
	pub fn generation(self) -> &'static [&'static str] {
		match self {
			Self::Wh => &["generation_wh"],
			Self::Kwh => &["generation_kwh", "generation_wh"],
		}
	}

	/// The same for the consumption.
	pub fn consumption(self) -> &'static [&'static str] {
		match self {
			Self::Wh => &["consumption_wh"],
			Self::Kwh => &["consumption_kwh", "consumption_wh"],
		}
	}

	/// Decimal places of a whole number of Wh.
	fn decimals(self) -> usize {
		match self {
			Self::Wh => 0,
			Self::Kwh => 3,
		}
	}
}

impl std::fmt::Display for Unit {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.write_str(match self {
			Self::Wh => "Wh",
			Self::Kwh => "kWh",
		})
	}
}

/// A whole number of Wh, at most 1 GWh. Spreadsheets write it as `400.0`, so zeros after a point are allowed.
pub fn energy_wh(location: &Location, column: &str, text: &str, numbers: Numbers) -> Result<u32, Fault> {
	let Numbers { unit, decimal_comma } = numbers;
	let (point, other) = if decimal_comma { (',', '.') } else { ('.', ',') };
	let (whole, fraction) = text.split_once(point).unwrap_or((text, "0"));
	let is_number = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
	let digits = whole.strip_prefix(['-', '+']).unwrap_or(whole);
	if !(is_number(digits) && is_number(fraction)) {
		let has_other = text
			.split_once(other)
			.is_some_and(|(whole, fraction)| is_number(whole) && is_number(fraction));
		let what = match (has_other, decimal_comma) {
			(true, false) => format!("'{text}' has a decimal comma: add --decimal-comma"),
			(true, true) => format!("'{text}' has a decimal point: leave out --decimal-comma"),
			(false, _) => format!("'{text}' is not a whole number of Wh"),
		};
		return Err(location.fault(column, what));
	}
	let decimals = unit.decimals();
	let (kept, rest) = fraction.split_at(decimals.min(fraction.len()));
	if rest.bytes().any(|digit| digit != b'0') {
		let hint = match unit {
			Unit::Wh => "; if the energies are in kWh, add --unit kwh",
			Unit::Kwh => "",
		};
		let what = format!("{text} {unit} is not a whole number of Wh{hint}");
		return Err(location.fault(column, what));
	}
	let above = || {
		let what = format!("{text} {unit} is above the maximum of {MAX_ENERGY_WH} Wh in one period");
		location.fault(column, what)
	};
	// More digits than any number has only if it is above the maximum.
	let wh: u128 = format!("{digits}{kept:0<decimals$}")
		.parse()
		.map_err(|_| above())?;
	if whole.starts_with('-') && wh > 0 {
		return Err(location.fault(column, format_args!("{text} is negative")));
	}
	match u32::try_from(wh) {
		Ok(wh) if wh <= MAX_ENERGY_WH => Ok(wh),
		_ => Err(above()),
	}
}

/// Degrees Celsius, -100 to 100, as hundredths of a degree.
pub fn centi_c(text: &str) -> Option<i16> {
	let degrees: f64 = text.parse().ok()?;
	(-100.0..=100.0)
		.contains(&degrees)
		.then(|| (degrees * 100.0).round() as i16)
}

/// A field that must hold a temperature in degrees Celsius.
pub fn temperature(location: &Location, column: &str, text: &str) -> Result<i16, Fault> {
	centi_c(text).ok_or_else(|| {
		let what = format_args!("'{text}' is not a temperature from -100 to 100 degrees Celsius");
		location.fault(column, what)
	})
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::path::Path;

	#[test]
	fn moments_are_read_and_ordered() {
		let ordered = [
			"2015-12-31T23:30",
			"2016-01-01T00:00:00",
			"2016-01-01T00:30:00Z",
			"2016-01-01 01:00:00.0000000",
			"2016-01-01T02:30:00+01:00",
			"2016-02-29T00:00:00",
			"2016-03-01T00:00:00",
			"2016-03-01 00:30",
		];
		let moments: Vec<_> = ordered.iter().map(|text| moment(text).expect(text)).collect();
		assert!(moments.windows(2).all(|pair| pair[0] < pair[1]), "{moments:?}");
	}

	#[test]
	fn clock_that_goes_back_leaves_no_gap() {
		// A night in autumn: 02:30 in summer time is half an hour before 02:00 in winter time.
		let [summer, winter] = ["2020-10-25T02:30:00+02:00", "2020-10-25T02:00:00+01:00"].map(moment);
		let apart = winter.unwrap().as_second() - summer.unwrap().as_second();
		assert_eq!(apart, 30 * 60);
	}

	#[test]
	fn time_of_day_is_that_of_the_text() {
		for (text, hour) in [
			("2016-01-01T00:30:00Z", 0.5),
			("2016-01-01 13:45", 13.75),
			("2016-01-01T02:30:00+01:00", 2.5),
		] {
			assert_eq!(time_of_day(text), Some(hour), "{text}");
		}
	}

	#[test]
	fn months_have_their_days() {
		let [last, first] = ["2021-06-30T23:30:00", "2021-07-01T00:00:00"].map(moment);
		assert_eq!(first.unwrap().as_second() - last.unwrap().as_second(), 30 * 60);
	}

	#[test]
	fn later_moments_are_written_alike() {
		for (text, seconds, later_text) in [
			("2021-07-31T23:30:00", 1_800, "2021-08-01T00:00:00"),
			("2021-08-01 00:00:00Z", -1_800, "2021-07-31 23:30:00Z"),
			("2020-10-25T01:30:00+01:00", 1_800, "2020-10-25T02:00:00+01:00"),
			("2012-10-12 00:30", 60, "2012-10-12 00:31:00"),
		] {
			assert_eq!(later(text, seconds).as_deref(), Some(later_text), "{text}");
		}
	}

	#[test]
	fn midnight_at_the_end_of_a_day_is_the_next_days_beginning() {
		for (text, next) in [
			("2021-07-31T24:00:00", Some("2021-08-01T00:00:00")),
			("2021-12-31 24:00", Some("2022-01-01 00:00:00")),
			("2021-07-31T24:00:00+02:00", Some("2021-08-01T00:00:00+02:00")),
			("2021-07-31T24:00:01", None),
			("2021-07-31T24:30", None),
			("2021-07-31T23:24:00", None),
		] {
			assert_eq!(end_of_day(text).as_deref(), next, "{text}");
		}
	}

	#[test]
	fn other_texts_are_no_moments() {
		for text in [
			"",
			"2016-08-01",
			"2016-13-01T00:00:00",
			"2015-02-29T00:00:00",
			"2016-08-01T24:00:00",
			"2016-08-01T00:60:00",
			"16-08-01T00:00:00",
			"2016-08-01T0:00:00",
			"2016-08-01T00",
			"yesterdayTnoon",
		] {
			assert_eq!(moment(text), None, "{text}");
		}
	}

	#[test]
	fn energies_are_whole_numbers_in_range() {
		let location = Location {
			path: Path::new("f.csv"),
			line: 2,
		};
		let numbers = Numbers::default();
		let of = |text, numbers| {
			energy_wh(&location, "consumption_wh", text, numbers).map_err(|fault| fault.to_string())
		};
		for (text, wh) in [
			("0", 0),
			("400", 400),
			("400.0", 400),
			("400.000", 400),
			("1000000000", 1_000_000_000),
		] {
			assert_eq!(of(text, numbers), Ok(wh), "{text}");
		}
		for (text, says) in [
			(
				"400.5",
				"400.5 Wh is not a whole number of Wh; if the energies are in kWh, add --unit kwh",
			),
			("0,4", "'0,4' has a decimal comma: add --decimal-comma"),
			("", "'' is not a whole number of Wh"),
			("-", "'-' is not a whole number of Wh"),
			("400.", "'400.' is not a whole number of Wh"),
			("4e2", "'4e2' is not a whole number of Wh"),
			("-1", "-1 is negative"),
			(
				"1000000001",
				"1000000001 Wh is above the maximum of 1000000000 Wh in one period",
			),
		] {
			let fault = of(text, numbers).expect_err(text);
			assert!(fault.ends_with(says), "{fault}");
		}
		let kwh = Numbers {
			unit: Unit::Kwh,
			decimal_comma: true,
		};
		for (text, wh) in [
			("0,4", 400),
			("12", 12_000),
			("0,0010", 1),
			("1000000", 1_000_000_000),
		] {
			assert_eq!(of(text, kwh), Ok(wh), "{text}");
		}
		for (text, says) in [
			("0,0005", "0,0005 kWh is not a whole number of Wh"),
			("0.4", "'0.4' has a decimal point: leave out --decimal-comma"),
			("1000000,001", "above the maximum of 1000000000 Wh in one period"),
			(
				"99999999999999999999999999999999999999999",
				"above the maximum of 1000000000 Wh in one period",
			),
			("-0,001", "-0,001 is negative"),
		] {
			let fault = of(text, kwh).expect_err(text);
			assert!(fault.ends_with(says), "{fault}");
		}
	}
}

//! One grammar for the values of CSV files, JSON objects and messages: moments, energies and temperatures.

use crate::fault::{Fault, Location};
use commonwatt_market::game::MAX_ENERGY_WH;
use jiff::{civil::DateTime, tz::TimeZone, Timestamp};

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
	let civil: DateTime = text.trim_end_matches(['Z', 'z']).parse().ok()?;
	Some(f64::from(civil.hour()) + f64::from(civil.minute()) / 60.0)
}

/// A field that must hold a moment.
pub fn moment_of(location: &Location, column: &str, text: &str) -> Result<Timestamp, Fault> {
	moment(text).ok_or_else(|| {
		let what =
			format_args!("'{text}' is not a time like 2016-08-01T00:30:00 or 2016-08-01T00:30:00+01:00");
		location.fault(column, what)
	})
}

/// A whole number of Wh, at most 1 GWh. Spreadsheets write it as `400.0`, so zeros after a point are allowed.
pub fn energy_wh(location: &Location, column: &str, text: &str) -> Result<u32, Fault> {
	let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
	let is_whole = !fraction.is_empty() && fraction.bytes().all(|digit| digit == b'0');
	match whole.parse::<i128>().ok().filter(|_| is_whole) {
		Some(wh) if wh < 0 => Err(location.fault(column, format_args!("{text} is negative"))),
		Some(wh) if wh > i128::from(MAX_ENERGY_WH) => Err(location.fault(
			column,
			format_args!("{text} Wh is above the maximum of {MAX_ENERGY_WH} Wh in one period"),
		)),
		Some(wh) => Ok(wh as u32),
		None => Err(location.fault(column, format_args!("'{text}' is not a whole number of Wh"))),
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
		let of = |text| energy_wh(&location, "consumption_wh", text).map_err(|fault| fault.to_string());
		for (text, wh) in [
			("0", 0),
			("400", 400),
			("400.0", 400),
			("400.000", 400),
			("1000000000", 1_000_000_000),
		] {
			assert_eq!(of(text), Ok(wh), "{text}");
		}
		for (text, says) in [
			("400.5", "'400.5' is not a whole number of Wh"),
			("400.", "'400.' is not a whole number of Wh"),
			("4e2", "'4e2' is not a whole number of Wh"),
			("-1", "-1 is negative"),
			(
				"1000000001",
				"1000000001 Wh is above the maximum of 1000000000 Wh in one period",
			),
		] {
			let fault = of(text).expect_err(text);
			assert!(fault.ends_with(says), "{fault}");
		}
	}
}

//! Files as people have them: `tests/cases/` and small texts.

use super::*;
use crate::values::{Numbers, Unit};
use clap::Parser;

/// The options as a command reads them.
#[derive(Parser)]
struct Options {
	#[command(flatten)]
	file: FileArgs,
}

fn options(given: &[&str]) -> FileArgs {
	Options::try_parse_from([&["test"], given].concat())
		.expect("the options are valid")
		.file
}

fn case(name: &str, given: &[&str]) -> Result<Dataset, String> {
	let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
	Dataset::read(&folder.join(name), &options(given)).map_err(|fault| fault.to_string())
}

fn text(contents: &str, given: &[&str]) -> Result<Dataset, String> {
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().join("meters.csv");
	std::fs::write(&path, contents).unwrap();
	let read = Dataset::read(&path, &options(given));
	read.map_err(|fault| {
		fault
			.to_string()
			.replace(&format!("{}/", folder.path().display()), "")
	})
}

/// Starts of the periods, and the consumption of each household in each.
fn consumption(data: &Dataset) -> Vec<(&str, Vec<Option<u32>>)> {
	let of = |period: &Period| -> Vec<Option<u32>> {
		let measured = period.measured.iter();
		measured
			.map(|known| known.map(|measured| measured.consumption_wh))
			.collect()
	};
	let periods = data.periods.iter();
	periods
		.map(|period| (period.start.as_str(), of(period)))
		.collect()
}

#[test]
fn options_have_their_defaults() {
	let FileArgs {
		day,
		first,
		label,
		connection_limit,
		format,
	} = options(&[]);
	assert_eq!(
		(day, first, label, connection_limit),
		(None, None, Label::Start, 100_000)
	);
	assert_eq!(format, Format::default());
	let given = options(&["--delimiter", "tab", "--unit", "kwh", "--decimal-comma"]);
	let numbers = Numbers {
		unit: Unit::Kwh,
		decimal_comma: true,
	};
	assert_eq!((given.format.delimiter.0, given.format.numbers), (b'\t', numbers));
	for wrong in [
		["--delimiter", ";;"],
		["--delimiter", "a"],
		["--day", "2021-07"],
		["--day", "2021-07-3"],
		["--label", "middle"],
	] {
		assert!(
			Options::try_parse_from([["test"].as_slice(), &wrong].concat()).is_err(),
			"{wrong:?}"
		);
	}
}

#[test]
fn clock_that_goes_back_makes_no_gap() {
	let data = case("offset-timestamps.csv", &[]).unwrap();
	assert_eq!(data.period_minutes, 30);
	let starts: Vec<&str> = data.periods.iter().map(|period| period.start.as_str()).collect();
	assert_eq!(
		starts,
		[
			"2020-10-25T01:00:00+01:00",
			"2020-10-25T01:30:00+01:00",
			"2020-10-25T01:00:00+00:00",
			"2020-10-25T01:30:00+00:00",
		]
	);
	assert_eq!(data.gaps(), [""; 0]);
	// Without offsets the hour that comes twice is one hour.
	let local = "period_start,household,generation_wh,consumption_wh\n2020-10-25T01:00:00,a,0,1\n2020-10-25T01:00:00,a,0,2\n";
	let refused = text(local, &[]).unwrap_err();
	assert_eq!(
		refused,
		"meters.csv: row 3, column household: duplicate household 'a' in the period 2020-10-25T01:00:00; if the clock went \
		 back in that hour, write the offset as well, as in +01:00"
	);
}

#[test]
fn fractions_of_a_second_and_whole_numbers_with_a_point_are_taken() {
	let data = case("fractional-seconds.csv", &[]).unwrap();
	let wh = consumption(&data);
	assert_eq!(wh[0], ("2012-10-12 00:30:00.0000000", vec![Some(210)]));
	assert_eq!(wh[1], ("2012-10-12 01:00:00.0000000", vec![Some(180)]));
	let data = case("whole-floats.csv", &[]).unwrap();
	assert_eq!(consumption(&data)[0].1, [Some(400), Some(150)]);
}

#[test]
fn gap_of_all_homes_becomes_periods_without_readings() {
	let data = case("gap-all-homes.csv", &[]).unwrap();
	let none = vec![None, None];
	let known = vec![Some(900), Some(350)];
	let expected = vec![
		("2021-07-31T10:00:00", known.clone()),
		("2021-07-31T10:30:00", known.clone()),
		("2021-07-31T11:00:00", none.clone()),
		("2021-07-31T11:30:00", none.clone()),
		("2021-07-31T12:00:00", none.clone()),
		("2021-07-31T12:30:00", none.clone()),
		("2021-07-31T13:00:00", none),
		("2021-07-31T13:30:00", known.clone()),
		("2021-07-31T14:00:00", known),
	];
	let wh = consumption(&data);
	assert_eq!(wh[..expected.len()], expected);
	assert!(data.periods[..expected.len()]
		.iter()
		.all(|period| period.outdoor_centi_c == Some(3_000)));
	assert_eq!(
		data.gaps()[0],
		"no household has a reading in the 5 periods from 2021-07-31T11:00:00 to 2021-07-31T13:00:00: they are eras without \
		 readings"
	);
}

#[test]
fn outdoor_temperature_goes_in_a_line_through_a_gap() {
	let data = text(
		"period_start,household,generation_wh,consumption_wh,outdoor_c\n2021-07-31T10:00,a,0,1,20\n\
		 2021-07-31T10:30,a,0,1,22\n2021-07-31T11:00,a,0,1,24\n2021-07-31T13:00,a,0,1,16\n",
		&[],
	)
	.unwrap();
	let outdoor: Vec<Option<i32>> = data.periods.iter().map(|period| period.outdoor_centi_c).collect();
	let expected = [2_000, 2_200, 2_400, 2_200, 2_000, 1_800, 1_600].map(Some);
	assert_eq!(outdoor, expected);
}

#[test]
fn home_that_lacks_a_period_is_silent_in_it() {
	let data = case("gap-one-home.csv", &[]).unwrap();
	assert_eq!(
		consumption(&data),
		[
			("2021-07-31T10:00:00", vec![Some(400), Some(150)]),
			("2021-07-31T10:30:00", vec![Some(410), None]),
			("2021-07-31T11:00:00", vec![Some(420), Some(160)]),
		]
	);
	let said = "b has no reading in the period 2021-07-31T10:30:00: its meter is silent there";
	assert_eq!(data.gaps(), [said]);
	let data = case("empty-cell.csv", &[]).unwrap();
	assert_eq!(consumption(&data)[1].1, [Some(410), None]);
	assert_eq!(data.gaps(), [said]);
}

#[test]
fn order_of_rows_does_not_matter() {
	let by_home = case("home-by-home.csv", &[]).unwrap();
	assert_eq!(
		consumption(&by_home),
		[
			("2021-07-31T10:00:00", vec![Some(400), Some(150)]),
			("2021-07-31T10:30:00", vec![Some(410), Some(150)]),
		]
	);
	let header = "period_start,household,generation_wh,consumption_wh\n";
	let rows = [
		"2021-07-31T10:00,a,1,1\n",
		"2021-07-31T10:30,b,2,2\n",
		"2021-07-31T10:30,a,3,3\n",
		"2021-07-31T10:00,b,4,4\n",
	];
	let of = |order: [usize; 4]| {
		let text: String = order.map(|row| rows[row]).concat();
		super::tests::text(&format!("{header}{text}"), &[]).unwrap()
	};
	let periods = |data: Dataset| data.periods;
	assert_eq!(periods(of([0, 1, 2, 3])), periods(of([0, 3, 2, 1])));
	assert_eq!(periods(of([0, 1, 2, 3])), periods(of([2, 1, 0, 3])));
}

#[test]
fn end_of_a_month_changes_nothing() {
	let (month_end, mid_month) = (
		case("month-end.csv", &[]).unwrap(),
		case("mid-month-same-rows.csv", &[]).unwrap(),
	);
	assert_eq!((month_end.period_minutes, mid_month.period_minutes), (30, 30));
	let values = |data: &Dataset| -> Vec<Vec<Option<Measured>>> {
		let periods = data.periods.iter();
		periods.map(|period| period.measured.clone()).collect()
	};
	assert_eq!(values(&month_end), values(&mid_month));
}

#[test]
fn periods_may_be_named_by_their_ends() {
	let refused = case("end-labels-24h.csv", &[]).unwrap_err();
	assert!(
		refused.ends_with(
			"row 4, column period_start: '2021-07-31T24:00:00' can only name the end of a period: in replay, report and \
			 lambda add --label end"
		),
		"{refused}"
	);
	let data = case("end-labels-24h.csv", &["--label", "end", "--day", "2021-07-31"]).unwrap();
	assert_eq!(
		consumption(&data),
		[
			("2021-07-31T23:00:00", vec![Some(400), Some(150)]),
			("2021-07-31T23:30:00", vec![Some(400), Some(150)]),
		]
	);
	let ends = "period_end,household,generation_wh,consumption_wh\n2021-08-01T00:00Z,a,0,1\n";
	assert!(text(ends, &[]).unwrap_err().ends_with("add --label end"));
	let data = text(ends, &["--label", "end"]).unwrap();
	assert_eq!(data.periods[0].start, "2021-07-31T23:30:00Z");
}

#[test]
fn other_separators_units_and_points_are_named_and_taken() {
	let german = "period_start;household;generation_kwh;consumption_kwh\n2021-07-31 10:00;a;0,25;1,5\n";
	let refused = text(german, &[]).unwrap_err();
	assert_eq!(
		refused,
		"meters.csv: row 1, column period_start: the columns are not separated by ',': add --delimiter ';'"
	);
	let refused = text(german, &["--delimiter", ";"]).unwrap_err();
	assert_eq!(
		refused,
		"meters.csv: row 1, column generation_wh: the header has generation_kwh instead: add --unit kwh"
	);
	let refused = text(german, &["--delimiter", ";", "--unit", "kwh"]).unwrap_err();
	assert_eq!(
		refused,
		"meters.csv: row 2, column generation_kwh: '0,25' has a decimal comma: add --decimal-comma"
	);
	let all = ["--delimiter", ";", "--unit", "kwh", "--decimal-comma"];
	let data = text(german, &all).unwrap();
	let measured = Measured {
		generation_wh: 250,
		consumption_wh: 1_500,
	};
	assert_eq!(data.periods[0].measured, [Some(measured)]);
	let tabs = "period_start\thousehold\tgeneration_wh\tconsumption_wh\n2021-07-31 10:00\ta\t1\t2\n";
	assert!(text(tabs, &[]).unwrap_err().ends_with("add --delimiter 'tab'"));
	assert!(text(tabs, &["--delimiter", "tab"]).is_ok());
	// As spreadsheets save UTF-8.
	assert!(text(&format!("\u{feff}{}", tabs.replace('\t', ",")), &[]).is_ok());
	let refused = text("when,household\n2021-07-31 10:00,a\n", &[]).unwrap_err();
	assert!(
		refused.ends_with("the header has no such column; it has when, household"),
		"{refused}"
	);
}

#[test]
fn implausible_values_are_named() {
	let header = "period_start,household,generation_wh,consumption_wh\n";
	let sentinel = format!("{header}2021-07-31T10:00,a,0,16777215\n");
	assert_eq!(
		text(&sentinel, &[]).unwrap_err(),
		"meters.csv: row 2, column consumption_wh: 16777215 Wh is more than a connection carries in a period, 100000 Wh: if \
		 the value is right, raise the limit with --connection-limit"
	);
	assert!(text(&sentinel, &["--connection-limit", "20000000"]).is_ok());
	let rows = "2021-07-31T10:00,a,0,1\n2021-07-31T10:30,a,0,1\n";
	let far = text(&format!("{header}{rows}2070-01-01T00:00,a,0,1\n"), &[]).unwrap_err();
	assert!(
		far.starts_with(
			"meters.csv: row 4, column period_start: 2070-01-01T00:00 is 17685 days after 2021-07-31T10:30"
		),
		"{far}"
	);
	let off = text(
		&format!("{header}{rows}2021-07-31T11:07,a,0,1\n2021-07-31T11:30,a,0,1\n2021-07-31T12:00,a,0,1\n"),
		&[],
	);
	let off = off.unwrap_err();
	assert!(
		off.starts_with(
			"meters.csv: row 4, column period_start: 2021-07-31T11:07 is not a whole number of periods after 2021-07-31T10:30"
		),
		"{off}"
	);
}

#[test]
fn day_is_counted_in_the_files_own_zone() {
	let text_of = |offset: &str| {
		format!(
			"period_start,household,generation_wh,consumption_wh\n2021-07-31T23:30:00{offset},a,0,1\n\
			 2021-08-01T00:00:00{offset},a,0,2\n2021-08-01T00:30:00{offset},a,0,3\n"
		)
	};
	for offset in ["", "Z", "+02:00"] {
		let data = text(&text_of(offset), &["--day", "2021-08-01"]).unwrap();
		let wh: Vec<_> = data.of(0).map(|measured| measured.consumption_wh).collect();
		assert_eq!(wh, [2, 3], "{offset}");
		let data = text(&text_of(offset), &["--day", "2021-08-01", "--first", "1"]).unwrap();
		assert_eq!(data.periods.len(), 1);
	}
	let refused = text(&text_of(""), &["--day", "2021-08-02"]).unwrap_err();
	assert_eq!(refused, "meters.csv: no period starts on 2021-08-02");
}

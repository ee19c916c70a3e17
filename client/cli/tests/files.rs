//! What `commonwatt replay` says about malformed files, before it connects to a node; and the example file in the
//! repository.

mod common;
#[allow(dead_code)]
#[path = "../examples/paper_day.rs"]
mod paper_day;

use common::{commonwatt, repository, Outcome};

const HEADER: &str = "period_start,household,generation_wh,consumption_wh,outdoor_c\n";
const FIRST: &str = "2016-08-01T00:00:00,a,0,426,20.1\n2016-08-01T00:00:00,b,1,2,20.1\n";

/// Replays a text as a file. There is no node, so a valid file ends with exit code 3.
fn replay(text: &str, more: &[&str]) -> Outcome {
	let folder = tempfile::tempdir().expect("there is room for temporary files");
	let file = folder.path().join("meters.csv");
	std::fs::write(&file, text).expect("there is room for temporary files");
	let mut command = commonwatt(&["replay", "--url", "ws://127.0.0.1:1", "--retry-seconds", "0"]);
	command
		.arg(&file)
		.args(more)
		.output()
		.expect("commonwatt runs")
		.into()
}

/// Asserts that a text is refused, and that the message names file, row, column and what is wrong.
#[track_caller]
fn refused(text: &str, row: u32, column: &str, what: &str) {
	let outcome = replay(text, &[]).expect_code(2);
	let place = format!("meters.csv: row {row}, column {column}: ");
	assert!(
		outcome.stderr.contains(&place) && outcome.stderr.contains(what),
		"{}",
		outcome.stderr
	);
}

#[test]
fn valid_file_leads_to_an_attempt_to_connect() {
	replay(&format!("{HEADER}{FIRST}"), &[]).expect_code(3);
}

#[test]
fn outdoor_temperature_may_be_left_out() {
	replay(
		"period_start,household,generation_wh,consumption_wh\n2016-08-01T00:00,a,0,1\n",
		&[],
	)
	.expect_code(3);
}

#[test]
fn missing_column_is_named() {
	refused(
		"period_start,household,generation_wh\n2016-08-01T00:00:00,a,0\n",
		1,
		"consumption_wh",
		"no such column",
	);
}

#[test]
fn empty_field_is_named() {
	refused(
		&format!("{HEADER}{FIRST}2016-08-01T00:30:00,,1,2,3\n"),
		4,
		"household",
		"is empty",
	);
}

#[test]
fn short_row_is_named() {
	refused(
		&format!("{HEADER}2016-08-01T00:00:00,a,0\n"),
		2,
		"consumption_wh",
		"is empty",
	);
}

#[test]
fn malformed_number_is_named() {
	refused(
		&format!("{HEADER}{FIRST}2016-08-01T00:30:00,a,x1,2,3\n"),
		4,
		"generation_wh",
		"'x1'",
	);
	refused(
		&format!("{HEADER}2016-08-01T00:30:00,a,1.5,2,3\n"),
		2,
		"generation_wh",
		"1.5 Wh is not a whole number of Wh; if the energies are in kWh, add --unit kwh",
	);
	refused(
		&format!("{HEADER}2016-08-01T00:30:00,a,1,2,warm\n"),
		2,
		"outdoor_c",
		"'warm'",
	);
}

#[test]
fn negative_energy_is_named() {
	refused(
		&format!("{HEADER}2016-08-01T00:30:00,a,1,-2,3\n"),
		2,
		"consumption_wh",
		"negative",
	);
}

#[test]
fn energy_above_the_maximum_is_named() {
	refused(
		&format!("{HEADER}2016-08-01T00:30:00,a,1,1000000001,3\n"),
		2,
		"consumption_wh",
		"above",
	);
	refused(
		&format!("{HEADER}2016-08-01T00:30:00,a,1,99999999999999999999,3\n"),
		2,
		"consumption_wh",
		"above",
	);
}

#[test]
fn malformed_time_is_named() {
	refused(
		&format!("{HEADER}1.8.2016,a,1,2,3\n"),
		2,
		"period_start",
		"'1.8.2016'",
	);
}

#[test]
fn duplicate_household_in_a_period_is_named() {
	refused(
		&format!("{HEADER}{FIRST}2016-08-01T00:00:00,a,1,2,3\n"),
		4,
		"household",
		"duplicate household 'a'",
	);
}

#[test]
fn household_name_with_a_slash_is_refused() {
	refused(
		&format!("{HEADER}2016-08-01T00:00:00,a//b,1,2,3\n"),
		2,
		"household",
		"must not contain '/'",
	);
}

#[test]
fn file_without_rows_is_refused() {
	let outcome = replay(HEADER, &[]).expect_code(2);
	assert!(outcome.stderr.contains("no row"), "{}", outcome.stderr);
}

#[test]
fn day_without_periods_is_refused() {
	let outcome = replay(&format!("{HEADER}{FIRST}"), &["--day", "2016-08-02"]).expect_code(2);
	assert!(
		outcome.stderr.contains("no period starts on 2016-08-02"),
		"{}",
		outcome.stderr
	);
}

#[test]
fn missing_file_is_named() {
	let outcome: Outcome = commonwatt(&["replay", "nowhere.csv"])
		.output()
		.expect("commonwatt runs")
		.into();
	assert!(outcome.expect_code(2).stderr.contains("nowhere.csv"));
}

#[test]
fn unwritable_report_is_named_before_connecting() {
	let outcome = replay(&format!("{HEADER}{FIRST}"), &["--json", "/nowhere/report.json"]).expect_code(2);
	assert!(
		outcome.stderr.contains("/nowhere/report.json"),
		"{}",
		outcome.stderr
	);
}

#[test]
fn homes_that_would_share_a_key_are_refused_before_connecting() {
	let text = include_str!("cases/numbered-homes.csv");
	let outcome = replay(text, &[]).expect_code(2);
	assert!(
		outcome
			.stderr
			.contains("households '1' and '01' would have the same keys: rename one of them"),
		"{}",
		outcome.stderr
	);
	let large = text.replace(",01,", ",18446744073709551616,");
	let outcome = replay(&large, &[]).expect_code(2);
	assert!(
		outcome
			.stderr
			.contains("household '18446744073709551616': a number above 18446744073709551615"),
		"{}",
		outcome.stderr
	);
	replay(&large.replace("1616,", "1615,"), &[]).expect_code(3);
}

#[test]
fn day_says_how_many_periods_it_has() {
	let outcome = replay(
		&format!("{HEADER}{FIRST}2016-08-02T00:00:00,a,1,2,3\n"),
		&["--day", "2016-08-01"],
	);
	let outcome = outcome.expect_code(3);
	assert!(
		outcome.stderr.contains("1 of 2 periods start on 2016-08-01"),
		"{}",
		outcome.stderr
	);
}

#[test]
fn empty_or_too_long_community_name_is_refused() {
	let name = "n".repeat(33);
	for name in ["", &name] {
		let outcome = replay(&format!("{HEADER}{FIRST}"), &["--community", name]).expect_code(2);
		assert!(outcome.stderr.contains("--community"), "{}", outcome.stderr);
	}
}

#[test]
fn help_says_what_a_file_looks_like() {
	let outcome: Outcome = commonwatt(&["replay", "--help"])
		.output()
		.expect("commonwatt runs")
		.into();
	let help = outcome.expect_code(0).stdout;
	["period_start", "--json", "--wait", "//NAME//stash", "Exit codes"]
		.iter()
		.for_each(|part| assert!(help.contains(part), "{part} is not in\n{help}"));
}

#[test]
fn paper_day_is_what_its_generator_writes() {
	let shipped =
		std::fs::read_to_string(repository().join("examples/paper.csv")).expect("it is in the repository");
	assert_eq!(shipped, paper_day::csv());
}

#[test]
fn paper_day_has_the_paper_s_numbers_surplus_and_shortage() {
	assert_eq!(
		(paper_day::generation_wh(0, 4), paper_day::generation_wh(3, 12)),
		(800, 5_200)
	);
	assert_eq!(
		(paper_day::generation_wh(0, 23), paper_day::generation_wh(1, 5)),
		(275, 1_675)
	);
	let text = paper_day::csv();
	assert!(text.contains("T08:00:00,Alice,400,6000\n") && text.contains("T10:30:00,Alice,2675,7000\n"));
	let mut periods = std::collections::BTreeMap::<&str, i64>::new();
	for line in text.lines().skip(1) {
		let fields: Vec<_> = line.split(',').collect();
		let wh = |index: usize| fields[index].parse::<i64>().expect("a number");
		*periods.entry(fields[0]).or_default() += wh(2) - wh(3);
	}
	assert_eq!(periods.len(), 24);
	assert!(periods.values().any(|net| *net > 0) && periods.values().any(|net| *net < 0));
}

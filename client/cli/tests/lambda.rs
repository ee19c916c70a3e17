//! Runs `commonwatt lambda` on small files. No node is needed.

mod common;

use common::{commonwatt, repository, Outcome};
use serde_json::Value;
use std::path::Path;

const HEADER: &str = "period_start,household,generation_wh,consumption_wh\n";
/// In the first period `large` needs 5 kWh and `small` has 5 kWh to sell. In the second both sell.
const DAY: &str = "\
2016-08-01T18:00:00,large,0,5000
2016-08-01T18:00:00,small,6000,1000
2016-08-01T18:30:00,large,1000,0
2016-08-01T18:30:00,small,1000,0
";

fn run(file: &Path, more: &[&str]) -> Outcome {
	let mut command = commonwatt(&["lambda", "--data"]);
	let output = command.arg(file).args(more).output();
	output.expect("commonwatt runs").into()
}

/// Runs the command on a text as a file, and returns its outcome and its JSON.
fn lambda(text: &str, more: &[&str]) -> (Outcome, Value) {
	let folder = tempfile::tempdir().expect("there is room for temporary files");
	let (file, json) = (
		folder.path().join("meters.csv"),
		folder.path().join("lambda.json"),
	);
	std::fs::write(&file, text).expect("there is room for temporary files");
	let json_option = ["--json", json.to_str().expect("a temporary path is text")];
	let outcome = run(&file, &[more, &json_option].concat());
	let written = std::fs::read(&json).ok();
	let report = written.and_then(|bytes| serde_json::from_slice(&bytes).ok());
	(outcome, report.unwrap_or(Value::Null))
}

/// The number at a JSON pointer.
#[track_caller]
fn number(report: &Value, pointer: &str) -> f64 {
	let value = report.pointer(pointer).and_then(Value::as_f64);
	value.unwrap_or_else(|| panic!("no number at {pointer} in\n{report:#}"))
}

fn lambdas(report: &Value) -> Vec<f64> {
	let rows = report["lambdas"].as_array().expect("a table");
	rows.iter().map(|row| number(row, "/lambda")).collect()
}

#[test]
fn limit_its_household_and_the_recommendation_are_named() {
	let (outcome, report) = lambda(&format!("{HEADER}{DAY}"), &["--flexible", "0"]);
	let text = outcome.expect_code(0).stdout;
	// 500^(1/5) = 3.4657.
	assert!((number(&report, "/limit/1/largest_lambda") - 3.4657).abs() < 1e-4);
	assert_eq!(report.pointer("/limit/0"), Some(&Value::from("large")));
	assert_eq!(number(&report, "/limit/1/deficit_wh"), 5_000.0);
	assert_eq!(report["recommended_lambda"], 3.0);
	assert_eq!(lambdas(&report), [1.25, 1.5, 2.0, 3.0, 4.0]);
	for part in [
		"large decides for the community: in the period 2016-08-01T18:00:00",
		"At a lambda above 3.465 the main grid",
		"Recommendation: lambda 3, the largest round value that is not above these homes' limit of 3.465.",
	] {
		assert!(text.contains(part), "{part} is not in\n{text}");
	}
}

#[test]
fn every_lambda_has_a_row_with_what_it_leads_to() {
	let (outcome, report) = lambda(&format!("{HEADER}{DAY}"), &["--flexible", "0"]);
	outcome.expect_code(0);
	for row in report["lambdas"].as_array().expect("a table") {
		assert_eq!(
			number(row, "/certified") + number(row, "/approximate"),
			2.0,
			"{row}"
		);
		// 5 kWh against 5 kWh in the first period, nothing to buy in the second.
		assert_eq!(number(row, "/tradable_wh"), 5_000.0, "{row}");
		assert_eq!(number(row, "/consumption_wh"), 6_000.0, "{row}");
		let from_main = number(row, "/bought_from_main_wh");
		assert_eq!(from_main, 5_000.0 - number(row, "/traded_wh"), "{row}");
		assert_eq!(number(row, "/sold_to_main_wh"), from_main + 2_000.0, "{row}");
		let is_above = number(row, "/lambda") > 3.4657;
		assert_eq!(
			number(row, "/prefer_main_grid"),
			f64::from(u8::from(is_above)),
			"{row}"
		);
	}
	// Up to the limit everything tradable is traded. At lambda 4 the only buyer prefers the main grid.
	// Then the pool is idle.
	for row in 0..4 {
		assert_eq!(number(&report, &format!("/lambdas/{row}/traded_wh")), 5_000.0);
		assert_eq!(number(&report, &format!("/lambdas/{row}/idle")), 0.0);
	}
	assert_eq!(number(&report, "/lambdas/4/traded_wh"), 0.0);
	assert_eq!(number(&report, "/lambdas/4/idle"), 1.0);
}

#[test]
fn lambdas_of_the_user_are_added_without_duplicates() {
	let more = [
		"--flexible",
		"0",
		"--lambda",
		"10",
		"--lambda",
		"1.75",
		"--lambda",
		"2.0",
	];
	let (outcome, report) = lambda(&format!("{HEADER}{DAY}"), &more);
	outcome.expect_code(0);
	assert_eq!(lambdas(&report), [1.25, 1.5, 1.75, 2.0, 3.0, 4.0, 10.0]);
}

#[test]
fn flexible_share_resolution_and_periods_are_options() {
	// A fifth more is 6 kWh: 600^(1/6) = 2.904; at 100 Wh 50^(1/5) = 2.187; the second period has no deficit.
	let limit = |more: &[&str]| {
		let (outcome, report) = lambda(&format!("{HEADER}{DAY}"), more);
		outcome.expect_code(0);
		number(&report, "/limit/1/largest_lambda")
	};
	assert!((limit(&[]) - 2.904).abs() < 1e-3);
	assert!((limit(&["--flexible", "0", "--resolution", "100"]) - 2.187).abs() < 1e-3);
	assert!((limit(&["--flexible", "0", "--first", "1"]) - 3.466).abs() < 1e-3);
	let (outcome, _) = lambda(&format!("{HEADER}{DAY}"), &["--day", "2016-08-02"]);
	let stderr = outcome.expect_code(2).stderr;
	assert!(stderr.contains("no period starts on 2016-08-02"), "{stderr}");
}

#[test]
fn homes_that_never_buy_may_have_any_lambda() {
	let text = format!("{HEADER}2016-08-01T12:00:00,a,1000,0\n2016-08-01T12:00:00,b,2000,0\n");
	let (outcome, report) = lambda(&text, &[]);
	let stdout = outcome.expect_code(0).stdout;
	assert!(
		stdout.contains("every lambda suits") && stdout.contains("Recommendation: lambda 4,"),
		"{stdout}"
	);
	assert_eq!(report["limit"], Value::Null);
}

#[test]
fn deficits_of_exactly_the_resolution_are_named_and_set_no_limit() {
	let text = format!("{HEADER}2016-08-01T12:00:00,a,0,10\n2016-08-01T12:00:00,b,0,1000\n");
	let (outcome, report) = lambda(&text, &["--flexible", "0"]);
	let stdout = outcome.expect_code(0).stdout;
	assert!(
		stdout.contains("1 deficit(s) of exactly the meter resolution, 10 Wh"),
		"{stdout}"
	);
	// 100^(1/1).
	assert!((number(&report, "/limit/1/largest_lambda") - 100.0).abs() < 1e-9);
	assert_eq!(report["recommended_lambda"], 4.0);
}

#[test]
fn alice_decides_in_the_papers_example() {
	let outcome = run(&repository().join("examples/paper.csv"), &["--flexible", "0"]);
	let text = outcome.expect_code(0).stdout;
	// She needs 5.6 kWh at 8:00: 560^(1/5.6) = 3.0956.
	assert!(
		text.contains("Alice decides for the community") && text.contains("above 3.095 "),
		"{text}"
	);
}

#[test]
fn lambda_that_no_community_can_have_is_refused_with_the_reason() {
	for (value, reason) in [
		("1", "lambda must be above 1"),
		("0.9", "lambda must be above 1"),
		("-2", "not a decimal number"),
		("two", "not a decimal number"),
		("", "not a decimal number"),
		("70000", "lambda must be at most 65536"),
	] {
		let (outcome, report) = lambda(&format!("{HEADER}{DAY}"), &["--lambda", value]);
		let stderr = outcome.expect_code(2).stderr;
		assert!(
			stderr.contains("--lambda") && stderr.contains(reason),
			"{value}: {stderr}"
		);
		assert_eq!(report, Value::Null, "{value}");
	}
}

#[test]
fn file_that_is_empty_missing_or_wrong_is_refused_by_name() {
	for (text, what) in [
		(HEADER.to_string(), "meters.csv: no row"),
		(
			String::new(),
			"meters.csv: row 1, column period_start: the header has no such column",
		),
		(
			format!("{HEADER}2016-08-01T12:00:00,a,0,many\n"),
			"meters.csv: row 2, column consumption_wh: 'many'",
		),
	] {
		let stderr = lambda(&text, &[]).0.expect_code(2).stderr;
		assert!(stderr.contains(what), "{what} is not in\n{stderr}");
	}
	let stderr = run(Path::new("nowhere.csv"), &[]).expect_code(2).stderr;
	assert!(stderr.contains("nowhere.csv"), "{stderr}");
}

#[test]
fn options_out_of_range_are_refused_by_name() {
	for option in [
		["--resolution", "0"],
		["--resolution", "1001"],
		["--flexible", "101"],
	] {
		let stderr = lambda(&format!("{HEADER}{DAY}"), &option).0.expect_code(2).stderr;
		assert!(stderr.contains(option[0]), "{option:?}: {stderr}");
	}
}

#[test]
fn unwritable_report_is_named_before_anything_is_solved() {
	let folder = tempfile::tempdir().expect("there is room for temporary files");
	let file = folder.path().join("meters.csv");
	std::fs::write(&file, format!("{HEADER}{DAY}")).expect("there is room for temporary files");
	let outcome = run(&file, &["--json", "/nowhere/lambda.json"]).expect_code(2);
	assert!(
		outcome.stderr.contains("/nowhere/lambda.json"),
		"{}",
		outcome.stderr
	);
	assert_eq!(outcome.stdout, "");
}

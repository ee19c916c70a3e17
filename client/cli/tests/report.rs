//! `commonwatt report` and `commonwatt bills` against the real node.

mod common;

use common::{commonwatt, json, paper, repository, week, Folder, Node, Outcome};
use std::{collections::BTreeMap, fs, path::Path};

/// Writes a report into a folder of `place`.
fn report(place: &Folder, node: &Node, data: &Path, folder: &str, more: &[&str]) -> Outcome {
	let (out, journal) = (place.path(folder), place.path("journal"));
	let mut command = commonwatt(&["report", "--url", &node.url, "--out", &out, "--journal", &journal]);
	let command = command.arg("--data").arg(data).args(more);
	command.output().expect("commonwatt runs").into()
}

fn homes() -> String {
	repository().join("examples/paper.toml").display().to_string()
}

/// The rows of a CSV table, by the names of its columns.
fn table(place: &Folder, name: &str) -> Vec<BTreeMap<String, String>> {
	let mut reader = csv::Reader::from_path(place.folder(name)).expect("the table was written");
	let rows = reader.deserialize::<BTreeMap<String, String>>();
	rows.map(|row| row.expect("the table is CSV")).collect()
}

fn sum(rows: &[BTreeMap<String, String>], column: &str) -> i64 {
	rows.iter().map(|row| row[column].parse::<i64>().unwrap()).sum()
}

fn assert_all_holds(outcome: &Outcome) {
	let words = |word: &str| {
		outcome
			.stdout
			.lines()
			.filter(|line| line.trim_start().starts_with(word))
			.count()
	};
	assert_eq!((words("holds"), words("FAILS")), (8, 0), "{}", outcome.stdout);
}

#[test]
fn paper_day_passes_all_checks_and_is_reproducible() {
	let place = Folder::new();
	let options = ["--paper", "--homes", &homes()];
	for (chain, out) in [("one", "first"), ("two", "second")] {
		let node = Node::start(&place.folder(chain));
		let outcome = report(&place, &node, &paper(), out, &options).expect_code(0);
		assert_all_holds(&outcome);
	}
	for name in ["summary.csv", "households.csv"] {
		let read = |out: &str| fs::read(place.folder(&format!("{out}/{name}"))).unwrap();
		assert_eq!(read("first"), read("second"), "{name}");
	}
	// Eras count from 1970, so that a chain that starts in a later half hour plays the day in later eras; every other
	// column is the same.
	let [first, second] = ["first", "second"].map(|out| {
		let mut rows = table(&place, &format!("{out}/periods.csv"));
		let eras = rows.iter_mut().map(|row| row.remove("era").unwrap());
		let eras: Vec<u32> = eras.map(|era| era.parse().unwrap()).collect();
		assert!(eras.windows(2).all(|pair| pair[1] == pair[0] + 1), "{eras:?}");
		rows
	});
	assert_eq!(first, second, "periods.csv");
	let (periods, households) = (
		table(&place, "first/periods.csv"),
		table(&place, "first/households.csv"),
	);
	assert_eq!((periods.len(), households.len()), (24, 96));
	// All tables have the same energy.
	assert_eq!(sum(&households, "generation_wh"), sum(&periods, "generation_wh"));
	assert_eq!(
		sum(&households, "consumption_after_wh"),
		sum(&periods, "load_after_wh")
	);
	assert_eq!(sum(&households, "community_wh"), 0);
	let main = sum(&periods, "game_sold_wh") - sum(&periods, "game_bought_wh");
	assert_eq!(sum(&households, "main_wh"), main);
	assert_eq!(
		sum(&periods, "generation_wh") - sum(&periods, "load_after_wh"),
		main
	);
	// What is traded is at most what is tradable.
	let column = |row: &BTreeMap<String, String>, name: &str| row[name].parse::<i64>().unwrap();
	for row in &periods {
		let (traded, tradable) = (column(row, "game_community_wh"), column(row, "game_tradable_wh"));
		let start = &row["period_start"];
		let of_period = households.iter().filter(|row| row["period_start"] == *start);
		let net = of_period.map(|row| column(row, "generation_wh") - column(row, "consumption_after_wh"));
		let (surplus, deficit) = net.fold((0, 0), |(surplus, deficit), net| {
			(surplus + net.max(0), deficit + (-net).max(0))
		});
		assert_eq!(tradable, surplus.min(deficit), "{start}");
		assert!(traded <= tradable, "{start}");
	}
	// Without the game every home consumes what the file says; a pool changes only where the energy comes from.
	assert_eq!(sum(&periods, "load_before_wh"), 263_600);
	let exchange =
		|way: &str| sum(&periods, &format!("{way}_bought_wh")) + sum(&periods, &format!("{way}_sold_wh"));
	assert!(exchange("game") < exchange("pool") && exchange("pool") < exchange("alone"));
	let last = households
		.iter()
		.filter(|row| row["period_start"].contains("T18:30"));
	assert!(last.map(|row| &row["put_off_wh"]).all(|owed| owed == "0"));

	let page = fs::read_to_string(place.folder("first/report.html")).unwrap();
	assert!(page.contains("name=\"viewport\"") && !page.contains("http-equiv"));
	assert_eq!(page.matches("role=\"img\" aria-labelledby").count(), 6);
	assert_eq!(
		page.matches("<figure>").count(),
		page.matches("<details>").count()
	);
	let from_elsewhere = ["src=", "href=", "url(", "@import", "<script"];
	assert!(from_elsewhere.iter().all(|word| !page.contains(word)));
	assert!(page.contains("Table 2") && page.contains("greatly reduced"));
}

#[test]
fn wrong_forecasts_and_silent_meters_are_settled_and_billed() {
	let place = Folder::new();
	let node = Node::start(&place.folder("chain"));
	let text = fs::read_to_string(homes()).unwrap();
	let text = text
		.replace("forecast_error_percent = 0", "forecast_error_percent = 15")
		.replace("missing_readings_percent = 0", "missing_readings_percent = 10");
	let homes = place.path("homes.toml");
	fs::write(&homes, text).unwrap();
	let outcome = report(&place, &node, &paper(), "out", &["--homes", &homes]);
	// Households that pay more than alone, because of wrong forecasts, are named; all other checks hold.
	let expected = if outcome.stdout.contains("FAILS") { 4 } else { 0 };
	let outcome = outcome.expect_code(expected);
	assert!(
		outcome
			.stdout
			.contains("holds  energy and money of the chain add up"),
		"{}",
		outcome.stdout
	);
	assert!(
		outcome.stdout.contains("holds  every home stays within"),
		"{}",
		outcome.stdout
	);

	// Eras before and after the file have no readings, so the chain bills estimates for them.
	let periods = table(&place, "out/periods.csv");
	let eras = periods.iter().map(|row| row["era"].parse::<u32>().unwrap());
	let (from, to) = (eras.clone().min().unwrap(), eras.max().unwrap());
	let (file, sheet) = (place.path("bills.json"), place.path("bills.csv"));
	let mut command = commonwatt(&["bills", "--url", &node.url, "--json", &file, "--csv", &sheet]);
	command.args(["--from", &from.to_string(), "--to", &to.to_string()]);
	command.args(["--household", "1"]);
	let outcome = Outcome::from(command.output().unwrap()).expect_code(0);
	for line in [
		"bill of household 1, ",
		"unplanned shortfall, ",
		"rewards",
		"together",
	] {
		assert!(outcome.stdout.contains(line), "{line}: {}", outcome.stdout);
	}
	assert!(
		outcome.stdout.contains("compared with the chain's state"),
		"{}",
		outcome.stdout
	);
	let bills = json(&place.folder("bills.json"));
	let community = &bills["community"];
	assert!(community["missing_readings"].as_u64().unwrap() > 3, "{community}");
	let compared = bills["compared"][0].as_u64().unwrap();
	assert_eq!(compared, 4 * community["eras"].as_u64().unwrap());
	// The bills have the same money and energy as the report.
	let (households, bills) = (table(&place, "out/households.csv"), table(&place, "bills.csv"));
	for (bill, name) in bills.iter().zip(["Alice", "Bob", "Charlie", "Dave"]) {
		let rows: Vec<_> = households
			.iter()
			.filter(|row| row["household"] == name)
			.cloned()
			.collect();
		let of_bill = |column: &str| bill[column].parse::<i128>().unwrap();
		let cost: i128 = rows.iter().map(|row| row["cost"].parse::<i128>().unwrap()).sum();
		assert_eq!(of_bill("cost") - of_bill("revenue"), cost, "{name}");
		let community = of_bill("sold_to_community_wh") - of_bill("bought_from_community_wh");
		assert_eq!(community, i128::from(sum(&rows, "community_wh")), "{name}");
	}
}

#[test]
fn week_of_a_new_community_passes_all_checks() {
	let place = Folder::new();
	let node = Node::start(&place.folder("chain"));
	let outcome = report(&place, &node, &week(&place), "out", &["--community", "street"]).expect_code(0);
	assert_all_holds(&outcome);
	assert_eq!(table(&place, "out/periods.csv").len(), 336);
}

#[test]
fn wrong_homes_and_options_are_refused_by_name() {
	let place = Folder::new();
	let node = Node::start(&place.folder("chain"));
	let refused = |text: &str, words: &str| {
		let homes = place.path("homes.toml");
		fs::write(&homes, text).unwrap();
		let outcome = report(&place, &node, &paper(), "out", &["--homes", &homes]).expect_code(2);
		assert!(outcome.stderr.contains(words), "{}", outcome.stderr);
	};
	refused("[default]\ncop = -1", "cop: -1");
	refused("[household.Eve]\ncop = 2", "household.Eve");
	refused(
		"[default]\ncomfort_c = [10, 30]",
		"comfort_c is 10 to 30, but its range on the chain is",
	);
	let bills = |more: &[&str]| -> Outcome {
		let mut command = commonwatt(&["bills", "--url", &node.url]);
		command.args(more).output().unwrap().into()
	};
	let outcome = bills(&["--from", "9", "--to", "8"]).expect_code(2);
	assert!(outcome.stderr.contains("is after"), "{}", outcome.stderr);
	let outcome = bills(&["--to", "8"]).expect_code(2);
	assert!(outcome.stderr.contains("no settled era"), "{}", outcome.stderr);
}

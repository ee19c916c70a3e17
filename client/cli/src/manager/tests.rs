//! Homes in a day, with whatever strategies the game chooses.

use super::*;
use crate::data::Period;
use std::path::PathBuf;

const PERIODS: usize = 48;

/// A day of two households: one with an even load and a surplus at noon, one whose load jumps.
fn day() -> Dataset {
	let period = |number: usize| {
		let hour = number as f64 / 2.0;
		let sun = (1.0 - ((hour - 12.5) / 6.0).powi(2)).max(0.0);
		let jumps = [0, 4_000, 900, 6_000][number % 4];
		Period {
			start: format!("2021-07-31T{:02}:{:02}:00", number / 2, number % 2 * 30),
			outdoor_centi_c: Some((1_900.0 + 1_500.0 * sun) as i32),
			measured: vec![
				Some(Measured {
					generation_wh: (3_000.0 * sun) as u32,
					consumption_wh: 1_200,
				}),
				Some(Measured {
					generation_wh: (1_500.0 * sun) as u32,
					consumption_wh: jumps,
				}),
			],
		}
	};
	Dataset {
		path: PathBuf::from("day.csv"),
		households: vec!["one".into(), "two".into()],
		periods: (0..PERIODS).map(period).collect(),
		period_minutes: 30,
	}
}

fn homes(text: &str) -> Homes {
	Homes::parse(text).unwrap()
}

/// Goes through the day. `choose` gets the number of strategies and returns the index of one.
fn live(
	manager: &Manager,
	household: usize,
	mut choose: impl FnMut(usize) -> usize,
) -> Vec<(Strategy, Lived)> {
	let mut state = manager.beginning(household);
	let mut lived = Vec::new();
	for period in 0..PERIODS {
		let (generation_wh, strategies) = manager.strategies(household, period, &state, 10);
		assert!((1..=16).contains(&strategies.len()), "{strategies:?}");
		for strategy in &strategies {
			let checked = strategy.check(generation_wh, 10);
			assert_eq!(checked, Ok(()), "{strategy:?} at {generation_wh}");
		}
		let chosen = strategies[choose(strategies.len())];
		let era = manager.follow(household, period, &state, Some(chosen.consumption_wh));
		state = era.state;
		lived.push((chosen, era));
	}
	lived
}

/// Different choices: always the first strategy, always the last, and 50 times at random.
fn choices(manager: &Manager, household: usize) -> Vec<Vec<(Strategy, Lived)>> {
	let mut all = vec![
		live(manager, household, |_| 0),
		live(manager, household, |of| of - 1),
	];
	for seed in 0..50 {
		let mut chance = ChaCha8Rng::seed_from_u64(seed);
		all.push(live(manager, household, |of| chance.gen_range(0..of)));
	}
	all
}

#[test]
fn every_choice_is_consumed_keeps_comfort_and_clears_the_backlog() {
	let manager = Manager::new(&homes(""), &day());
	for household in 0..2 {
		for lived in choices(&manager, household) {
			for (number, (chosen, era)) in lived.iter().enumerate() {
				assert_eq!(era.metered.consumption_wh, chosen.consumption_wh);
				assert_eq!(centi(era.state.indoor_c), chosen.temperature_centi_c);
				assert!((18.0..=24.0).contains(&era.state.indoor_c), "{era:?}");
				assert!(era.state.backlog_wh.abs() <= 2_000, "{era:?}");
				if (number + 1) % 24 == 0 {
					assert_eq!(era.state.backlog_wh, 0, "period {number}");
				}
			}
		}
	}
}

/// Putting load off saves nothing: the difference to the consumption in the file is the device's alone.
#[test]
fn load_that_is_put_off_comes_back() {
	let (manager, data) = (Manager::new(&homes(""), &day()), day());
	for household in 0..2 {
		let file: i64 = data
			.periods
			.iter()
			.map(|period| i64::from(period.measured[household].unwrap().consumption_wh))
			.sum();
		let without: i64 = (0..PERIODS)
			.map(|period| manager.device_wh_without(household, period))
			.sum();
		let mut differ = 0;
		for lived in choices(&manager, household) {
			let consumed: i64 = lived
				.iter()
				.map(|(_, era)| i64::from(era.metered.consumption_wh))
				.sum();
			let device: i64 = lived.iter().map(|(_, era)| era.device_wh as i64).sum();
			assert_eq!(consumed - file, device - without);
			differ += u32::from(lived.iter().any(|(_, era)| era.state.backlog_wh != 0));
		}
		assert!(differ > 40, "load was put off in {differ} of 52 days only");
	}
}

#[test]
fn household_without_a_contract_consumes_what_the_file_says() {
	let (manager, data) = (Manager::new(&homes("[default]\ndevice_kw = 0.3"), &day()), day());
	let mut state = manager.beginning(0);
	for (number, period) in data.periods.iter().enumerate() {
		let era = manager.follow(0, number, &state, None);
		let file = period.measured[0].unwrap().consumption_wh;
		assert!(era.metered.consumption_wh.abs_diff(file) <= 1, "{era:?} {file}");
		assert!((era.state.indoor_c - manager.indoor_c_without(0, number)).abs() < 0.01);
		state = era.state;
	}
}

#[test]
fn nothing_is_put_off_without_a_surplus_to_wait_for() {
	let mut night = day();
	for period in &mut night.periods {
		period
			.measured
			.iter_mut()
			.flatten()
			.for_each(|measured| measured.generation_wh = 0);
	}
	let manager = Manager::new(&homes(""), &night);
	for lived in choices(&manager, 1) {
		assert!(lived.iter().all(|(_, era)| era.state.backlog_wh <= 0));
	}
}

#[test]
fn no_choice_raises_the_peak() {
	let manager = Manager::new(&homes(""), &day());
	for (household, peak) in [(0, 1_200), (1, 6_000)] {
		for lived in choices(&manager, household) {
			let above = lived.iter().filter(|(chosen, _)| chosen.consumption_wh > peak);
			assert_eq!(above.count(), 0);
		}
	}
}

#[test]
fn forecast_errors_reach_the_meter_and_the_seed_decides_missing_readings() {
	let text = "seed = 7\nforecast_error_percent = 20\nmissing_readings_percent = 30";
	let manager = Manager::new(&homes(text), &day());
	let lived = live(&manager, 1, |of| of / 2);
	let wrong = lived
		.iter()
		.filter(|(chosen, era)| chosen.consumption_wh != era.metered.consumption_wh);
	assert!(wrong.count() > 20);
	let silent =
		|lived: &[(Strategy, Lived)]| -> Vec<bool> { lived.iter().map(|(_, era)| !era.is_read).collect() };
	let count = silent(&lived).iter().filter(|silent| **silent).count();
	assert!((5..25).contains(&count), "{count} of {PERIODS}");
	assert_eq!(live(&manager, 1, |of| of / 2), lived);
	let other = Manager::new(&homes(&text.replace('7', "8")), &day());
	assert_ne!(silent(&live(&other, 1, |of| of / 2)), silent(&lived));
	assert_eq!(lived.last().unwrap().1.state.backlog_wh, 0);
}

#[test]
fn described_household_that_is_not_in_the_data_is_named() {
	let fault = Manager::check_names(&homes("[household.three]\ncop = 2"), &day()).unwrap_err();
	assert!(fault.to_string().contains("household.three"), "{fault}");
}

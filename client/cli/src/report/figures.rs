//! The report's figures and checks.

use super::days::{approximate, comfort, Days, Ways};
use crate::{chain::types::Comfort, data::Dataset, manager::Manager, summary::ReplaySummary, text::kwh};

/// A figure in the four ways, as text. Its name includes the unit.
pub struct Figure {
	pub name: String,
	pub alone: String,
	pub pool: String,
	pub alone_as_game: String,
	pub game: String,
}

/// A statement that the report checks.
pub struct Check {
	pub what: &'static str,
	pub holds: bool,
	/// Figures, or the households for which it does not hold.
	pub detail: String,
}

/// A household's figures.
pub struct HouseholdFigures {
	pub name: String,
	pub consumption_before_wh: i64,
	pub consumption_after_wh: i64,
	pub peak_before_wh: i64,
	pub peak_after_wh: i64,
	/// Cost less earnings, smallest unit of money: alone with the main grid as in the file, alone at the game's
	/// consumption, and in the game.
	pub cost_before: i128,
	pub cost_alone: i128,
	pub cost: i128,
	/// Minimum and maximum, degrees Celsius.
	pub indoor_before_c: (f64, f64),
	pub indoor_c: (f64, f64),
	pub range_c: (f64, f64),
	/// Means of the comfort, the paper's eq. (2).
	pub comfort_before: f64,
	pub comfort: f64,
	/// Backlog at the end.
	pub backlog_wh: i64,
	/// Energy of the device that would bring the home back to its setpoint at the end, Wh.
	pub stored_wh: f64,
}

/// All numbers of the report.
pub struct Figures {
	pub figures: Vec<Figure>,
	pub lines: Vec<HouseholdFigures>,
	pub checks: Vec<Check>,
}

/// `part` as a percentage of `whole`; "-" if `whole` is 0.
fn percent(part: i64, whole: i64) -> String {
	match whole {
		0 => "-".into(),
		whole => format!("{:.1}", part as f64 * 100.0 / whole as f64),
	}
}

impl Figures {
	/// Computes all figures and checks.
	pub fn new(
		dataset: &Dataset,
		manager: &Manager,
		report: &ReplaySummary,
		ways: &Ways,
		model: &Comfort,
	) -> Self {
		let lines = (0..dataset.households.len())
			.map(|household| HouseholdFigures::new((household, dataset), manager, ways, model))
			.collect::<Vec<_>>();
		Self {
			figures: figures(dataset, report, ways, model),
			checks: checks(report, ways, &lines),
			lines,
		}
	}

	/// Descriptions of the checks that fail.
	pub fn faults(&self) -> Vec<String> {
		let broken = self.checks.iter().filter(|check| !check.holds);
		broken
			.map(|check| format!("{}: {}", check.what, check.detail))
			.collect()
	}
}

impl Figure {
	/// Computes a figure in each of the four ways.
	fn new(name: impl Into<String>, ways: &Ways, of: impl Fn(&Days) -> String) -> Self {
		Self {
			name: name.into(),
			alone: of(&ways.alone),
			pool: of(&ways.pool),
			alone_as_game: of(&ways.alone_as_game),
			game: of(&ways.game),
		}
	}
}

/// All figures, in the order of the report.
fn figures(dataset: &Dataset, report: &ReplaySummary, ways: &Ways, model: &Comfort) -> Vec<Figure> {
	[
		main_grid_figures(dataset, ways),
		trade_figures(report, ways),
		peak_figures(dataset, ways),
		consumption_figures(ways),
		vec![comfort_figure(ways, model), money_figure(report, ways)],
	]
	.into_iter()
	.flatten()
	.collect()
}

/// The sum over all periods.
fn sum(values: Vec<i64>) -> i64 {
	values.into_iter().sum()
}

/// The maximum over all periods, or 0 without any.
fn top(values: Vec<i64>) -> i64 {
	values.into_iter().max().unwrap_or(0)
}

/// Bought from and sold to the main grid by all households, period by period, Wh.
fn exchange_wh(days: &Days) -> Vec<i64> {
	days.sums(|cell| cell.main_wh.abs())
}

/// How much was exchanged with the main grid.
fn main_grid_figures(dataset: &Dataset, ways: &Ways) -> Vec<Figure> {
	let midday: Vec<bool> = dataset
		.periods
		.iter()
		.map(|period| (10.0..15.0).contains(&period.hour()))
		.collect();
	let at_midday = |values: Vec<i64>| -> i64 {
		let pairs = values.into_iter().zip(&midday);
		pairs.filter(|(_, is)| **is).map(|(value, _)| value).sum()
	};
	vec![
		Figure::new("main grid, bought and sold, kWh", ways, |days| {
			kwh(sum(exchange_wh(days)))
		}),
		Figure::new("of it from 10:00 to 15:00, kWh", ways, |days| {
			kwh(at_midday(exchange_wh(days)))
		}),
		Figure::new("bought from the main grid, kWh", ways, |days| {
			kwh(sum(days.bought_wh()))
		}),
		Figure::new("sold to the main grid, kWh", ways, |days| {
			kwh(sum(days.sold_wh()))
		}),
	]
}

/// How much was traded in the community, and how much could have been.
fn trade_figures(report: &ReplaySummary, ways: &Ways) -> Vec<Figure> {
	let resolution_wh = report.terms.rules.resolution_wh.into();
	vec![
		Figure::new("traded in the community, kWh", ways, |days| {
			kwh(sum(days.traded_wh()))
		}),
		Figure::new("tradable at the consumption chosen, kWh", ways, |days| {
			kwh(sum(days.tradable_wh.clone()))
		}),
		Figure::new("traded of what was tradable, %", ways, |days| {
			percent(sum(days.traded_wh()), sum(days.tradable_wh.clone()))
		}),
		Figure::new("idle though something was tradable, periods", ways, |days| {
			days.idle_periods(resolution_wh).to_string()
		}),
	]
}

/// Maxima over the periods.
fn peak_figures(dataset: &Dataset, ways: &Ways) -> Vec<Figure> {
	let first = dataset.households.first().map_or("", String::as_str);
	vec![
		Figure::new("most bought from the main grid in a period, kWh", ways, |days| {
			kwh(top(days.bought_wh()))
		}),
		Figure::new("peak load of the community in a period, kWh", ways, |days| {
			kwh(top(days.load_wh()))
		}),
		Figure::new(format!("peak load of {first} in a period, kWh"), ways, |days| {
			kwh(days.of(0).map(|cell| cell.consumption_wh).max().unwrap_or(0))
		}),
	]
}

/// Consumption, and how much of it and of generation stays in the community.
fn consumption_figures(ways: &Ways) -> Vec<Figure> {
	let generated = |days: &Days| sum(days.sums(|cell| cell.generation_wh.into()));
	let consumed = |days: &Days| sum(days.load_wh());
	vec![
		Figure::new("consumption, kWh", ways, |days| kwh(consumed(days))),
		Figure::new(
			"self-consumption of the community, % of generation",
			ways,
			|days| {
				let generated = generated(days);
				percent(generated - sum(days.sold_wh()), generated)
			},
		),
		Figure::new(
			"self-sufficiency of the community, % of consumption",
			ways,
			|days| {
				let consumed = consumed(days);
				percent(consumed - sum(days.bought_wh()), consumed)
			},
		),
	]
}

/// The mean comfort of all households and periods.
fn comfort_figure(ways: &Ways, model: &Comfort) -> Figure {
	Figure::new("comfort, mean of eq. (2)", ways, |days| {
		let cells = || days.cells.iter().flatten();
		let all: f64 = cells().map(|cell| comfort(model, cell.indoor_c)).sum();
		format!("{:.3}", all / cells().count().max(1) as f64)
	})
}

/// What all households paid less what they earned.
fn money_figure(report: &ReplaySummary, ways: &Ways) -> Figure {
	Figure::new(format!("paid less earned, {}", report.token), ways, |days| {
		let all = days.cells.iter().flatten().map(|cell| cell.cost).sum();
		report.money.signed_text(all)
	})
}

impl HouseholdFigures {
	fn new((household, dataset): (usize, &Dataset), manager: &Manager, ways: &Ways, model: &Comfort) -> Self {
		let sum = |days: &Days| {
			days.of(household)
				.map(|cell| i64::from(cell.consumption_wh))
				.sum()
		};
		let peak = |days: &Days| {
			let load = days.of(household).map(|cell| i64::from(cell.consumption_wh));
			load.max().unwrap_or(0)
		};
		let range = |days: &Days| {
			days.of(household)
				.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), cell| {
					(low.min(cell.indoor_c), high.max(cell.indoor_c))
				})
		};
		let mean = |days: &Days| {
			let all: f64 = days.of(household).map(|cell| comfort(model, cell.indoor_c)).sum();
			all / days.cells.len().max(1) as f64
		};
		let last = ways.game.of(household).last().copied().unwrap_or_default();
		Self {
			name: dataset.households[household].clone(),
			consumption_before_wh: sum(&ways.alone),
			consumption_after_wh: sum(&ways.game),
			peak_before_wh: peak(&ways.alone),
			peak_after_wh: peak(&ways.game),
			cost_before: ways.alone.cost(household),
			cost_alone: ways.alone_as_game.cost(household),
			cost: ways.game.cost(household),
			indoor_before_c: range(&ways.alone),
			indoor_c: range(&ways.game),
			range_c: manager.comfort_c(household),
			comfort_before: mean(&ways.alone),
			comfort: mean(&ways.game),
			backlog_wh: last.backlog_wh,
			stored_wh: manager.stored_wh(household, last.indoor_c),
		}
	}
}

/// All checks, in the order of the report.
fn checks(report: &ReplaySummary, ways: &Ways, lines: &[HouseholdFigures]) -> Vec<Check> {
	let mut checks = vec![
		less_exchanged(
			"less exchanged with the main grid than without the game",
			&ways.game,
			&ways.alone,
		),
		less_exchanged(
			"less exchanged with the main grid than by each alone, consuming the same",
			&ways.game,
			&ways.alone_as_game,
		),
	];
	checks.extend(household_checks(report, lines));
	checks.push(all_certified(report));
	checks.push(sums_add_up(report));
	checks
}

/// Checks that less energy was exchanged with the main grid in the game than in another way.
fn less_exchanged(what: &'static str, game: &Days, other: &Days) -> Check {
	let (game, other) = (sum(exchange_wh(game)), sum(exchange_wh(other)));
	Check {
		what,
		holds: game < other,
		detail: format!("{} kWh against {} kWh", kwh(game), kwh(other)),
	}
}

/// Checks a statement for each household. The detail lists those for which it does not hold, with the reason.
fn everyone(
	what: &'static str,
	lines: &[HouseholdFigures],
	is_so: impl Fn(&HouseholdFigures) -> bool,
	why: impl Fn(&HouseholdFigures) -> String,
) -> Check {
	let not = lines.iter().filter(|line| !is_so(line));
	let not: Vec<String> = not.map(|line| format!("{}: {}", line.name, why(line))).collect();
	Check {
		what,
		holds: not.is_empty(),
		detail: match not.is_empty() {
			true => format!("{} households", lines.len()),
			false => not.join("; "),
		},
	}
}

/// The checks that must hold for each household.
fn household_checks(report: &ReplaySummary, lines: &[HouseholdFigures]) -> [Check; 4] {
	let amount = |amount| report.money.signed_text(amount);
	[
		everyone(
			"every home stays within its comfort range",
			lines,
			|line| line.range_c.0 <= line.indoor_c.0 && line.indoor_c.1 <= line.range_c.1,
			|line| format!("{:.2} to {:.2} degrees", line.indoor_c.0, line.indoor_c.1),
		),
		everyone(
			"no household pays more than alone with the main grid, consuming the same",
			lines,
			|line| line.cost <= line.cost_alone,
			|line| {
				format!(
					"{} against {}: imbalance prices of what was not as forecast",
					amount(line.cost),
					amount(line.cost_alone)
				)
			},
		),
		everyone(
			"no household pays more than alone with the main grid, consuming as before",
			lines,
			|line| line.cost <= line.cost_before,
			|line| {
				format!(
					"{} against {}, for {} kWh against {} kWh",
					amount(line.cost),
					amount(line.cost_before),
					kwh(line.consumption_after_wh),
					kwh(line.consumption_before_wh)
				)
			},
		),
		everyone(
			"nothing that was put off is still owed",
			lines,
			|line| line.backlog_wh == 0,
			|line| format!("{} kWh", kwh(line.backlog_wh)),
		),
	]
}

/// Checks that every era has a certificate; eras that this client cannot judge are only counted.
fn all_certified(report: &ReplaySummary) -> Check {
	let not_certified = approximate(&report.eras);
	Check {
		what: "every era is certified",
		holds: not_certified.is_empty(),
		detail: match (not_certified.is_empty(), report.sums.other_rules) {
			(true, 0) => format!("{} eras", report.sums.periods),
			(true, other) => format!(
				"{} eras; {other} more were cleared under other rules, whose certificates this client cannot judge",
				report.sums.equilibria
			),
			(false, _) => format!("approximate: {}", not_certified.join(", ")),
		},
	}
}

/// Checks that the replay found no fault in the sums of energy and money.
fn sums_add_up(report: &ReplaySummary) -> Check {
	Check {
		what: "energy and money of the chain add up",
		holds: report.faults.is_empty(),
		detail: match report.faults.first() {
			None => format!("{} sums", report.sums.checks_passed),
			Some(first) => format!("{} do not: {first}", report.faults.len()),
		},
	}
}

//! The report's figures and checks.

use super::days::{approximate, comfort, Days, Ways};
use crate::{
	chain::types::Comfort,
	data::Dataset,
	manager::Manager,
	summary::ReplaySummary,
	text::{kwh, percent},
};

/// A figure in the four ways, as text. Its name includes the unit.
pub struct Figure {
	pub name: String,
	pub ways: [String; 4],
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

/// The sum over all periods.
pub fn sum(values: Vec<i64>) -> i64 {
	values.into_iter().sum()
}

/// The maximum over all periods, or 0 without any.
fn top(values: Vec<i64>) -> i64 {
	values.into_iter().max().unwrap_or(0)
}

/// Bought from and sold to the main grid by all households, period by period, Wh.
pub fn exchange_wh(days: &Days) -> Vec<i64> {
	days.sums(|cell| cell.main_wh.abs())
}

/// All figures, in the order of the report.
fn figures(dataset: &Dataset, report: &ReplaySummary, ways: &Ways, model: &Comfort) -> Vec<Figure> {
	let figure = |name: &str, of: &dyn Fn(&Days) -> String| Figure {
		name: name.into(),
		ways: ways.all().map(of),
	};
	let total = |name: &str, wh: fn(&Days) -> Vec<i64>| figure(name, &|days| kwh(sum(wh(days))));
	let most = |name: &str, wh: fn(&Days) -> Vec<i64>| figure(name, &|days| kwh(top(wh(days))));
	let at_midday = |values: Vec<i64>| -> i64 {
		let pairs = values.into_iter().zip(&dataset.periods);
		let midday = pairs.filter(|(_, period)| (10.0..15.0).contains(&period.hour()));
		midday.map(|(value, _)| value).sum()
	};
	let resolution_wh = report.terms.rules.resolution_wh.into();
	let first = dataset.households.first().map_or("", String::as_str);
	vec![
		total("main grid, bought and sold, kWh", exchange_wh),
		figure("of it from 10:00 to 15:00, kWh", &|days| {
			kwh(at_midday(exchange_wh(days)))
		}),
		total("bought from the main grid, kWh", Days::bought_wh),
		total("sold to the main grid, kWh", Days::sold_wh),
		total("traded in the community, kWh", Days::traded_wh),
		total("tradable at the consumption chosen, kWh", |days| {
			days.tradable_wh.clone()
		}),
		figure("traded of what was tradable, %", &|days| {
			percent(sum(days.traded_wh()), sum(days.tradable_wh.clone()))
		}),
		figure("idle though something was tradable, periods", &|days| {
			days.idle_periods(resolution_wh).to_string()
		}),
		most("most bought from the main grid in a period, kWh", Days::bought_wh),
		most("peak load of the community in a period, kWh", Days::load_wh),
		figure(&format!("peak load of {first} in a period, kWh"), &|days| {
			kwh(top(days.load_of_wh(0)))
		}),
		total("consumption, kWh", Days::load_wh),
		figure("self-consumption of the community, % of generation", &|days| {
			let generated = sum(days.sums(|cell| cell.generation_wh.into()));
			percent(generated - sum(days.sold_wh()), generated)
		}),
		figure("self-sufficiency of the community, % of consumption", &|days| {
			let consumed = sum(days.load_wh());
			percent(consumed - sum(days.bought_wh()), consumed)
		}),
		figure("comfort, mean of eq. (2)", &|days| {
			let cells = || days.cells.iter().flatten();
			let all: f64 = cells().map(|cell| comfort(model, cell.indoor_c)).sum();
			format!("{:.3}", all / cells().count().max(1) as f64)
		}),
		figure(&format!("paid less earned, {}", report.token), &|days| {
			let all = days.cells.iter().flatten().map(|cell| cell.cost).sum();
			report.money.signed_text(all)
		}),
	]
}

impl HouseholdFigures {
	fn new((household, dataset): (usize, &Dataset), manager: &Manager, ways: &Ways, model: &Comfort) -> Self {
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
			consumption_before_wh: sum(ways.alone.load_of_wh(household)),
			consumption_after_wh: sum(ways.game.load_of_wh(household)),
			peak_before_wh: top(ways.alone.load_of_wh(household)),
			peak_after_wh: top(ways.game.load_of_wh(household)),
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

/// All checks, in the order of the report.
fn checks(report: &ReplaySummary, ways: &Ways, lines: &[HouseholdFigures]) -> Vec<Check> {
	let amount = |amount| report.money.signed_text(amount);
	let less_exchanged = |what, other: &Days| {
		let (game, other) = (sum(exchange_wh(&ways.game)), sum(exchange_wh(other)));
		Check {
			what,
			holds: game < other,
			detail: format!("{} kWh against {} kWh", kwh(game), kwh(other)),
		}
	};
	vec![
		less_exchanged(
			"less exchanged with the main grid than without the game",
			&ways.alone,
		),
		less_exchanged(
			"less exchanged with the main grid than by each alone, consuming the same",
			&ways.alone_as_game,
		),
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
		all_certified(report),
		sums_add_up(report),
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

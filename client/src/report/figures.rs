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

fn figures(dataset: &Dataset, report: &ReplaySummary, ways: &Ways, model: &Comfort) -> Vec<Figure> {
	let figure = |name: &str, of: &dyn Fn(&Days) -> String| Figure {
		name: name.into(),
		alone: of(&ways.alone),
		pool: of(&ways.pool),
		alone_as_game: of(&ways.alone_as_game),
		game: of(&ways.game),
	};
	let sum = |values: Vec<i64>| values.into_iter().sum::<i64>();
	let top = |values: Vec<i64>| values.into_iter().max().unwrap_or(0);
	let midday: Vec<bool> = dataset
		.periods
		.iter()
		.map(|period| (10.0..15.0).contains(&period.hour()))
		.collect();
	let at_midday = |values: Vec<i64>| -> i64 {
		let pairs = values.into_iter().zip(&midday);
		pairs.filter(|(_, is)| **is).map(|(value, _)| value).sum()
	};
	let exchange = |days: &Days| days.sums(|cell| cell.main_wh.abs());
	let first = dataset.households.first().map_or("", String::as_str);
	let generated = |days: &Days| sum(days.sums(|cell| cell.generation_wh.into()));
	let consumed = |days: &Days| sum(days.load_wh());
	vec![
		figure("main grid, bought and sold, kWh", &|days| {
			kwh(sum(exchange(days)))
		}),
		figure("of it from 10:00 to 15:00, kWh", &|days| {
			kwh(at_midday(exchange(days)))
		}),
		figure("bought from the main grid, kWh", &|days| {
			kwh(sum(days.bought_wh()))
		}),
		figure("sold to the main grid, kWh", &|days| kwh(sum(days.sold_wh()))),
		figure("traded in the community, kWh", &|days| kwh(sum(days.traded_wh()))),
		figure("tradable at the consumption chosen, kWh", &|days| {
			kwh(sum(days.tradable_wh.clone()))
		}),
		figure("traded of what was tradable, %", &|days| {
			percent(sum(days.traded_wh()), sum(days.tradable_wh.clone()))
		}),
		figure("idle though something was tradable, periods", &|days| {
			days.idle_periods(report.terms.rules.resolution_wh.into())
				.to_string()
		}),
		figure("most bought from the main grid in a period, kWh", &|days| {
			kwh(top(days.bought_wh()))
		}),
		figure("peak load of the community in a period, kWh", &|days| {
			kwh(top(days.load_wh()))
		}),
		figure(&format!("peak load of {first} in a period, kWh"), &|days| {
			kwh(days.of(0).map(|cell| cell.consumption_wh).max().unwrap_or(0))
		}),
		figure("consumption, kWh", &|days| kwh(consumed(days))),
		figure("self-consumption of the community, % of generation", &|days| {
			let generated = generated(days);
			percent(generated - sum(days.sold_wh()), generated)
		}),
		figure("self-sufficiency of the community, % of consumption", &|days| {
			let consumed = consumed(days);
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

fn checks(report: &ReplaySummary, ways: &Ways, lines: &[HouseholdFigures]) -> Vec<Check> {
	let exchange = |days: &Days| -> i64 { days.sums(|cell| cell.main_wh.abs()).into_iter().sum() };
	let less = |what, than: &Days| {
		let (game, other) = (exchange(&ways.game), exchange(than));
		Check {
			what,
			holds: game < other,
			detail: format!("{} kWh against {} kWh", kwh(game), kwh(other)),
		}
	};
	// Checks a statement for each household. The detail lists those for which it does not hold, with the reason.
	let everyone =
		|what, is_so: &dyn Fn(&HouseholdFigures) -> bool, why: &dyn Fn(&HouseholdFigures) -> String| {
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
		};
	let amount = |amount| report.money.signed_text(amount);
	let not_certified = approximate(&report.eras);
	vec![
		less(
			"less exchanged with the main grid than without the game",
			&ways.alone,
		),
		less(
			"less exchanged with the main grid than by each alone, consuming the same",
			&ways.alone_as_game,
		),
		everyone(
			"every home stays within its comfort range",
			&|line| line.range_c.0 <= line.indoor_c.0 && line.indoor_c.1 <= line.range_c.1,
			&|line| format!("{:.2} to {:.2} degrees", line.indoor_c.0, line.indoor_c.1),
		),
		everyone(
			"no household pays more than alone with the main grid, consuming the same",
			&|line| line.cost <= line.cost_alone,
			&|line| {
				format!(
					"{} against {}: imbalance prices of what was not as forecast",
					amount(line.cost),
					amount(line.cost_alone)
				)
			},
		),
		everyone(
			"no household pays more than alone with the main grid, consuming as before",
			&|line| line.cost <= line.cost_before,
			&|line| {
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
			&|line| line.backlog_wh == 0,
			&|line| format!("{} kWh", kwh(line.backlog_wh)),
		),
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
		},
		Check {
			what: "energy and money of the chain add up",
			holds: report.faults.is_empty(),
			detail: match report.faults.first() {
				None => format!("{} sums", report.sums.checks_passed),
				Some(first) => format!("{} do not: {first}", report.faults.len()),
			},
		},
	]
}

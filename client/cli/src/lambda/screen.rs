//! The results as text.

use super::{
	limit::{HouseholdLimit, Position},
	play::Row,
	LambdaReport,
};
use crate::text::kwh;
use commonwatt_market::game::MAX_LAMBDA;

/// All results.
pub fn shown(report: &LambdaReport) -> String {
	format!(
		"{}: {} household(s), {} period(s); flexible share {} %, meter resolution {} Wh\n\n{}\n{}\n{}",
		report.file,
		report.households.len(),
		report.periods,
		report.flexible_percent,
		report.resolution_wh,
		limits(report),
		games(report),
		recommendation(report)
	)
}

/// A limit, rounded down, so that what is shown is never above it.
fn shown_limit(limit: f64) -> String {
	if limit >= f64::from(MAX_LAMBDA) {
		return "any".into();
	}
	let places = if limit < 1.01 { 6 } else { 3 };
	let scale = 10_f64.powi(places);
	let places = usize::try_from(places).unwrap_or_default();
	format!("{:.places$}", (limit * scale).floor() / scale)
}

fn limits(report: &LambdaReport) -> String {
	let mut text = String::from(
		"Largest lambda at which a buyer that the pool serves in full never prefers the main grid\n\n  household          \
		 as metered     flexible  largest kWh   decided by  kWh, in the period\n",
	);
	for household in &report.households {
		text += &row_of(household);
	}
	text += &match &report.limit {
		None => "\n  No household ever needs more than the meter resolution, so every lambda suits.\n".into(),
		Some((household, position)) => format!(
			"\n  {household} decides for the community: in the period {} it may consume {} kWh and generate {} kWh,\n  so buy {} \
			 kWh. At a lambda above {} the main grid is worth more to it than a pool that serves it in full.\n",
			position.period_start,
			kwh(position.consumption_wh),
			kwh(position.generation_wh),
			kwh(position.deficit_wh),
			shown_limit(position.largest_lambda)
		),
	};
	text + &remarks(report)
}

fn row_of(household: &HouseholdLimit) -> String {
	let limit = |binding: &Option<Position>| {
		binding
			.as_ref()
			.map_or("any".into(), |position| shown_limit(position.largest_lambda))
	};
	let binding = household.binding.as_ref();
	let decided_by = binding.map_or("-".into(), |position| kwh(position.deficit_wh));
	let period = binding.map_or("-", |position| position.period_start.as_str());
	format!(
		"  {:<16} {:>12} {:>12} {:>12}  {decided_by:>11}  {period}\n",
		household.household,
		limit(&household.binding_as_metered),
		limit(&household.binding),
		kwh(household.largest_deficit_wh),
	)
}

/// Remarks below the table of limits.
fn remarks(report: &LambdaReport) -> String {
	let mut text = String::new();
	let at_resolution: u32 = report
		.households
		.iter()
		.map(|household| household.deficits_of_the_resolution)
		.sum();
	if at_resolution > 0 {
		text += &format!(
			"  {at_resolution} deficit(s) of exactly the meter resolution, {} Wh, are left out: for them the main grid is always \
			 worth more.\n",
			report.resolution_wh
		);
	}
	let small = |position: &Position| {
		f64::from(position.deficit_wh) < std::f64::consts::E * f64::from(report.resolution_wh)
	};
	if report.limit.as_ref().is_some_and(|(_, position)| small(position)) {
		text += "  That is a small deficit, little above the meter resolution: a finer resolution raises the limit.\n";
	}
	text
}

fn games(report: &LambdaReport) -> String {
	let mut text = String::from(
		"Every period solved as one game; energies in kWh\n\n   lambda  certified approx.     traded   tradable      %  \
		 idle  from main    to main   consumed prefer main\n",
	);
	for row in &report.lambdas {
		text += &game_row(row, row.lambda == report.recommended_lambda);
	}
	text + "\n  * recommended\n"
}

fn game_row(row: &Row, recommended: bool) -> String {
	let share = match row.tradable_wh {
		0 => "-".into(),
		// Rounded down: 100.0 is shown only where everything tradable was traded.
		tradable => {
			let per_mille = row.traded_wh.saturating_mul(1_000) / tradable;
			format!("{}.{}", per_mille / 10, per_mille % 10)
		}
	};
	format!(
		"  {:>7}{} {:>9} {:>7} {:>10} {:>10} {share:>6} {:>5} {:>10} {:>10} {:>10} {:>11}\n",
		row.lambda,
		if recommended { '*' } else { ' ' },
		row.certified,
		row.approximate,
		kwh(row.traded_wh),
		kwh(row.tradable_wh),
		row.idle,
		kwh(row.bought_from_main_wh),
		kwh(row.sold_to_main_wh),
		kwh(row.consumption_wh),
		row.prefer_main_grid
	)
}

fn recommendation(report: &LambdaReport) -> String {
	let lambda = report.recommended_lambda;
	match &report.limit {
		None => format!(
			"Recommendation: lambda {lambda}, as in the seed paper, since these homes never need more than the meter resolution.\n"
		),
		Some((_, position)) => {
			let limit = shown_limit(position.largest_lambda);
			let why = if lambda == 4.0 {
				format!("as in the seed paper, since these homes allow it: their limit is {limit}")
			} else {
				format!("the largest round value that is not above these homes' limit of {limit}")
			};
			format!("Recommendation: lambda {lambda}, {why}.\n")
		}
	}
}

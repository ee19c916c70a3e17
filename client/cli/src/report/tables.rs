//! The report's numbers as CSV. They do not depend on the chain that played them: neither on its clock nor on its
//! numbering.

use super::{
	days::{comfort, Ways},
	figures::Figures,
};
use crate::{
	chain::types::Comfort,
	data::Dataset,
	fault::Fault,
	manager::Manager,
	summary::{EraLine, ReplaySummary},
};
use std::path::Path;

/// Writes a table.
fn write(path: &Path, rows: impl IntoIterator<Item = Vec<String>>) -> Result<(), Fault> {
	let mut writer = csv::Writer::from_path(path).map_err(|error| Fault::file(path, error))?;
	for row in rows {
		writer
			.write_record(&row)
			.map_err(|error| Fault::file(path, error))?;
	}
	writer.flush().map_err(|error| Fault::file(path, error))
}

fn head(columns: &[&str]) -> Vec<String> {
	columns.iter().map(|column| (*column).to_owned()).collect()
}

/// The headline figures.
pub fn summary(path: &Path, figures: &Figures) -> Result<(), Fault> {
	let columns = head(&[
		"figure",
		"alone",
		"pool_without_game",
		"alone_consuming_as_game",
		"game",
	]);
	let rows = figures.figures.iter().map(|figure| {
		vec![
			figure.name.clone(),
			figure.alone.clone(),
			figure.pool.clone(),
			figure.alone_as_game.clone(),
			figure.game.clone(),
		]
	});
	write(path, std::iter::once(columns).chain(rows))
}

/// The community, a row for each period.
pub fn periods(path: &Path, dataset: &Dataset, report: &ReplaySummary, ways: &Ways) -> Result<(), Fault> {
	let columns = head(&[
		"period_start",
		"generation_wh",
		"load_before_wh",
		"load_after_wh",
		"alone_bought_wh",
		"alone_sold_wh",
		"pool_bought_wh",
		"pool_sold_wh",
		"game_bought_wh",
		"game_sold_wh",
		"game_community_wh",
		"game_tradable_wh",
		"status",
		"sweeps",
	]);
	let generation = ways.game.sums(|cell| cell.generation_wh.into());
	let sides = [
		ways.alone.load_wh(),
		ways.game.load_wh(),
		ways.alone.bought_wh(),
		ways.alone.sold_wh(),
		ways.pool.bought_wh(),
		ways.pool.sold_wh(),
		ways.game.bought_wh(),
		ways.game.sold_wh(),
		ways.game.traded_wh(),
		ways.game.tradable_wh.clone(),
	];
	let played = |period: usize| -> Option<&EraLine> {
		report
			.eras
			.iter()
			.find(|line| line.played && line.period == period)
	};
	let rows = dataset.periods.iter().enumerate().map(|(number, period)| {
		let mut row = vec![period.start.clone(), generation[number].to_string()];
		row.extend(sides.iter().map(|side| side[number].to_string()));
		let line = played(number);
		row.push(line.map_or(String::new(), |line| match line.status() {
			Some(status) => format!("{status:?}"),
			None => "OtherRules".into(),
		}));
		row.push(line.map_or(String::new(), |line| line.sweeps.to_string()));
		row
	});
	write(path, std::iter::once(columns).chain(rows))
}

/// The households, a row for each in each period.
pub fn households(
	path: &Path,
	dataset: &Dataset,
	manager: &Manager,
	ways: &Ways,
	model: &Comfort,
) -> Result<(), Fault> {
	let columns = head(&[
		"period_start",
		"household",
		"generation_wh",
		"consumption_before_wh",
		"consumption_after_wh",
		"device_before_wh",
		"put_off_wh",
		"indoor_before_c",
		"indoor_after_c",
		"comfort_before",
		"comfort_after",
		"community_wh",
		"main_wh",
		"cost_alone_before",
		"cost",
	]);
	let mut rows = vec![columns];
	for (number, period) in dataset.periods.iter().enumerate() {
		for (index, name) in dataset.households.iter().enumerate() {
			let (before, after) = (&ways.alone.cells[number][index], &ways.game.cells[number][index]);
			rows.push(vec![
				period.start.clone(),
				name.clone(),
				after.generation_wh.to_string(),
				before.consumption_wh.to_string(),
				after.consumption_wh.to_string(),
				manager.device_wh_without(index, number).to_string(),
				after.backlog_wh.to_string(),
				format!("{:.2}", before.indoor_c),
				format!("{:.2}", after.indoor_c),
				format!("{:.3}", comfort(model, before.indoor_c)),
				format!("{:.3}", comfort(model, after.indoor_c)),
				after.community_wh.to_string(),
				after.main_wh.to_string(),
				before.cost.to_string(),
				after.cost.to_string(),
			]);
		}
	}
	write(path, rows)
}

//! The report's numbers as CSV. They do not depend on the chain that played them: neither on its clock nor on its
//! numbering.

use super::{
	days::{comfort, Ways},
	figures::Figures,
};
use crate::{
	chain::types::Comfort, data::Dataset, fault::Fault, files::write_csv, manager::Manager,
	summary::ReplaySummary,
};
use std::{iter, path::Path};

/// The headline figures.
pub fn summary(path: &Path, figures: &Figures) -> Result<(), Fault> {
	let columns = ["alone", "pool_without_game", "alone_consuming_as_game", "game"];
	let rows = figures.figures.iter().map(|figure| {
		let ways = columns.into_iter().zip(figure.ways.iter().cloned());
		iter::once(("figure", figure.name.clone())).chain(ways).collect()
	});
	write_csv(path, rows)
}

/// The community, a row for each period.
pub fn periods(path: &Path, dataset: &Dataset, report: &ReplaySummary, ways: &Ways) -> Result<(), Fault> {
	let columns = [
		("generation_wh", ways.game.sums(|cell| cell.generation_wh.into())),
		("load_before_wh", ways.alone.load_wh()),
		("load_after_wh", ways.game.load_wh()),
		("alone_bought_wh", ways.alone.bought_wh()),
		("alone_sold_wh", ways.alone.sold_wh()),
		("pool_bought_wh", ways.pool.bought_wh()),
		("pool_sold_wh", ways.pool.sold_wh()),
		("game_bought_wh", ways.game.bought_wh()),
		("game_sold_wh", ways.game.sold_wh()),
		("game_community_wh", ways.game.traded_wh()),
		("game_tradable_wh", ways.game.tradable_wh.clone()),
	];
	let rows = dataset.periods.iter().enumerate().map(|(number, period)| {
		let mut row = vec![("period_start", period.start.clone())];
		row.extend(columns.iter().map(|(name, wh)| (*name, wh[number].to_string())));
		let mut eras = report.eras.iter();
		let line = eras.find(|line| line.played && line.period == number);
		row.push(("era", line.map_or(String::new(), |line| line.era.to_string())));
		let status = line.map_or(String::new(), |line| match line.status() {
			Some(status) => format!("{status:?}"),
			None => "OtherRules".into(),
		});
		row.push(("status", status));
		row.push((
			"sweeps",
			line.map_or(String::new(), |line| line.sweeps.to_string()),
		));
		row
	});
	write_csv(path, rows)
}

/// The households, a row for each in each period.
pub fn households(
	path: &Path,
	dataset: &Dataset,
	manager: &Manager,
	ways: &Ways,
	model: &Comfort,
) -> Result<(), Fault> {
	let mut rows = Vec::new();
	for (number, period) in dataset.periods.iter().enumerate() {
		for (index, name) in dataset.households.iter().enumerate() {
			let (before, after) = (&ways.alone.cells[number][index], &ways.game.cells[number][index]);
			let device_wh = manager.device_wh_without(index, number);
			rows.push(vec![
				("period_start", period.start.clone()),
				("household", name.clone()),
				("generation_wh", after.generation_wh.to_string()),
				("consumption_before_wh", before.consumption_wh.to_string()),
				("consumption_after_wh", after.consumption_wh.to_string()),
				("device_before_wh", device_wh.to_string()),
				("put_off_wh", after.backlog_wh.to_string()),
				("indoor_before_c", format!("{:.2}", before.indoor_c)),
				("indoor_after_c", format!("{:.2}", after.indoor_c)),
				(
					"comfort_before",
					format!("{:.3}", comfort(model, before.indoor_c)),
				),
				("comfort_after", format!("{:.3}", comfort(model, after.indoor_c))),
				("community_wh", after.community_wh.to_string()),
				("main_wh", after.main_wh.to_string()),
				("cost_alone_before", before.cost.to_string()),
				("cost", after.cost.to_string()),
			]);
		}
	}
	write_csv(path, rows)
}

//! The effect of a lambda on a community: solves every period of its data as one game.

use super::{limit::prefers_main_grid, value, Setting};
use crate::{
	data::{Dataset, Measured, Period},
	fault::Fault,
};
use commonwatt_market::{
	contract::SolverLimits,
	game::{allocate, solve, Certificate, Game, Household, ProfileFault, Ratio, Status},
};
use indicatif::ProgressBar;
use serde::Serialize;

/// The results of all periods at one lambda. Energies in Wh.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Row {
	pub lambda: f64,
	pub certified: u32,
	pub approximate: u32,
	pub traded_wh: u64,
	/// The smaller of all surplus and all deficit of the chosen consumption, summed over the periods.
	pub tradable_wh: u64,
	/// Periods in which nothing was traded although at least the meter resolution was tradable.
	pub idle: u32,
	pub bought_from_main_wh: u64,
	pub sold_to_main_wh: u64,
	pub consumption_wh: u64,
	/// Households, counted once a period, that prefer the main grid to a pool that serves them in full.
	pub prefer_main_grid: u32,
}

/// Solves every period as a game of its own, in the same way as the chain.
pub fn play(dataset: &Dataset, setting: &Setting, lambda: Ratio, bar: &ProgressBar) -> Result<Row, Fault> {
	let mut row = Row {
		lambda: value::number(lambda),
		..Row::default()
	};
	for period in &dataset.periods {
		let at = |fault: &dyn std::fmt::Display| {
			Fault::file(
				&dataset.path,
				format_args!("the period {}: {fault}", period.start),
			)
		};
		let game = game(period, setting, lambda).map_err(|fault| at(&fault))?;
		let solution = solve(&game, &SolverLimits::RUNTIME.config(&game), None);
		row.add(&game, &solution.profile, &solution.certificate)
			.map_err(|fault| at(&fault))?;
		row.count_buyers(period, setting);
		bar.inc(1);
	}
	Ok(row)
}

fn game(
	period: &Period,
	setting: &Setting,
	lambda: Ratio,
) -> Result<Game, commonwatt_market::game::GameFault> {
	let household = |measured: &Measured| Household {
		generation_wh: measured.generation_wh,
		comfort: Some(setting.comfort),
		strategies: setting.strategies(measured),
	};
	let households = period.known().map(household).collect();
	Game::new(setting.rules(lambda), households)
}

impl Row {
	/// Adds the outcome of one game.
	fn add(&mut self, game: &Game, profile: &[u8], certificate: &Certificate) -> Result<(), ProfileFault> {
		match certificate.status {
			Status::Equilibrium => self.certified += 1,
			Status::Approximate => self.approximate += 1,
		}
		let (mut surplus_wh, mut deficit_wh) = (0, 0);
		let shares = allocate(game, profile)?;
		for (household, share) in game.households().iter().zip(shares) {
			let net_wh = share.community_wh + share.main_wh;
			surplus_wh += positive(net_wh);
			deficit_wh += positive(-net_wh);
			self.sold_to_main_wh += positive(share.main_wh);
			self.bought_from_main_wh += positive(-share.main_wh);
			self.consumption_wh += positive(i64::from(household.generation_wh) - net_wh);
		}
		let tradable_wh = surplus_wh.min(deficit_wh);
		let traded_wh = certificate.traded_wh;
		self.tradable_wh += tradable_wh;
		self.traded_wh += traded_wh;
		if traded_wh == 0 && tradable_wh >= u64::from(game.rules().resolution_wh) {
			self.idle += 1;
		}
		Ok(())
	}

	/// Counts the households of one period that prefer the main grid.
	fn count_buyers(&mut self, period: &Period, setting: &Setting) {
		for measured in period.known() {
			let strategies = setting.strategies(measured);
			self.prefer_main_grid +=
				u32::from(prefers_main_grid(&strategies, measured, setting, self.lambda));
		}
	}
}

/// The energy if it is positive, else 0.
fn positive(wh: i64) -> u64 {
	u64::try_from(wh).unwrap_or(0)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::lambda::tests::{dataset, setting};
	use commonwatt_market::game::verify;

	/// The row of one game at lambda 4 and 10 Wh, without flexible shares, whose households choose this profile.
	fn chosen(measured: &[(u32, u32)], profile: &[u8]) -> Row {
		let data = dataset(&[measured]);
		let game = game(&data.periods[0], &setting(0, 10), value::decimal(4, 1)).unwrap();
		let certificate = verify(
			&game,
			profile,
			commonwatt_market::game::SolverConfig::default().epsilon,
		)
		.unwrap();
		let mut row = Row::default();
		row.add(&game, profile, &certificate).unwrap();
		row
	}

	#[test]
	fn traded_energy_is_set_against_what_the_consumption_allows() {
		// 3 kWh to sell, 2 and 0.5 kWh to buy, all in the pool (strategy 0): 2.5 kWh trade, 0.5 kWh go to the grid.
		let row = chosen(&[(4_000, 1_000), (0, 2_000), (500, 1_000)], &[0, 0, 0]);
		assert_eq!((row.traded_wh, row.tradable_wh, row.idle), (2_500, 2_500, 0));
		assert_eq!((row.bought_from_main_wh, row.sold_to_main_wh), (0, 500));
		assert_eq!(row.consumption_wh, 4_000);
		// The second one buys from the main grid (strategy 1): 0.5 of 2.5 kWh trade.
		let row = chosen(&[(4_000, 1_000), (0, 2_000), (500, 1_000)], &[0, 1, 0]);
		assert_eq!((row.traded_wh, row.tradable_wh, row.idle), (500, 2_500, 0));
		assert_eq!((row.bought_from_main_wh, row.sold_to_main_wh), (2_000, 2_500));
	}

	#[test]
	fn idle_pool_counts_only_where_something_was_tradable() {
		let idle = |measured: &[(u32, u32)], profile: &[u8]| chosen(measured, profile).idle;
		// Everyone on the main grid, with 2 kWh tradable.
		assert_eq!(idle(&[(4_000, 1_000), (0, 2_000)], &[1, 1]), 1);
		// Surplus only.
		assert_eq!(idle(&[(4_000, 1_000), (3_000, 0)], &[1, 1]), 0);
		// 9 Wh, below the meter resolution: both households are neutral.
		assert_eq!(idle(&[(9, 0), (0, 9)], &[0, 0]), 0);
	}

	#[test]
	fn every_period_is_solved() {
		// 1 kWh against 1 kWh trades at any lambda here; two sellers cannot trade.
		let data = dataset(&[&[(1_000, 0), (0, 1_000)], &[(1_000, 0), (1_000, 0)]]);
		let bar = ProgressBar::hidden();
		let row = play(&data, &setting(0, 10), value::decimal(2, 1), &bar).unwrap();
		assert_eq!((row.certified, row.approximate), (2, 0));
		assert_eq!((row.traded_wh, row.tradable_wh, row.idle), (1_000, 1_000, 0));
		assert_eq!((row.lambda, bar.position()), (2.0, 2));
	}

	#[test]
	fn buyers_that_prefer_the_main_grid_are_counted_in_every_period() {
		// 5 kWh prefers the main grid at lambda 4, 4 kWh does not.
		let data = dataset(&[&[(0, 5_000), (0, 4_000)], &[(0, 5_000), (9_000, 0)]]);
		let bar = ProgressBar::hidden();
		let count = |lambda| {
			play(&data, &setting(0, 10), lambda, &bar)
				.unwrap()
				.prefer_main_grid
		};
		assert_eq!(count(value::decimal(4, 1)), 2);
		assert_eq!(count(value::decimal(3, 1)), 0);
	}
}

//! The same periods in four ways: each household alone with the main grid; with a pool but no game; as the chain played
//! them; and, to separate trading from consumption, alone with the main grid at the consumption that the game chose.

use crate::{
	chain::types::{Balance, Comfort, Terms},
	data::Dataset,
	manager::Manager,
	summary::{EraLine, ReplaySummary},
};
use commonwatt_market::{
	game::ration,
	money::Split,
	prices::{cost, price, revenue},
};

/// One household in one period.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cell {
	pub generation_wh: u32,
	pub consumption_wh: u32,
	/// Exchanged inside the community, positive when sold.
	pub community_wh: i64,
	/// Exchanged with the main grid, positive when sold.
	pub main_wh: i64,
	/// Cost less earnings, smallest unit of money.
	pub cost: i128,
	/// At the period's end, degrees Celsius.
	pub indoor_c: f64,
	/// Load that was put off and is still to come, Wh.
	pub backlog_wh: i64,
}

/// All periods of all households, in one of the four ways.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Days {
	/// By period and household.
	pub cells: Vec<Vec<Cell>>,
	/// By period: the smaller of all surplus and all deficit at the consumption of this way, Wh.
	pub tradable_wh: Vec<i64>,
}

/// The four ways.
pub struct Ways {
	pub alone: Days,
	pub pool: Days,
	pub alone_as_game: Days,
	pub game: Days,
}

impl Ways {
	/// All four, in the order of the report.
	pub fn all(&self) -> [&Days; 4] {
		[&self.alone, &self.pool, &self.alone_as_game, &self.game]
	}

	/// Computes the four ways from the data and from what the chain settled.
	pub fn new(dataset: &Dataset, manager: &Manager, report: &ReplaySummary) -> Self {
		let game = played(dataset, manager, report);
		let alone = unchanged(dataset, manager);
		let pool = Days {
			cells: alone
				.cells
				.iter()
				.map(|cells| pooled(cells, &report.terms))
				.collect(),
			tradable_wh: alone.tradable_wh.clone(),
		};
		Self {
			alone_as_game: game.alone(&report.terms),
			alone: alone.alone(&report.terms),
			pool,
			game,
		}
	}
}

/// What the file says, with the homes' temperatures. The energy is not assigned to the community or the main grid yet.
fn unchanged(dataset: &Dataset, manager: &Manager) -> Days {
	let period = |(number, period): (usize, &crate::data::Period)| -> Vec<Cell> {
		let households = period.measured.iter().enumerate();
		households
			.map(|(index, measured)| {
				let measured = measured.unwrap_or_default();
				Cell {
					generation_wh: measured.generation_wh,
					consumption_wh: measured.consumption_wh,
					indoor_c: manager.indoor_c_without(index, number),
					..Cell::default()
				}
			})
			.collect()
	};
	let cells: Vec<Vec<Cell>> = dataset.periods.iter().enumerate().map(period).collect();
	Days {
		tradable_wh: cells.iter().map(|cells| tradable_wh(cells)).collect(),
		cells,
	}
}

/// The smaller of all surplus and all deficit, Wh.
fn tradable_wh(cells: &[Cell]) -> i64 {
	let side = |sign: i64| -> i64 { cells.iter().map(|cell| (cell.net_wh() * sign).max(0)).sum() };
	side(1).min(side(-1))
}

/// A pool without a game: whoever has a surplus offers it, whoever has a deficit asks for it, and the longer side is
/// rationed as on the chain.
fn pooled(cells: &[Cell], terms: &Terms) -> Vec<Cell> {
	let side = |sign: i64| -> Vec<u64> {
		let net = cells.iter().map(Cell::net_wh);
		net.map(|net| (net * sign).max(0).unsigned_abs()).collect()
	};
	let (offers, requests) = (side(1), side(-1));
	let (offered, requested) = (offers.iter().sum(), requests.iter().sum());
	let (sold, bought) = (ration(&offers, requested), ration(&requests, offered));
	let per_kwh = price(terms, offered, requested);
	let tariffs = &terms.tariffs;
	let paid: Balance = bought.iter().map(|wh| cost(*wh as u32, per_kwh)).sum();
	let all_sold: u64 = sold.iter().sum();
	let mut parts = Split::new(paid, all_sold.into());
	let lines = cells.iter().zip(sold.iter().zip(&bought));
	lines
		.map(|(cell, (sold, bought))| {
			let earned = parts.next_part((*sold).into());
			let community_wh = *sold as i64 - *bought as i64;
			let main_wh = cell.net_wh() - community_wh;
			let spent = cost(*bought as u32, per_kwh) + cost(*bought as u32, tariffs.grid_fee_per_kwh);
			Cell {
				community_wh,
				main_wh,
				cost: spent as i128 - earned as i128 + main_cost(main_wh, terms),
				..*cell
			}
		})
		.collect()
}

/// What the main grid charges for a net exchange at the ordinary tariffs, less what it pays.
fn main_cost(main_wh: i64, terms: &Terms) -> i128 {
	let wh = u32::try_from(main_wh.unsigned_abs()).unwrap_or(u32::MAX);
	match main_wh < 0 {
		true => cost(wh, terms.tariffs.retail_per_kwh) as i128,
		false => -(revenue(wh, terms.tariffs.feed_in_per_kwh) as i128),
	}
}

/// What the chain settled, with the homes' temperatures from the managers.
fn played(dataset: &Dataset, manager: &Manager, report: &ReplaySummary) -> Days {
	let mut cells = vec![vec![Cell::default(); dataset.households.len()]; dataset.periods.len()];
	let mut tradable_wh = vec![0; dataset.periods.len()];
	for line in report.eras.iter().filter(|line| line.played) {
		tradable_wh[line.period] = i64::try_from(line.tradable_wh).unwrap_or(i64::MAX);
	}
	for (index, name) in dataset.households.iter().enumerate() {
		let mut state = manager.beginning(index);
		for line in &report.eras {
			let household = line.households.iter().find(|household| household.name == *name);
			let contracted = household.map(|household| household.contracted_consumption_wh);
			let lived = manager.follow(index, line.period, &state, contracted);
			state = lived.state;
			let (Some(household), true) = (household, line.played) else {
				continue;
			};
			let amounts = &household.amounts;
			cells[line.period][index] = Cell {
				generation_wh: household.reading.generation_wh,
				consumption_wh: household.reading.consumption_wh,
				community_wh: household.delivered.community_wh(),
				main_wh: household.delivered.main_wh(),
				cost: amounts.cost() as i128 - amounts.revenue() as i128,
				indoor_c: state.indoor_c,
				backlog_wh: state.backlog_wh,
			};
		}
	}
	Days { cells, tradable_wh }
}

impl Cell {
	/// Generation less consumption, Wh.
	pub fn net_wh(&self) -> i64 {
		i64::from(self.generation_wh) - i64::from(self.consumption_wh)
	}
}

/// Comfort by the paper's eq. (2), 0 to 1.
pub fn comfort(model: &Comfort, indoor_c: f64) -> f64 {
	let [low, high] = [model.min_centi_c, model.max_centi_c].map(|centi| f64::from(centi) / 100.0);
	let a = f64::from(model.a.numerator) / f64::from(model.a.denominator.max(1));
	(-a * (indoor_c - low) * (indoor_c - high)).max(0.0)
}

impl Days {
	/// The same consumption with the main grid alone.
	fn alone(&self, terms: &Terms) -> Self {
		let alone = |cell: &Cell| Cell {
			community_wh: 0,
			main_wh: cell.net_wh(),
			cost: main_cost(cell.net_wh(), terms),
			..*cell
		};
		let cells = self.cells.iter();
		Self {
			cells: cells.map(|cells| cells.iter().map(alone).collect()).collect(),
			tradable_wh: self.tradable_wh.clone(),
		}
	}

	/// One household, period by period.
	pub fn of(&self, household: usize) -> impl Iterator<Item = &Cell> {
		self.cells.iter().filter_map(move |cells| cells.get(household))
	}

	/// Sums over the households, period by period.
	pub fn sums(&self, pick: impl Fn(&Cell) -> i64) -> Vec<i64> {
		self.cells
			.iter()
			.map(|cells| cells.iter().map(&pick).sum())
			.collect()
	}

	/// What all households bought from the main grid, period by period, Wh.
	pub fn bought_wh(&self) -> Vec<i64> {
		self.sums(|cell| (-cell.main_wh).max(0))
	}

	/// What all households sold to the main grid, period by period, Wh.
	pub fn sold_wh(&self) -> Vec<i64> {
		self.sums(|cell| cell.main_wh.max(0))
	}

	/// Consumption of all households, period by period, Wh.
	pub fn load_wh(&self) -> Vec<i64> {
		self.sums(|cell| cell.consumption_wh.into())
	}

	/// Traded inside the community, period by period, Wh.
	pub fn traded_wh(&self) -> Vec<i64> {
		self.sums(|cell| cell.community_wh.max(0))
	}

	/// Number of periods in which nothing was traded although at least the meter resolution was tradable.
	pub fn idle_periods(&self, resolution_wh: i64) -> usize {
		let pairs = self.traded_wh().into_iter().zip(&self.tradable_wh);
		pairs
			.filter(|(traded, tradable)| *traded == 0 && **tradable >= resolution_wh)
			.count()
	}

	/// Consumption of one household, period by period, Wh.
	pub fn load_of_wh(&self, household: usize) -> Vec<i64> {
		let cells = self.of(household);
		cells.map(|cell| cell.consumption_wh.into()).collect()
	}

	/// What one household paid less what it earned.
	pub fn cost(&self, household: usize) -> i128 {
		self.of(household).map(|cell| cell.cost).sum()
	}
}

/// Eras that were not certified, by the start of their periods. Eras under other rules are left out: they are not
/// judged.
pub fn approximate(lines: &[EraLine]) -> Vec<String> {
	use crate::chain::types::Status;
	let not = lines
		.iter()
		.filter(|line| line.played && line.status() == Some(Status::Approximate));
	not.map(|line| line.period_start.clone()).collect()
}

//! Key figures of a household and of a community, from statements and records.
//!
//! Self-consumption is the share of generation that does not go to the main grid; self-sufficiency is the share of
//! consumption that does not come from it (Luthander, Widén, Nilsson and Palm, Applied Energy 142, 2015, doi
//! 10.1016/j.apenergy.2014.12.028). A household's figures count the generation that it uses itself in the same era. The
//! community's figures also count what its households use of each other's generation.

use crate::{
	chain::{
		game::other_rules,
		types::{Bill, Certificate, EraRecord, HouseholdId, Statement, Status},
	},
	ledger::EraBook,
};
use serde::Serialize;

/// A household's bill with its key figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Account {
	/// Includes the household's number.
	#[serde(flatten)]
	pub bill: Bill,
	pub generation_wh: u64,
	pub consumption_wh: u64,
	/// Generation that the household itself used in the same era.
	pub own_use_wh: u64,
	/// Maximum consumption, and maximum energy bought from the main grid, in an era.
	pub peak_load_wh: u64,
	pub peak_bought_wh: u64,
	pub missing_readings: u32,
	/// By how much late readings made the bill dearer; negative where they made it cheaper. Part of the bill's cost and
	/// revenue.
	#[serde(with = "commonwatt_market::money::serialized")]
	pub late_correction: i128,
	/// Mean and minimum of the comfort, the paper's eq. (2), over the eras with a contract and a reading, millionths.
	/// `None` without such an era.
	pub comfort_ppm: Option<u64>,
	pub least_comfort_ppm: Option<u32>,
	/// Eras with comfort 0.
	pub uncomfortable_eras: u32,
	#[serde(skip)]
	comfort: (u64, u64),
}

impl Account {
	/// An account without any era. `first_era` is the first that will be added.
	pub fn new(household: HouseholdId, first_era: u32) -> Self {
		Self {
			bill: Bill::empty(household, first_era),
			generation_wh: 0,
			consumption_wh: 0,
			own_use_wh: 0,
			peak_load_wh: 0,
			peak_bought_wh: 0,
			missing_readings: 0,
			late_correction: 0,
			comfort_ppm: None,
			least_comfort_ppm: None,
			uncomfortable_eras: 0,
			comfort: (0, 0),
		}
	}

	/// Adds an era. `was_read` is false if the reading is an estimate of the chain.
	pub fn add(&mut self, statement: &Statement, was_read: bool) {
		let (reading, energy) = (&statement.reading, statement.exchange());
		self.bill.add(statement);
		self.generation_wh += u64::from(reading.generation_wh);
		self.consumption_wh += u64::from(reading.consumption_wh);
		self.own_use_wh += u64::from(reading.generation_wh.min(reading.consumption_wh));
		self.peak_load_wh = self.peak_load_wh.max(reading.consumption_wh.into());
		self.peak_bought_wh = self.peak_bought_wh.max(energy.bought_from_main_wh.into());
		self.missing_readings += u32::from(!was_read);
		if let Some(delivered) = statement.delivered {
			let ppm = delivered.comfort_ppm;
			self.comfort = (self.comfort.0 + u64::from(ppm), self.comfort.1 + 1);
			self.comfort_ppm = self.comfort.0.checked_div(self.comfort.1);
			self.least_comfort_ppm = Some(self.least_comfort_ppm.map_or(ppm, |least| least.min(ppm)));
			self.uncomfortable_eras += u32::from(ppm == 0);
		}
	}

	/// Percent; `None` without generation.
	pub fn self_consumption(&self) -> Option<f64> {
		percent(self.own_use_wh, self.generation_wh)
	}

	/// Percent; `None` without consumption.
	pub fn self_sufficiency(&self) -> Option<f64> {
		percent(self.own_use_wh, self.consumption_wh)
	}
}

/// `part` as a percentage of `whole`, to one decimal place; `None` if `whole` is 0.
fn percent(part: u64, whole: u64) -> Option<f64> {
	(whole > 0).then(|| (part as f64 * 1_000.0 / whole as f64).round() / 10.0)
}

/// Key figures of a community's eras.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Community {
	/// Number of settled eras, and of those with a game.
	pub eras: u32,
	pub games: u32,
	/// Games that are certified under the rules that this program knows.
	pub equilibria: u32,
	/// Eras whose games ended without an equilibrium, under the same rules.
	pub approximate: Vec<u32>,
	/// Eras that were cleared under other rules. This program cannot judge their certificates, so they count in neither
	/// of the two fields above.
	pub other_rules: Vec<u32>,
	pub games_with_trade: u32,
	pub sweeps: u64,
	pub most_sweeps: u32,
	pub most_starts: u32,
	/// The largest gain that a game left under the rules that this program knows, base-2 logarithm in units of 2^-32.
	pub largest_gain: i64,
	pub generation_wh: u64,
	pub consumption_wh: u64,
	pub community_wh: u64,
	pub sold_to_main_wh: u64,
	pub bought_from_main_wh: u64,
	/// Maximum of all households together in an era.
	pub peak_load_wh: u64,
	pub peak_bought_wh: u64,
	pub missing_readings: u64,
	/// Percent; `None` without generation or consumption.
	pub self_consumption: Option<f64>,
	pub self_sufficiency: Option<f64>,
}

impl Community {
	/// Adds an era.
	pub fn add(&mut self, book: &EraBook) {
		self.eras += 1;
		if let Some(record) = &book.record {
			self.add_game(record, book.cleared_by);
		}
		let (mut load, mut bought) = (0, 0);
		let statements = book.statements.values().map(|settled| &settled.statement);
		for statement in statements {
			let (reading, energy) = (&statement.reading, statement.exchange());
			self.generation_wh += u64::from(reading.generation_wh);
			self.community_wh += u64::from(energy.sold_to_community_wh);
			self.sold_to_main_wh += u64::from(energy.sold_to_main_wh);
			load += u64::from(reading.consumption_wh);
			bought += u64::from(energy.bought_from_main_wh);
		}
		self.consumption_wh += load;
		self.bought_from_main_wh += bought;
		self.peak_load_wh = self.peak_load_wh.max(load);
		self.peak_bought_wh = self.peak_bought_wh.max(bought);
		let missing = book.totals.map_or(0, |totals| totals.missing_readings);
		self.missing_readings += u64::from(missing);
		let used = self.generation_wh.saturating_sub(self.sold_to_main_wh);
		let local = self.consumption_wh.saturating_sub(self.bought_from_main_wh);
		self.self_consumption = percent(used, self.generation_wh);
		self.self_sufficiency = percent(local, self.consumption_wh);
	}

	fn add_game(&mut self, record: &EraRecord, cleared_by: Option<u32>) {
		let Certificate {
			status,
			traded_wh,
			max_gain,
			..
		} = record.certificate;
		self.games += 1;
		if other_rules(cleared_by).is_some() {
			self.other_rules.push(record.era);
		} else {
			match status {
				Status::Equilibrium => self.equilibria += 1,
				Status::Approximate => self.approximate.push(record.era),
			}
			self.largest_gain = self.largest_gain.max(max_gain.0);
		}
		self.games_with_trade += u32::from(traded_wh > 0);
		self.sweeps += u64::from(record.sweeps);
		self.most_sweeps = self.most_sweeps.max(record.sweeps);
		self.most_starts = self.most_starts.max(record.starts);
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{
		chain::types::{Amounts, Channels, Delivered, Quality, Reading, ReportedBy},
		ledger::{Opening, Settled},
		test_terms::TEST_TERMS,
	};
	use commonwatt_market::game::Log2;

	fn statement(era: u32, generation_wh: u32, consumption_wh: u32, community_wh: i64) -> Statement {
		let net = i64::from(generation_wh) - i64::from(consumption_wh);
		Statement {
			era,
			reported_by: ReportedBy::Meter,
			is_firm: false,
			reading: Reading {
				generation_wh,
				consumption_wh,
				indoor_centi_c: 2_100,
				quality: Quality::Measured,
			},
			energy: Channels::from_net(community_wh, net - community_wh),
			matched_long_wh: 0,
			matched_short_wh: 0,
			imbalance_export_wh: 0,
			imbalance_import_wh: 0,
			price_per_kwh: 10,
			delivered: Some(Delivered {
				comfort_ppm: 500_000 * (era % 2),
				payoff: Log2(0),
			}),
			amounts: Amounts {
				alone_cost: 100,
				main_cost: 60,
				..Amounts::default()
			},
		}
	}

	#[test]
	fn household_figures_match_values_computed_by_hand() {
		let mut account = Account::new(HouseholdId(3), 10);
		account.add(&statement(10, 3_000, 1_000, 500), true);
		account.add(&statement(11, 1_000, 4_000, -2_000), false);
		assert_eq!(account.self_consumption(), Some(50.0));
		assert_eq!(account.self_sufficiency(), Some(40.0));
		assert_eq!((account.peak_load_wh, account.peak_bought_wh), (4_000, 1_000));
		assert_eq!(
			(account.bill.eras, account.bill.savings, account.missing_readings),
			(2, 80, 1)
		);
		assert_eq!(
			(account.comfort_ppm, account.least_comfort_ppm),
			(Some(250_000), Some(0))
		);
		assert_eq!(account.uncomfortable_eras, 1);
	}

	/// An era with a game that a runtime of this version cleared.
	fn game(era: u32, status: Status, cleared_by: Option<u32>) -> EraBook {
		EraBook {
			record: Some(EraRecord {
				era,
				terms: TEST_TERMS,
				players: 2,
				certificate: Certificate {
					status,
					offered_wh: 0,
					requested_wh: 0,
					traded_wh: 0,
					max_gain: Log2(i64::from(era)),
				},
				sweeps: 1,
				starts: 1,
				price_per_kwh: 190,
				settled: None,
			}),
			cleared_by,
			..EraBook::default()
		}
	}

	#[test]
	fn certificates_under_other_rules_are_counted_separately() {
		let mut community = Community::default();
		let eras = [
			(8, Status::Equilibrium, Some(100)),
			(9, Status::Approximate, Some(100)),
			(7, Status::Equilibrium, None),
			(5, Status::Equilibrium, Some(101)),
			(6, Status::Approximate, Some(102)),
		];
		for (era, status, cleared_by) in eras {
			community.add(&game(era, status, cleared_by));
		}
		assert_eq!((community.games, community.equilibria), (5, 1));
		assert_eq!(
			(community.approximate, community.other_rules),
			(vec![6], vec![8, 9, 7])
		);
		assert_eq!(community.largest_gain, 6);
	}

	#[test]
	fn community_counts_what_households_use_of_each_other() {
		let mut community = Community::default();
		let (seller, buyer) = (statement(7, 3_000, 1_000, 1_500), statement(7, 0, 2_000, -1_500));
		let settled = |statement| Settled {
			statement,
			before: Opening::default(),
		};
		community.add(&EraBook {
			statements: [
				(HouseholdId(0), settled(seller)),
				(HouseholdId(1), settled(buyer)),
			]
			.into(),
			..EraBook::default()
		});
		assert_eq!((community.community_wh, community.sold_to_main_wh), (1_500, 500));
		assert_eq!((community.peak_load_wh, community.peak_bought_wh), (3_000, 500));
		assert_eq!(community.self_consumption, Some(83.3));
		assert_eq!(community.self_sufficiency, Some(83.3));
		assert_eq!(Community::default().self_sufficiency, None);
	}
}

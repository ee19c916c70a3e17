//! The numbers of a replay.

use crate::{
	chain::{
		self,
		game::other_rules,
		types::{
			money, Amounts, Balance, Certificate, Channels, CommunityId, Delivered, HouseholdId, Kind,
			Reading, Status, Terms, Totals,
		},
	},
	checks::{self, Checks},
	cli::ReplayArgs,
	data::Dataset,
	fault::Fault,
	ledger::EraBook,
	replay::setup::Stage,
};
use serde::Serialize;
use std::time::Duration;

/// One household in one era.
#[derive(Clone, Debug, Serialize)]
pub struct HouseholdLine {
	pub name: String,
	pub household: HouseholdId,
	pub generation_wh: u32,
	/// Consumption in the file, Wh.
	pub file_consumption_wh: u32,
	/// Consumption that the game chose, Wh.
	pub contracted_consumption_wh: u32,
	pub strategy: Kind,
	pub main_grid_only: bool,
	pub contracted: Channels,
	/// Put on hold for the contract.
	#[serde(with = "money")]
	pub held: Balance,
	pub reading: Reading,
	pub delivered: Channels,
	/// Comfort and payoff of the delivered energy.
	pub worth: Option<Delivered>,
	pub amounts: Amounts,
}

/// One era, settled.
#[derive(Clone, Debug, Serialize)]
pub struct EraLine {
	pub era: u32,
	/// Index of the period in the file, or in the part of it that is played.
	pub period: usize,
	pub period_start: String,
	/// False if not all households took part and the period was played again in a later era.
	pub played: bool,
	pub players: u32,
	/// `spec_version` of the runtimes that cleared and that settled the era; `None` if unknown.
	pub cleared_by: Option<u32>,
	pub settled_by: Option<u32>,
	pub certificate: Certificate,
	pub sweeps: u32,
	pub starts: u32,
	#[serde(with = "money")]
	pub price_per_kwh: Balance,
	/// The maximum that could be traded at the consumption that the game chose: the smaller of all surplus and all
	/// deficit.
	pub tradable_wh: u64,
	/// Whether nothing was contracted inside the community although at least the meter resolution was tradable.
	pub pool_idle: bool,
	pub settled: Totals,
	pub checks: Checks,
	/// The file's households.
	pub households: Vec<HouseholdLine>,
}

impl EraLine {
	/// An era that is settled and has contracts, else `None`.
	pub fn new(
		(period, era, played): (usize, u32, bool),
		dataset: &Dataset,
		stage: &Stage,
		book: &EraBook,
	) -> Option<Self> {
		let (record, totals) = (book.record?, book.totals?);
		let tradable_wh = book.tradable_wh();
		let resolution_wh = u64::from(record.terms.rules.resolution_wh);
		let data = dataset.periods.get(period)?;
		let households = stage
			.players
			.iter()
			.zip(&data.measured)
			.filter_map(|(player, measured)| {
				let measured = measured.as_ref()?;
				let contract = book.contracts.get(&player.id)?;
				let statement = &book.statements.get(&player.id)?.statement;
				Some(HouseholdLine {
					name: player.name.clone(),
					household: player.id,
					generation_wh: measured.generation_wh,
					file_consumption_wh: measured.consumption_wh,
					contracted_consumption_wh: contract.strategy.consumption_wh,
					strategy: contract.strategy.kind,
					main_grid_only: contract.main_grid_only,
					contracted: contract.energy,
					held: contract.held,
					reading: statement.reading,
					delivered: statement.exchange(),
					worth: statement.delivered,
					amounts: statement.amounts,
				})
			});
		Some(Self {
			era,
			period,
			period_start: data.start.clone(),
			played,
			players: record.players,
			cleared_by: book.cleared_by,
			settled_by: book.settled_by,
			certificate: record.certificate,
			sweeps: record.sweeps,
			starts: record.starts,
			price_per_kwh: record.price_per_kwh,
			tradable_wh,
			pool_idle: record.certificate.traded_wh == 0 && tradable_wh >= resolution_wh,
			settled: totals,
			households: households.collect(),
			checks: checks::era(era, book),
		})
	}

	/// The certificate's status, or `None` if it was made by rules that this program does not know.
	pub fn status(&self) -> Option<Status> {
		match other_rules(self.cleared_by) {
			Some(_) => None,
			None => Some(self.certificate.status),
		}
	}
}

/// Energy from and to the main grid.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct MainGrid {
	pub bought_wh: u64,
	pub sold_wh: u64,
	/// Maximum bought by all households in one era.
	pub peak_bought_wh: u64,
}

impl MainGrid {
	fn add(&mut self, net_wh: impl Iterator<Item = i64>) {
		let (mut bought, mut sold) = (0, 0);
		for net in net_wh {
			if net < 0 {
				bought += net.unsigned_abs();
			} else {
				sold += net.unsigned_abs();
			}
		}
		self.bought_wh += bought;
		self.sold_wh += sold;
		self.peak_bought_wh = self.peak_bought_wh.max(bought);
	}
}

/// Sums over all periods that were played, of the file's households.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Sums {
	pub periods: usize,
	/// Certified, and not certified, under the rules that this program knows.
	pub equilibria: usize,
	pub approximate: usize,
	/// Cleared under other rules, which this program cannot judge; counted in neither of the two fields above.
	pub other_rules: usize,
	/// Eras that missed a period, which was played again.
	pub repeated: usize,
	pub missing_readings: u64,
	pub generation_wh: u64,
	pub file_consumption_wh: u64,
	pub contracted_consumption_wh: u64,
	/// Consumption of the file that the game's choices left out.
	pub not_used_wh: u64,
	/// Consumption that the game's choices added to the file's.
	pub added_wh: u64,
	/// Traded inside the community, delivered.
	pub community_wh: u64,
	/// Traded in the whole community, including households that are not in the file.
	pub traded_wh: u64,
	/// The most that the whole community could trade at the consumption that the games chose.
	pub tradable_wh: u64,
	/// Periods with nothing contracted inside the community although at least the meter resolution was tradable.
	pub idle_pools: usize,
	/// Each household alone with the main grid, consuming what the file says.
	pub alone_as_in_file: MainGrid,
	/// Each household alone with the main grid, consuming what the game chose.
	pub alone_as_contracted: MainGrid,
	/// With the community, as settled.
	pub with_community: MainGrid,
	#[serde(with = "money")]
	pub through_pool: Balance,
	#[serde(with = "money")]
	pub grid_fees: Balance,
	/// From the incentive pot.
	#[serde(with = "money")]
	pub rewards: Balance,
	#[serde(with = "money")]
	pub to_utility: Balance,
	#[serde(with = "money")]
	pub from_utility: Balance,
	/// Savings of the households compared with the main grid alone, at the same metered energy, without rewards.
	#[serde(with = "money")]
	pub savings: i128,
	pub checks_passed: u32,
	/// Number of certificates and payoffs under other rules, in all eras.
	pub not_judged: usize,
}

impl Sums {
	fn add(&mut self, line: &EraLine) {
		self.checks_passed += line.checks.passed;
		self.not_judged += line.checks.not_judged.len();
		if !line.played {
			self.repeated += 1;
			return;
		}
		self.periods += 1;
		match line.status() {
			Some(Status::Equilibrium) => self.equilibria += 1,
			Some(Status::Approximate) => self.approximate += 1,
			None => self.other_rules += 1,
		}
		self.traded_wh += line.settled.community_wh;
		self.tradable_wh += line.tradable_wh;
		self.idle_pools += usize::from(line.pool_idle);
		self.missing_readings += u64::from(line.settled.missing_readings);
		self.through_pool += line.settled.through_pool;
		self.grid_fees += line.settled.grid_fees;
		self.rewards += line.settled.rewards;
		self.to_utility += line.settled.to_utility;
		self.from_utility += line.settled.from_utility;
		for household in &line.households {
			let (file, contracted) = (household.file_consumption_wh, household.contracted_consumption_wh);
			self.generation_wh += u64::from(household.generation_wh);
			self.file_consumption_wh += u64::from(file);
			self.contracted_consumption_wh += u64::from(contracted);
			self.not_used_wh += u64::from(file.saturating_sub(contracted));
			self.added_wh += u64::from(contracted.saturating_sub(file));
			self.community_wh += u64::from(household.delivered.sold_to_community_wh);
			self.savings += household.amounts.savings();
		}
		let households = || line.households.iter();
		let net = |generation: u32, consumption: u32| i64::from(generation) - i64::from(consumption);
		self.alone_as_in_file
			.add(households().map(|h| net(h.generation_wh, h.file_consumption_wh)));
		self.alone_as_contracted
			.add(households().map(|h| net(h.generation_wh, h.contracted_consumption_wh)));
		self.with_community
			.add(households().map(|h| h.delivered.main_wh()));
	}
}

/// What one run of a replay sent.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Sent {
	/// Number of strategy sets.
	pub strategies: u32,
	/// Number of readings.
	pub readings: u32,
}

/// A replay as a whole.
#[derive(Clone, Debug, Serialize)]
pub struct ReplaySummary {
	pub file: String,
	pub url: String,
	pub community: CommunityId,
	pub community_name: String,
	pub households: Vec<String>,
	/// What the file lacks, in words: eras without readings, and meters that were silent.
	pub gaps: Vec<String>,
	/// `None` if home energy managers are used.
	pub flexible_percent: Option<u8>,
	pub response_centi_c_per_kwh: Option<i16>,
	/// The community's present terms.
	pub terms: Terms,
	pub token: String,
	#[serde(skip)]
	pub money: chain::Token,
	pub eras: Vec<EraLine>,
	pub sums: Sums,
	/// Descriptions of all checks that failed.
	pub faults: Vec<String>,
	/// Descriptions of what cannot be judged, because it was computed by rules that this program does not have.
	pub not_judged: Vec<String>,
	/// Transactions that this run sent.
	pub sent: Sent,
	/// Wall-clock time of this run.
	pub wall_ms: u64,
}

impl ReplaySummary {
	/// Sums up eras.
	pub fn new(
		dataset: &Dataset,
		(args, managed): (&ReplayArgs, bool),
		stage: &Stage,
		eras: Vec<EraLine>,
		money_faults: &[String],
		money: chain::Token,
	) -> Self {
		let mut sums = Sums::default();
		eras.iter().for_each(|line| sums.add(line));
		let faults = eras
			.iter()
			.flat_map(|line| line.checks.failed.iter())
			.chain(money_faults);
		Self {
			file: dataset.path.display().to_string(),
			url: args.play.url.clone(),
			community: stage.community,
			community_name: stage.name.clone(),
			households: dataset.households.clone(),
			gaps: dataset.gaps(),
			flexible_percent: (!managed).then_some(args.flexibility.flexible),
			response_centi_c_per_kwh: (!managed).then_some(args.flexibility.response),
			terms: stage.terms,
			token: money.symbol.clone(),
			money,
			faults: faults.cloned().collect(),
			not_judged: eras
				.iter()
				.flat_map(|line| line.checks.not_judged.iter().cloned())
				.collect(),
			eras,
			sums,
			sent: Sent::default(),
			wall_ms: 0,
		}
	}

	/// An error if something could not be judged.
	pub fn judged(self) -> Result<(), Fault> {
		match self.not_judged.is_empty() {
			true => Ok(()),
			false => Err(Fault::NotJudged(self.not_judged)),
		}
	}

	/// Adds this run's duration and what it sent.
	pub fn finish(self, wall: Duration, sent: Sent) -> Self {
		Self {
			sent,
			wall_ms: u64::try_from(wall.as_millis()).unwrap_or(u64::MAX),
			..self
		}
	}
}

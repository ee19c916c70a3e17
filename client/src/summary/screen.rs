//! The replay on a terminal, or in a file that stands in for one.

use super::report::{EraLine, MainGrid, Report};
use crate::{
	chain::{types::Status, Money},
	text::{self, kwh},
};
use indicatif::ProgressBar;
use std::collections::BTreeSet;

/// Lines on standard output, a progress bar on standard error if that is a terminal.
pub struct Screen {
	bar: ProgressBar,
	shown: BTreeSet<u32>,
}

impl Screen {
	/// For so many periods.
	pub fn new(periods: usize) -> Self {
		Self {
			bar: text::progress(periods as u64, "periods settled"),
			shown: BTreeSet::new(),
		}
	}

	/// Shows a remark.
	pub fn note(&self, text: &str) {
		self.bar.suspend(|| eprintln!("commonwatt: {text}"));
	}

	/// Shows the eras that were not shown before.
	pub fn show<'a>(&mut self, lines: impl Iterator<Item = &'a EraLine>, money: &Money) {
		let mut settled = 0;
		for line in lines {
			settled += u64::from(line.played);
			if self.shown.is_empty() {
				self.bar.suspend(|| println!("{}", header(money)));
			}
			if self.shown.insert(line.era) {
				self.bar.suspend(|| println!("{}", row(line, money)));
			}
		}
		self.bar.set_position(settled);
	}

	/// Shows the summary.
	pub fn finish(&self, report: &Report) {
		self.bar.finish_and_clear();
		println!("{}", summary(report));
	}
}

/// Energies in kWh: S offered to the pool, B asked of it, both as contracted; what follows is as settled.
fn header(money: &Money) -> String {
	format!(
		"{:>9}  {:<19} {:>8} {:>8} {:>8} {:>9} {:>8}  {:<11} {:>6}  {:>12}",
		"era",
		"period",
		"S kWh",
		"B kWh",
		"traded",
		"from main",
		"to main",
		"status",
		"sweeps",
		format!("pool {}", money.symbol)
	)
}

fn row(line: &EraLine, money: &Money) -> String {
	let status = match line.certificate.status {
		Status::Equilibrium => "Equilibrium",
		Status::Approximate => "Approximate",
	};
	let mut row = format!(
		"{:>9}  {:<19} {:>8} {:>8} {:>8} {:>9} {:>8}  {:<11} {:>6}  {:>12}",
		line.era,
		line.period_start,
		kwh(line.certificate.offered_wh),
		kwh(line.certificate.requested_wh),
		kwh(line.settled.community_wh),
		kwh(line.settled.bought_from_main_wh),
		kwh(line.settled.sold_to_main_wh),
		status,
		line.sweeps,
		money.text(line.settled.through_pool)
	);
	if !line.played {
		row += "  incomplete, played again";
	}
	if line.settled.missing_readings > 0 {
		row += &format!("  {} reading(s) missing", line.settled.missing_readings);
	}
	if !line.checks.failed.is_empty() {
		row += &format!("  {} CHECK(S) FAILED", line.checks.failed.len());
	}
	row
}

fn summary(report: &Report) -> String {
	let (sums, money) = (&report.sums, &report.money);
	let flexibility = report.flexible_percent.map_or_else(
		|| "as the homes allow".into(),
		|percent| format!("{percent} % at most"),
	);
	let mut text = main_grid(report);
	text += &format!(
		"\n  traded in the community: {} kWh, so much less from the main grid at equal consumption\n  flexibility, \
		 {}: {} kWh of the file's {} kWh not used, {} kWh added\n",
		kwh(sums.community_wh),
		flexibility,
		kwh(sums.not_used_wh),
		kwh(sums.file_consumption_wh),
		kwh(sums.added_wh)
	);
	text += &format!(
		"  money, {}: {} through the pool, {} grid fees, {} to the utility, {} from it\n",
		money.symbol,
		money.text(sums.through_pool),
		money.text(sums.grid_fees),
		money.text(sums.to_utility),
		money.text(sums.from_utility)
	);
	text += &format!(
		"  saved against the main grid alone, at the same metered energy: {} {}\n",
		money.signed_text(sums.savings),
		money.symbol
	);
	if sums.rewards > 0 {
		text += &format!(
			"  rewards from the incentive pot: {} {}\n",
			money.text(sums.rewards),
			money.symbol
		);
	}
	if sums.repeated > 0 {
		text += &format!(
			"  {} era(s) passed over a period, which was played again\n",
			sums.repeated
		);
	}
	if sums.missing_readings > 0 {
		text += &format!(
			"  {} reading(s) were not in in time; the chain estimated them\n",
			sums.missing_readings
		);
	}
	text += &format!(
		"  checked from events: {} sums hold, {} do not\n  sent: {} strategy sets, {} readings; {:.1} s",
		sums.checks_passed,
		report.faults.len(),
		report.sent.strategies,
		report.sent.readings,
		report.wall_ms as f64 / 1_000.0
	);
	text
}

/// What came from and went to the main grid, against what would have.
fn main_grid(report: &Report) -> String {
	let sums = &report.sums;
	let grid = |name: &str, grid: &MainGrid| {
		format!(
			"  {name:<38} {:>10} {:>10} {:>10}\n",
			kwh(grid.bought_wh),
			kwh(grid.sold_wh),
			kwh(grid.peak_bought_wh)
		)
	};
	let mut text = format!(
		"\n{} households of the community {} played {} period(s): {} equilibria, {} approximate\n",
		report.households.len(),
		report.community_name,
		sums.periods,
		sums.equilibria,
		sums.approximate
	);
	text += &format!(
		"\n  {:<38} {:>10} {:>10} {:>10}\n",
		"main grid, kWh", "bought", "sold", "peak era"
	);
	text += &grid("each alone, consuming as in the file", &sums.alone_as_in_file);
	text += &grid("each alone, consuming as contracted", &sums.alone_as_contracted);
	text += &grid("with the community", &sums.with_community);
	text
}

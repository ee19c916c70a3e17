//! The output of a replay, on a terminal or in a file.

use super::report::{EraLine, MainGrid, ReplaySummary};
use crate::{
	chain::{types::Status, Token},
	text::{self, kwh, percent},
};
use indicatif::ProgressBar;
use std::collections::BTreeSet;

/// Lines on standard output, a progress bar on standard error if that is a terminal.
pub struct Screen {
	bar: ProgressBar,
	shown: BTreeSet<u32>,
}

impl Screen {
	/// A screen for a replay of this many periods.
	pub fn new(periods: usize) -> Self {
		Self {
			bar: text::progress(periods as u64, "periods settled"),
			shown: BTreeSet::new(),
		}
	}

	/// Shows a message.
	pub fn note(&self, text: &str) {
		self.bar.suspend(|| eprintln!("commonwatt: {text}"));
	}

	/// Shows the eras that were not shown before.
	pub fn show<'a>(&mut self, lines: impl Iterator<Item = &'a EraLine>, money: &Token) {
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
	pub fn finish(&self, report: &ReplaySummary) {
		self.bar.finish_and_clear();
		println!("{}", summary(report));
	}
}

/// Energies in kWh: S offered to the pool, B requested from it, and what was tradable, as contracted; the others as
/// settled.
fn header(money: &Token) -> String {
	let pool = format!("pool {}", money.symbol);
	format!(
		"     era  period              S kWh    B kWh   traded tradable from main  to main status      sweeps {pool:>9}"
	)
}

fn row(line: &EraLine, money: &Token) -> String {
	let status = match line.status() {
		Some(Status::Equilibrium) => "Equilibrium",
		Some(Status::Approximate) => "Approximate",
		None => "other rules",
	};
	// Most periods begin on a minute; their seconds need no room.
	let start = &line.period_start;
	let mut row = format!(
		"{:>8}  {:<16} {:>8} {:>8} {:>8} {:>8} {:>9} {:>8} {:<11} {:>6} {:>9}",
		line.era,
		start
			.strip_suffix(":00")
			.filter(|short| short.len() == 16)
			.unwrap_or(start),
		kwh(line.certificate.offered_wh),
		kwh(line.certificate.requested_wh),
		kwh(line.settled.community_wh),
		kwh(line.tradable_wh),
		kwh(line.settled.bought_from_main_wh),
		kwh(line.settled.sold_to_main_wh),
		status,
		line.sweeps,
		money.text(line.settled.through_pool)
	);
	if !line.played {
		row += "  incomplete, played again";
	}
	if line.pool_idle {
		row += "  pool idle";
	}
	if line.settled.missing_readings > 0 {
		row += &format!("  {} reading(s) missing", line.settled.missing_readings);
	}
	if !line.checks.failed.is_empty() {
		row += &format!("  {} CHECK(S) FAILED", line.checks.failed.len());
	}
	row
}

fn summary(report: &ReplaySummary) -> String {
	let (sums, money) = (&report.sums, &report.money);
	let flexibility = report.flexible_percent.map_or_else(
		|| "as the homes allow".into(),
		|percent| format!("{percent} % at most"),
	);
	let mut text = main_grid(report);
	for gap in &report.gaps {
		text += &format!("\n  not in the file: {gap}");
	}
	text += &format!(
		"\n  traded in the community: {} kWh, so much less from the main grid at equal consumption\n  flexibility, \
		 {}: {} kWh of the file's {} kWh not used, {} kWh added\n",
		kwh(sums.community_wh),
		flexibility,
		kwh(sums.not_used_wh),
		kwh(sums.file_consumption_wh),
		kwh(sums.added_wh)
	);
	text += &traded(report);
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
			"  {} era(s) missed a period, which was played again\n",
			sums.repeated
		);
	}
	if sums.missing_readings > 0 {
		text += &format!(
			"  {} reading(s) did not arrive in time; the chain estimated them\n",
			sums.missing_readings
		);
	}
	text += &format!(
		"  checked from events: {} sums hold, {} do not{}\n  sent: {} strategy sets, {} readings; {:.1} s",
		sums.checks_passed,
		report.faults.len(),
		not_judged(report),
		report.sent.strategies,
		report.sent.readings,
		report.wall_ms as f64 / 1_000.0
	);
	text
}

/// What was traded, compared with what was tradable.
fn traded(report: &ReplaySummary) -> String {
	let sums = &report.sums;
	format!(
		"  traded {} of {} kWh tradable at the consumption that was chosen, {} %\n  idle pool though something \
		 was tradable: {} period(s)\n",
		kwh(sums.traded_wh),
		kwh(sums.tradable_wh),
		percent(sums.traded_wh, sums.tradable_wh),
		sums.idle_pools
	)
}

/// The number of certificates and payoffs that cannot be judged.
fn not_judged(report: &ReplaySummary) -> String {
	match report.not_judged.len() {
		0 => String::new(),
		parts => format!(", {parts} certificates or payoffs of other rules cannot be judged"),
	}
}

/// Exchange with the main grid, compared with that of each household alone.
fn main_grid(report: &ReplaySummary) -> String {
	let sums = &report.sums;
	let grid = |name: &str, grid: &MainGrid| {
		format!(
			"  {name:<38} {:>10} {:>10} {:>10}\n",
			kwh(grid.bought_wh),
			kwh(grid.sold_wh),
			kwh(grid.peak_bought_wh)
		)
	};
	let other_rules = match sums.other_rules {
		0 => String::new(),
		eras => format!(", {eras} cleared under other rules"),
	};
	let mut text = format!(
		"\n{} households of the community {} played {} period(s): {} equilibria, {} approximate{other_rules}\n",
		report.households.len(),
		report.community_name,
		sums.periods,
		sums.equilibria,
		sums.approximate
	);
	text += "\n  main grid, kWh                             bought       sold   peak era\n";
	text += &grid("each alone, consuming as in the file", &sums.alone_as_in_file);
	text += &grid("each alone, consuming as contracted", &sums.alone_as_contracted);
	text += &grid("with the community", &sums.with_community);
	text
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{
		chain::types::{Certificate, Totals},
		checks::Checks,
	};

	/// Maximum width of a row, columns of a terminal.
	const WIDTH: usize = 110;

	fn money() -> Token {
		Token {
			decimals: 12,
			symbol: "CWT".into(),
		}
	}

	fn line() -> EraLine {
		EraLine {
			era: 29_922_590,
			period: 0,
			period_start: "2021-07-31T12:30:00".into(),
			played: true,
			players: 4,
			cleared_by: Some(101),
			settled_by: Some(101),
			certificate: Certificate {
				status: Status::Equilibrium,
				offered_wh: 3_000,
				requested_wh: 0,
				traded_wh: 0,
				max_gain: commonwatt_market::game::Log2(0),
			},
			sweeps: 2,
			starts: 1,
			price_per_kwh: 190,
			tradable_wh: 2_500,
			pool_idle: false,
			settled: Totals {
				community_wh: 1_234_567,
				bought_from_main_wh: 9_999_999,
				through_pool: 1_234_567_800_000_000,
				..Totals::default()
			},
			checks: Checks::default(),
			households: Vec::new(),
		}
	}

	#[test]
	fn figures_end_below_their_headings() {
		let (header, row) = (header(&money()), row(&line(), &money()));
		assert_eq!(header.chars().count(), row.chars().count(), "\n{header}\n{row}");
		assert!(row.chars().count() <= WIDTH, "{row}");
		// Each figure ends below the last letter of its heading.
		for (heading, figure) in [
			("traded ", "1234.567 "),
			("tradable ", "2.500 "),
			("from main ", "9999.999"),
		] {
			let end = |text: &str, part: &str| text.find(part).map(|at| at + part.trim_end().len());
			assert_eq!(end(&header, heading), end(&row, figure), "\n{header}\n{row}");
		}
		assert!(row.contains(" 2021-07-31T12:30 "), "{row}");
	}

	#[test]
	fn idle_pool_and_other_rules_are_shown() {
		let shown = |change: fn(&mut EraLine)| {
			let mut line = line();
			change(&mut line);
			row(&line, &money())
		};
		assert!(!shown(|_| ()).contains("idle"));
		assert!(shown(|line| line.pool_idle = true).ends_with("  pool idle"));
		for cleared_by in [Some(100), None] {
			let mut line = line();
			line.cleared_by = cleared_by;
			let row = row(&line, &money());
			assert!(
				row.contains(" other rules ") && !row.contains("Equilibrium"),
				"{row}"
			);
		}
	}
}

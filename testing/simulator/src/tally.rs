//! What a run has seen.

use crate::size::StateSize;
use commonwatt_testkit::Balance;
use std::{collections::BTreeMap, fmt};

/// Calls of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
	/// Those that were accepted.
	pub accepted: u64,
	/// Those that were refused, as they should be.
	pub refused: u64,
}

/// What a run has seen, all of it counted by the simulation from calls and events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
	/// Eras that went by, missed ones among them.
	pub eras: u64,
	/// Eras that nobody saw begin.
	pub missed: u64,
	/// Outages of the chain: of minutes, of eras, longer than the rings, in the middle of a clearing.
	pub outages: [u64; 4],
	/// Blocks, each of which was checked.
	pub blocks: u64,
	/// Calls by name.
	pub calls: BTreeMap<&'static str, Calls>,
	/// Of them, those that were signed and went through the executive.
	pub signed: u64,
	/// Of the signed ones, those that were refused because nobody could pay for them.
	pub unpaid: u64,
	/// Refused calls after which the state root was found unchanged.
	pub roots_unchanged: u64,
	/// Items of a data concentrator's batches that were taken, and that were refused.
	pub batch_items: [u64; 2],
	/// Games that were solved to an equilibrium.
	pub equilibria: u64,
	/// Games without one.
	pub approximate: u64,
	/// Contracts that were kept to the main grid because the owner could not cover more.
	pub main_grid_only: u64,
	/// Eras that were settled.
	pub settled: u64,
	/// Of them, those without a game.
	pub settled_without_game: u64,
	/// Statements.
	pub statements: u64,
	/// Of them, those of silent meters.
	pub estimated: u64,
	/// Of them, those with a corrected reading.
	pub corrected: u64,
	/// Of them, those that left arrears.
	pub with_arrears: u64,
	/// Of them, those that left credit.
	pub with_credit: u64,
	/// Sellers whose account could not take their earnings.
	pub earnings_kept: u64,
	/// Community energy that was delivered, Wh.
	pub traded_wh: u64,
	/// Money through the pool.
	pub through_pool: Balance,
	/// Rewards, and the eras that paid any.
	pub rewards: (Balance, u64),
	/// Eras whose incentive the pot could not pay in full.
	pub pot_ran_empty: u64,
	/// Debts that were paid outside of statements: `ArrearsRepaid` and `CreditPaid`.
	pub debts_paid: [u64; 2],
	/// Households that were admitted.
	pub admitted: u64,
	/// Households that left.
	pub left: u64,
	/// The largest arrears and the largest credit of one household.
	pub most_owed: [Balance; 2],
	/// The market's state after the first days, in which everybody took part with as much as anybody can.
	pub size_at_first: StateSize,
	/// The same after the last days, which were like the first.
	pub size_at_last: StateSize,
}

impl Tally {
	/// Everything that the simulation is there for has happened.
	pub fn assert_nothing_untried(&self) {
		let tried = [
			("missed eras", self.missed),
			("outages of minutes", self.outages[0]),
			("outages of eras", self.outages[1]),
			("outages longer than the rings", self.outages[2]),
			("outages in the middle of a clearing", self.outages[3]),
			("signed calls", self.signed),
			("calls that nobody could pay for", self.unpaid),
			("refused calls that changed nothing", self.roots_unchanged),
			("items of batches taken", self.batch_items[0]),
			("items of batches refused", self.batch_items[1]),
			("equilibria", self.equilibria),
			("contracts kept to the main grid", self.main_grid_only),
			("eras without a game", self.settled_without_game),
			("estimated readings", self.estimated),
			("corrected readings", self.corrected),
			("arrears", self.with_arrears),
			("credit", self.with_credit),
			("rewards", self.rewards.1),
			("an empty pot", self.pot_ran_empty),
			("arrears repaid", self.debts_paid[0]),
			("households admitted", self.admitted),
			("households that left", self.left),
		];
		for (what, count) in tried {
			assert!(count > 0, "{what} did not occur");
		}
	}
}

/// Money in whole tokens.
fn tokens(amount: Balance) -> f64 {
	amount as f64 / commonwatt_testkit::UNIT as f64
}

impl fmt::Display for Tally {
	fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
		let [minutes, eras, rings, clearing] = self.outages;
		writeln!(
			out,
			"eras            {} ({} of them missed), blocks {}",
			self.eras, self.missed, self.blocks
		)?;
		writeln!(
			out,
			"outages         {minutes} of minutes, {eras} of eras, {rings} longer than the rings, {clearing} in the middle of a clearing"
		)?;
		writeln!(
			out,
			"games           {} equilibria, {} approximate, {} contracts kept to the main grid",
			self.equilibria, self.approximate, self.main_grid_only
		)?;
		writeln!(
			out,
			"settled         {} eras ({} without a game), {} statements: {} estimated, {} corrected",
			self.settled, self.settled_without_game, self.statements, self.estimated, self.corrected
		)?;
		writeln!(
			out,
			"traded          {} kWh, {:.3} CWT through the pool",
			self.traded_wh / 1_000,
			tokens(self.through_pool)
		)?;
		writeln!(
			out,
			"rewards         {:.3} CWT in {} eras; the pot ran empty in {}",
			tokens(self.rewards.0),
			self.rewards.1,
			self.pot_ran_empty
		)?;
		writeln!(
			out,
			"debts           {} statements with arrears (at most {:.3} CWT), {} with credit ({:.3} CWT), {} earnings kept for sellers without account; {} arrears and {} credits paid outside of statements",
			self.with_arrears,
			tokens(self.most_owed[0]),
			self.with_credit,
			tokens(self.most_owed[1]),
			self.earnings_kept,
			self.debts_paid[0],
			self.debts_paid[1]
		)?;
		writeln!(
			out,
			"households      {} admitted, {} left",
			self.admitted, self.left
		)?;
		self.write_calls(out)?;
		writeln!(out, "state at first  {}", self.size_at_first)?;
		write!(out, "state at last   {}", self.size_at_last)
	}
}

impl Tally {
	fn write_calls(&self, out: &mut fmt::Formatter) -> fmt::Result {
		let all = |of: fn(&Calls) -> u64| self.calls.values().map(of).sum::<u64>();
		writeln!(
			out,
			"calls           {} accepted, {} refused; {} of them signed ({} could not pay); {} refusals left the state root as it was",
			all(|calls| calls.accepted),
			all(|calls| calls.refused),
			self.signed,
			self.unpaid,
			self.roots_unchanged
		)?;
		for (name, Calls { accepted, refused }) in &self.calls {
			writeln!(out, "  {name:22} {accepted:8} accepted {refused:8} refused")?;
		}
		let [taken, refused] = self.batch_items;
		writeln!(
			out,
			"  items of submit_readings: {taken} taken, {refused} refused"
		)
	}
}

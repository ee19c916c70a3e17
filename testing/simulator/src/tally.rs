//! Counts of a run.

use crate::{size::StateSize, twins::Twin};
use commonwatt_testkit::Balance;
use std::{collections::BTreeMap, fmt};

/// Calls of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
	/// Those that were accepted.
	pub accepted: u64,
	/// Those that the chain refused, as expected.
	pub refused: u64,
}

/// What happened in a run, counted by the simulation from calls and events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
	/// Eras that passed, including missed ones.
	pub eras: u64,
	/// Eras that the chain did not see begin.
	pub missed: u64,
	/// Outages of the chain: of minutes, of eras, longer than the rings, in the middle of a clearing.
	pub outages: [u64; 4],
	/// Blocks, all of them checked.
	pub blocks: u64,
	/// Calls by name.
	pub calls: BTreeMap<&'static str, Calls>,
	/// Calls that were signed and went through the executive.
	pub signed: u64,
	/// Signed calls that were invalid because the signer could not pay the fee.
	pub unpaid: u64,
	/// Refused calls after which the state root was found unchanged.
	pub roots_unchanged: u64,
	/// Items in batches of readings: accepted from the data concentrator, and refused from anybody.
	pub batch_items: [u64; 2],
	/// Games that were solved to an equilibrium.
	pub equilibria: u64,
	/// Games that ended with the status `Approximate`.
	pub approximate: u64,
	/// Contracts that were restricted to the main grid: the owner could not cover the worst case or was in arrears.
	pub main_grid_only: u64,
	/// Eras that were settled.
	pub settled: u64,
	/// Settled eras without a game.
	pub settled_without_game: u64,
	/// Statements.
	pub statements: u64,
	/// Statements for silent meters.
	pub estimated: u64,
	/// Statements with a corrected reading.
	pub corrected: u64,
	/// Readings that came after the settlement of their era.
	pub late: u64,
	/// Statements that left arrears.
	pub with_arrears: u64,
	/// Statements that left credit.
	pub with_credit: u64,
	/// Statements of sellers whose account could not receive their share from the pool.
	pub earnings_kept: u64,
	/// Community energy that was delivered, Wh.
	pub traded_wh: u64,
	/// Money that passed through the pools, in the smallest unit.
	pub through_pool: Balance,
	/// The sum of all rewards in the smallest unit, and the number of eras that paid any.
	pub rewards: (Balance, u64),
	/// Cleared eras that paid less than their incentive: the pot had too little, nobody earned a reward, or an account
	/// could not receive it.
	pub pot_ran_empty: u64,
	/// Payments of debts outside of settlements: `ArrearsRepaid` and `CreditPaid` events.
	pub debts_paid: [u64; 2],
	/// Validators that came and that went, and the most that were at work at once.
	pub validators: [u64; 3],
	/// Households that were admitted.
	pub admitted: u64,
	/// Households that left.
	pub left: u64,
	/// The largest arrears and the largest credit of one household, in the smallest unit.
	pub most_owed: [Balance; 2],
	/// What the honest and the other twins gained.
	pub twins: Vec<Twin>,
	/// The size of the market's state after the first days, in which everybody took part to the maximum.
	pub size_at_first: StateSize,
	/// The size after the last days, which repeat the first ones.
	pub size_at_last: StateSize,
}

impl Tally {
	/// Panics if anything that the simulation should try did not occur.
	pub fn assert_nothing_untried(&self) {
		let tried = [
			("missed eras", self.missed),
			("outages of minutes", self.outages[0]),
			("outages of eras", self.outages[1]),
			("outages longer than the rings", self.outages[2]),
			("outages in the middle of a clearing", self.outages[3]),
			("signed calls", self.signed),
			("signed calls whose signer could not pay", self.unpaid),
			("refused calls that changed nothing", self.roots_unchanged),
			("batch items accepted", self.batch_items[0]),
			("batch items refused", self.batch_items[1]),
			("equilibria", self.equilibria),
			("contracts restricted to the main grid", self.main_grid_only),
			("eras without a game", self.settled_without_game),
			("estimated readings", self.estimated),
			("corrected readings", self.corrected),
			("late readings", self.late),
			("arrears", self.with_arrears),
			("credit", self.with_credit),
			("rewards", self.rewards.1),
			("eras that paid less than their incentive", self.pot_ran_empty),
			("arrears repaid", self.debts_paid[0]),
			("households admitted", self.admitted),
			("households that left", self.left),
			("validators that came", self.validators[0]),
			("validators that went", self.validators[1]),
			(
				"other validators beside the first",
				self.validators[2].saturating_sub(1),
			),
		];
		for (what, count) in tried {
			assert!(count > 0, "{what} did not occur");
		}
	}
}

/// An amount in tokens.
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
			"games           {} equilibria, {} approximate, {} contracts restricted to the main grid",
			self.equilibria, self.approximate, self.main_grid_only
		)?;
		writeln!(
			out,
			"settled         {} eras ({} without a game), {} statements: {} estimated, {} corrected; {} late readings",
			self.settled, self.settled_without_game, self.statements, self.estimated, self.corrected, self.late
		)?;
		writeln!(
			out,
			"traded          {} kWh, {:.3} CWT through the pool",
			self.traded_wh / 1_000,
			tokens(self.through_pool)
		)?;
		writeln!(
			out,
			"rewards         {:.3} CWT in {} eras; {} eras paid less than their incentive",
			tokens(self.rewards.0),
			self.rewards.1,
			self.pot_ran_empty
		)?;
		writeln!(
			out,
			"debts           {} statements with arrears (at most {:.3} CWT), {} with credit (at most {:.3} CWT), {} of sellers who could not receive their share from the pool; {} arrears and {} credits paid outside of settlements",
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
		let [came, went, most] = self.validators;
		writeln!(
			out,
			"validators      {came} came, {went} went, at most {most} at work"
		)?;
		self.write_calls(out)?;
		for twin in &self.twins {
			writeln!(out, "twin            {twin}")?;
		}
		writeln!(out, "state at first  {}", self.size_at_first)?;
		write!(out, "state at last   {}", self.size_at_last)
	}
}

impl Tally {
	fn write_calls(&self, out: &mut fmt::Formatter) -> fmt::Result {
		let all = |of: fn(&Calls) -> u64| self.calls.values().map(of).sum::<u64>();
		writeln!(
			out,
			"calls           {} accepted, {} refused; {} of them signed ({} could not pay); {} refusals were checked to leave the state root unchanged",
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
			"  items of submit_readings: {taken} accepted, {refused} refused"
		)
	}
}

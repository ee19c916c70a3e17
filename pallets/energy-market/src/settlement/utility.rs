//! Payments between households and the utility. Costs, revenues and earlier debts of a household are set off against
//! each other first; only the difference moves.

use super::{HouseholdSettlement, Leaving, Settlement};
use crate::{pallet::*, Balance};
use alloc::vec::Vec;
use commonwatt_market::{
	money::Split,
	settlement::{spread, Dues},
};
use frame_support::traits::{
	fungible::Inspect,
	tokens::{Fortitude, Preservation},
};

impl<T: Config> Settlement<T> {
	/// Settles with the utility. First all members pay; then the utility passes the spreads of matched deviations on
	/// to the incentive pot; then everybody whom it owes gets the same share of what it has. So the order of the
	/// households does not matter. Returns what went to the pot.
	pub(super) fn with_utility(
		&self,
		lines: &mut [HouseholdSettlement<T>],
		leaving: &mut [Leaving<T>],
	) -> Balance {
		let dues: Vec<_> = lines
			.iter()
			.map(|line| Dues::new(&line.debt, &line.amounts))
			.collect();
		let (mut spreads, mut by_pool) = (0 as Balance, 0 as Balance);
		for (line, dues) in lines.iter_mut().zip(&dues) {
			let paid = self.collect(line, dues.household);
			by_pool = by_pool.saturating_add(line.for_utility);
			line.debt = dues.settle(paid, 0, &mut line.amounts);
			// Whoever still owes the utility has not paid for its shortfall.
			if line.debt.arrears == 0 {
				let spread = spread(line.energy.matched_short_wh, &self.terms.tariffs);
				spreads = spreads.saturating_add(spread);
			}
		}
		self.move_sum(&self.pool, &self.accounts.utility, by_pool);
		let to_pot = Pallet::<T>::pay_up_to(&self.accounts.utility, &self.pot, spreads);
		self.pay_out(lines, leaving);
		to_pot
	}

	/// Collects what a household owes: from the rest of its hold, then from what it earned, then from its free funds.
	/// Releases what is left of the hold. Returns what the household paid.
	fn collect(&self, line: &mut HouseholdSettlement<T>, due: Balance) -> Balance {
		let utility = &self.accounts.utility;
		let by_pool = line.for_utility;
		let from_hold = by_pool.saturating_add(self.move_held(line, utility, due.saturating_sub(by_pool)));
		self.release(line);
		// The owner agreed to a limit for what this settlement takes, the hold included. What it just earned from its
		// neighbours comes on top.
		let limit = line
			.household
			.max_debit_in(self.era)
			.saturating_sub(line.paid_from_hold)
			.saturating_add(line.amounts.received_from_pool);
		let still_due = due.saturating_sub(from_hold).min(limit);
		let set_off = still_due.min(line.earned);
		line.earned = line.earned.saturating_sub(set_off);
		line.for_utility = line.for_utility.saturating_add(set_off);
		let still_due = still_due.saturating_sub(set_off);
		let from_free = Pallet::<T>::pay_up_to(&line.household.owner, utility, still_due);
		from_hold.saturating_add(set_off).saturating_add(from_free)
	}

	/// Pays what the utility owes, with the same share for everybody if it cannot pay all; the rest stays credit. Households
	/// that have left take part, but nothing is collected from them.
	fn pay_out(&self, lines: &mut [HouseholdSettlement<T>], leaving: &mut [Leaving<T>]) {
		let utility = &self.accounts.utility;
		let owed = lines
			.iter()
			.map(|line| line.debt.credit)
			.chain(leaving.iter().map(|leaver| leaver.debt.credit))
			.fold(0, Balance::saturating_add);
		let available = T::Currency::reducible_balance(utility, Preservation::Preserve, Fortitude::Polite);
		let mut parts = Split::new(owed.min(available), owed);
		let mut to_pool: Balance = 0;
		for line in lines {
			let part = parts.next_part(line.debt.credit);
			let paid = self.pay_owner(line, utility, part);
			if line.is_alive {
				to_pool = to_pool.saturating_add(part);
			}
			line.debt.credit = line.debt.credit.saturating_sub(paid);
			line.amounts.received_from_utility = paid;
			line.amounts.credit = line.debt.credit;
		}
		self.move_sum(utility, &self.pool, to_pool);
		for leaver in leaving {
			let (owner, debt) = (&leaver.household.owner, &mut leaver.debt);
			leaver.received = Pallet::<T>::pay_up_to(utility, owner, parts.next_part(debt.credit));
			debt.credit = debt.credit.saturating_sub(leaver.received);
		}
	}
}

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
	fungible::{Inspect, Mutate},
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
		let mut spreads: Balance = 0;
		for (line, dues) in lines.iter_mut().zip(&dues) {
			let paid = self.collect(line, dues.household);
			line.debt = dues.settle(paid, 0, &mut line.amounts);
			// Whoever still owes the utility has not paid for its shortfall.
			if line.debt.arrears == 0 {
				let spread = spread(line.energy.matched_short_wh, &self.terms.tariffs);
				spreads = spreads.saturating_add(spread);
			}
		}
		let to_pot = Pallet::<T>::pay_up_to(&self.accounts.utility, &self.pot, spreads);
		self.pay_out(lines, leaving);
		to_pot
	}

	/// Collects what a household owes: from the rest of its hold, then from its free funds. Releases what is left of the
	/// hold. Returns what the household paid.
	fn collect(&self, line: &mut HouseholdSettlement<T>, due: Balance) -> Balance {
		let utility = &self.accounts.utility;
		let ahead = line.to_utility_by_pool;
		let from_hold = ahead.saturating_add(self.move_held(line, utility, due.saturating_sub(ahead)));
		self.release(line);
		// The owner agreed to a limit for what this settlement takes, the hold included. What it just earned from its
		// neighbours comes on top.
		let limit = line
			.household
			.max_debit_in(self.era)
			.saturating_sub(line.paid_from_hold)
			.saturating_add(line.amounts.received_from_pool);
		let still_due = due.saturating_sub(from_hold).min(limit);
		let from_free = Pallet::<T>::pay_up_to(&line.household.owner, utility, still_due);
		from_hold.saturating_add(from_free)
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
		for line in lines {
			let paid = self.pay(&line.household.owner, parts.next_part(line.debt.credit));
			line.debt.credit = line.debt.credit.saturating_sub(paid);
			line.amounts.received_from_utility = paid;
			line.amounts.credit = line.debt.credit;
		}
		for leaver in leaving {
			let (owner, debt) = (&leaver.household.owner, &mut leaver.debt);
			leaver.received = self.pay(owner, parts.next_part(debt.credit));
			debt.credit = debt.credit.saturating_sub(leaver.received);
		}
	}

	/// Transfers from the utility; returns 0 if the owner's account cannot take the amount.
	fn pay(&self, owner: &T::AccountId, amount: Balance) -> Balance {
		if amount == 0 {
			return 0;
		}
		T::Currency::transfer(&self.accounts.utility, owner, amount, Preservation::Preserve).unwrap_or(0)
	}
}

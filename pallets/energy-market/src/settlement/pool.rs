//! Contracted community energy, from the buyers' holds through the pool to the sellers; and the pool as the place where
//! a household's payments are netted.

use super::{HouseholdSettlement, Settlement};
use crate::{pallet::*, Balance, LOG_TARGET};
use commonwatt_market::{money::Split, prices::cost, settlement::Dues};
use frame_support::traits::{
	fungible::{Inspect, Mutate, MutateHold},
	tokens::{Fortitude, Precision, Preservation, Provenance, Restriction},
};
use sp_runtime::traits::Zero;

/// Whether an account can take a transfer of `amount`.
fn can_take<T: Config>(account: &T::AccountId, amount: Balance) -> bool {
	let takes = T::Currency::can_deposit(account, amount, Provenance::Extant);
	takes.into_result().is_ok()
}

impl<T: Config> Settlement<T> {
	/// Pays for community energy: from the buyers' holds into the pool, all grid fees in one sum to the operator, and
	/// from the pool to the sellers. What a buyer owes the utility leaves its hold in the same transfer.
	pub(super) fn through_pool(&self, lines: &mut [HouseholdSettlement<T>]) {
		// The pool nets only with a utility that can take any sum from it.
		let nets = can_take::<T>(&self.accounts.utility, 1);
		for line in lines.iter_mut() {
			line.is_alive = nets && !T::Currency::total_balance(&line.household.owner).is_zero();
		}
		let collected = self.collect_from_buyers(lines, nets);
		let sold = |line: &HouseholdSettlement<T>| Balance::from(line.energy.channels.sold_to_community_wh);
		let sold_wh = lines.iter().map(sold).fold(0, Balance::saturating_add);
		let mut parts = Split::new(collected, sold_wh);
		for line in lines.iter_mut() {
			let part = parts.next_part(sold(line));
			line.amounts.received_from_pool = self.to_seller(line, part);
		}
	}

	/// Collects the price of community energy, the grid fees, and what buyers owe the utility if the pool `nets`. Passes
	/// the fees on and returns the sum of the prices.
	fn collect_from_buyers(&self, lines: &mut [HouseholdSettlement<T>], nets: bool) -> Balance {
		let per_kwh = self.terms.tariffs.grid_fee_per_kwh;
		let fee =
			|line: &HouseholdSettlement<T>| cost(line.energy.channels.bought_from_community_wh, per_kwh);
		let all_fees = lines.iter().map(fee).fold(0, Balance::saturating_add);
		// If the operator's account is gone, it may be unable to take the fees. Then no buyer pays a fee.
		let charged = can_take::<T>(&self.accounts.operator, all_fees);
		let (mut collected, mut fees) = (0 as Balance, 0 as Balance);
		for line in lines.iter_mut() {
			let bought = line.energy.channels.bought_from_community_wh;
			if bought == 0 {
				continue;
			}
			let price = cost(bought, self.price_per_kwh);
			let fee = if charged { fee(line) } else { 0 };
			let due = if nets {
				Dues::new(&line.debt, &line.amounts).household
			} else {
				0
			};
			let all = price.saturating_add(fee).saturating_add(due);
			let paid = self.move_held(line, &self.pool, all);
			line.amounts.paid_to_pool = paid.min(price);
			let rest = paid.saturating_sub(price);
			line.amounts.grid_fee = rest.min(fee);
			line.for_utility = rest.saturating_sub(fee);
			collected = collected.saturating_add(line.amounts.paid_to_pool);
			fees = fees.saturating_add(line.amounts.grid_fee);
		}
		self.move_sum(&self.pool, &self.accounts.operator, fees);
		collected
	}

	/// Pays an owner what its household earned: at once, or at the end together with everything else. Returns what was
	/// or will be paid. What will be paid must be in the pool then.
	pub(super) fn pay_owner(
		&self,
		line: &mut HouseholdSettlement<T>,
		from: &T::AccountId,
		amount: Balance,
	) -> Balance {
		if amount == 0 {
			return 0;
		}
		if line.is_alive {
			line.earned = line.earned.saturating_add(amount);
			return amount;
		}
		T::Currency::transfer(from, &line.household.owner, amount, Preservation::Preserve).unwrap_or(0)
	}

	/// Pays the owners all that their households earned, less what was set off.
	pub(super) fn pay_earned(&self, lines: &[HouseholdSettlement<T>]) {
		for line in lines {
			self.move_sum(&self.pool, &line.household.owner, line.earned);
		}
	}

	/// Transfers a sum into or out of the pool.
	pub(super) fn move_sum(&self, from: &T::AccountId, to: &T::AccountId, amount: Balance) {
		if amount == 0 {
			return;
		}
		if let Err(error) = T::Currency::transfer(from, to, amount, Preservation::Preserve) {
			// Each caller has seen that one account has the sum and the other can take it, so this cannot happen.
			log::error!(
				target: LOG_TARGET,
				"community {}: {from:?} cannot pay {amount} to {to:?}: {error:?}",
				self.community
			);
		}
	}

	/// Transfers up to `amount` from the hold of this household's contract to `to`; returns what was transferred.
	pub(super) fn move_held(
		&self,
		line: &mut HouseholdSettlement<T>,
		to: &T::AccountId,
		amount: Balance,
	) -> Balance {
		let Some(contract) = &mut line.contract else {
			return 0;
		};
		let amount = amount.min(contract.held);
		if amount == 0 {
			return 0;
		}
		let moved = T::Currency::transfer_on_hold(
			&HoldReason::Contract.into(),
			&line.household.owner,
			to,
			amount,
			Precision::BestEffort,
			Restriction::Free,
			// The hold belongs to the sellers first, even if the owner has frozen funds since.
			Fortitude::Force,
		)
		.unwrap_or_else(|error| {
			log::warn!(
				target: LOG_TARGET,
				"household {}: could not transfer {amount} from its hold: {error:?}",
				line.id
			);
			0
		});
		contract.held = contract.held.saturating_sub(moved);
		line.paid_from_hold = line.paid_from_hold.saturating_add(moved);
		moved
	}

	/// Pays a seller out of the pool; returns what the seller receives. If the seller's account is gone and the amount
	/// is too small to open it again, the utility keeps the amount as the seller's credit.
	fn to_seller(&self, line: &mut HouseholdSettlement<T>, amount: Balance) -> Balance {
		let paid = self.pay_owner(line, &self.pool, amount);
		if paid < amount {
			match T::Currency::transfer(&self.pool, &self.accounts.utility, amount, Preservation::Preserve) {
				Ok(kept) => line.debt.credit = line.debt.credit.saturating_add(kept),
				Err(error) => log::warn!(
					target: LOG_TARGET,
					"household {}: earnings of {amount} stay in the pool, since nobody can take them: {error:?}",
					line.id
				),
			}
		}
		paid
	}

	/// Releases what is left of the contract's hold.
	pub(super) fn release(&self, line: &mut HouseholdSettlement<T>) {
		let Some(contract) = line.contract.as_mut().filter(|contract| contract.held > 0) else {
			return;
		};
		let released = T::Currency::release(
			&HoldReason::Contract.into(),
			&line.household.owner,
			contract.held,
			Precision::BestEffort,
		);
		if let Err(error) = released {
			log::warn!(target: LOG_TARGET, "household {}: could not release the rest of its hold: {error:?}", line.id);
		}
		contract.held = 0;
	}
}

//! Contracted community energy: from the buyers' holds through the pool to the sellers, with the grid fee to the
//! operator, and what the buyers' holds pay to the utility.

use super::{HouseholdSettlement, Settlement};
use crate::{pallet::*, Balance, LOG_TARGET};
use commonwatt_market::{money::Split, prices::cost, settlement::Dues};
use frame_support::traits::{
	fungible::{Inspect, Mutate, MutateHold},
	tokens::{Fortitude, Precision, Preservation, Provenance, Restriction},
};

/// Whether an account can take a transfer of `amount`.
fn can_take<T: Config>(account: &T::AccountId, amount: Balance) -> bool {
	let takes = T::Currency::can_deposit(account, amount, Provenance::Extant);
	takes.into_result().is_ok()
}

impl<T: Config> Settlement<T> {
	/// Pays for community energy: from the buyers' holds into the pool, from the pool to the sellers, and all grid fees
	/// in one sum to the operator. What a buyer owes the utility leaves its hold in the same transfer, and the pool
	/// passes all of it on in one sum: a transfer from each hold is the dearest part of a settlement.
	pub(super) fn through_pool(&self, lines: &mut [HouseholdSettlement<T>]) {
		let per_kwh = self.terms.tariffs.grid_fee_per_kwh;
		let fee =
			|line: &HouseholdSettlement<T>| cost(line.energy.channels.bought_from_community_wh, per_kwh);
		let all_fees = lines.iter().map(fee).fold(0, Balance::saturating_add);
		// If the operator's account is gone, it may be unable to take the fees. Then no buyer pays a fee.
		let charged = can_take::<T>(&self.accounts.operator, all_fees);
		// A utility that can take the smallest amount can take any. Another one is paid household by household.
		let ahead = can_take::<T>(&self.accounts.utility, 1);
		let (mut collected, mut fees, mut for_utility) = (0 as Balance, 0 as Balance, 0 as Balance);
		let mut sold_wh: Balance = 0;
		for line in lines.iter_mut() {
			let channels = line.energy.channels;
			sold_wh = sold_wh.saturating_add(channels.sold_to_community_wh.into());
			let bought = channels.bought_from_community_wh;
			if bought > 0 {
				let price = cost(bought, self.price_per_kwh);
				let fee = if charged { fee(line) } else { 0 };
				let due = if ahead {
					Dues::new(&line.debt, &line.amounts).household
				} else {
					0
				};
				let all = price.saturating_add(fee).saturating_add(due);
				let paid = self.move_held(line, &self.pool, all);
				line.amounts.paid_to_pool = paid.min(price);
				let rest = paid.saturating_sub(price);
				line.amounts.grid_fee = rest.min(fee);
				line.to_utility_by_pool = rest.saturating_sub(fee);
				collected = collected.saturating_add(line.amounts.paid_to_pool);
				fees = fees.saturating_add(line.amounts.grid_fee);
				for_utility = for_utility.saturating_add(line.to_utility_by_pool);
			}
		}
		self.pass_on(&self.accounts.operator, fees);
		self.pass_on(&self.accounts.utility, for_utility);
		let mut parts = Split::new(collected, sold_wh);
		for line in lines.iter_mut() {
			let part = parts.next_part(line.energy.channels.sold_to_community_wh.into());
			line.amounts.received_from_pool = self.to_seller(line, part);
		}
	}

	/// Transfers what the pool collected for somebody.
	fn pass_on(&self, to: &T::AccountId, amount: Balance) {
		if amount == 0 {
			return;
		}
		if let Err(error) = T::Currency::transfer(&self.pool, to, amount, Preservation::Preserve) {
			// `can_take` allowed it just before, so this cannot happen. The sellers lose nothing by it.
			log::warn!(
				target: LOG_TARGET,
				"community {}: {amount} stays in the pool, because {to:?} cannot take it: {error:?}",
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

	/// Pays a seller out of the pool; returns what the seller received. If the seller's account is gone and the amount
	/// is too small to open it again, the utility keeps the amount as the seller's credit.
	fn to_seller(&self, line: &mut HouseholdSettlement<T>, amount: Balance) -> Balance {
		if amount == 0 {
			return 0;
		}
		let paid = |to| T::Currency::transfer(&self.pool, to, amount, Preservation::Preserve);
		match paid(&line.household.owner) {
			Ok(paid) => paid,
			Err(_) => {
				match paid(&self.accounts.utility) {
					Ok(kept) => line.debt.credit = line.debt.credit.saturating_add(kept),
					Err(error) => log::warn!(
						target: LOG_TARGET,
						"household {}: earnings of {amount} stay in the pool, since nobody can take them: {error:?}",
						line.id
					),
				}
				0
			}
		}
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

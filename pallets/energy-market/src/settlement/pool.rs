//! Contracted community energy: from the buyers' holds through the pool to the sellers, with the grid fee to the
//! operator.

use super::{HouseholdSettlement, Settlement};
use crate::{pallet::*, Balance, LOG_TARGET};
use commonwatt_market::{money::Split, prices::cost};
use frame_support::traits::{
	fungible::{Inspect, Mutate, MutateHold},
	tokens::{Fortitude, Precision, Preservation, Provenance, Restriction},
};

impl<T: Config> Settlement<T> {
	/// Pays for community energy: from the buyers' holds into the pool, from the pool to the sellers, and all grid fees
	/// in one sum to the operator.
	pub(super) fn through_pool(&self, lines: &mut [HouseholdSettlement<T>]) {
		let per_kwh = self.terms.tariffs.grid_fee_per_kwh;
		let fee =
			|line: &HouseholdSettlement<T>| cost(line.energy.channels.bought_from_community_wh, per_kwh);
		let all_fees = lines.iter().map(fee).fold(0, Balance::saturating_add);
		// If the operator's account is gone, it may be unable to take the fees. Then no buyer pays a fee.
		let takes = T::Currency::can_deposit(&self.accounts.operator, all_fees, Provenance::Extant);
		let charged = takes.into_result().is_ok();
		let (mut collected, mut fees, mut sold_wh) = (0 as Balance, 0 as Balance, 0 as Balance);
		for line in lines.iter_mut() {
			let channels = line.energy.channels;
			sold_wh = sold_wh.saturating_add(channels.sold_to_community_wh.into());
			let bought = channels.bought_from_community_wh;
			if bought > 0 {
				let price = cost(bought, self.price_per_kwh);
				let fee = if charged { fee(line) } else { 0 };
				let paid = self.move_held(line, &self.pool, price.saturating_add(fee));
				line.amounts.paid_to_pool = paid.min(price);
				line.amounts.grid_fee = paid.saturating_sub(price);
				collected = collected.saturating_add(line.amounts.paid_to_pool);
				fees = fees.saturating_add(line.amounts.grid_fee);
			}
		}
		if fees > 0 {
			if let Err(error) =
				T::Currency::transfer(&self.pool, &self.accounts.operator, fees, Preservation::Preserve)
			{
				// `can_deposit` allowed it just before, so this cannot happen. The sellers lose nothing by it.
				log::warn!(
					target: LOG_TARGET,
					"community {}: grid fees of {fees} stay in the pool: the operator cannot take them: {error:?}",
					self.community
				);
			}
		}
		let mut parts = Split::new(collected, sold_wh);
		for line in lines.iter_mut() {
			let part = parts.next_part(line.energy.channels.sold_to_community_wh.into());
			line.amounts.received_from_pool = self.to_seller(line, part);
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

//! Settlement of one community and one era: moves the money that [`commonwatt_market::settlement`] computes.
//!
//! Money for community energy goes from the buyers' holds through the pool to the sellers, so a seller who delivered is
//! always paid.

use crate::{
	books::entry, pallet::*, Amounts, Balance, Community, CommunityId, Contract, ContractBook, Debt,
	DebtBook, EraIndex, Household, HouseholdId, Reading, Statement, StatementBook, Terms, Totals, LOG_TARGET,
};
use alloc::vec::Vec;
use commonwatt_market::{
	game::{shares, Delivered, Log2},
	money::Split,
	prices::{cost, price},
	settlement::{deliverable_wh, equalise, Dues, Energy},
};
use frame_support::traits::{
	fungible::{Inspect, Mutate, MutateHold},
	tokens::{Fortitude, Precision, Preservation, Provenance, Restriction},
};

/// Maximum number of households that one settlement removes. Others that are leaving follow in later eras.
pub(crate) const MAX_DEPARTURES: usize = 4;

/// One household in a settlement.
struct HouseholdSettlement<T: Config> {
	id: HouseholdId,
	household: Household<T::AccountId>,
	debt: Debt,
	contract: Option<Contract<T>>,
	reading: Reading,
	/// Whether the chain estimated the reading.
	missing: bool,
	energy: Energy,
	/// Comfort and payoff of what was delivered; `None` without a contract or without a reading.
	delivered: Option<Delivered>,
	amounts: Amounts,
}

/// A household with its debt that is leaving, or that was not a member in the era.
type Leaving<T> = (
	HouseholdId,
	Household<<T as frame_system::Config>::AccountId>,
	Debt,
);

/// The settlement of one community and one era.
pub(crate) struct Settlement<T: Config> {
	community: CommunityId,
	era: EraIndex,
	accounts: Community<T::AccountId>,
	pool: T::AccountId,
	pot: T::AccountId,
	terms: Terms,
	price_per_kwh: Balance,
}

impl<T: Config> Settlement<T> {
	/// Settles `era` for the first `households` members of a community, the number that the step's weight was planned
	/// for.
	pub(crate) fn run(community: CommunityId, era: EraIndex, households: u32) {
		let Some(accounts) = Communities::<T>::get(community) else {
			return;
		};
		let slot = Pallet::<T>::slot(era);
		let record = Records::<T>::get(community, slot).filter(|record| record.era == era);
		// Without a record there are no contracts; the terms of the era price the main-grid energy.
		let (terms, price_per_kwh) = record.map_or_else(
			|| {
				let terms = accounts.terms_in(era);
				(terms, price(&terms, 0, 0))
			},
			|r| (r.terms, r.price_per_kwh),
		);
		let settlement = Self {
			community,
			era,
			accounts,
			pool: Pallet::<T>::pool_account(community),
			pot: Pallet::<T>::pot_account(community),
			terms,
			price_per_kwh,
		};
		let (mut lines, mut leaving) = settlement.lines(households);
		settlement.equalise(&mut lines);
		settlement.through_pool(&mut lines);
		settlement.reward(&mut lines);
		let mut totals = Totals::default();
		let (mut contracts, mut debts) = (Vec::new(), Vec::new());
		let mut statements = Vec::with_capacity(lines.len());
		for mut line in lines {
			settlement.with_utility(&mut line);
			statements.push((line.id, settlement.close(&line, &mut totals)));
			if let Some(contract) = line.contract {
				contracts.push((line.id, contract));
			}
			if line.household.member_until.is_some() {
				leaving.push((line.id, line.household, line.debt));
			} else {
				debts.push((line.id, line.debt));
			}
		}
		// No truncation: both are of members, of whom there are at most `MaxHouseholds`.
		Statements::<T>::insert(community, slot, StatementBook::<T>::truncate_from(statements));
		match record {
			Some(mut record) => {
				record.settled = Some(totals);
				Contracts::<T>::insert(community, slot, ContractBook::<T>::truncate_from(contracts));
				Records::<T>::insert(community, slot, record);
			}
			// An era without a game: the contracts and the record in this slot are of an older era, whose statements
			// have just been overwritten. Remove them.
			None => {
				Contracts::<T>::remove(community, slot);
				Records::<T>::remove(community, slot);
			}
		}
		Pallet::<T>::deposit_event(Event::EraSettled {
			community,
			era,
			totals,
		});
		settlement.let_go(leaving, &mut debts);
		debts.retain(|(_, debt)| !debt.is_settled());
		debts.sort_unstable_by_key(|(id, _)| *id);
		let debts = DebtBook::<T>::truncate_from(debts);
		if debts != Debts::<T>::get(community) {
			Debts::<T>::insert(community, debts);
		}
	}

	/// The households that were members in the era, with contract and reading (estimated if the meter was silent); and
	/// the other members: those that have left since but still owe or are owed something, and those that joined later.
	fn lines(&self, households: u32) -> (Vec<HouseholdSettlement<T>>, Vec<Leaving<T>>) {
		let (mut lines, mut leaving) = (Vec::new(), Vec::new());
		let debts = Debts::<T>::get(self.community);
		let book = Contracts::<T>::get(self.community, Pallet::<T>::slot(self.era));
		// Both lists are in the order of registration, but not every member has a contract.
		let mut contracts = book
			.into_iter()
			.filter(|(_, contract)| contract.era == self.era)
			.peekable();
		for id in Members::<T>::get(self.community)
			.into_iter()
			.take(households as usize)
		{
			let contract = contracts
				.next_if(|(of, _)| *of == id)
				.map(|(_, contract)| contract);
			let Some(mut household) = Households::<T>::get(id) else {
				continue;
			};
			let debt = entry(&debts, id).copied().unwrap_or_default();
			// Who pays and is paid: the owner of this era, or of the last one if the household has left before.
			let billed = household.member_until.map_or(self.era, |last| last.min(self.era));
			household.owner = household.owner_in(billed).clone();
			if !household.is_member_in(self.era) {
				leaving.push((id, household, debt));
				continue;
			}
			let metered = Readings::<T>::get(id);
			let submitted = metered.and_then(|metered| metered.of(self.era));
			let reading = submitted.unwrap_or_else(|| {
				let last = metered.and_then(|metered| metered.until(self.era));
				Reading::estimate(household.connection_limit_in(self.era), contract.as_ref(), last)
			});
			lines.push(HouseholdSettlement {
				id,
				debt,
				household,
				contract,
				reading,
				missing: submitted.is_none(),
				energy: Energy::default(),
				delivered: None,
				amounts: Amounts::default(),
			});
		}
		(lines, leaving)
	}

	/// Computes the energy: makes the delivered energy of both sides equal, splits each household's metered energy by
	/// channel and price, and computes its delivered payoff.
	fn equalise(&self, lines: &mut [HouseholdSettlement<T>]) {
		let of_contract = |line: &HouseholdSettlement<T>| {
			line.contract.as_ref().map_or(0, |contract| {
				deliverable_wh(contract, &line.reading, &self.terms, self.price_per_kwh)
			})
		};
		let deliverable: Vec<i64> = lines.iter().map(of_contract).collect();
		let community = equalise(&deliverable);
		for ((line, deliverable_wh), community_wh) in lines.iter_mut().zip(deliverable).zip(community) {
			let contract = line.contract.as_ref();
			line.energy = Energy::split(contract, &line.reading, deliverable_wh, community_wh);
			line.delivered = contract
				.filter(|_| !line.missing)
				.map(|contract| line.energy.worth(contract, &line.reading, &self.terms));
		}
	}

	/// Pays for community energy: from the buyers' holds into the pool, from the pool to the sellers, and all grid fees
	/// in one sum to the operator.
	fn through_pool(&self, lines: &mut [HouseholdSettlement<T>]) {
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
	fn move_held(&self, line: &mut HouseholdSettlement<T>, to: &T::AccountId, amount: Balance) -> Balance {
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

	/// Pays the paper's rewards from the incentive pot: the incentive for this era, or what the pot has if that is
	/// less, in proportion to the delivered payoffs. A household with a silent meter gets no reward.
	fn reward(&self, lines: &mut [HouseholdSettlement<T>]) {
		let available = T::Currency::reducible_balance(&self.pot, Preservation::Preserve, Fortitude::Polite);
		let budget = self.terms.incentive_per_era.min(available);
		if budget == 0 {
			return;
		}
		let payoff = |line: &HouseholdSettlement<T>| {
			line.delivered
				.map_or(Log2::NEG_INFINITY, |delivered| delivered.payoff)
		};
		let weights = shares(&lines.iter().map(payoff).collect::<Vec<_>>());
		let total: u128 = weights.iter().copied().map(u128::from).sum();
		let mut parts = Split::new(budget, total);
		for (line, weight) in lines.iter_mut().zip(weights).filter(|(_, weight)| *weight > 0) {
			let part = parts.next_part(weight.into());
			// A reward that an account cannot take stays in the pot.
			line.amounts.reward =
				T::Currency::transfer(&self.pot, &line.household.owner, part, Preservation::Preserve)
					.unwrap_or(0);
		}
	}

	/// Settles with the utility: first the utility pays what it owes, old credit included; then the household pays what
	/// it owes, old arrears included.
	fn with_utility(&self, line: &mut HouseholdSettlement<T>) {
		line.energy
			.bill_main_grid(&line.reading, &self.terms.tariffs, &mut line.amounts);
		let dues = Dues::new(&line.debt, &line.amounts);
		let utility = &self.accounts.utility;
		let received = Pallet::<T>::pay_up_to(utility, &line.household.owner, dues.utility);
		// The rest of the hold pays first; what remains of it is released.
		let from_hold = self.move_held(line, utility, dues.household);
		self.release(line);
		let still_due = dues.household.saturating_sub(from_hold);
		let from_free = Pallet::<T>::pay_up_to(&line.household.owner, utility, still_due);
		line.debt = dues.settle(from_hold.saturating_add(from_free), received, &mut line.amounts);
	}

	/// Releases what is left of the contract's hold.
	fn release(&self, line: &mut HouseholdSettlement<T>) {
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

	/// Makes the household's statement, adds it to the totals and emits `HouseholdSettled`.
	fn close(&self, line: &HouseholdSettlement<T>, totals: &mut Totals) -> Statement {
		let statement = Statement {
			era: self.era,
			reading: line.reading,
			energy: line.energy.channels,
			imbalance_import_wh: line.energy.imbalance_import_wh,
			imbalance_export_wh: line.energy.imbalance_export_wh,
			price_per_kwh: self.price_per_kwh,
			delivered: line.delivered,
			amounts: line.amounts,
		};
		totals.add(&statement, line.missing);
		Pallet::<T>::deposit_event(Event::HouseholdSettled {
			community: self.community,
			household: line.id,
			statement,
		});
		statement
	}

	/// Removes at most [`MAX_DEPARTURES`] households whose last era is settled and that neither owe nor are owed
	/// anything. Adds the debts of all others to `debts`.
	fn let_go(&self, leaving: Vec<Leaving<T>>, debts: &mut Vec<(HouseholdId, Debt)>) {
		let mut departures = 0;
		for (id, household, mut debt) in leaving {
			if household.member_until.is_some_and(|last| last <= self.era) {
				self.pay_credit(id, &household.owner, &mut debt);
				if debt.is_settled() && departures < MAX_DEPARTURES {
					departures = departures.saturating_add(1);
					Pallet::<T>::forget_household(id, household);
					continue;
				}
			}
			debts.push((id, debt));
		}
	}

	/// Pays a household that has left the game what the utility owes it, as far as the utility can pay. From the owner
	/// nothing is collected: what it owes stays on record.
	fn pay_credit(&self, id: HouseholdId, owner: &T::AccountId, debt: &mut Debt) {
		let received = Pallet::<T>::pay_up_to(&self.accounts.utility, owner, debt.credit);
		debt.credit = debt.credit.saturating_sub(received);
		if received > 0 {
			Pallet::<T>::deposit_event(Event::CreditPaid {
				household: id,
				paid: received,
				credit: debt.credit,
			});
		}
	}
}

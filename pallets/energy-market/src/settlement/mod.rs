//! Settlement of one community and one era: moves the money that [`commonwatt_market::settlement`] computes.
//!
//! - Here: the households of the settlement, their energy and statements, and households that leave.
//! - `pool`: money for contracted community energy, from the buyers' holds through the pool to the sellers. Contracts
//!   are firm, so buyers pay and sellers are paid whatever their meters saw.
//! - `utility`: payments between households and the utility.
//! - `rewards`: payments from the incentive pot.
//!
//! A transfer is the dearest part of a settlement, so the pool nets: a household makes at most one payment out of its
//! hold and gets at most one payment, and sums go between the pool, the pot, the operator and the utility.

mod pool;
mod rewards;
mod utility;

use crate::{
	books::entry, pallet::*, Amounts, Balance, Channels, Community, CommunityId, Contract, ContractBook,
	Debt, DebtBook, EraIndex, Household, HouseholdId, Quality, Reading, ReportedBy, Statement, StatementBook,
	Terms, Totals,
};
use alloc::vec::Vec;
use commonwatt_market::{
	game::Delivered,
	prices::price,
	settlement::{Energy, Metering},
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
	reported_by: ReportedBy,
	energy: Energy,
	/// Comfort and payoff of what was delivered; `None` without a contract that counts, or with an estimated reading.
	delivered: Option<Delivered>,
	amounts: Amounts,
	/// What the contract's hold has paid so far, to pool, operator and utility.
	paid_from_hold: Balance,
	/// What this household paid the utility so far that the pool still has: out of the hold, and set off against what
	/// it earned.
	for_utility: Balance,
	/// Whether the owner's account exists. Then the pool pays all that the household earned in one transfer at the end.
	/// An account that does not exist is paid amount by amount, since it may be unable to take a small one.
	is_alive: bool,
	/// What the pool still has to pay the owner.
	earned: Balance,
}

impl<T: Config> HouseholdSettlement<T> {
	/// The contracted energy; `None` without a contract that counts.
	fn firm_energy(&self) -> Option<Channels> {
		self.contract.as_ref().and_then(Contract::<T>::firm_energy)
	}
}

/// A household that was not a member in the era, or whose last era this is, with its debt.
struct Leaving<T: Config> {
	id: HouseholdId,
	household: Household<T::AccountId>,
	debt: Debt,
	/// What it repaid in this settlement, without a statement.
	repaid: Balance,
	/// What the utility paid it in this settlement, without a statement.
	received: Balance,
}

impl<T: Config> Leaving<T> {
	fn new(id: HouseholdId, household: Household<T::AccountId>, debt: Debt) -> Self {
		Self {
			id,
			household,
			debt,
			repaid: 0,
			received: 0,
		}
	}
}

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
		settlement.compute_energy(&mut lines);
		settlement.through_pool(&mut lines);
		settlement.reward(&mut lines);
		let to_pot = settlement.with_utility(&mut lines, &mut leaving);
		settlement.pay_earned(&lines);
		let mut totals = Totals {
			to_pot,
			..Totals::default()
		};
		let (mut contracts, mut debts) = (Vec::new(), Vec::new());
		let mut statements = Vec::with_capacity(lines.len());
		for line in lines {
			statements.push((line.id, settlement.close(&line, &mut totals)));
			if let Some(contract) = line.contract {
				contracts.push((line.id, contract));
			}
			if line.household.member_until.is_some() {
				leaving.push(Leaving::new(line.id, line.household, line.debt));
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
		let calendar = Pallet::<T>::calendar();
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
				leaving.push(Leaving::new(id, household, debt));
				continue;
			}
			let metered = Readings::<T>::get(id);
			let submitted = metered.and_then(|metered| metered.of(self.era));
			let estimate = || {
				let (contract, metered) = (contract.as_ref(), metered.as_ref());
				Reading::estimate(&household, contract, metered, self.era, &calendar)
			};
			let reading = submitted.map_or_else(estimate, |reported| reported.reading);
			lines.push(HouseholdSettlement {
				id,
				debt,
				household,
				contract,
				reading,
				reported_by: ReportedBy::of(submitted.as_ref()),
				energy: Energy::default(),
				delivered: None,
				amounts: Amounts::default(),
				paid_from_hold: 0,
				for_utility: 0,
				is_alive: false,
				earned: 0,
			});
		}
		(lines, leaving)
	}

	/// Splits each household's metered energy into contract and deviation, matches the deviations, and computes the
	/// delivered payoffs. An estimate matches nothing and delivers nothing, so it earns no reward.
	fn compute_energy(&self, lines: &mut [HouseholdSettlement<T>]) {
		let of_line = |line: &HouseholdSettlement<T>| Metering {
			contract: line.firm_energy(),
			net_wh: line.reading.net_wh(),
			is_estimate: line.reported_by == ReportedBy::Nobody,
		};
		let energies = Energy::of_all(&lines.iter().map(of_line).collect::<Vec<_>>());
		for (line, energy) in lines.iter_mut().zip(energies) {
			line.energy = energy;
			energy.bill(&line.reading, &self.terms.tariffs, &mut line.amounts);
			line.delivered = line
				.contract
				.as_ref()
				.filter(|contract| !contract.main_grid_only && line.reading.quality != Quality::Estimated)
				.map(|contract| energy.worth(contract, &line.reading, &self.terms));
		}
	}

	/// Makes the household's statement, adds it to the totals and emits `HouseholdSettled`.
	fn close(&self, line: &HouseholdSettlement<T>, totals: &mut Totals) -> Statement {
		let statement = Statement {
			reported_by: line.reported_by,
			is_firm: line.firm_energy().is_some(),
			delivered: line.delivered,
			..line
				.energy
				.statement(self.era, line.reading, self.price_per_kwh, line.amounts)
		};
		totals.add(&statement);
		Pallet::<T>::deposit_event(Event::HouseholdSettled {
			community: self.community,
			household: line.id,
			statement,
		});
		statement
	}

	/// Removes at most [`MAX_DEPARTURES`] households whose last era is settled and that neither owe nor are owed
	/// anything. Adds the debts of all others to `debts`. Emits what they repaid or received without a statement.
	fn let_go(&self, leaving: Vec<Leaving<T>>, debts: &mut Vec<(HouseholdId, Debt)>) {
		let mut departures = 0;
		for leaver in leaving {
			let (id, debt) = (leaver.id, leaver.debt);
			if leaver.received > 0 {
				Pallet::<T>::deposit_event(Event::CreditPaid {
					household: id,
					paid: leaver.received,
					credit: debt.credit,
				});
			}
			if leaver.repaid > 0 {
				Pallet::<T>::deposit_event(Event::ArrearsRepaid {
					household: id,
					paid: leaver.repaid,
					arrears: debt.arrears,
				});
			}
			let has_ended = leaver.household.member_until.is_some_and(|last| last <= self.era);
			if has_ended && debt.is_settled() && departures < MAX_DEPARTURES {
				departures = departures.saturating_add(1);
				Pallet::<T>::forget_household(id, leaver.household);
			} else {
				debts.push((id, debt));
			}
		}
	}
}

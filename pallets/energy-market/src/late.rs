//! Readings that come after their era was settled: the household's own bill is worked out again, and the difference
//! moves between the household and the utility. [`commonwatt_market::late`] has the arithmetic.

use crate::{
	books::entry, pallet::*, Amounts, Community, CommunityId, Debt, EraIndex, Household, HouseholdId, Phase,
	Quality, Reading, ReportedBy, Statement, Terms,
};
use commonwatt_market::{late, prices::price};
use frame_support::{ensure, traits::Get};
use sp_runtime::{DispatchError, DispatchResult};

/// A late reading that may be taken.
pub(crate) struct Late<T: Config> {
	id: HouseholdId,
	household: Household<T::AccountId>,
	community: Community<T::AccountId>,
	terms: Terms,
	/// The statement that it replaces.
	settled: Statement,
}

impl<T: Config> Pallet<T> {
	pub(crate) fn do_submit_late_reading(
		meter: T::AccountId,
		era: EraIndex,
		reading: Reading,
	) -> DispatchResult {
		let late = Self::check_late(&meter, era, &reading)?;
		let mut statement = late::settle(&late.settled, reading, &late.terms);
		let id = late.household.community;
		let mut debts = Debts::<T>::get(id);
		let mut debt = entry(&debts, late.id).copied().unwrap_or_default();
		let (paid, received) = late.settle(&mut statement, &mut debt);
		debts.retain(|(of, _)| *of != late.id);
		if !debt.is_settled() {
			let place = debts.partition_point(|(of, _)| *of < late.id);
			// There is room: debts are of members, of whom there are at most `MaxHouseholds`.
			let _ = debts.try_insert(place, (late.id, debt));
		}
		Debts::<T>::insert(id, debts);
		LateStatements::<T>::mutate(late.id, |statements| {
			let current = Clock::<T>::get().map_or(0, |clock| clock.current);
			statements.retain(|known| Self::is_retained(known.era, current));
			let place = statements.partition_point(|known| known.era < era);
			// There is room: one for each retained era.
			let _ = statements.try_insert(place, statement);
		});
		Self::deposit_event(Event::LateReadingSettled {
			community: id,
			household: late.id,
			statement,
			paid,
			received,
		});
		Ok(())
	}

	/// Whether contracts, statements and records of an era are still in their ring slots.
	fn is_retained(era: EraIndex, current: EraIndex) -> bool {
		Self::oldest_retained_era(current) <= era
	}

	/// The oldest era whose contracts, statements and records are still in their ring slots.
	pub(crate) fn oldest_retained_era(current: EraIndex) -> EraIndex {
		current.saturating_add(1).saturating_sub(T::RetainedEras::get())
	}

	/// Checks a late reading. The errors are those of [`Pallet::submit_late_reading`].
	pub(crate) fn check_late(
		meter: &T::AccountId,
		era: EraIndex,
		reading: &Reading,
	) -> Result<Late<T>, DispatchError> {
		let id = MeterOf::<T>::get(meter).ok_or(Error::<T>::UnknownMeter)?;
		let household = Households::<T>::get(id).ok_or(Error::<T>::NotMemberInEra)?;
		let clock = Clock::<T>::get().ok_or(Error::<T>::ClockNotStarted)?;
		ensure!(
			clock.previous.is_some_and(|previous| era < previous)
				&& FirstEra::<T>::get() <= era
				&& Self::is_retained(era, clock.current),
			Error::<T>::ReadingForWrongEra
		);
		ensure!(household.is_member_in(era), Error::<T>::NotMemberInEra);
		ensure!(household.meter_in(era) == meter, Error::<T>::MeterNotActiveInEra);
		// What the former owner could not pay would become arrears of the household, and so of its new owner.
		ensure!(
			household.owner_in(era) == household.owner_in(clock.current),
			Error::<T>::EraOfFormerOwner
		);
		ensure!(
			reading.quality != Quality::Corrected,
			Error::<T>::NothingToCorrect
		);
		Self::check_energy(&household, era, reading)?;
		ensure!(
			!Self::waits_for_settlement(household.community, era),
			Error::<T>::RoundUnderWay
		);
		let is_known = LateStatements::<T>::get(id).iter().any(|known| known.era == era);
		ensure!(!is_known, Error::<T>::ReadingAlreadySubmitted);
		let community = Self::community(household.community)?;
		let terms = Self::terms_of_era(household.community, &community, era)?;
		let book = Statements::<T>::get(household.community, Self::slot(era));
		let settled = entry(&book, id)
			.filter(|statement| statement.era == era)
			.copied()
			// The chain missed the era, so nobody has a contract or a bill for it.
			.unwrap_or_else(|| late::unsettled(era, price(&terms, 0, 0)));
		ensure!(
			settled.reported_by != ReportedBy::Meter,
			Error::<T>::ReadingAlreadySubmitted
		);
		Ok(Late {
			id,
			household,
			community,
			terms,
			settled,
		})
	}

	/// Whether the settlement of an era is still to come in the round that is under way.
	fn waits_for_settlement(community: CommunityId, era: EraIndex) -> bool {
		Round::<T>::get().is_some_and(|round| {
			round.settle_era == Some(era) && (round.phase == Phase::Solve || round.next <= community)
		})
	}

	/// The terms of an era that has ended.
	///
	/// Errors: `TermsForgotten`.
	fn terms_of_era(
		id: CommunityId,
		community: &Community<T::AccountId>,
		era: EraIndex,
	) -> Result<Terms, DispatchError> {
		if let Some(record) = Records::<T>::get(id, Self::slot(era)).filter(|record| record.era == era) {
			return Ok(record.terms);
		}
		// When the list of ended terms is full, terms before its first entry may have been dropped from it.
		let oldest = community
			.ended_terms
			.first()
			.filter(|_| community.ended_terms.is_full());
		ensure!(
			oldest.is_none_or(|oldest| oldest.before_era <= era),
			Error::<T>::TermsForgotten
		);
		Ok(community.terms_in(era))
	}

	/// The statement of a late reading, if there is one.
	pub(crate) fn late_statement(id: HouseholdId, era: EraIndex) -> Option<Statement> {
		LateStatements::<T>::get(id)
			.into_iter()
			.find(|statement| statement.era == era)
	}
}

impl<T: Config> Late<T> {
	/// Moves the difference, set off against earlier debts. Enters it in the statement and in the debt, and returns what
	/// the household paid and received.
	fn settle(&self, statement: &mut Statement, debt: &mut Debt) -> (u128, u128) {
		let correction = late::correction(&self.settled, statement);
		let amount = correction.unsigned_abs();
		let (mut paid, mut received) = (0, 0);
		let (owner, utility) = (self.household.owner_in(self.settled.era), &self.community.utility);
		if correction > 0 {
			let due = amount.saturating_sub(debt.credit);
			debt.credit = debt.credit.saturating_sub(amount);
			paid = Pallet::<T>::pay_up_to(owner, utility, due.min(self.limit(&self.settled.amounts)));
			debt.arrears = debt.arrears.saturating_add(due.saturating_sub(paid));
		} else {
			let owed = amount.saturating_sub(debt.arrears);
			debt.arrears = debt.arrears.saturating_sub(amount);
			received = Pallet::<T>::pay_up_to(utility, owner, owed);
			debt.credit = debt.credit.saturating_add(owed.saturating_sub(received));
		}
		let amounts = &mut statement.amounts;
		amounts.paid_to_utility = amounts.paid_to_utility.saturating_add(paid);
		amounts.received_from_utility = amounts.received_from_utility.saturating_add(received);
		(amounts.arrears, amounts.credit) = (debt.arrears, debt.credit);
		(paid, received)
	}

	/// What may still leave the owner's free balance for this era: nothing once the household has left.
	fn limit(&self, amounts: &Amounts) -> u128 {
		let current = Clock::<T>::get().map_or(0, |clock| clock.current);
		if self.household.is_member_in(current) {
			late::left_to_debit(self.household.max_debit_in(self.settled.era), amounts)
		} else {
			0
		}
	}
}

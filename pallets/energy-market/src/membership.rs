//! Households: joining, changes by the owner, arrears, and leaving.

use crate::{pallet::*, Balance, CommunityId, EraIndex, Household, HouseholdId};
use commonwatt_market::game::{Comfort, ComfortFault, Preference};
use frame_support::{
	ensure,
	traits::{
		fungible::{Inspect, Mutate},
		tokens::{Fortitude, Preservation},
	},
};
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
	/// Changes a household for its owner.
	///
	/// Errors: `UnknownHousehold`, `NotOwner`, and those of `change`, after which nothing is changed.
	pub(crate) fn as_owner<R>(
		who: &T::AccountId,
		household: HouseholdId,
		change: impl FnOnce(&mut Household<T::AccountId>) -> Result<R, DispatchError>,
	) -> Result<R, DispatchError> {
		Households::<T>::try_mutate(household, |slot| {
			let household = slot.as_mut().ok_or(Error::<T>::UnknownHousehold)?;
			ensure!(Self::owner_now(household) == who, Error::<T>::NotOwner);
			change(household)
		})
	}

	/// Makes a household a member of its community, from its `member_since` on. Its meter is confirmed, and its account
	/// is kept alive.
	pub(crate) fn join(id: HouseholdId, household: Household<T::AccountId>) -> DispatchResult {
		// Memberships may become complete in another order than they were offered in; books need the order of numbers.
		Members::<T>::try_mutate(household.community, |members| {
			let at = members.partition_point(|member| *member < id);
			members.try_insert(at, id)
		})
		.map_err(|_| Error::<T>::CommunityFull)?;
		Self::deposit_event(Event::HouseholdJoined {
			community: household.community,
			household: id,
			owner: household.owner.clone(),
			meter: household.meter.clone(),
			connection_limit_wh: household.connection_limit_wh,
			max_debit_per_era: household.max_debit_per_era,
			comfort: household.comfort,
		});
		Households::<T>::insert(id, household);
		Ok(())
	}

	/// A household of the genesis, to which everybody has agreed.
	pub(crate) fn join_at_genesis(
		community: CommunityId,
		genesis: &GenesisHousehold<T::AccountId>,
	) -> Result<HouseholdId, DispatchError> {
		ensure!(
			!MeterOf::<T>::contains_key(&genesis.meter),
			Error::<T>::MeterAlreadyRegistered
		);
		Self::check_connection_limit(community, genesis.connection_limit_wh)?;
		Self::check_comfort(community, &genesis.comfort)?;
		let id = Self::take_household_id()?;
		MeterOf::<T>::insert(&genesis.meter, id);
		Self::keep_meter(&genesis.meter);
		let household = Household {
			community,
			owner: genesis.owner.clone(),
			meter: genesis.meter.clone(),
			next_meter: None,
			next_owner: None,
			max_debit_per_era: genesis.max_debit_per_era,
			connection_limit_wh: genesis.connection_limit_wh,
			next_limit: None,
			member_since: Clock::<T>::get().map_or(0, |clock| clock.current),
			member_until: None,
			suspended: false.into(),
			comfort: genesis.comfort,
			preference: None,
		};
		Self::join(id, household)?;
		Ok(id)
	}

	/// Ends a household's membership after era `last_era`. [`Self::forget_household`] removes it when everything is
	/// settled.
	pub(crate) fn start_leaving(
		id: HouseholdId,
		household: &mut Household<T::AccountId>,
		last_era: EraIndex,
	) -> DispatchResult {
		ensure!(Clock::<T>::exists(), Error::<T>::ClockNotStarted);
		ensure!(household.member_until.is_none(), Error::<T>::HouseholdLeaving);
		household.member_until = Some(last_era);
		Self::deposit_event(Event::HouseholdLeaving {
			household: id,
			last_era,
		});
		Ok(())
	}

	/// Removes a household after its last settlement, when neither side owes anything. Its contracts and statements
	/// stay in the community's rings.
	pub(crate) fn forget_household(id: HouseholdId, household: Household<T::AccountId>) {
		let community = household.community;
		Members::<T>::mutate(community, |members| members.retain(|member| *member != id));
		Self::discharge_meter(&household.meter);
		if let Some(next) = household.next_meter {
			Self::discharge_meter(&next.meter);
		}
		Self::drop_proposal(id);
		Handovers::<T>::remove(id);
		for slot in [0, 1] {
			Submissions::<T>::remove(id, slot);
		}
		Readings::<T>::remove(id);
		LateStatements::<T>::remove(id);
		Households::<T>::remove(id);
		Self::deposit_event(Event::HouseholdLeft {
			community,
			household: id,
		});
	}

	/// Frees a meter that measured a household.
	pub(crate) fn discharge_meter(meter: &T::AccountId) {
		MeterOf::<T>::remove(meter);
		Self::let_go_of_meter(meter);
	}

	pub(crate) fn do_set_max_debit(
		who: T::AccountId,
		household: HouseholdId,
		max_debit_per_era: Balance,
	) -> DispatchResult {
		Self::as_owner(&who, household, |h| {
			match &mut h.next_owner {
				Some(next) if next.owner == who => next.max_debit_per_era = max_debit_per_era,
				_ => h.max_debit_per_era = max_debit_per_era,
			}
			Self::deposit_event(Event::MaxDebitChanged {
				household,
				max_debit_per_era,
			});
			Ok(())
		})
	}

	pub(crate) fn do_set_comfort(
		who: T::AccountId,
		household: HouseholdId,
		comfort: Option<Comfort>,
	) -> DispatchResult {
		Self::as_owner(&who, household, |h| {
			Self::ensure_may_change_inputs(h.community)?;
			Self::check_comfort(h.community, &comfort)?;
			h.comfort = comfort;
			Self::deposit_event(Event::ComfortChanged { household, comfort });
			Ok(())
		})
	}

	pub(crate) fn do_set_preference(
		who: T::AccountId,
		household: HouseholdId,
		preference: Option<Preference>,
	) -> DispatchResult {
		Self::as_owner(&who, household, |h| {
			Self::ensure_may_change_inputs(h.community)?;
			if let Some(preference) = &preference {
				preference.check().map_err(|_| Error::<T>::PreferenceOutOfRange)?;
			}
			h.preference = preference;
			Self::deposit_event(Event::PreferenceChanged {
				household,
				preference,
			});
			Ok(())
		})
	}

	pub(crate) fn do_repay_arrears(who: T::AccountId, household: HouseholdId) -> DispatchResult {
		let h = Households::<T>::get(household).ok_or(Error::<T>::UnknownHousehold)?;
		ensure!(*Self::owner_now(&h) == who, Error::<T>::NotOwner);
		let mut debts = Debts::<T>::get(h.community);
		let debt = debts
			.iter_mut()
			.find(|(id, debt)| *id == household && debt.arrears > 0);
		let (_, debt) = debt.ok_or(Error::<T>::NoArrears)?;
		let utility = Self::community(h.community)?.utility;
		let paid = Self::pay_up_to(&who, &utility, debt.arrears);
		ensure!(paid > 0, Error::<T>::NothingToPayWith);
		// `pay_up_to` never pays more than `amount`.
		debt.arrears = debt.arrears.saturating_sub(paid);
		Self::deposit_event(Event::ArrearsRepaid {
			household,
			paid,
			arrears: debt.arrears,
		});
		debts.retain(|(_, debt)| !debt.is_settled());
		Debts::<T>::insert(h.community, debts);
		Ok(())
	}

	pub(crate) fn do_write_off_arrears(who: T::AccountId, household: HouseholdId) -> DispatchResult {
		let h = Households::<T>::get(household).ok_or(Error::<T>::UnknownHousehold)?;
		ensure!(
			Self::community(h.community)?.utility == who,
			Error::<T>::NotUtility
		);
		Debts::<T>::try_mutate(h.community, |debts| {
			let debt = debts
				.iter_mut()
				.find(|(id, debt)| *id == household && debt.arrears > 0);
			let (_, debt) = debt.ok_or(Error::<T>::NoArrears)?;
			let arrears = core::mem::take(&mut debt.arrears);
			debts.retain(|(_, debt)| !debt.is_settled());
			Self::deposit_event(Event::ArrearsWrittenOff { household, arrears });
			Ok(())
		})
	}

	/// Transfers as much of `amount` as `from` has above the minimum balance; returns what was transferred, which is 0
	/// if `to` cannot take it.
	pub(crate) fn pay_up_to(from: &T::AccountId, to: &T::AccountId, amount: Balance) -> Balance {
		if amount == 0 {
			return 0;
		}
		let available = T::Currency::reducible_balance(from, Preservation::Preserve, Fortitude::Polite);
		let paid = amount.min(available);
		if paid == 0 {
			return 0;
		}
		T::Currency::transfer(from, to, paid, Preservation::Preserve).unwrap_or(0)
	}

	/// Checks a comfort model, and that its range lies within the bounds that hold in the next era.
	pub(crate) fn check_comfort(community: CommunityId, comfort: &Option<Comfort>) -> DispatchResult {
		let Some(comfort) = comfort else { return Ok(()) };
		comfort.check().map_err(|fault| match fault {
			ComfortFault::EmptyRange => Error::<T>::ComfortRangeEmpty,
			ComfortFault::ZeroDenominator | ComfortFault::NotPositive => {
				Error::<T>::ComfortSensitivityNotPositive
			}
			ComfortFault::CouldExceedOne => Error::<T>::ComfortCouldExceedOne,
		})?;
		let next = Clock::<T>::get().map_or(0, |clock| clock.current.saturating_add(1));
		let bounds = Self::community(community)?.terms_in(next).comfort_bounds;
		ensure!(
			bounds.is_none_or(|bounds| bounds.allow(comfort)),
			Error::<T>::ComfortOutOfBounds
		);
		Ok(())
	}
}

//! Households: registration, changes, meters, arrears, and leaving.

use crate::{pallet::*, Balance, CommunityId, EraIndex, Household, HouseholdId, NextMeter};
use commonwatt_market::game::{Comfort, ComfortFault, Preference, MAX_ENERGY_WH};
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
			ensure!(household.owner == *who, Error::<T>::NotOwner);
			change(household)
		})
	}

	pub(crate) fn do_register_household(
		community: CommunityId,
		owner: T::AccountId,
		meter: T::AccountId,
		connection_limit_wh: u32,
		comfort: Option<Comfort>,
	) -> Result<HouseholdId, DispatchError> {
		ensure!(
			!MeterOf::<T>::contains_key(&meter),
			Error::<T>::MeterAlreadyRegistered
		);
		ensure!(
			(1..=MAX_ENERGY_WH).contains(&connection_limit_wh),
			Error::<T>::ConnectionLimitOutOfRange
		);
		Self::check_comfort(community, &comfort)?;
		let id = NextHousehold::<T>::get();
		let next = id.0.checked_add(1).ok_or(Error::<T>::IdsExhausted)?;
		Members::<T>::try_mutate(community, |members| members.try_push(id))
			.map_err(|_| Error::<T>::CommunityFull)?;
		NextHousehold::<T>::put(HouseholdId(next));
		Self::enlist_meter(&meter, id);
		let household = Household {
			community,
			owner: owner.clone(),
			meter: meter.clone(),
			next_meter: None,
			connection_limit_wh,
			member_since: Clock::<T>::get().map_or(0, |clock| clock.current),
			member_until: None,
			suspended: false.into(),
			comfort,
			preference: None,
		};
		Households::<T>::insert(id, household);
		Self::deposit_event(Event::HouseholdRegistered {
			community,
			household: id,
			owner,
			meter,
			connection_limit_wh,
			comfort,
		});
		Ok(id)
	}

	/// Registers the meter that measures from the next era on. The old one still reports the eras that it measured.
	pub(crate) fn do_replace_meter(
		who: T::AccountId,
		household: HouseholdId,
		meter: T::AccountId,
	) -> DispatchResult {
		Self::as_operator_of(&who, household, |h| {
			let clock = Clock::<T>::get().ok_or(Error::<T>::ClockNotStarted)?;
			ensure!(
				!MeterOf::<T>::contains_key(&meter),
				Error::<T>::MeterAlreadyRegistered
			);
			if let Some(next) = h.next_meter.take() {
				// An earlier replacement is complete if its first era is no later than the era whose readings are taken
				// now, and is cancelled if it has not begun. In between, both meters still have an era to report.
				let readings_of = clock.previous.unwrap_or(0);
				if next.from_era <= readings_of {
					Self::discharge_meter(&core::mem::replace(&mut h.meter, next.meter));
				} else {
					ensure!(next.from_era > clock.current, Error::<T>::MeterBeingReplaced);
					Self::discharge_meter(&next.meter);
				}
			}
			let from_era = clock.current.checked_add(1).ok_or(Error::<T>::IdsExhausted)?;
			Self::enlist_meter(&meter, household);
			h.next_meter = Some(NextMeter {
				from_era,
				meter: meter.clone(),
			});
			Self::deposit_event(Event::MeterReplaced {
				household,
				meter,
				from_era,
			});
			Ok(())
		})
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

	/// Registers a meter. The reference keeps the meter's account alive, and with it the nonce, so a meter needs no
	/// funds.
	fn enlist_meter(meter: &T::AccountId, household: HouseholdId) {
		MeterOf::<T>::insert(meter, household);
		frame_system::Pallet::<T>::inc_sufficients(meter);
	}

	fn discharge_meter(meter: &T::AccountId) {
		MeterOf::<T>::remove(meter);
		frame_system::Pallet::<T>::dec_sufficients(meter);
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
		ensure!(h.owner == who, Error::<T>::NotOwner);
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

	/// The most that one settlement may take from a household's owner, its contract's hold included. There is no limit
	/// yet.
	pub(crate) fn debit_limit(_household: &Household<T::AccountId>) -> Balance {
		Balance::MAX
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
	fn check_comfort(community: CommunityId, comfort: &Option<Comfort>) -> DispatchResult {
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

//! Communities, their households, and who may change what.

use crate::{
	pallet::*, Balance, Communities, Community, CommunityCount, CommunityId, Household, HouseholdCount,
	HouseholdId, Households, Name, Tariffs, Terms, MAX_TARIFF_PER_KWH,
};
use alloc::vec::Vec;
use commonwatt_game::{Comfort, ComfortFault, Preference, RulesFault, MAX_ENERGY_WH};
use frame_support::{
	ensure,
	traits::{
		fungible::{Inspect, Mutate},
		tokens::{Fortitude, Preservation},
		Get,
	},
};
use sp_runtime::{traits::AccountIdConversion, DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
	/// The account of a community's pool: buyers pay into it, sellers are paid from it.
	pub fn pool_account(community: CommunityId) -> T::AccountId {
		T::PalletId::get().into_sub_account_truncating(community)
	}

	pub(crate) fn community(community: CommunityId) -> Result<Community<T::AccountId>, DispatchError> {
		Communities::<T>::get(community).ok_or_else(|| Error::<T>::UnknownCommunity.into())
	}

	pub(crate) fn ensure_operator(community: CommunityId, who: &T::AccountId) -> DispatchResult {
		ensure!(
			Self::community(community)?.operator == *who,
			Error::<T>::NotOperator
		);
		Ok(())
	}

	/// Changes a household in the name of its owner.
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

	pub(crate) fn do_create_community(
		name: Vec<u8>,
		operator: T::AccountId,
		utility: T::AccountId,
		terms: Terms,
	) -> Result<CommunityId, DispatchError> {
		let name = Name::try_from(name).map_err(|_| Error::<T>::NameTooLong)?;
		Self::check_terms(&terms)?;
		let id = CommunityCount::<T>::get();
		let next = id.checked_add(1).ok_or(Error::<T>::NumbersUsedUp)?;
		let pool = Self::pool_account(id);
		// With its minimum balance in it, the pool's account takes amounts however small.
		T::Currency::transfer(
			&operator,
			&pool,
			T::Currency::minimum_balance(),
			Preservation::Preserve,
		)?;
		CommunityCount::<T>::put(next);
		let community = Community {
			name: name.clone(),
			operator: operator.clone(),
			utility: utility.clone(),
			terms,
		};
		Communities::<T>::insert(id, community);
		Self::deposit_event(Event::CommunityCreated {
			community: id,
			name,
			operator,
			utility,
			pool,
			terms,
		});
		Ok(id)
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
		Self::check_comfort(&comfort)?;
		let id = HouseholdCount::<T>::get();
		let next = id.checked_add(1).ok_or(Error::<T>::NumbersUsedUp)?;
		Members::<T>::try_mutate(community, |members| members.try_push(id))
			.map_err(|_| Error::<T>::CommunityFull)?;
		HouseholdCount::<T>::put(next);
		MeterOf::<T>::insert(&meter, id);
		let household = Household {
			community,
			owner: owner.clone(),
			meter: meter.clone(),
			connection_limit_wh,
			member_since: Clock::<T>::get().map_or(0, |clock| clock.current),
			comfort,
			preference: None,
			last_reading: None,
			arrears: 0,
			credit: 0,
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

	/// A community and its households as a genesis names them, by the rules of the calls.
	pub(crate) fn build_community(genesis: &GenesisCommunity<T::AccountId>) -> DispatchResult {
		let id = Self::do_create_community(
			genesis.name.clone().into_bytes(),
			genesis.operator.clone(),
			genesis.utility.clone(),
			genesis.terms,
		)?;
		for h in &genesis.households {
			let household = Self::do_register_household(
				id,
				h.owner.clone(),
				h.meter.clone(),
				h.connection_limit_wh,
				h.comfort,
			)?;
			if h.preference.is_some() {
				Self::do_set_preference(h.owner.clone(), household, h.preference)?;
			}
		}
		Ok(())
	}

	pub(crate) fn do_set_terms(community: CommunityId, terms: Terms) -> DispatchResult {
		Self::check_terms(&terms)?;
		Communities::<T>::try_mutate(community, |slot| {
			slot.as_mut().ok_or(Error::<T>::UnknownCommunity)?.terms = terms;
			Self::deposit_event(Event::TermsChanged { community, terms });
			Ok(())
		})
	}

	pub(crate) fn do_set_comfort(
		who: T::AccountId,
		household: HouseholdId,
		comfort: Option<Comfort>,
	) -> DispatchResult {
		Self::as_owner(&who, household, |h| {
			Self::check_comfort(&comfort)?;
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
		Self::as_owner(&who, household, |h| {
			ensure!(h.arrears > 0, Error::<T>::NoArrears);
			let utility = Self::community(h.community)?.utility;
			let paid = Self::pay_up_to(&who, &utility, h.arrears);
			ensure!(paid > 0, Error::<T>::NothingToPayWith);
			// `pay_up_to` never pays more than it was asked for.
			h.arrears = h.arrears.saturating_sub(paid);
			Self::deposit_event(Event::ArrearsRepaid {
				household,
				paid,
				arrears: h.arrears,
			});
			Ok(())
		})
	}

	/// Moves as much of `amount` as `from` can spare and `to` can take; returns what moved.
	pub(crate) fn pay_up_to(from: &T::AccountId, to: &T::AccountId, amount: Balance) -> Balance {
		let available = T::Currency::reducible_balance(from, Preservation::Preserve, Fortitude::Polite);
		let paid = amount.min(available);
		if paid == 0 {
			return 0;
		}
		T::Currency::transfer(from, to, paid, Preservation::Preserve).unwrap_or(0)
	}

	fn check_comfort(comfort: &Option<Comfort>) -> DispatchResult {
		let Some(comfort) = comfort else { return Ok(()) };
		comfort.check().map_err(|fault| match fault {
			ComfortFault::EmptyRange => Error::<T>::ComfortRangeEmpty,
			ComfortFault::ZeroDenominator | ComfortFault::NotPositive => {
				Error::<T>::ComfortSensitivityNotPositive
			}
			ComfortFault::CouldExceedOne => Error::<T>::ComfortCouldExceedOne,
		})?;
		Ok(())
	}

	fn check_terms(terms: &Terms) -> DispatchResult {
		terms.rules.check().map_err(|fault| match fault {
			RulesFault::LambdaNotAboveOne | RulesFault::LambdaTooLarge | RulesFault::ZeroDenominator => {
				Error::<T>::LambdaOutOfRange
			}
			RulesFault::ResolutionOutOfRange => Error::<T>::ResolutionOutOfRange,
		})?;
		let Tariffs {
			retail_per_kwh,
			feed_in_per_kwh,
			imbalance_import_per_kwh,
			imbalance_export_per_kwh,
			grid_fee_per_kwh,
		} = terms.tariffs;
		ensure!(
			imbalance_export_per_kwh <= feed_in_per_kwh
				&& feed_in_per_kwh <= retail_per_kwh
				&& retail_per_kwh <= imbalance_import_per_kwh,
			Error::<T>::TariffsOutOfOrder
		);
		// The other three are below this one.
		ensure!(
			imbalance_import_per_kwh.max(grid_fee_per_kwh) <= MAX_TARIFF_PER_KWH,
			Error::<T>::TariffTooHigh
		);
		Ok(())
	}
}

//! Communities: creation, terms, and the checks of who may change what.

use crate::{
	pallet::*, types::announce, Community, CommunityId, EraIndex, Household, HouseholdId, Name, NextTerms,
	Tariffs, Terms, TermsBounds, MAX_TARIFF_PER_KWH,
};
use alloc::{format, string::String, vec::Vec};
use commonwatt_market::{accounts, game::RulesFault};
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
	/// The account of a community's pool: buyers pay into it, and sellers are paid from it. Nobody has its key.
	pub fn pool_account(community: CommunityId) -> T::AccountId {
		T::PalletId::get().into_sub_account_truncating(accounts::pool_number(community))
	}

	/// The account of a community's incentive pot: rewards are paid from it. Anybody may pay into it; nobody has its
	/// key.
	pub fn pot_account(community: CommunityId) -> T::AccountId {
		T::PalletId::get().into_sub_account_truncating(accounts::pot_number(community))
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

	pub(crate) fn do_create_community(
		name: Vec<u8>,
		operator: T::AccountId,
		utility: T::AccountId,
		terms: Terms,
		bounds: TermsBounds,
	) -> Result<CommunityId, DispatchError> {
		let name = Name::try_from(name).map_err(|_| Error::<T>::NameTooLong)?;
		Self::check_terms(&terms, &bounds)?;
		let count = CommunityCount::<T>::get();
		let id = CommunityId(count);
		let next = count
			.checked_add(1)
			.filter(|next| *next <= u32::MAX / 2)
			.ok_or(Error::<T>::IdsExhausted)?;
		let pool = Self::pool_account(id);
		// The minimum balance keeps the pool's account alive, so that it can take any amount, however small.
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
			concentrator: None.into(),
			paused: false.into(),
			bounds,
			ended_terms: Default::default(),
			terms,
			next_terms: None,
		};
		Communities::<T>::insert(id, community);
		Self::deposit_event(Event::CommunityCreated {
			community: id,
			name,
			operator,
			utility,
			pool,
			pot: Self::pot_account(id),
			terms,
			bounds,
		});
		Ok(id)
	}

	/// Creates a community and its households at genesis, by the rules of the calls. An error comes with what it is about.
	pub(crate) fn build_community(
		genesis: &GenesisCommunity<T::AccountId>,
	) -> Result<(), (String, DispatchError)> {
		let name = &genesis.name;
		let id = Self::do_create_community(
			genesis.name.clone().into_bytes(),
			genesis.operator.clone(),
			genesis.utility.clone(),
			genesis.terms,
			genesis.bounds,
		)
		.map_err(|error| (format!("community '{name}'"), error))?;
		for (number, h) in genesis.households.iter().enumerate() {
			let joined = Self::join_at_genesis(id, h).and_then(|household| match h.preference {
				Some(_) => Self::do_set_preference(h.owner.clone(), household, h.preference),
				None => Ok(()),
			});
			joined.map_err(|error| (format!("household {number} of community '{name}'"), error))?;
		}
		Ok(())
	}

	/// Changes a community for its operator.
	///
	/// Errors: `UnknownCommunity`, `NotOperator`, and those of `change`, after which nothing is changed.
	pub(crate) fn as_operator(
		who: &T::AccountId,
		community: CommunityId,
		change: impl FnOnce(&mut Community<T::AccountId>) -> DispatchResult,
	) -> DispatchResult {
		Communities::<T>::try_mutate(community, |slot| {
			let community = slot.as_mut().ok_or(Error::<T>::UnknownCommunity)?;
			ensure!(community.operator == *who, Error::<T>::NotOperator);
			change(community)
		})
	}

	/// Changes a household for its community's operator.
	///
	/// Errors: `UnknownHousehold`, `NotOperator`, and those of `change`, after which nothing is changed.
	pub(crate) fn as_operator_of(
		who: &T::AccountId,
		household: HouseholdId,
		change: impl FnOnce(&mut Household<T::AccountId>) -> DispatchResult,
	) -> DispatchResult {
		Households::<T>::try_mutate(household, |slot| {
			let household = slot.as_mut().ok_or(Error::<T>::UnknownHousehold)?;
			Self::ensure_operator(household.community, who)?;
			change(household)
		})
	}

	pub(crate) fn do_set_terms(
		who: T::AccountId,
		community: CommunityId,
		terms: Terms,
		from_era: EraIndex,
	) -> DispatchResult {
		Self::as_operator(&who, community, |c| {
			Self::check_terms(&terms, &c.bounds)?;
			let running = Self::running_era();
			let earliest = running.checked_add(TermsNotice::<T>::get());
			ensure!(
				earliest.is_some_and(|earliest| from_era >= earliest),
				Error::<T>::NoticeTooShort
			);
			announce(c, running, NextTerms { from_era, terms });
			Self::deposit_event(Event::TermsChanged {
				community,
				terms,
				from_era,
			});
			Ok(())
		})
	}

	/// Names another operator. Nothing that the old one announced and that has not begun comes into force.
	pub(crate) fn do_set_operator(community: CommunityId, operator: T::AccountId) -> DispatchResult {
		Self::as_governance(community, |c| {
			c.operator = operator.clone();
			let running = Self::running_era();
			c.next_terms = c.next_terms.filter(|next| next.from_era <= running);
			c.concentrator.cancel(running);
			c.paused.cancel(running);
			Self::deposit_event(Event::OperatorChanged { community, operator });
		})
	}

	pub(crate) fn do_set_terms_bounds(community: CommunityId, bounds: TermsBounds) -> DispatchResult {
		Self::as_governance(community, |c| {
			c.bounds = bounds;
			Self::deposit_event(Event::TermsBoundsChanged { community, bounds });
		})
	}

	pub(crate) fn do_set_utility(community: CommunityId, utility: T::AccountId) -> DispatchResult {
		Self::as_governance(community, |c| {
			c.utility = utility.clone();
			Self::deposit_event(Event::UtilityChanged { community, utility });
		})
	}

	/// Changes a community for governance.
	///
	/// Errors: `UnknownCommunity`.
	fn as_governance(
		community: CommunityId,
		change: impl FnOnce(&mut Community<T::AccountId>),
	) -> DispatchResult {
		Communities::<T>::try_mutate(community, |slot| {
			change(slot.as_mut().ok_or(Error::<T>::UnknownCommunity)?);
			Ok(())
		})
	}

	/// Removes a community without members, and what it keeps in the rings.
	pub(crate) fn do_close_community(community: CommunityId, beneficiary: T::AccountId) -> DispatchResult {
		let operator = Self::community(community)?.operator;
		let members = Members::<T>::decode_len(community).unwrap_or(0);
		ensure!(
			members == 0 && OpenOffers::<T>::get(community) == 0,
			Error::<T>::CommunityNotEmpty
		);
		ensure!(!Round::<T>::exists(), Error::<T>::RoundUnderWay);
		let paid_from = |account: T::AccountId, to: &T::AccountId| {
			let all = T::Currency::reducible_balance(&account, Preservation::Expendable, Fortitude::Polite);
			T::Currency::transfer(&account, to, all, Preservation::Expendable)
		};
		let from_pot = paid_from(Self::pot_account(community), &beneficiary)?;
		paid_from(Self::pool_account(community), &operator)?;
		Communities::<T>::remove(community);
		Members::<T>::remove(community);
		Debts::<T>::remove(community);
		for slot in 0..T::RetainedEras::get() {
			Contracts::<T>::remove(community, slot);
			Statements::<T>::remove(community, slot);
			Records::<T>::remove(community, slot);
		}
		Self::deposit_event(Event::CommunityClosed {
			community,
			beneficiary,
			from_pot,
		});
		Ok(())
	}

	pub(crate) fn do_set_concentrator(
		who: T::AccountId,
		community: CommunityId,
		concentrator: Option<T::AccountId>,
	) -> DispatchResult {
		Self::as_operator(&who, community, |c| {
			ensure!(
				*c.concentrator.last() != concentrator,
				Error::<T>::NothingToChange
			);
			let from_era = c.concentrator.schedule(Self::running_era(), concentrator.clone());
			Self::deposit_event(Event::ConcentratorChanged {
				community,
				concentrator,
				from_era,
			});
			Ok(())
		})
	}

	pub(crate) fn do_set_paused(who: T::AccountId, community: CommunityId, paused: bool) -> DispatchResult {
		Self::as_operator(&who, community, |c| {
			ensure!(*c.paused.last() != paused, Error::<T>::NothingToChange);
			let from_era = c.paused.schedule(Self::running_era(), paused);
			Self::deposit_event(Event::CommunityPaused {
				community,
				paused,
				from_era,
			});
			Ok(())
		})
	}

	pub(crate) fn do_set_suspended(
		who: T::AccountId,
		household: HouseholdId,
		suspended: bool,
	) -> DispatchResult {
		Self::as_operator_of(&who, household, |h| {
			ensure!(*h.suspended.last() != suspended, Error::<T>::NothingToChange);
			let from_era = h.suspended.schedule(Self::running_era(), suspended);
			Self::deposit_event(Event::HouseholdSuspended {
				household,
				suspended,
				from_era,
			});
			Ok(())
		})
	}

	fn check_terms(terms: &Terms, bounds: &TermsBounds) -> DispatchResult {
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
		// The other three tariffs are at most `imbalance_import_per_kwh`.
		ensure!(
			imbalance_import_per_kwh.max(grid_fee_per_kwh) <= MAX_TARIFF_PER_KWH,
			Error::<T>::TariffTooHigh
		);
		ensure!(terms.has_room_for_fee(), Error::<T>::GridFeeTooHigh);
		ensure!(terms.rewards_stay_below_fee(), Error::<T>::RewardCapTooHigh);
		ensure!(
			terms
				.comfort_bounds
				.is_none_or(|bounds| bounds.min_centi_c < bounds.max_centi_c),
			Error::<T>::ComfortBoundsEmpty
		);
		ensure!(bounds.allow(terms), Error::<T>::OutsideBounds);
		Ok(())
	}
}

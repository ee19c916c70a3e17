//! Consent: memberships, changes and handovers that hold only when everybody whom they concern has signed.
//!
//! A meter belongs to the household that it confirmed, not to whoever named it first: several offers and proposals may
//! name the same meter, and it confirms one.

use crate::{
	pallet::*, Acceptance, Balance, Change, CommunityId, EraIndex, Household, HouseholdId, MembershipOffer,
	NextLimit, NextMeter, NextOwner, Proposal, LOG_TARGET,
};
use commonwatt_market::game::MAX_ENERGY_WH;
use frame_support::{
	ensure,
	traits::{fungible::MutateHold, tokens::Precision, Get},
};
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_offer_membership(
		who: T::AccountId,
		community: CommunityId,
		owner: T::AccountId,
		meter: T::AccountId,
		connection_limit_wh: u32,
	) -> DispatchResult {
		Self::ensure_operator(community, &who)?;
		ensure!(Clock::<T>::exists(), Error::<T>::ClockNotStarted);
		Self::check_connection_limit(community, connection_limit_wh)?;
		let open = OpenOffers::<T>::get(community);
		let members = Members::<T>::decode_len(community).unwrap_or(0) as u32;
		ensure!(
			members.saturating_add(open) < T::MaxHouseholds::get(),
			Error::<T>::CommunityFull
		);
		let expires = Self::running_era().saturating_add(T::OfferLifetime::get());
		let household = Self::take_household_id()?;
		let deposit = T::OfferDeposit::get();
		T::Currency::hold(&HoldReason::Offer.into(), &who, deposit)?;
		OpenOffers::<T>::insert(community, open.saturating_add(1));
		Self::keep_meter(&meter);
		let offer = MembershipOffer {
			community,
			owner: owner.clone(),
			meter: meter.clone(),
			connection_limit_wh,
			expires,
			depositor: who,
			deposit,
			accepted: None,
			meter_confirmed: false,
		};
		Offers::<T>::insert(household, offer);
		Self::deposit_event(Event::MembershipOffered {
			community,
			household,
			owner,
			meter,
			connection_limit_wh,
			expires,
		});
		Ok(())
	}

	pub(crate) fn do_accept_membership(
		who: T::AccountId,
		household: HouseholdId,
		acceptance: Acceptance,
	) -> DispatchResult {
		let mut offer = Offers::<T>::get(household).ok_or(Error::<T>::UnknownOffer)?;
		ensure!(offer.owner == who, Error::<T>::NotOwner);
		ensure!(!Self::is_expired(&offer), Error::<T>::OfferExpired);
		Self::check_comfort(offer.community, &acceptance.comfort)?;
		offer.accepted = Some(acceptance);
		Self::deposit_event(Event::MembershipAccepted {
			household,
			max_debit_per_era: acceptance.max_debit_per_era,
		});
		Self::complete_offer(household, offer)
	}

	/// Whether the confirmation is valid, and so costs no fee.
	pub(crate) fn is_confirmation(meter: &T::AccountId, household: HouseholdId) -> bool {
		Self::check_confirmation(meter, household).is_ok()
	}

	fn check_confirmation(meter: &T::AccountId, household: HouseholdId) -> DispatchResult {
		match (Offers::<T>::get(household), Proposals::<T>::get(household)) {
			(Some(offer), _) => {
				ensure!(offer.meter == *meter, Error::<T>::NotMeter);
				ensure!(!Self::is_expired(&offer), Error::<T>::OfferExpired);
			}
			(None, Some(proposal)) => {
				ensure!(
					proposal.change == Change::Meter(meter.clone()),
					Error::<T>::NotMeter
				);
				// The last consent begins the replacement, so it must be possible.
				if proposal.accepted {
					let h = Households::<T>::get(household).ok_or(Error::<T>::UnknownHousehold)?;
					Self::check_replaceable(&h)?;
				}
			}
			(None, None) => return Err(Error::<T>::UnknownOffer.into()),
		}
		ensure!(
			!MeterOf::<T>::contains_key(meter),
			Error::<T>::MeterAlreadyRegistered
		);
		Ok(())
	}

	pub(crate) fn do_confirm_meter(meter: T::AccountId, household: HouseholdId) -> DispatchResult {
		Self::check_confirmation(&meter, household)?;
		MeterOf::<T>::insert(&meter, household);
		Self::deposit_event(Event::MeterConfirmed { household, meter });
		if let Some(mut offer) = Offers::<T>::get(household) {
			offer.meter_confirmed = true;
			return Self::complete_offer(household, offer);
		}
		let mut proposal = Proposals::<T>::get(household).ok_or(Error::<T>::UnknownOffer)?;
		proposal.meter_confirmed = true;
		Households::<T>::try_mutate(household, |slot| {
			let h = slot.as_mut().ok_or(Error::<T>::UnknownHousehold)?;
			Self::complete_proposal(household, h, proposal)
		})
	}

	pub(crate) fn do_withdraw_offer(who: T::AccountId, household: HouseholdId) -> DispatchResult {
		let offer = Offers::<T>::get(household).ok_or(Error::<T>::UnknownOffer)?;
		if offer.owner != who && !Self::is_expired(&offer) {
			Self::ensure_operator(offer.community, &who)?;
		}
		Self::close_offer(household, &offer);
		if offer.meter_confirmed {
			MeterOf::<T>::remove(&offer.meter);
		}
		Self::let_go_of_meter(&offer.meter);
		Self::deposit_event(Event::OfferWithdrawn {
			community: offer.community,
			household,
		});
		Ok(())
	}

	fn is_expired(offer: &MembershipOffer<T::AccountId>) -> bool {
		Self::running_era() > offer.expires
	}

	/// Stores an offer with a new consent; with the last one the household joins.
	fn complete_offer(id: HouseholdId, offer: MembershipOffer<T::AccountId>) -> DispatchResult {
		let Some(accepted) = offer.accepted.filter(|_| offer.meter_confirmed) else {
			Offers::<T>::insert(id, offer);
			return Ok(());
		};
		Self::close_offer(id, &offer);
		// The reference that the offer holds on the meter's account is now the household's.
		Self::join(
			id,
			Household {
				community: offer.community,
				owner: offer.owner,
				meter: offer.meter,
				next_meter: None,
				next_owner: None,
				max_debit_per_era: accepted.max_debit_per_era,
				connection_limit_wh: offer.connection_limit_wh,
				next_limit: None,
				// By the block's time: an era that has ended is not billed to somebody who just agreed.
				member_since: Self::running_era(),
				member_until: None,
				suspended: false.into(),
				comfort: accepted.comfort,
				preference: None,
			},
		)
	}

	/// Removes an offer, and gives its deposit back.
	fn close_offer(id: HouseholdId, offer: &MembershipOffer<T::AccountId>) {
		Offers::<T>::remove(id);
		OpenOffers::<T>::mutate_exists(offer.community, |open| {
			*open = open.map(|open| open.saturating_sub(1)).filter(|open| *open > 0)
		});
		let released = T::Currency::release(
			&HoldReason::Offer.into(),
			&offer.depositor,
			offer.deposit,
			Precision::BestEffort,
		);
		if let Err(error) = released {
			// A hold that was made can be released, so this cannot happen.
			log::error!(target: LOG_TARGET, "offer {id}: could not release its deposit: {error:?}");
		}
	}

	pub(crate) fn do_propose_change(
		who: T::AccountId,
		household: HouseholdId,
		change: Option<Change<T::AccountId>>,
	) -> DispatchResult {
		let h = Households::<T>::get(household).ok_or(Error::<T>::UnknownHousehold)?;
		Self::ensure_operator(h.community, &who)?;
		match &change {
			None => ensure!(
				Proposals::<T>::contains_key(household),
				Error::<T>::NothingToChange
			),
			Some(Change::ConnectionLimit(limit_wh)) => Self::check_connection_limit(h.community, *limit_wh)?,
			Some(Change::Meter(meter)) => {
				let is_next = h.next_meter.as_ref().is_some_and(|next| next.meter == *meter);
				ensure!(h.meter != *meter && !is_next, Error::<T>::MeterAlreadyRegistered);
				// Before the earlier proposal goes, which may name the same meter: its account must not go in between.
				Self::keep_meter(meter);
			}
		}
		Self::drop_proposal(household);
		if let Some(change) = change.clone() {
			let proposal = Proposal {
				change,
				accepted: false,
				meter_confirmed: false,
			};
			Proposals::<T>::insert(household, proposal);
		}
		Self::deposit_event(Event::ChangeProposed { household, change });
		Ok(())
	}

	/// Removes a household's proposal, if any, and frees the meter that it names.
	pub(crate) fn drop_proposal(household: HouseholdId) {
		if let Some(Proposal {
			change: Change::Meter(meter),
			meter_confirmed,
			..
		}) = Proposals::<T>::take(household)
		{
			if meter_confirmed {
				MeterOf::<T>::remove(&meter);
			}
			Self::let_go_of_meter(&meter);
		}
	}

	pub(crate) fn do_accept_change(
		who: T::AccountId,
		household: HouseholdId,
		change: Change<T::AccountId>,
	) -> DispatchResult {
		Self::as_owner(&who, household, |h| {
			let mut proposal = Proposals::<T>::get(household).ok_or(Error::<T>::NothingProposed)?;
			ensure!(proposal.change == change, Error::<T>::ProposalDiffers);
			ensure!(!proposal.accepted, Error::<T>::AlreadyAccepted);
			proposal.accepted = true;
			Self::deposit_event(Event::ChangeAccepted { household, change });
			Self::complete_proposal(household, h, proposal)
		})
	}

	/// Stores a proposal with a new consent; with the last one the change holds from the next era on.
	fn complete_proposal(
		id: HouseholdId,
		household: &mut Household<T::AccountId>,
		proposal: Proposal<T::AccountId>,
	) -> DispatchResult {
		let needs_meter = matches!(proposal.change, Change::Meter(_));
		if !proposal.accepted || needs_meter && !proposal.meter_confirmed {
			Proposals::<T>::insert(id, proposal);
			return Ok(());
		}
		ensure!(Clock::<T>::exists(), Error::<T>::ClockNotStarted);
		// By the block's time: an era that has begun keeps what it has.
		let from_era = Self::running_era()
			.checked_add(1)
			.ok_or(Error::<T>::IdsExhausted)?;
		match proposal.change.clone() {
			Change::Meter(meter) => Self::replace_meter(household, meter, from_era)?,
			Change::ConnectionLimit(limit_wh) => Self::change_limit(household, limit_wh, from_era)?,
		}
		Proposals::<T>::remove(id);
		Self::deposit_event(Event::HouseholdChanged {
			household: id,
			change: proposal.change,
			from_era,
		});
		Ok(())
	}

	/// Whether a replacement of the meter may begin. An earlier one is cancelled if it has not begun. Otherwise the meter
	/// before it may still report eras late, so the next replacement has to wait for them.
	fn check_replaceable(household: &Household<T::AccountId>) -> DispatchResult {
		ensure!(Clock::<T>::exists(), Error::<T>::ClockNotStarted);
		if let Some(next) = &household.next_meter {
			ensure!(
				next.from_era <= Self::oldest_open_era() || next.from_era > Self::running_era(),
				Error::<T>::MeterBeingReplaced
			);
		}
		Ok(())
	}

	/// Has `meter`, which has confirmed, measure from `from_era` on.
	fn replace_meter(
		household: &mut Household<T::AccountId>,
		meter: T::AccountId,
		from_era: EraIndex,
	) -> DispatchResult {
		Self::check_replaceable(household)?;
		if let Some(next) = household.next_meter.take() {
			if next.from_era < from_era {
				Self::discharge_meter(&core::mem::replace(&mut household.meter, next.meter));
			} else {
				Self::discharge_meter(&next.meter);
			}
		}
		household.next_meter = Some(NextMeter { from_era, meter });
		Ok(())
	}

	/// Has a connection limit hold from `from_era` on. An earlier one is folded in like an earlier meter.
	fn change_limit(
		household: &mut Household<T::AccountId>,
		connection_limit_wh: u32,
		from_era: EraIndex,
	) -> DispatchResult {
		if let Some(next) = household.next_limit.filter(|next| next.from_era < from_era) {
			ensure!(
				next.from_era <= Self::oldest_open_era(),
				Error::<T>::LimitBeingChanged
			);
			household.connection_limit_wh = next.connection_limit_wh;
		}
		household.next_limit = Some(NextLimit {
			from_era,
			connection_limit_wh,
		});
		Ok(())
	}

	/// No era before this one is settled or corrected any more. A household remembers one earlier owner, meter and
	/// connection limit, so none of them is forgotten while an era of its time is open.
	fn oldest_open_era() -> EraIndex {
		let Some(clock) = Clock::<T>::get() else { return 0 };
		let retained = Self::oldest_retained_era(clock.current);
		// After an outage, an era that still waits for settlement may be older than the retained ones.
		let settling = Round::<T>::get().and_then(|round| round.settle_era);
		let unsettled = [clock.previous, settling].into_iter().flatten();
		unsettled.fold(retained, EraIndex::min)
	}

	pub(crate) fn do_offer_household(
		who: T::AccountId,
		household: HouseholdId,
		new_owner: Option<T::AccountId>,
	) -> DispatchResult {
		let h = Households::<T>::get(household).ok_or(Error::<T>::UnknownHousehold)?;
		ensure!(*Self::owner_now(&h) == who, Error::<T>::NotOwner);
		ensure!(h.member_until.is_none(), Error::<T>::HouseholdLeaving);
		Handovers::<T>::set(household, new_owner.clone());
		Self::deposit_event(Event::HouseholdOffered { household, new_owner });
		Ok(())
	}

	pub(crate) fn do_accept_household(
		who: T::AccountId,
		household: HouseholdId,
		max_debit_per_era: Balance,
	) -> DispatchResult {
		let mut h = Households::<T>::get(household).ok_or(Error::<T>::UnknownHousehold)?;
		let offered_to = Handovers::<T>::get(household);
		ensure!(offered_to.as_ref() == Some(&who), Error::<T>::NothingProposed);
		ensure!(h.member_until.is_none(), Error::<T>::HouseholdLeaving);
		let in_arrears = Debts::<T>::get(h.community)
			.iter()
			.any(|(id, debt)| *id == household && debt.arrears > 0);
		ensure!(!in_arrears, Error::<T>::HouseholdInArrears);
		ensure!(Clock::<T>::exists(), Error::<T>::ClockNotStarted);
		// The strategies for the next era are the old owner's already.
		let from_era = Self::running_era()
			.checked_add(2)
			.ok_or(Error::<T>::IdsExhausted)?;
		if let Some(next) = h.next_owner.take() {
			ensure!(
				next.from_era <= Self::oldest_open_era(),
				Error::<T>::OwnerBeingChanged
			);
			h.owner = next.owner;
			h.max_debit_per_era = next.max_debit_per_era;
		}
		h.next_owner = Some(NextOwner {
			from_era,
			owner: who.clone(),
			max_debit_per_era,
		});
		// They would bind the new owner, who has not chosen the preference and not seen the operator's proposal.
		h.preference = None;
		Self::drop_proposal(household);
		Households::<T>::insert(household, h);
		Handovers::<T>::remove(household);
		Self::deposit_event(Event::OwnerChanged {
			household,
			owner: who,
			max_debit_per_era,
			from_era,
		});
		Ok(())
	}

	/// Who acts for a household: the owner of the next era, since what owners sign takes effect then at the earliest.
	pub(crate) fn owner_now(household: &Household<T::AccountId>) -> &T::AccountId {
		let next = Clock::<T>::get().map_or(0, |clock| clock.current.saturating_add(1));
		household.owner_in(next)
	}

	/// Keeps a meter's account alive, and with it the nonce, so that a meter needs no funds. Each offer, proposal and
	/// household that names the meter holds one such reference.
	pub(crate) fn keep_meter(meter: &T::AccountId) {
		frame_system::Pallet::<T>::inc_sufficients(meter);
	}

	pub(crate) fn let_go_of_meter(meter: &T::AccountId) {
		frame_system::Pallet::<T>::dec_sufficients(meter);
	}

	pub(crate) fn check_connection_limit(community: CommunityId, limit_wh: u32) -> DispatchResult {
		let bounds = Self::community(community)?.bounds;
		let highest = MAX_ENERGY_WH.min(bounds.highest_connection_limit_wh);
		ensure!(
			(1..=highest).contains(&limit_wh),
			Error::<T>::ConnectionLimitOutOfRange
		);
		Ok(())
	}

	pub(crate) fn take_household_id() -> Result<HouseholdId, DispatchError> {
		NextHousehold::<T>::try_mutate(|next| {
			let id = *next;
			*next = HouseholdId(id.0.checked_add(1).ok_or(Error::<T>::IdsExhausted)?);
			Ok(id)
		})
	}
}

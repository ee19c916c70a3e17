//! Strategies for the next era: submitted by owners, or derived from standing preferences.

use crate::{pallet::*, EraIndex, Household, HouseholdId, Reading, Submission};
use alloc::vec::Vec;
use commonwatt_market::{
	contract::allowed_strategies,
	game::{Rules, Strategy, StrategyFault, MAX_ENERGY_WH},
};
use frame_support::{ensure, BoundedVec};
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_submit_strategies(
		who: T::AccountId,
		household: HouseholdId,
		era: EraIndex,
		generation_wh: u32,
		strategies: Vec<Strategy>,
	) -> DispatchResult {
		let h = Households::<T>::get(household).ok_or(Error::<T>::UnknownHousehold)?;
		ensure!(*Self::owner_now(&h) == who, Error::<T>::NotOwner);
		let clock = Self::before_gate_closure()?;
		ensure!(
			clock.current.checked_add(1) == Some(era),
			Error::<T>::StrategiesForWrongEra
		);
		ensure!(!strategies.is_empty(), Error::<T>::NoStrategies);
		ensure!(generation_wh <= MAX_ENERGY_WH, Error::<T>::EnergyOutOfRange);
		ensure!(!h.suspended.in_era(era), Error::<T>::HouseholdSuspended);
		ensure!(h.is_member_in(era), Error::<T>::HouseholdLeaving);
		let community = Self::community(h.community)?;
		ensure!(!community.paused.in_era(era), Error::<T>::CommunityPaused);
		let resolution_wh = community.terms_in(era).rules.resolution_wh;
		let strategies: BoundedVec<_, T::MaxStrategies> =
			strategies.try_into().map_err(|_| Error::<T>::TooManyStrategies)?;
		for strategy in &strategies {
			strategy
				.check(generation_wh, resolution_wh)
				.map_err(|fault| match fault {
					StrategyFault::OverRange => Error::<T>::EnergyOutOfRange,
					StrategyFault::KindContradictsNetPosition => Error::<T>::KindContradictsNetPosition,
				})?;
			ensure!(
				strategy.net_wh(generation_wh).unsigned_abs() <= u64::from(h.connection_limit_in(era)),
				Error::<T>::OverConnectionLimit
			);
		}
		Self::deposit_event(Event::StrategiesSubmitted {
			household,
			era,
			generation_wh,
			strategies: strategies.to_vec(),
		});
		Submissions::<T>::insert(
			household,
			Self::submission_slot(era),
			Submission::<T> {
				era,
				generation_wh,
				strategies,
			},
		);
		Ok(())
	}

	pub(crate) fn do_withdraw_strategies(who: T::AccountId, household: HouseholdId) -> DispatchResult {
		let h = Households::<T>::get(household).ok_or(Error::<T>::UnknownHousehold)?;
		ensure!(*Self::owner_now(&h) == who, Error::<T>::NotOwner);
		let clock = Self::before_gate_closure()?;
		let era = clock.current.checked_add(1).ok_or(Error::<T>::IdsExhausted)?;
		Submissions::<T>::take(household, Self::submission_slot(era))
			.filter(|submission| submission.era == era)
			.ok_or(Error::<T>::NothingSubmitted)?;
		Self::deposit_event(Event::StrategiesWithdrawn { household, era });
		Ok(())
	}

	/// What the household brings to the game of `era`: the submission for this era, or else the strategies that its
	/// preference derives from the last reading. Strategies that the terms do not allow are left out. `None` if no
	/// strategy is left, or if there is neither a submission nor a preference with a reading.
	pub(crate) fn strategies_for(
		era: EraIndex,
		id: HouseholdId,
		household: &Household<T::AccountId>,
		last_reading: impl FnOnce() -> Option<Reading>,
		rules: &Rules,
	) -> Option<Submission<T>> {
		let submitted = Submissions::<T>::get(id, Self::submission_slot(era)).filter(|s| s.era == era);
		let (generation_wh, strategies) = match submitted {
			Some(s) => (s.generation_wh, s.strategies.into_inner()),
			None => {
				let (preference, reading) = (household.preference?, last_reading()?);
				let strategies = preference.strategies(
					rules.resolution_wh,
					reading.generation_wh,
					reading.consumption_wh,
					reading.indoor_centi_c,
				);
				(reading.generation_wh, strategies)
			}
		};
		let limit = household.connection_limit_in(era);
		let allowed = allowed_strategies(strategies, generation_wh, rules.resolution_wh, limit);
		// No truncation: a submission has at most `MaxStrategies`, and a preference gives at most 6, which
		// `integrity_test` checks.
		(!allowed.is_empty()).then(|| Submission::<T> {
			era,
			generation_wh,
			strategies: BoundedVec::truncate_from(allowed),
		})
	}
}

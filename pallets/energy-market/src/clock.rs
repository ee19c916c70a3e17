//! The era clock: notes that an era has begun, and opens its round.

use crate::{market::Calendar, pallet::*, ClockState, CommunityId, EraIndex, Phase, RoundState};
use frame_support::{ensure, traits::UnixTime};
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
	/// Notes a new era, if one has begun. Takes constant time, however many steps become due.
	pub(crate) fn latch_era() {
		if Round::<T>::exists() {
			// The previous round is not complete: the new era has to wait, and may be missed.
			return;
		}
		if let Some(era) = Self::era_by_time() {
			Self::begin(era);
		}
	}

	/// The era of this block's timestamp; `None` if the chain's clock was never set or is beyond the last era.
	fn era_by_time() -> Option<EraIndex> {
		let now = T::Time::now().as_millis();
		let era = now.checked_div(u128::from(EraLengthMs::<T>::get()))?;
		// Time 0 means that the chain's clock was never set.
		EraIndex::try_from(era).ok().filter(|_| now > 0)
	}

	/// The era that runs at this block's timestamp, or the one that the chain noted last if that is later. In the first
	/// block of an era the chain has not noted it yet. 0 before the clock starts.
	pub(crate) fn running_era() -> EraIndex {
		let noted = Clock::<T>::get().map_or(0, |clock| clock.current);
		Self::era_by_time().map_or(noted, |era| era.max(noted))
	}

	/// How eras and days of this chain go together.
	pub(crate) fn calendar() -> Calendar {
		Calendar::new(FirstEra::<T>::get(), EraLengthMs::<T>::get())
	}

	/// The clock, if gate closure of the next era is still to come. Gate closure is a moment: the end of the running era,
	/// by the block's timestamp. The first block of the next era is too late.
	///
	/// Errors: `ClockNotStarted`, `GateClosed`.
	pub(crate) fn before_gate_closure() -> Result<ClockState, DispatchError> {
		let clock = Clock::<T>::get().ok_or(Error::<T>::ClockNotStarted)?;
		ensure!(Self::running_era() == clock.current, Error::<T>::GateClosed);
		Ok(clock)
	}

	/// Checks that what the next games of a community read may change: not between gate closure and the game.
	///
	/// Errors: `GateClosed`.
	pub(crate) fn ensure_may_change_inputs(community: CommunityId) -> DispatchResult {
		if Clock::<T>::exists() {
			Self::before_gate_closure()?;
		}
		let waits = Round::<T>::get().is_some_and(|round| {
			round.phase == Phase::Solve && round.next <= community && community.0 < round.communities
		});
		ensure!(!waits, Error::<T>::GateClosed);
		Ok(())
	}

	/// Opens the round of `era`, if it is later than the running era.
	pub(crate) fn begin(era: EraIndex) {
		let clock = Clock::<T>::get();
		if clock.is_some_and(|clock| era <= clock.current) {
			return;
		}
		if clock.is_none() {
			FirstEra::<T>::put(era);
		}
		let ended = clock.map(|clock| clock.current);
		let settling = clock.and_then(|clock| clock.previous);
		// After a gap about as long as the rings, the era's slot may hold contracts that still wait for settlement.
		// Then the era has no games either.
		let open = [ended, settling].into_iter().flatten();
		let has_games = open.into_iter().all(|open| Self::slot(open) != Self::slot(era));
		let first = ended.map_or(era, |ended| ended.saturating_add(1));
		let last = if has_games { era.saturating_sub(1) } else { era };
		if first <= last {
			Self::deposit_event(Event::ErasMissed { first, last });
		}
		Clock::<T>::put(ClockState {
			current: era,
			previous: ended,
		});
		let communities = CommunityCount::<T>::get();
		if communities > 0 && (has_games || settling.is_some()) {
			Round::<T>::put(RoundState {
				solve_era: era,
				settle_era: settling,
				communities,
				phase: if has_games { Phase::Solve } else { Phase::Settle },
				next: CommunityId(0),
			});
		}
		Self::deposit_event(Event::EraStarted {
			era,
			readings_of: ended,
			settling,
		});
	}
}

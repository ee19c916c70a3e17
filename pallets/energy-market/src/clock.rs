//! The era clock: notes that an era has begun, and opens its round.

use crate::{pallet::*, ClockState, CommunityId, EraIndex, Phase, RoundState};
use frame_support::traits::UnixTime;

impl<T: Config> Pallet<T> {
	/// Notes a new era, if one has begun. Takes constant time, however many steps become due.
	pub(crate) fn latch_era() {
		if Round::<T>::exists() {
			// The previous round is not complete: the new era has to wait, and may be missed.
			return;
		}
		let now = T::Time::now().as_millis();
		let length = u128::from(EraLengthMs::<T>::get());
		let era = now
			.checked_div(length)
			.and_then(|era| EraIndex::try_from(era).ok());
		// Time 0 means that the chain's clock was never set.
		if let Some(era) = era.filter(|_| now > 0) {
			Self::begin(era);
		}
	}

	/// Opens the round of `era`, if it is later than the running era.
	pub(crate) fn begin(era: EraIndex) {
		let clock = Clock::<T>::get();
		if clock.is_some_and(|clock| era <= clock.current) {
			return;
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

//! What meters report.

use crate::{pallet::*, EraIndex, Reading};
use commonwatt_game::MAX_ENERGY_WH;
use frame_support::ensure;
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_submit_reading(meter: T::AccountId, era: EraIndex, reading: Reading) -> DispatchResult {
		let id = MeterOf::<T>::get(&meter).ok_or(Error::<T>::UnknownMeter)?;
		let household = Households::<T>::get(id).ok_or(Error::<T>::UnknownHousehold)?;
		let clock = Clock::<T>::get().ok_or(Error::<T>::ClockNotStarted)?;
		ensure!(clock.previous == Some(era), Error::<T>::ReadingForWrongEra);
		ensure!(household.member_since <= era, Error::<T>::NotAMemberThen);
		ensure!(
			!Readings::<T>::contains_key(era, id),
			Error::<T>::ReadingAlreadySubmitted
		);
		ensure!(
			reading.generation_wh.max(reading.consumption_wh) <= MAX_ENERGY_WH,
			Error::<T>::EnergyOutOfRange
		);
		ensure!(
			reading.generation_wh.abs_diff(reading.consumption_wh) <= household.connection_limit_wh,
			Error::<T>::OverConnectionLimit
		);
		Readings::<T>::insert(era, id, reading);
		Self::deposit_event(Event::ReadingSubmitted {
			household: id,
			era,
			reading,
		});
		Ok(())
	}
}

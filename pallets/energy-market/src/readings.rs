//! Readings from meters and data concentrators.

use crate::{
	pallet::*, CommunityId, EraIndex, Household, HouseholdId, Metered, Quality, Reading, ReadingItem,
	Reported,
};
use commonwatt_market::game::MAX_ENERGY_WH;
use frame_support::{ensure, BoundedVec};
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
	/// Whether a reading costs no fee: it is valid and the first one of its era.
	pub(crate) fn is_feeless(meter: &T::AccountId, era: EraIndex, reading: &Reading) -> bool {
		reading.quality != Quality::Corrected && Self::check_metered(meter, era, reading).is_ok()
	}

	pub(crate) fn do_submit_reading(meter: T::AccountId, era: EraIndex, reading: Reading) -> DispatchResult {
		let household = Self::check_metered(&meter, era, &reading)?;
		Self::take_reading(household, era, reading, true);
		Ok(())
	}

	/// Takes the valid readings of a data concentrator's batch; `ReadingRefused` names each other item and the reason.
	/// A stranger's batch is refused as a whole, so that it does not make an event for each item. The first household that
	/// the chain knows decides whether the signer is a stranger.
	pub(crate) fn do_submit_readings(
		who: T::AccountId,
		items: BoundedVec<ReadingItem, T::MaxHouseholds>,
	) -> DispatchResult {
		let Some(first) = items.iter().find_map(|item| Households::<T>::get(item.household)) else {
			ensure!(items.is_empty(), Error::<T>::UnknownHousehold);
			return Ok(());
		};
		ensure!(
			Self::is_concentrator(&who, first.community)?,
			Error::<T>::NotConcentrator
		);
		// Items of one community usually follow each other, and it is read once for all of them.
		let mut last = (first.community, true);
		for (index, item) in items.into_iter().enumerate() {
			match Self::check_concentrated(&who, &item, &mut last) {
				Ok(()) => Self::take_reading(item.household, item.era, item.reading, false),
				Err(error) => Self::deposit_event(Event::ReadingRefused {
					index: index as u32,
					household: item.household,
					error,
				}),
			}
		}
		Ok(())
	}

	fn take_reading(household: HouseholdId, era: EraIndex, reading: Reading, by_meter: bool) {
		let calendar = Self::calendar();
		// Only readings of one era are taken at a time, so none is older than the newest one.
		let reported = Reported {
			era,
			reading,
			by_meter,
		};
		Readings::<T>::mutate(household, |metered| {
			*metered = Some(Metered::with(*metered, reported, &calendar))
		});
		Self::deposit_event(Event::ReadingSubmitted {
			household,
			era,
			reading,
		});
	}

	/// Checks a reading that a meter signed; returns the meter's household.
	fn check_metered(
		meter: &T::AccountId,
		era: EraIndex,
		reading: &Reading,
	) -> Result<HouseholdId, DispatchError> {
		let id = MeterOf::<T>::get(meter).ok_or(Error::<T>::UnknownMeter)?;
		// Without a household, its membership waits for the owner's acceptance.
		let household = Households::<T>::get(id).ok_or(Error::<T>::NotMemberInEra)?;
		Self::check_reading(id, &household, era, reading, true)?;
		ensure!(household.meter_in(era) == meter, Error::<T>::MeterNotActiveInEra);
		Ok(id)
	}

	/// Whether an account is the data concentrator of a community in the running era.
	fn is_concentrator(who: &T::AccountId, community: CommunityId) -> Result<bool, DispatchError> {
		let current = Clock::<T>::get().map_or(0, |clock| clock.current);
		let community = Self::community(community)?;
		Ok(community.concentrator.in_era(current).as_ref() == Some(who))
	}

	/// Checks a reading that a data concentrator signed. `last` is the community of the item before, and whether `who` is
	/// its data concentrator.
	fn check_concentrated(
		who: &T::AccountId,
		item: &ReadingItem,
		last: &mut (CommunityId, bool),
	) -> DispatchResult {
		let household = Households::<T>::get(item.household).ok_or(Error::<T>::UnknownHousehold)?;
		if last.0 != household.community {
			*last = (
				household.community,
				Self::is_concentrator(who, household.community)?,
			);
		}
		ensure!(last.1, Error::<T>::NotConcentrator);
		Self::check_reading(item.household, &household, item.era, &item.reading, false)
	}

	/// Checks a reading by its meter or by a data concentrator. The meter's own reading stands over the concentrator's,
	/// whichever comes first, and each corrects only its own.
	fn check_reading(
		id: HouseholdId,
		household: &Household<T::AccountId>,
		era: EraIndex,
		reading: &Reading,
		by_meter: bool,
	) -> DispatchResult {
		let clock = Clock::<T>::get().ok_or(Error::<T>::ClockNotStarted)?;
		ensure!(clock.previous == Some(era), Error::<T>::ReadingForWrongEra);
		ensure!(household.is_member_in(era), Error::<T>::NotMemberInEra);
		let newest = Readings::<T>::get(id).map(|metered| metered.newest);
		let reported = newest.filter(|newest| newest.era == era);
		// For a meter, a concentrator's reading does not count.
		let own = reported.filter(|newest| newest.by_meter == by_meter);
		ensure!(
			by_meter || own.is_some() == reported.is_some(),
			Error::<T>::MeterHasReported
		);
		match (own.is_some(), reading.quality) {
			(true, Quality::Measured | Quality::Estimated) => {
				return Err(Error::<T>::ReadingAlreadySubmitted.into())
			}
			(false, Quality::Corrected) => return Err(Error::<T>::NothingToCorrect.into()),
			(true, Quality::Corrected) | (false, Quality::Measured | Quality::Estimated) => (),
		}
		Self::check_energy(household, era, reading)
	}

	/// Checks that energies are within the limits of meters and of the household's connection.
	pub(crate) fn check_energy(
		household: &Household<T::AccountId>,
		era: EraIndex,
		reading: &Reading,
	) -> DispatchResult {
		ensure!(
			reading.generation_wh.max(reading.consumption_wh) <= MAX_ENERGY_WH,
			Error::<T>::EnergyOutOfRange
		);
		ensure!(
			reading.generation_wh.abs_diff(reading.consumption_wh) <= household.connection_limit_in(era),
			Error::<T>::OverConnectionLimit
		);
		Ok(())
	}
}

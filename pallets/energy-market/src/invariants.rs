//! What always holds between two blocks, whatever was submitted.

use crate::{pallet::*, Balance, CommunityId, HouseholdId, Totals};
use alloc::collections::BTreeMap;
use frame_support::{
	ensure,
	traits::fungible::{Inspect, InspectHold},
};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks every invariant of the pallet's state; reads all of it, so not for use in a block.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		Self::try_clock()?;
		Self::try_members()?;
		Self::try_holds()?;
		Self::try_pools()?;
		Self::try_readings()?;
		Self::try_records()
	}

	fn try_clock() -> Result<(), TryRuntimeError> {
		ensure!(!Planned::<T>::exists(), "planned steps outlived their block");
		let Some(clock) = Clock::<T>::get() else {
			ensure!(!Round::<T>::exists(), "a round without a clock");
			return Ok(());
		};
		ensure!(
			clock.previous.is_none_or(|previous| previous < clock.current),
			"eras out of order"
		);
		if let Some(round) = Round::<T>::get() {
			ensure!(round.solve_era == clock.current, "a round for another era");
			ensure!(
				round.settle_era.is_none_or(|era| Some(era) < clock.previous),
				"settling an open era"
			);
			ensure!(round.next < round.communities, "a round past its end");
			ensure!(
				round.communities <= CommunityCount::<T>::get(),
				"a round for communities that are not there"
			);
		}
		Ok(())
	}

	fn try_members() -> Result<(), TryRuntimeError> {
		ensure!(
			Communities::<T>::iter_keys().count() == CommunityCount::<T>::get() as usize,
			"communities miscounted"
		);
		ensure!(
			Communities::<T>::iter_keys().all(|id| id < CommunityCount::<T>::get()),
			"a community out of count"
		);
		let households = Households::<T>::iter_keys().count();
		ensure!(
			Households::<T>::iter_keys().all(|id| id < NextHousehold::<T>::get()),
			"a household out of count"
		);
		let (mut seen, mut meters) = (0usize, 0usize);
		for (community, members) in Members::<T>::iter() {
			ensure!(
				Communities::<T>::contains_key(community),
				"members of no community"
			);
			ensure!(
				members.windows(2).all(|pair| pair.first() < pair.last()),
				"members out of order"
			);
			for id in &members {
				let household = Households::<T>::get(id).ok_or("a member that is no household")?;
				ensure!(household.community == community, "a member of another community");
				ensure!(
					household
						.member_until
						.is_none_or(|last| household.member_since <= last),
					"a membership that ended before it began"
				);
				let next = household.next_meter.as_ref().map(|next| &next.meter);
				for meter in core::iter::once(&household.meter).chain(next) {
					ensure!(
						MeterOf::<T>::get(meter) == Some(*id),
						"a meter of another household"
					);
					meters = meters.saturating_add(1);
				}
			}
			seen = seen.saturating_add(members.len());
		}
		ensure!(seen == households, "a household without a community");
		ensure!(MeterOf::<T>::iter().count() == meters, "meters miscounted");
		Ok(())
	}

	/// Holds equal the sum of open contracts.
	fn try_holds() -> Result<(), TryRuntimeError> {
		let mut held = BTreeMap::<T::AccountId, Balance>::new();
		for (_, household) in Households::<T>::iter() {
			held.entry(household.owner).or_default();
		}
		for (slot, (id, contract)) in Contracts::<T>::iter().flat_map(|(_, slot, book)| {
			let entries = book.into_iter();
			entries.map(move |entry| (slot, entry))
		}) {
			ensure!(
				slot == Self::slot(contract.era),
				"a contract in another era's slot"
			);
			ensure!(
				usize::from(contract.chosen) < contract.strategies.len(),
				"a choice that is not there"
			);
			ensure!(
				!contract.main_grid_only || contract.held == 0,
				"a hold for a main-grid contract"
			);
			let Some(household) = Households::<T>::get(id) else {
				ensure!(contract.held == 0, "a hold for a household that left");
				continue;
			};
			let sum = held.entry(household.owner).or_default();
			*sum = sum.checked_add(contract.held).ok_or("holds overflow")?;
		}
		for (owner, sum) in held {
			ensure!(
				T::Currency::balance_on_hold(&HoldReason::Contract.into(), &owner) == sum,
				"holds differ from open contracts"
			);
		}
		Ok(())
	}

	/// Nothing is lost in a pool beyond what others may have given it, and its account lives.
	fn try_pools() -> Result<(), TryRuntimeError> {
		for community in 0..CommunityCount::<T>::get() {
			ensure!(
				T::Currency::balance(&Self::pool_account(community)) >= T::Currency::minimum_balance(),
				"a pool below its minimum balance"
			);
		}
		Ok(())
	}

	/// Readings are of eras that have ended, in which the household was a member; submissions are of members.
	fn try_readings() -> Result<(), TryRuntimeError> {
		let reported = Clock::<T>::get().and_then(|clock| clock.previous);
		for (id, newest) in Readings::<T>::iter() {
			let household = Households::<T>::get(id).ok_or("a reading of no household")?;
			ensure!(
				Some(newest.era) <= reported,
				"a reading of an era that has not ended"
			);
			ensure!(
				newest.before.is_none_or(|(era, _)| era < newest.era),
				"readings out of order"
			);
			let eras = core::iter::once(newest.era).chain(newest.before.map(|(era, _)| era));
			for era in eras {
				ensure!(household.is_member_in(era), "a reading from outside membership");
			}
		}
		for (id, slot, submission) in Submissions::<T>::iter() {
			ensure!(Households::<T>::contains_key(id), "a submission of no household");
			ensure!(
				slot == Self::submission_slot(submission.era),
				"a submission in another era's slot"
			);
		}
		Ok(())
	}

	/// Community energy sums to zero in every retained contract and statement, and totals are what they total.
	fn try_records() -> Result<(), TryRuntimeError> {
		for (community, book) in Debts::<T>::iter() {
			Self::try_book(community, &book)?;
			ensure!(
				book.iter().all(|(_, debt)| !debt.is_settled()),
				"a debt of nothing"
			);
			let members = Members::<T>::get(community);
			ensure!(
				book.iter().all(|(id, _)| members.contains(id)),
				"a debt of no member"
			);
		}
		for (community, slot, book) in Contracts::<T>::iter() {
			Self::try_book(community, &book)?;
			let era = Records::<T>::get(community, slot).map(|record| record.era);
			ensure!(
				book.iter().all(|(_, contract)| Some(contract.era) == era),
				"contracts without their record"
			);
		}
		for (community, slot, book) in Statements::<T>::iter() {
			Self::try_book(community, &book)?;
			ensure!(
				book.iter()
					.all(|(_, statement)| Self::slot(statement.era) == slot),
				"a statement in another era's slot"
			);
		}
		for (community, slot, record) in Records::<T>::iter() {
			ensure!(slot == Self::slot(record.era), "a record in another era's slot");
			Self::try_record(community, &record)?;
		}
		Ok(())
	}

	/// A book is in the order in which it is searched, and of a community that there is.
	fn try_book<E>(community: CommunityId, book: &[(HouseholdId, E)]) -> Result<(), TryRuntimeError> {
		ensure!(
			Communities::<T>::contains_key(community),
			"a book of no community"
		);
		ensure!(
			book.windows(2)
				.all(|pair| pair.first().map(|(id, _)| id) < pair.last().map(|(id, _)| id)),
			"a book out of order"
		);
		Ok(())
	}

	fn try_record(community: CommunityId, record: &crate::EraRecord) -> Result<(), TryRuntimeError> {
		let contracts = Self::view_contracts(community, record.era);
		let (mut contracted, mut traded) = (0i64, 0u64);
		for (_, contract) in &contracts {
			contracted = contracted.saturating_add(contract.energy.community_wh());
			traded = traded.saturating_add(contract.energy.sold_to_community_wh.into());
			ensure!(
				record.settled.is_none() || contract.held == 0,
				"a hold for a settled contract"
			);
		}
		ensure!(contracts.len() == record.players as usize, "contracts miscounted");
		ensure!(
			contracted == 0,
			"contracted community energy does not sum to zero"
		);
		ensure!(
			traded == record.certificate.traded_wh,
			"contracts differ from their certificate"
		);
		match record.settled {
			Some(totals) => Self::try_settled(community, record.era, &totals),
			None => Ok(()),
		}
	}

	fn try_settled(
		community: CommunityId,
		era: crate::EraIndex,
		totals: &Totals,
	) -> Result<(), TryRuntimeError> {
		let (mut again, mut delivered, mut out_of_pool) = (Totals::default(), 0i64, 0 as Balance);
		for (_, statement) in Self::view_statements(community, era) {
			delivered = delivered.saturating_add(statement.energy.community_wh());
			out_of_pool = out_of_pool.saturating_add(statement.amounts.received_from_pool);
			let metered = i64::from(statement.reading.generation_wh)
				.saturating_sub(statement.reading.consumption_wh.into());
			ensure!(
				statement
					.energy
					.community_wh()
					.saturating_add(statement.energy.main_wh())
					== metered,
				"a statement of other energy than was metered"
			);
			again.add(&statement, false);
		}
		ensure!(delivered == 0, "delivered community energy does not sum to zero");
		ensure!(
			out_of_pool <= again.through_pool,
			"the pool paid more than it took"
		);
		// Which readings were missing is not in the statements.
		again.missing_readings = totals.missing_readings;
		ensure!(*totals == again, "a total differs from its statements");
		Ok(())
	}
}

//! What always holds between two blocks, whatever was submitted.

use crate::{pallet::*, Balance, CommunityId};
use alloc::collections::BTreeMap;
use frame_support::{
	ensure,
	traits::{
		fungible::{Inspect, InspectHold},
		Get,
	},
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
		let households = Households::<T>::iter().count();
		ensure!(
			households == HouseholdCount::<T>::get() as usize,
			"households miscounted"
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
		for (id, slot, contract) in Contracts::<T>::iter() {
			ensure!(
				slot == Self::slot(contract.era),
				"a contract in another era's slot"
			);
			let household = Households::<T>::get(id).ok_or("a contract of no household")?;
			ensure!(
				usize::from(contract.chosen) < contract.strategies.len(),
				"a choice that is not there"
			);
			ensure!(
				!contract.main_grid_only || contract.held == 0,
				"a hold for a main-grid contract"
			);
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

	/// Readings wait for at most two eras, and only those that a settlement will take.
	fn try_readings() -> Result<(), TryRuntimeError> {
		let clock = Clock::<T>::get();
		let round = Round::<T>::get();
		for (era, id, _) in Readings::<T>::iter() {
			let household = Households::<T>::get(id).ok_or("a reading of no household")?;
			ensure!(household.member_since <= era, "a reading from before membership");
			let open = clock.and_then(|clock| clock.previous) == Some(era);
			let settling = round.and_then(|round| round.settle_era) == Some(era);
			ensure!(open || settling, "a reading that nobody will settle");
		}
		Ok(())
	}

	/// Community energy sums to zero in every retained contract and statement, and totals are what they total.
	fn try_records() -> Result<(), TryRuntimeError> {
		for (community, slot, record) in Records::<T>::iter() {
			ensure!(slot == Self::slot(record.era), "a record in another era's slot");
			ensure!(slot < T::RetainedEras::get(), "a slot beyond the ring");
			Self::try_record(community, &record)?;
		}
		Ok(())
	}

	fn try_record(community: CommunityId, record: &crate::EraRecord) -> Result<(), TryRuntimeError> {
		let (mut players, mut contracted, mut delivered, mut traded) = (0u32, 0i64, 0i64, 0u64);
		let (mut into_pool, mut out_of_pool) = (0 as Balance, 0 as Balance);
		for id in Members::<T>::get(community) {
			if let Some(contract) = Self::view_contract(id, record.era) {
				players = players.saturating_add(1);
				contracted = contracted.saturating_add(contract.energy.community_wh());
				traded = traded.saturating_add(contract.energy.sold_to_community_wh.into());
				ensure!(
					record.settled.is_none() || contract.held == 0,
					"a hold for a settled contract"
				);
			}
			if let (Some(statement), Some(_)) = (Self::view_statement(id, record.era), record.settled) {
				delivered = delivered.saturating_add(statement.energy.community_wh());
				into_pool = into_pool.saturating_add(statement.amounts.paid_to_pool);
				out_of_pool = out_of_pool.saturating_add(statement.amounts.received_from_pool);
			}
		}
		ensure!(players == record.players, "contracts miscounted");
		ensure!(
			contracted == 0,
			"contracted community energy does not sum to zero"
		);
		ensure!(
			traded == record.certificate.traded_wh,
			"contracts differ from their certificate"
		);
		ensure!(delivered == 0, "delivered community energy does not sum to zero");
		ensure!(out_of_pool <= into_pool, "the pool paid more than it took");
		if let Some(totals) = record.settled {
			ensure!(
				totals.through_pool == into_pool,
				"a total differs from its statements"
			);
		}
		Ok(())
	}
}

//! Invariants: statements that hold between any two blocks, whatever was submitted.

use crate::{pallet::*, Balance, Change, CommunityId, HouseholdId, ReportedBy, Totals};
use alloc::{collections::BTreeMap, vec::Vec};
use commonwatt_market::settlement::spread;
use frame_support::{
	ensure,
	traits::{
		fungible::{Inspect, InspectHold},
		Get,
	},
};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks every invariant of the pallet's state; the error names the first one that does not hold. Reads the whole
	/// state, so it must not run in a block.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		Self::try_clock()?;
		Self::try_members()?;
		Self::try_offers()?;
		Self::try_proposals()?;
		Self::try_meters()?;
		Self::try_holds()?;
		Self::try_pools()?;
		Self::try_readings()?;
		Self::try_records()
	}

	fn try_clock() -> Result<(), TryRuntimeError> {
		ensure!(
			!Planned::<T>::exists(),
			"steps are still planned after their block"
		);
		let Some(clock) = Clock::<T>::get() else {
			ensure!(
				!Round::<T>::exists(),
				"there is a round although the clock has not started"
			);
			return Ok(());
		};
		ensure!(
			clock.previous.is_none_or(|previous| previous < clock.current),
			"the clock's previous era is not before its current one"
		);
		if let Some(round) = Round::<T>::get() {
			ensure!(
				round.solve_era == clock.current,
				"the round clears another era than the running one"
			);
			ensure!(
				round.settle_era.is_none_or(|era| Some(era) < clock.previous),
				"the round settles an era whose readings are still taken"
			);
			ensure!(
				round.next.0 < round.communities,
				"the round's next community is beyond its last one"
			);
			ensure!(
				round.communities <= CommunityCount::<T>::get(),
				"the round has more communities than exist"
			);
		}
		Ok(())
	}

	fn try_members() -> Result<(), TryRuntimeError> {
		ensure!(
			Communities::<T>::iter_keys().all(|id| id.0 < CommunityCount::<T>::get()),
			"a community's number is not below the community count"
		);
		let households = Households::<T>::iter_keys().count();
		ensure!(
			Households::<T>::iter_keys().all(|id| id < NextHousehold::<T>::get()),
			"a household's number is not below the next number"
		);
		let mut seen = 0usize;
		for (community, members) in Members::<T>::iter() {
			ensure!(
				Communities::<T>::contains_key(community),
				"there are members of an unknown community"
			);
			ensure!(
				members.windows(2).all(|pair| pair.first() < pair.last()),
				"members are not in ascending order"
			);
			for id in &members {
				let household = Households::<T>::get(id).ok_or("a member is not a known household")?;
				ensure!(
					household.community == community,
					"a member's household belongs to another community"
				);
				ensure!(
					household
						.member_until
						.is_none_or(|last| household.member_since <= last),
					"a membership ends before it begins"
				);
			}
			seen = seen.saturating_add(members.len());
		}
		ensure!(seen == households, "a household is not a member of any community");
		Ok(())
	}

	/// Checks that offers are open, counted and within the bound, and that each depositor's hold equals the sum of its
	/// deposits.
	fn try_offers() -> Result<(), TryRuntimeError> {
		let mut open = BTreeMap::<CommunityId, u32>::new();
		let mut held = BTreeMap::<T::AccountId, Balance>::new();
		for (_, community) in Communities::<T>::iter() {
			held.entry(community.operator).or_default();
		}
		for (id, offer) in Offers::<T>::iter() {
			ensure!(
				Communities::<T>::contains_key(offer.community),
				"an offer is of an unknown community"
			);
			ensure!(
				id < NextHousehold::<T>::get() && !Households::<T>::contains_key(id),
				"an offer has the number of a household or one that was not assigned"
			);
			ensure!(
				offer.accepted.is_none() || !offer.meter_confirmed,
				"an offer is open although everybody has agreed"
			);
			let count = open.entry(offer.community).or_default();
			*count = count.saturating_add(1);
			let sum = held.entry(offer.depositor).or_default();
			*sum = sum
				.checked_add(offer.deposit)
				.ok_or("the sum of deposits overflows")?;
		}
		ensure!(
			OpenOffers::<T>::iter().collect::<BTreeMap<_, _>>() == open,
			"the count of open offers differs from the offers"
		);
		for (community, open) in open {
			let members = Members::<T>::decode_len(community).unwrap_or(0) as u32;
			ensure!(
				members.saturating_add(open) <= T::MaxHouseholds::get(),
				"a community has more members and offers than it may have households"
			);
		}
		for (depositor, sum) in held {
			ensure!(
				T::Currency::balance_on_hold(&HoldReason::Offer.into(), &depositor) == sum,
				"a hold for offers differs from the sum of open offers"
			);
		}
		Ok(())
	}

	/// Checks that proposals and handovers are of households, and that no proposal has everybody's consent.
	fn try_proposals() -> Result<(), TryRuntimeError> {
		for (id, proposal) in Proposals::<T>::iter() {
			ensure!(
				Households::<T>::contains_key(id),
				"a proposal is of an unknown household"
			);
			let waits_for_meter = matches!(proposal.change, Change::Meter(_)) && !proposal.meter_confirmed;
			ensure!(
				!proposal.accepted || waits_for_meter,
				"a proposal is open although everybody has agreed"
			);
		}
		ensure!(
			Handovers::<T>::iter_keys().all(Households::<T>::contains_key),
			"a handover is of an unknown household"
		);
		Ok(())
	}

	/// Checks that each meter is registered exactly for the household that it confirmed, and that its account is kept
	/// alive once for each household, offer and proposal that names it.
	fn try_meters() -> Result<(), TryRuntimeError> {
		let mut named = Vec::new();
		for (id, household) in Households::<T>::iter() {
			named.push((id, household.meter, true));
			named.extend(household.next_meter.map(|next| (id, next.meter, true)));
		}
		named.extend(Offers::<T>::iter().map(|(id, offer)| (id, offer.meter, offer.meter_confirmed)));
		named.extend(
			Proposals::<T>::iter().filter_map(|(id, proposal)| match proposal.change {
				Change::Meter(meter) => Some((id, meter, proposal.meter_confirmed)),
				Change::ConnectionLimit(_) => None,
			}),
		);
		let mut references = BTreeMap::<T::AccountId, u32>::new();
		let mut confirmed = 0usize;
		for (id, meter, is_confirmed) in named {
			if is_confirmed {
				ensure!(
					MeterOf::<T>::get(&meter) == Some(id),
					"a household's meter is not registered for it"
				);
				confirmed = confirmed.saturating_add(1);
			}
			let count = references.entry(meter).or_default();
			*count = count.saturating_add(1);
		}
		ensure!(
			MeterOf::<T>::iter().count() == confirmed,
			"more meters are registered than have confirmed a household"
		);
		for (meter, count) in references {
			ensure!(
				frame_system::Pallet::<T>::sufficients(&meter) == count,
				"a meter's account is not kept alive once for each use of it"
			);
		}
		Ok(())
	}

	/// Checks that each owner's hold equals the sum of its open contracts.
	fn try_holds() -> Result<(), TryRuntimeError> {
		let mut held = BTreeMap::<T::AccountId, Balance>::new();
		for (_, household) in Households::<T>::iter() {
			held.entry(household.owner).or_default();
			held.extend(household.next_owner.map(|next| (next.owner, 0)));
		}
		for (slot, (id, contract)) in Contracts::<T>::iter().flat_map(|(_, slot, book)| {
			let entries = book.into_iter();
			entries.map(move |entry| (slot, entry))
		}) {
			ensure!(
				slot == Self::slot(contract.era),
				"a contract is in the ring slot of another era"
			);
			ensure!(
				usize::from(contract.chosen) < contract.strategies.len(),
				"a contract's chosen strategy does not exist"
			);
			ensure!(
				!contract.main_grid_only || contract.held == 0,
				"a main-grid-only contract has funds on hold"
			);
			let Some(household) = Households::<T>::get(id) else {
				ensure!(
					contract.held == 0,
					"a contract of a household that left has funds on hold"
				);
				continue;
			};
			let sum = held.entry(household.owner_in(contract.era).clone()).or_default();
			*sum = sum
				.checked_add(contract.held)
				.ok_or("the sum of an owner's holds overflows")?;
		}
		for (owner, sum) in held {
			ensure!(
				T::Currency::balance_on_hold(&HoldReason::Contract.into(), &owner) == sum,
				"an owner's hold differs from the sum of its open contracts"
			);
		}
		Ok(())
	}

	/// Checks that each pool's account keeps the minimum balance.
	fn try_pools() -> Result<(), TryRuntimeError> {
		for community in Communities::<T>::iter_keys() {
			ensure!(
				T::Currency::balance(&Self::pool_account(community)) >= T::Currency::minimum_balance(),
				"a pool's account is below the minimum balance"
			);
		}
		Ok(())
	}

	/// Checks that readings are of ended eras in which the household was a member, and that submissions are of
	/// registered households.
	fn try_readings() -> Result<(), TryRuntimeError> {
		let reported = Clock::<T>::get().and_then(|clock| clock.previous);
		for (id, metered) in Readings::<T>::iter() {
			let household = Households::<T>::get(id).ok_or("a reading is of an unknown household")?;
			ensure!(
				Some(metered.newest.era) <= reported,
				"a reading is of an era that has not ended"
			);
			ensure!(
				metered
					.before
					.is_none_or(|before| before.era < metered.newest.era),
				"a household's readings are not in ascending order of eras"
			);
			for era in metered.newest_first().map(|reported| reported.era) {
				ensure!(
					household.is_member_in(era),
					"a reading is of an era without membership"
				);
			}
		}
		for (id, statements) in LateStatements::<T>::iter() {
			ensure!(
				Households::<T>::contains_key(id),
				"a late statement is of an unknown household"
			);
			ensure!(
				statements
					.windows(2)
					.all(|pair| pair.first().map(|s| s.era) < pair.last().map(|s| s.era)),
				"late statements are not in ascending order of eras"
			);
			ensure!(
				statements
					.iter()
					.all(|statement| statement.reported_by == ReportedBy::Meter),
				"a late statement is not the meter's"
			);
		}
		for (id, slot, submission) in Submissions::<T>::iter() {
			ensure!(
				Households::<T>::contains_key(id),
				"a submission is of an unknown household"
			);
			ensure!(
				slot == Self::submission_slot(submission.era),
				"a submission is in the slot of another era"
			);
		}
		Ok(())
	}

	/// Checks that books are sound, that community energy sums to zero in every retained contract and statement, and
	/// that totals are the sums of their statements.
	fn try_records() -> Result<(), TryRuntimeError> {
		for (community, book) in Debts::<T>::iter() {
			Self::try_book(community, &book)?;
			ensure!(
				book.iter().all(|(_, debt)| !debt.is_settled()),
				"a debt book lists a household without debts"
			);
			let members = Members::<T>::get(community);
			ensure!(
				book.iter().all(|(id, _)| members.contains(id)),
				"a debt book lists a household that is not a member"
			);
		}
		for (community, slot, book) in Contracts::<T>::iter() {
			Self::try_book(community, &book)?;
			let era = Records::<T>::get(community, slot).map(|record| record.era);
			ensure!(
				book.iter().all(|(_, contract)| Some(contract.era) == era),
				"a contract and the record in its slot are of different eras"
			);
		}
		for (community, slot, book) in Statements::<T>::iter() {
			Self::try_book(community, &book)?;
			ensure!(
				book.iter()
					.all(|(_, statement)| Self::slot(statement.era) == slot),
				"a statement is in the ring slot of another era"
			);
		}
		for (community, slot, record) in Records::<T>::iter() {
			ensure!(
				slot == Self::slot(record.era),
				"a record is in the ring slot of another era"
			);
			Self::try_record(community, &record)?;
		}
		Ok(())
	}

	/// Checks that a book is of a known community and in ascending order of households, which the binary search needs.
	fn try_book<E>(community: CommunityId, book: &[(HouseholdId, E)]) -> Result<(), TryRuntimeError> {
		ensure!(
			Communities::<T>::contains_key(community),
			"a book is of an unknown community"
		);
		ensure!(
			book.windows(2)
				.all(|pair| pair.first().map(|(id, _)| id) < pair.last().map(|(id, _)| id)),
			"a book is not in ascending order of households"
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
				"a settled contract has funds on hold"
			);
		}
		ensure!(
			contracts.len() == record.players as usize,
			"the number of contracts differs from the record's players"
		);
		ensure!(
			contracted == 0,
			"contracted community energy does not sum to zero"
		);
		ensure!(
			traded == record.certificate.traded_wh,
			"the contracts' traded energy differs from the certificate's"
		);
		match record.settled {
			Some(totals) => Self::try_settled(community, record, &totals),
			None => Ok(()),
		}
	}

	fn try_settled(
		community: CommunityId,
		record: &crate::EraRecord,
		totals: &Totals,
	) -> Result<(), TryRuntimeError> {
		let era = record.era;
		let (mut again, mut community_wh, mut matched) = (Totals::default(), 0i64, 0i64);
		let (mut out_of_pool, mut spreads) = (0 as Balance, 0 as Balance);
		let firm: BTreeMap<_, _> = Self::view_contracts(community, era)
			.into_iter()
			.filter_map(|(id, contract)| Some((id, contract.firm_energy()?)))
			.collect();
		for (id, statement) in Self::view_statements(community, era) {
			let energy = statement.energy;
			community_wh = community_wh.saturating_add(energy.community_wh());
			matched = matched.saturating_add(statement.matched_long_wh.into());
			matched = matched.saturating_sub(statement.matched_short_wh.into());
			out_of_pool = out_of_pool.saturating_add(statement.amounts.received_from_pool);
			spreads = spreads.saturating_add(spread(statement.matched_short_wh, &record.terms.tariffs));
			let billed = energy
				.community_wh()
				.saturating_add(energy.main_wh())
				.saturating_add(statement.deviation_wh());
			ensure!(
				billed == statement.reading.net_wh(),
				"a statement's energy differs from the metered net position"
			);
			let has_deviation = statement.deviation_wh() != 0 || energy.community_wh() != 0;
			let contract = firm.get(&id);
			ensure!(
				contract.is_some() == statement.is_firm
					&& contract.map_or(!has_deviation, |contract| *contract == energy),
				"a statement's energy differs from the contract"
			);
			ensure!(
				!statement.is_estimate() || statement.matched_long_wh == 0 && statement.matched_short_wh == 0,
				"an estimated deviation matches"
			);
			again.add(&statement);
		}
		ensure!(community_wh == 0, "settled community energy does not sum to zero");
		ensure!(matched == 0, "matched deviations do not sum to zero");
		ensure!(
			out_of_pool <= again.through_pool,
			"the pool paid more to sellers than buyers paid"
		);
		ensure!(
			totals.to_pot <= spreads,
			"the pot received more than the spreads of matched deviations"
		);
		again.to_pot = totals.to_pot;
		ensure!(
			*totals == again,
			"the record's totals differ from the sums of its statements"
		);
		Ok(())
	}
}

//! Benchmarks of every call and of every step that the hooks take, each at its worst case.

mod fixtures;

use super::*;
use crate::{
	pallet::Pallet as EnergyMarket,
	settlement::{Settlement, MAX_DEPARTURES},
};
use alloc::vec::Vec;
use commonwatt_market::{
	game::{Preference, SolverConfig, MAX_ENERGY_WH},
	paper::COMFORT,
};
use fixtures::*;
use frame_benchmarking::v2::*;
use frame_support::{
	traits::{
		fungible::{Inspect, Mutate, MutateHold},
		tokens::Precision,
		EnsureOrigin, Get,
	},
	BoundedVec,
};
use frame_system::RawOrigin;

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn create_community() -> Result<(), BenchmarkError> {
		let origin = T::GovernanceOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		let operator = funded::<T>("operator", 0);
		let utility = funded::<T>("utility", 0);
		#[extrinsic_call]
		_(
			origin as T::RuntimeOrigin,
			[b'x'; 32].to_vec(),
			operator,
			utility,
			terms(),
			TermsBounds::around(&terms(), MAX_ENERGY_WH),
		);
		assert_eq!(
			CommunityCount::<T>::get(),
			Communities::<T>::iter().count() as u32
		);
		Ok(())
	}

	#[benchmark]
	fn offer_membership() {
		clock::<T>();
		let community = community::<T>();
		// The last household that fits, so that the list of members is as long as possible.
		for index in 1..T::MaxHouseholds::get() {
			household::<T>(community, index);
		}
		let operator = account("operator", 0, 0);
		let (owner, meter) = (account("owner", 0, 0), account("meter", 0, 0));
		#[extrinsic_call]
		_(RawOrigin::Signed(operator), community, owner, meter, 1_000);
		assert_eq!(OpenOffers::<T>::get(community), 1);
	}

	/// The last consent, with which the household joins.
	#[benchmark]
	fn accept_membership() {
		let id = offer::<T>();
		EnergyMarket::<T>::do_confirm_meter(account("meter", 0, 0), id).expect("the meter is new; qed");
		let owner = account("owner", 0, 0);
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), id, 1_000_000, Some(COMFORT));
		assert!(Households::<T>::contains_key(id));
	}

	/// The last consent, with which the household joins, and the check that it costs no fee.
	#[benchmark]
	fn confirm_meter() {
		let id = offer::<T>();
		EnergyMarket::<T>::do_accept_membership(account("owner", 0, 0), id, acceptance())
			.expect("the offer is open; qed");
		let meter = account("meter", 0, 0);
		#[block]
		{
			without_fee::<T>(meter, Call::confirm_meter { household: id });
		}
		assert!(Households::<T>::contains_key(id));
	}

	/// The meter has confirmed, and is freed.
	#[benchmark]
	fn withdraw_offer() {
		let id = offer::<T>();
		EnergyMarket::<T>::do_confirm_meter(account("meter", 0, 0), id).expect("the meter is new; qed");
		let operator = account("operator", 0, 0);
		#[extrinsic_call]
		_(RawOrigin::Signed(operator), id);
		assert!(!Offers::<T>::contains_key(id));
	}

	#[benchmark]
	fn set_max_debit() {
		let (household, owner) = household::<T>(community::<T>(), 0);
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), household, 1);
	}

	/// Replaces a proposal whose meter has confirmed, and frees that meter.
	#[benchmark]
	fn propose_change() {
		clock::<T>();
		let (household, _) = household::<T>(community::<T>(), 0);
		propose::<T>(household, account("other meter", 0, 0));
		let operator = account("operator", 0, 0);
		let change = Change::Meter(account("third meter", 0, 0));
		#[extrinsic_call]
		_(RawOrigin::Signed(operator), household, Some(change.clone()));
		assert_eq!(
			Proposals::<T>::get(household).map(|proposal| proposal.change),
			Some(change)
		);
	}

	/// The last consent, which cancels an earlier replacement and frees its meter.
	#[benchmark]
	fn accept_change() {
		clock::<T>();
		let (household, owner) = household_with_two_meters::<T>(community::<T>(), 0);
		let change = propose::<T>(household, account("third meter", 0, 0));
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), household, change);
		assert!(!Proposals::<T>::contains_key(household));
	}

	#[benchmark]
	fn offer_household() {
		let (household, owner) = household::<T>(community::<T>(), 0);
		let new_owner: T::AccountId = account("new owner", 0, 0);
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), household, Some(new_owner));
		assert!(Handovers::<T>::contains_key(household));
	}

	/// With the most debts that a community can have, and a proposal, whose meter has confirmed and is freed.
	#[benchmark]
	fn accept_household() {
		clock::<T>();
		let (household, owner) = household::<T>(community::<T>(), 0);
		propose::<T>(household, account("other meter", 0, 0));
		let new_owner: T::AccountId = account("new owner", 0, 0);
		EnergyMarket::<T>::do_offer_household(owner, household, Some(new_owner.clone()))
			.expect("the owner may offer it; qed");
		let credit = Debt {
			arrears: 0,
			credit: 1,
		};
		let debts = (0..T::MaxHouseholds::get()).map(|i| (HouseholdId(household.0 + i), credit));
		let debts = DebtBook::<T>::truncate_from(debts.collect());
		Debts::<T>::insert(last_community::<T>(), debts);
		#[extrinsic_call]
		_(RawOrigin::Signed(new_owner), household, 1_000_000);
		assert!(!Handovers::<T>::contains_key(household));
		assert!(!Proposals::<T>::contains_key(household));
	}

	#[benchmark]
	fn write_off_arrears() {
		let (household, _) = household::<T>(community::<T>(), 0);
		let debt = Debt {
			arrears: 1,
			credit: 0,
		};
		let debts = (0..T::MaxHouseholds::get()).map(|i| (HouseholdId(household.0 + i), debt));
		let community = last_community::<T>();
		Debts::<T>::insert(community, DebtBook::<T>::truncate_from(debts.collect()));
		let utility = account("utility", 0, 0);
		#[extrinsic_call]
		_(RawOrigin::Signed(utility), household);
		assert!(Debts::<T>::get(community).iter().all(|(id, _)| *id != household));
	}

	#[benchmark]
	fn set_terms() {
		let community = community::<T>();
		let operator = account("operator", 0, 0);
		#[extrinsic_call]
		_(RawOrigin::Signed(operator), community, terms(), ERA);
	}

	#[benchmark]
	fn set_terms_bounds() -> Result<(), BenchmarkError> {
		let origin = T::GovernanceOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		let community = community::<T>();
		let bounds = TermsBounds::around(&terms(), MAX_ENERGY_WH);
		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, community, bounds);
		Ok(())
	}

	#[benchmark]
	fn set_utility() -> Result<(), BenchmarkError> {
		let origin = T::GovernanceOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		let community = community::<T>();
		let utility = account("another", 0, 0);
		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, community, utility);
		Ok(())
	}

	/// All ring slots are in use.
	#[benchmark]
	fn close_community() -> Result<(), BenchmarkError> {
		let origin = T::GovernanceOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		let community = community::<T>();
		let beneficiary = funded::<T>("beneficiary", 0);
		let pot = EnergyMarket::<T>::pot_account(community);
		T::Currency::set_balance(&pot, T::Currency::minimum_balance().saturating_mul(1_000));
		for era in 0..T::RetainedEras::get() {
			Pallet::<T>::solve_step(community, era, None, 0);
			Settlement::<T>::run(community, era, 0);
		}
		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, community, beneficiary);
		assert!(!Communities::<T>::contains_key(community));
		Ok(())
	}

	#[benchmark]
	fn set_operator() -> Result<(), BenchmarkError> {
		let origin = T::GovernanceOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		let community = community::<T>();
		let operator = account("another", 0, 0);
		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, community, operator);
		Ok(())
	}

	#[benchmark]
	fn set_concentrator() {
		let community = community::<T>();
		let operator = account("operator", 0, 0);
		#[extrinsic_call]
		_(
			RawOrigin::Signed(operator),
			community,
			Some(account("concentrator", 0, 0)),
		);
	}

	#[benchmark]
	fn set_paused() {
		let community = community::<T>();
		let operator = account("operator", 0, 0);
		#[extrinsic_call]
		_(RawOrigin::Signed(operator), community, true);
	}

	#[benchmark]
	fn set_suspended() {
		let (household, _) = household::<T>(community::<T>(), 0);
		let operator = account("operator", 0, 0);
		#[extrinsic_call]
		_(RawOrigin::Signed(operator), household, true);
	}

	#[benchmark]
	fn leave() {
		clock::<T>();
		let (household, owner) = household::<T>(community::<T>(), 0);
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), household);
	}

	#[benchmark]
	fn remove_household() {
		clock::<T>();
		let (household, _) = household::<T>(community::<T>(), 0);
		let operator = account("operator", 0, 0);
		#[extrinsic_call]
		_(RawOrigin::Signed(operator), household);
	}

	#[benchmark]
	fn set_comfort() {
		let (household, owner) = household::<T>(community::<T>(), 0);
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), household, Some(COMFORT));
	}

	#[benchmark]
	fn set_preference() {
		let (household, owner) = household::<T>(community::<T>(), 0);
		let preference = Preference {
			flexible_down_percent: 20,
			flexible_up_percent: 20,
			response_centi_c_per_kwh: 50,
			trade_with_community: true,
		};
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), household, Some(preference));
	}

	#[benchmark]
	fn submit_strategies(s: Linear<1, { T::MaxStrategies::get() }>) {
		clock::<T>();
		let (household, owner) = household::<T>(community::<T>(), 0);
		let (generation_wh, strategies) = strategies(0, s);
		#[extrinsic_call]
		_(
			RawOrigin::Signed(owner),
			household,
			ERA + 1,
			generation_wh,
			strategies,
		);
		assert!(Submissions::<T>::contains_key(
			household,
			EnergyMarket::<T>::submission_slot(ERA + 1)
		));
	}

	#[benchmark]
	fn withdraw_strategies() {
		clock::<T>();
		let (household, owner) = household::<T>(community::<T>(), 0);
		let (generation_wh, strategies) = strategies(0, T::MaxStrategies::get());
		EnergyMarket::<T>::do_submit_strategies(owner.clone(), household, ERA + 1, generation_wh, strategies)
			.expect("the strategies are valid; qed");
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), household);
	}

	/// The first reading of an era, and the check that it costs no fee. A correction reads and writes the same.
	#[benchmark]
	fn submit_reading() {
		let (household, _) = household::<T>(community::<T>(), 0);
		clock::<T>();
		readings::<T>(household, ERA - 2, metered(Quality::Measured));
		let meter = account("meter", 0, 0);
		let (era, reading) = (ERA - 1, metered(Quality::Measured));
		#[block]
		{
			without_fee::<T>(meter, Call::submit_reading { era, reading });
		}
		let stored = Readings::<T>::get(household);
		assert!(stored.is_some_and(|metered| metered.of(ERA - 1).is_some() && metered.of(ERA - 2).is_some()));
	}

	/// In a full community of which everybody is in arrears, for a household that has reported all other retained eras
	/// late, with the check that it costs no fee.
	#[benchmark]
	fn submit_late_reading() {
		clock::<T>();
		let era = ERA - 2;
		let h = T::MaxHouseholds::get();
		let community = full_community::<T>(h);
		for (index, id) in (0u32..).zip(Members::<T>::get(community)) {
			Households::<T>::mutate(id, |h| {
				if let Some(h) = h {
					h.member_since = 0;
				}
			});
			T::Currency::set_balance(&account("owner", index, 0), T::Currency::minimum_balance());
		}
		EnergyMarket::<T>::solve_step(community, era, None, h);
		Settlement::<T>::run(community, era, h);
		let id = Members::<T>::get(community).first().copied().unwrap_or_default();
		let estimated = EnergyMarket::<T>::view_statement(id, era);
		let known = (ERA.saturating_sub(T::RetainedEras::get()).saturating_add(1)..era)
			.filter_map(|era| {
				Some(Statement {
					era,
					reported_by: ReportedBy::Meter,
					..estimated?
				})
			})
			.collect();
		LateStatements::<T>::insert(id, BoundedVec::truncate_from(known));
		T::Currency::set_balance(
			&account("owner", 0, 0),
			T::Currency::minimum_balance().saturating_mul(1_000),
		);
		let meter = account("meter", 0, 0);
		let reading = metered(Quality::Measured);
		#[block]
		{
			without_fee::<T>(meter, Call::submit_late_reading { era, reading });
		}
		assert!(
			EnergyMarket::<T>::view_statement(id, era).is_some_and(|s| s.reported_by == ReportedBy::Meter)
		);
	}

	#[benchmark]
	fn submit_readings(n: Linear<1, { T::MaxHouseholds::get() }>) -> Result<(), BenchmarkError> {
		let community = community::<T>();
		let concentrator: T::AccountId = account("concentrator", 0, 0);
		EnergyMarket::<T>::do_set_concentrator(
			account("operator", 0, 0),
			community,
			Some(concentrator.clone()),
		)?;
		let items: Vec<_> = (0..n)
			.map(|index| {
				let (household, _) = household::<T>(community, index);
				readings::<T>(household, ERA - 1, metered(Quality::Measured));
				// The concentrator corrects only its own readings.
				Readings::<T>::mutate(household, |metered| {
					if let Some(metered) = metered {
						metered.newest.by_meter = false;
					}
				});
				ReadingItem {
					household,
					era: ERA - 1,
					reading: metered(Quality::Corrected),
				}
			})
			.collect();
		clock::<T>();
		let last = items.last().map(|item| item.household).unwrap_or_default();
		#[extrinsic_call]
		_(RawOrigin::Signed(concentrator), BoundedVec::truncate_from(items));
		let newest = Readings::<T>::get(last).and_then(|metered| metered.of(ERA - 1));
		assert_eq!(
			newest.map(|newest| newest.reading.quality),
			Some(Quality::Corrected)
		);
		Ok(())
	}

	#[benchmark]
	fn repay_arrears() {
		let (household, owner) = household::<T>(community::<T>(), 0);
		let debt = Debt {
			arrears: 1_000_000,
			credit: 0,
		};
		// The maximum number of debtors, this one the last.
		let others = (1..T::MaxHouseholds::get()).map(|i| (HouseholdId(household.0 + i), debt));
		let debts = others.chain(core::iter::once((household, debt))).collect();
		let community = last_community::<T>();
		Debts::<T>::insert(community, DebtBook::<T>::truncate_from(debts));
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), household);
		assert!(Debts::<T>::get(community).iter().all(|(id, _)| *id != household));
	}

	/// Plans the last step and begins an era after missed ones, by parts of the hooks: the clock cannot be set.
	#[benchmark]
	fn latch() {
		community::<T>();
		Clock::<T>::put(ClockState {
			current: 1,
			previous: None,
		});
		Round::<T>::put(RoundState {
			solve_era: 1,
			settle_era: None,
			communities: CommunityCount::<T>::get(),
			phase: Phase::Solve,
			next: last_community::<T>(),
		});
		#[block]
		{
			EnergyMarket::<T>::plan_steps();
			Planned::<T>::kill();
			Round::<T>::kill();
			EnergyMarket::<T>::latch_era();
			EnergyMarket::<T>::begin(ERA);
		}
		assert_eq!(Clock::<T>::get().map(|clock| clock.current), Some(ERA));
		assert!(Round::<T>::exists());
	}

	/// A clearing without the solver's search, apart from the little search that this game needs.
	#[benchmark]
	fn solve(h: Linear<1, { T::MaxHouseholds::get() }>) {
		let community = full_community::<T>(h);
		#[block]
		{
			EnergyMarket::<T>::solve_step(community, ERA, Some(ERA - 1), h);
		}
		assert_eq!(
			EnergyMarket::<T>::view_record(community, ERA).map(|r| r.players),
			Some(h)
		);
	}

	/// A game that uses up a budget of `e` evaluations.
	#[benchmark]
	fn evaluate(e: Linear<20_000, 1_000_000>) {
		let game = exhausting();
		let config = SolverConfig {
			max_evaluations: e.into(),
			..EnergyMarket::<T>::solver_limits().config(&game)
		};
		let solution;
		#[block]
		{
			solution = commonwatt_market::game::solve(&game, &config, None);
		}
		// The solver skips a household that the rest of the budget does not cover: at most 16 strategies and itself.
		assert!(solution.evaluations + 20 > e.into());
		assert!(solution.evaluations <= e.into());
	}

	/// The most transfers: eight of ten households pay out of their hold, get the rest of it back, and earn something.
	/// One has a surplus, so that deviations match, and one cannot pay, so that debts are written. The maximum number of
	/// households leaves.
	#[benchmark]
	fn settle(h: Linear<1, { T::MaxHouseholds::get() }>) {
		clock::<T>();
		let community = full_community::<T>(h);
		let pot = EnergyMarket::<T>::pot_account(community);
		T::Currency::set_balance(&pot, T::Currency::minimum_balance().saturating_mul(1_000_000_000));
		EnergyMarket::<T>::solve_step(community, ERA, Some(ERA - 2), h);
		let members = Members::<T>::get(community);
		hold_more::<T>(community, ERA);
		for (index, id) in (0u32..).zip(members.iter().copied()) {
			let (generation_wh, strategies) = strategies(index, 1);
			let contracted_wh = strategies.first().map_or(0, |s| s.consumption_wh);
			let consumption_wh = match index % 10 {
				0 => contracted_wh.saturating_sub(333),
				_ => contracted_wh.saturating_add(333),
			};
			let reading = Reading {
				generation_wh,
				consumption_wh,
				..metered(Quality::Measured)
			};
			readings::<T>(id, ERA, reading);
			let leaves = index < MAX_DEPARTURES as u32;
			Households::<T>::mutate(id, |h| {
				if let Some(h) = h {
					h.member_since = 0;
					h.member_until = leaves.then_some(ERA);
				}
			});
			if leaves {
				// A meter that has begun to measure, and a further one that is proposed and has confirmed.
				let change = propose::<T>(id, account("other meter", index, 0));
				let _ = EnergyMarket::<T>::do_accept_change(account("owner", index, 0), id, change);
				propose::<T>(id, account("third meter", index, 0));
				let other = Submissions::<T>::get(id, EnergyMarket::<T>::submission_slot(ERA));
				Submissions::<T>::set(id, EnergyMarket::<T>::submission_slot(ERA + 1), other);
			} else {
				T::Currency::set_balance(&account("owner", index, 0), T::Currency::minimum_balance());
			}
		}
		#[block]
		{
			Settlement::<T>::run(community, ERA, h);
		}
		let settled = EnergyMarket::<T>::view_record(community, ERA).and_then(|r| r.settled);
		assert_eq!(settled.map(|totals| totals.households), Some(h));
		let left = (members.len()).min(MAX_DEPARTURES);
		assert_eq!(Members::<T>::get(community).len(), members.len() - left);
	}

	/// Only the storage accesses of a clearing and a settlement, for docs/measurements/weights-and-speed.md.
	#[benchmark(extra)]
	fn clearing_items(h: Linear<1, { T::MaxHouseholds::get() }>) {
		clock::<T>();
		let community = full_community::<T>(h);
		EnergyMarket::<T>::solve_step(community, ERA, Some(ERA - 2), h);
		Settlement::<T>::run(community, ERA, h);
		let slot = EnergyMarket::<T>::slot(ERA);
		let members = Members::<T>::get(community);
		members
			.iter()
			.for_each(|id| readings::<T>(*id, ERA - 1, metered(Quality::Measured)));
		let accounts: Vec<T::AccountId> = (0..h).map(|index| account("owner", index, 0)).collect();
		let reason = T::RuntimeHoldReason::from(HoldReason::Contract);
		#[block]
		{
			for (id, owner) in members.iter().zip(&accounts) {
				let household = Households::<T>::get(id);
				let submission = Submissions::<T>::get(id, EnergyMarket::<T>::submission_slot(ERA));
				let held = T::Currency::hold(&reason, owner, 1);
				assert!(household.is_some() && submission.is_some() && held.is_ok());
			}
			Contracts::<T>::insert(community, slot, Contracts::<T>::get(community, slot));
			for (id, owner) in members.iter().zip(&accounts) {
				let household = Households::<T>::get(id);
				let metered = Readings::<T>::get(id);
				let released = T::Currency::release(&reason, owner, 1, Precision::Exact);
				assert!(metered.is_some() && released.is_ok());
				assert!(household.is_some());
			}
			Contracts::<T>::insert(community, slot, Contracts::<T>::get(community, slot));
			Statements::<T>::insert(community, slot, Statements::<T>::get(community, slot));
		}
	}

	impl_benchmark_test_suite!(
		EnergyMarket,
		crate::mock::ExtBuilder::default().households(0).build(),
		crate::mock::Test
	);
}

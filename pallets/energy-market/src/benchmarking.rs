//! Benchmarks of every call and of every step that the hooks take, at the worst case of each.

use super::*;
use crate::{pallet::Pallet as EnergyMarket, settlement::Settlement};
use alloc::vec::Vec;
use commonwatt_game::{Comfort, Kind, Preference, Ratio, Rules, Strategy};
use core::cmp::Ordering;
use frame_benchmarking::v2::*;
use frame_support::{
	traits::{
		fungible::{Inspect, Mutate},
		EnsureOrigin, Get,
	},
	BoundedVec,
};
use frame_system::RawOrigin;

const ERA: EraIndex = 1_000;

fn funded<T: Config>(name: &'static str, index: u32) -> T::AccountId {
	let who = account(name, index, 0);
	let amount = T::Currency::minimum_balance().saturating_mul(1_000_000_000);
	T::Currency::set_balance(&who, amount);
	who
}

fn terms() -> Terms {
	Terms {
		rules: Rules {
			lambda: Ratio {
				numerator: 4,
				denominator: 1,
			},
			resolution_wh: 10,
		},
		tariffs: Tariffs {
			retail_per_kwh: 300_000,
			feed_in_per_kwh: 80_000,
			imbalance_import_per_kwh: 360_000,
			imbalance_export_per_kwh: 40_000,
			grid_fee_per_kwh: 10_000,
		},
		price_rule: PriceRule::SupplyDemandRatio,
	}
}

fn comfort() -> Comfort {
	Comfort {
		min_centi_c: 1_500,
		max_centi_c: 2_700,
		a: Ratio {
			numerator: 1,
			denominator: 36,
		},
	}
}

fn community<T: Config>() -> CommunityId {
	EnergyMarket::<T>::do_create_community(
		[b'x'; 32].to_vec(),
		funded::<T>("operator", 0),
		funded::<T>("utility", 0),
		terms(),
	)
	.expect("the operator is funded and the terms are valid; qed")
}

fn household<T: Config>(community: CommunityId, index: u32) -> (HouseholdId, T::AccountId) {
	let owner = funded::<T>("owner", index);
	let id = EnergyMarket::<T>::do_register_household(
		community,
		owner.clone(),
		funded::<T>("meter", index),
		1_000_000_000,
		Some(comfort()),
	)
	.expect("the community has room and the meter is new; qed");
	(id, owner)
}

/// Era [`ERA`] runs and nothing is being cleared.
fn clock<T: Config>() {
	Clock::<T>::put(ClockState {
		current: ERA,
		previous: Some(ERA - 1),
	});
}

/// `count` strategies of a household: levels of consumption around its load, each in the pool and on the main grid. Over
/// all households generation and load are in balance, where the solver has to look longest.
fn strategies(seed: u32, household: u32, count: u32) -> (u32, Vec<Strategy>) {
	// Knuth's multiplicative hash scatters the numbers; the same ones in every run.
	let scattered = household
		.wrapping_add(1 + seed * 7_919)
		.wrapping_mul(2_654_435_761);
	let load = 200 + (scattered >> 8) % 3_800;
	let generation = (scattered >> 4) % (2 * load);
	let strategies = (0..count)
		.map(|i| {
			let consumption_wh = load * (86 + 4 * (i / 2)) / 100;
			let pool = i % 2 == 0;
			let kind = match generation.cmp(&consumption_wh) {
				Ordering::Equal => Kind::Neutral,
				Ordering::Greater if pool => Kind::SellToCommunity,
				Ordering::Greater => Kind::SellToMain,
				Ordering::Less if pool => Kind::BuyFromCommunity,
				Ordering::Less => Kind::BuyFromMain,
			};
			let warmer = (i64::from(consumption_wh) - i64::from(load)) / 4;
			Strategy {
				kind,
				consumption_wh,
				temperature_centi_c: 2_100 + warmer as i16,
			}
		})
		.collect();
	(generation, strategies)
}

/// The seed, among a few, of the game of `h` households that keeps the solver busiest: the worst case is reached by
/// input, all starts of it as a rule.
fn busiest<T: Config>(h: u32) -> u32 {
	let sweeps = |seed: &u32| {
		let households = (0..h)
			.map(|index| {
				let (generation_wh, strategies) = strategies(*seed, index, T::MaxStrategies::get());
				commonwatt_game::Household {
					generation_wh,
					comfort: Some(comfort()),
					strategies,
				}
			})
			.collect();
		EnergyMarket::<T>::view_solve(terms().rules, households).map_or(0, |solution| solution.sweeps)
	};
	(0..12).max_by_key(sweeps).unwrap_or(0)
}

/// A community of `h` households that have all handed in as much as they may.
fn full_community<T: Config>(seed: u32, h: u32) -> CommunityId {
	let community = community::<T>();
	for index in 0..h {
		let (id, _) = household::<T>(community, index);
		let (generation_wh, strategies) = strategies(seed, index, T::MaxStrategies::get());
		Submissions::<T>::insert(
			id,
			EnergyMarket::<T>::submission_slot(ERA),
			Submission {
				era: ERA,
				generation_wh,
				strategies: BoundedVec::truncate_from(strategies),
			},
		);
	}
	community
}

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
		);
		assert_eq!(
			CommunityCount::<T>::get(),
			Communities::<T>::iter().count() as u32
		);
		Ok(())
	}

	#[benchmark]
	fn register_household() {
		let community = community::<T>();
		// The last one that the community has room for: its list of members is as long as it gets.
		for index in 1..T::MaxHouseholds::get() {
			household::<T>(community, index);
		}
		let operator = account("operator", 0, 0);
		let (owner, meter) = (funded::<T>("owner", 0), funded::<T>("meter", 0));
		#[extrinsic_call]
		_(
			RawOrigin::Signed(operator),
			community,
			owner,
			meter.clone(),
			1_000,
			Some(comfort()),
		);
		assert!(MeterOf::<T>::contains_key(meter));
	}

	#[benchmark]
	fn set_terms() {
		let community = community::<T>();
		let operator = account("operator", 0, 0);
		#[extrinsic_call]
		_(RawOrigin::Signed(operator), community, terms(), ERA);
	}

	#[benchmark]
	fn set_comfort() {
		let (household, owner) = household::<T>(community::<T>(), 0);
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), household, Some(comfort()));
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
		let (generation_wh, strategies) = strategies(0, 0, s);
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
	fn submit_reading() {
		let (household, _) = household::<T>(community::<T>(), 0);
		clock::<T>();
		let meter = account("meter", 0, 0);
		let reading = Reading {
			generation_wh: 1,
			consumption_wh: 2,
			indoor_centi_c: 3,
			quality: Quality::Measured,
		};
		#[extrinsic_call]
		_(RawOrigin::Signed(meter), ERA - 1, reading);
		assert!(Readings::<T>::contains_key(ERA - 1, household));
	}

	#[benchmark]
	fn repay_arrears() {
		let (household, owner) = household::<T>(community::<T>(), 0);
		Households::<T>::mutate(household, |h| {
			if let Some(h) = h {
				h.arrears = 1_000_000;
			}
		});
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), household);
		assert_eq!(Households::<T>::get(household).map(|h| h.arrears), Some(0));
	}

	/// A block in which an era begins after missed ones, and what planning reads. The clock of a benchmark cannot be
	/// set, so looking at it and beginning the era are called one by one.
	#[benchmark]
	fn latch() {
		community::<T>();
		Clock::<T>::put(ClockState {
			current: 0,
			previous: None,
		});
		#[block]
		{
			EnergyMarket::<T>::plan_steps();
			EnergyMarket::<T>::latch_era();
			EnergyMarket::<T>::begin(ERA);
		}
		assert_eq!(Clock::<T>::get().map(|clock| clock.current), Some(ERA));
		assert!(Round::<T>::exists());
	}

	#[benchmark]
	fn solve(h: Linear<1, { T::MaxHouseholds::get() }>) {
		let community = full_community::<T>(busiest::<T>(h), h);
		#[block]
		{
			EnergyMarket::<T>::solve_step(community, ERA, Some(ERA - 1), h);
		}
		assert_eq!(
			EnergyMarket::<T>::view_record(community, ERA).map(|r| r.players),
			Some(h)
		);
	}

	#[benchmark]
	fn settle(h: Linear<1, { T::MaxHouseholds::get() }>) {
		let community = full_community::<T>(0, h);
		EnergyMarket::<T>::solve_step(community, ERA, Some(ERA - 1), h);
		for id in Members::<T>::get(community) {
			Households::<T>::mutate(id, |h| {
				if let Some(h) = h {
					h.member_since = 0;
				}
			});
			// Everyone deviates, so that every part of the bill has something in it.
			let (generation_wh, strategies) = strategies(0, id, 1);
			let consumption_wh = strategies
				.first()
				.map_or(0, |s| s.consumption_wh)
				.saturating_add(333);
			let reading = Reading {
				generation_wh,
				consumption_wh,
				indoor_centi_c: 2_100,
				quality: Quality::Measured,
			};
			Readings::<T>::insert(ERA, id, reading);
		}
		#[block]
		{
			Settlement::<T>::run(community, ERA, h);
		}
		let settled = EnergyMarket::<T>::view_record(community, ERA).and_then(|r| r.settled);
		assert_eq!(settled.map(|totals| totals.households), Some(h));
	}

	impl_benchmark_test_suite!(
		EnergyMarket,
		crate::mock::ExtBuilder::default().households(0).build(),
		crate::mock::Test
	);
}

//! What the benchmarks start from.

use crate::{pallet::Pallet as EnergyMarket, *};
use alloc::vec::Vec;
use commonwatt_market::{
	game::{Game, Kind, Strategy, MAX_ENERGY_WH},
	paper::{COMFORT, RULES},
};
use core::cmp::Ordering;
use frame_benchmarking::v2::account;
use frame_support::{
	dispatch::CheckIfFeeless,
	traits::{
		fungible::{Inspect, Mutate, MutateHold},
		Get, UnfilteredDispatchable,
	},
	BoundedVec,
};
use frame_system::RawOrigin;

pub(super) const ERA: EraIndex = 1_000;

pub(super) fn funded<T: Config>(name: &'static str, index: u32) -> T::AccountId {
	let who = account(name, index, 0);
	let amount = T::Currency::minimum_balance().saturating_mul(1_000_000_000);
	T::Currency::set_balance(&who, amount);
	who
}

pub(super) fn terms() -> Terms {
	Terms {
		rules: RULES,
		tariffs: Tariffs {
			retail_per_kwh: 300_000,
			feed_in_per_kwh: 80_000,
			imbalance_import_per_kwh: 360_000,
			imbalance_export_per_kwh: 40_000,
			grid_fee_per_kwh: 10_000,
		},
		price_rule: PriceRule::SupplyDemandRatio,
		incentive_per_era: 1_000_000,
		reward_cap_per_kwh: 5_000,
		comfort_bounds: Some(ComfortBounds {
			min_centi_c: 0,
			max_centi_c: 4_000,
		}),
	}
}

pub(super) fn community<T: Config>() -> CommunityId {
	EnergyMarket::<T>::do_create_community(
		[b'x'; 32].to_vec(),
		funded::<T>("operator", 0),
		funded::<T>("utility", 0),
		terms(),
		TermsBounds::around(&terms(), MAX_ENERGY_WH),
	)
	.expect("the operator is funded and the terms are valid; qed")
}

pub(super) fn last_community<T: Config>() -> CommunityId {
	CommunityId(CommunityCount::<T>::get().saturating_sub(1))
}

pub(super) fn household<T: Config>(community: CommunityId, index: u32) -> (HouseholdId, T::AccountId) {
	let owner = funded::<T>("owner", index);
	let genesis = GenesisHousehold {
		owner: owner.clone(),
		meter: funded::<T>("meter", index),
		max_debit_per_era: Balance::MAX,
		connection_limit_wh: 1_000_000_000,
		comfort: Some(COMFORT),
		preference: None,
	};
	let id = EnergyMarket::<T>::join_at_genesis(community, &genesis)
		.expect("the community has room and the meter is new; qed");
	(id, owner)
}

pub(super) fn clock<T: Config>() {
	Clock::<T>::put(ClockState {
		current: ERA,
		previous: Some(ERA - 1),
	});
}

/// `count` strategies of a household. One household in eight sells; the others buy, which costs most: they need holds.
pub(super) fn strategies(household: u32, count: u32) -> (u32, Vec<Strategy>) {
	// Knuth's multiplicative hash: scattered but reproducible numbers.
	let scattered = household.wrapping_add(1).wrapping_mul(2_654_435_761);
	let load = 200 + (scattered >> 8) % 3_800;
	// 84 % of what seven households lack on average, 1,050 Wh each.
	let surplus = 7 * 1_050 * 84 / 100;
	let generation = match household % 8 {
		0 => load + surplus * 3 / 4 + (scattered >> 4) % (surplus / 2),
		_ => (scattered >> 4) % load,
	};
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

/// A game of 100 households that uses up any budget of the solver, since no start reaches an equilibrium.
pub(super) fn exhausting() -> Game {
	// Knuth's linear congruential generator, MMIX; this seed is among the first that exhaust a budget of a million.
	let mut state = 32u64;
	let mut below = |bound: u32| {
		state = state
			.wrapping_mul(6_364_136_223_846_793_005)
			.wrapping_add(1_442_695_040_888_963_407);
		((state >> 33) % u64::from(bound)) as u32
	};
	let mut household = || {
		let load = 200 + below(3_800);
		let generation_wh = below(2 * load);
		let strategy = |_| {
			let consumption_wh = load * (50 + below(100)) / 100;
			let main_grid = below(4) == 0;
			let kind = match generation_wh.cmp(&consumption_wh) {
				_ if generation_wh.abs_diff(consumption_wh) < 10 => Kind::Neutral,
				Ordering::Greater if main_grid => Kind::SellToMain,
				Ordering::Greater => Kind::SellToCommunity,
				_ if main_grid => Kind::BuyFromMain,
				_ => Kind::BuyFromCommunity,
			};
			Strategy {
				kind,
				consumption_wh,
				temperature_centi_c: 1_500 + below(1_200) as i16,
			}
		};
		commonwatt_market::game::Household {
			generation_wh,
			comfort: Some(COMFORT),
			strategies: (0..16).map(strategy).collect(),
		}
	};
	let households = (0..100).map(|_| household()).collect();
	Game::new(terms().rules, households).expect("each kind fits its net position; qed")
}

pub(super) fn metered(quality: Quality) -> Reading {
	Reading {
		generation_wh: 1,
		consumption_wh: 2,
		indoor_centi_c: 2_100,
		quality,
	}
}

/// An offer of membership in a community with all other members that it may have; the owner is `account("owner", 0, 0)`
/// and the meter `account("meter", 0, 0)`.
pub(super) fn offer<T: Config>() -> HouseholdId {
	clock::<T>();
	let community = community::<T>();
	// The offer has the lowest number, so that the whole list of members moves when it is complete.
	let id = NextHousehold::<T>::get();
	EnergyMarket::<T>::do_offer_membership(
		account("operator", 0, 0),
		community,
		funded::<T>("owner", 0),
		account("meter", 0, 0),
		1_000,
	)
	.expect("the operator is funded, and the community has room; qed");
	for index in 1..T::MaxHouseholds::get() {
		household::<T>(community, index);
	}
	id
}

pub(super) fn acceptance() -> Acceptance {
	Acceptance {
		max_debit_per_era: 1_000_000,
		comfort: Some(COMFORT),
	}
}

/// Proposes another meter, which confirms.
pub(super) fn propose<T: Config>(household: HouseholdId, meter: T::AccountId) -> Change<T::AccountId> {
	let change = Change::Meter(meter.clone());
	let operator = account("operator", 0, 0);
	EnergyMarket::<T>::do_propose_change(operator, household, Some(change.clone()))
		.expect("the operator may propose it; qed");
	EnergyMarket::<T>::do_confirm_meter(meter, household).expect("the meter is new; qed");
	change
}

/// A household with a meter that measures from the next era on.
pub(super) fn household_with_two_meters<T: Config>(
	community: CommunityId,
	index: u32,
) -> (HouseholdId, T::AccountId) {
	let (id, owner) = household::<T>(community, index);
	let change = propose::<T>(id, account("other meter", index, 0));
	EnergyMarket::<T>::do_accept_change(owner.clone(), id, change)
		.expect("the clock runs, and the change is proposed; qed");
	(id, owner)
}

/// Two readings of a household, the newer one of this era.
pub(super) fn readings<T: Config>(household: HouseholdId, era: EraIndex, reading: Reading) {
	let of = |era| Reported::from_meter(era, reading);
	Readings::<T>::insert(
		household,
		Metered {
			newest: of(era),
			before: Some(of(era - 1)),
			peaks: Peaks::default(),
		},
	);
}

/// Puts more on hold for nine of ten contracts than they can cost.
pub(super) fn hold_more<T: Config>(community: CommunityId, era: EraIndex) {
	let more = T::Currency::minimum_balance();
	let slot = EnergyMarket::<T>::slot(era);
	Contracts::<T>::mutate(community, slot, |contracts| {
		for (index, (id, contract)) in contracts.iter_mut().enumerate() {
			let Some(household) = Households::<T>::get(*id).filter(|_| index % 10 != 1) else {
				continue;
			};
			let held = T::Currency::hold(&HoldReason::Contract.into(), &household.owner, more);
			held.expect("the owner is funded; qed");
			contract.held = contract.held.saturating_add(more);
		}
	});
}

pub(super) fn full_community<T: Config>(h: u32) -> CommunityId {
	let community = community::<T>();
	for index in 0..h {
		let (id, _) = household::<T>(community, index);
		let (generation_wh, strategies) = strategies(index, T::MaxStrategies::get());
		Submissions::<T>::insert(
			id,
			EnergyMarket::<T>::submission_slot(ERA),
			Submission::<T> {
				era: ERA,
				generation_wh,
				strategies: BoundedVec::truncate_from(strategies),
			},
		);
	}
	community
}

/// Makes a call as a transaction without a fee does: the check whether it costs a fee comes first. That check is not in
/// the weight of the transaction extension that makes it, so it belongs in the call's.
pub(super) fn without_fee<T: Config>(who: T::AccountId, call: Call<T>) {
	let origin = T::RuntimeOrigin::from(RawOrigin::Signed(who));
	assert!(call.is_feeless(&origin));
	call.dispatch_bypass_filter(origin)
		.expect("a call that costs no fee is valid; qed");
}

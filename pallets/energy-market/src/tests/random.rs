//! Random calls by owners, meters, operators and strangers over many eras. Every invariant holds after every block, the
//! total issuance never changes, and a failed call changes no state.
//!
//! Proptest shrinks and prints a failing run and stores it in `proptest-regressions/`; the next test run replays it
//! first.

use crate::{mock::*, *};
use commonwatt_market::game::Kind;
use frame_support::traits::{fungible::Mutate, tokens::Preservation};
use proptest::{prelude::*, strategy::Strategy};
use sp_runtime::{DispatchResult, StateVersion};

/// One step of a run.
#[derive(Clone, Debug)]
enum Step {
	/// A call, signed by the given account or, if `None`, by the account that may make it.
	Call(Option<AccountId>, Act),
	/// A block, this many milliseconds after the previous one.
	Block(u64),
	/// Sets an owner's free funds to about this amount.
	Money(HouseholdId, Balance),
	/// Sets the utility's free funds to about this amount.
	Utility(Balance),
	/// A stranger pays this amount into the incentive pot.
	Fund(Balance),
}

/// A call. Its numbers may name households and meters that do not exist.
#[derive(Clone, Debug)]
enum Act {
	Offer(AccountId, AccountId, u32),
	Accept(HouseholdId, Balance),
	Confirm(HouseholdId),
	WithdrawOffer(HouseholdId),
	SetMaxDebit(HouseholdId, Balance),
	SetTerms(Balance, i8, Balance, Option<(i16, i16)>),
	SetComfort(HouseholdId, bool),
	SetPreference(HouseholdId, u8),
	Submit(HouseholdId, i8, u32, Vec<(u8, u32)>),
	Withdraw(HouseholdId),
	Report(HouseholdId, i8, u32, u32, bool),
	ReportMany(Vec<(HouseholdId, i8, u32)>),
	Repay(HouseholdId),
	Pause(bool),
	Suspend(HouseholdId, bool),
	Propose(HouseholdId, Option<Change<AccountId>>),
	AcceptChange(HouseholdId),
	OfferHousehold(HouseholdId, AccountId),
	AcceptHousehold(HouseholdId),
	WriteOff(HouseholdId),
	SetConcentrator(AccountId),
	Leave(HouseholdId),
	Remove(HouseholdId),
}

const KINDS: [Kind; 5] = [
	Kind::SellToCommunity,
	Kind::BuyFromCommunity,
	Kind::Neutral,
	Kind::BuyFromMain,
	Kind::SellToMain,
];

fn household() -> impl Strategy<Value = HouseholdId> {
	(0..7u32).prop_map(home)
}

/// Mostly within the connection limit, sometimes at an end of the range.
fn energy() -> impl Strategy<Value = u32> {
	prop_oneof![8 => 0..6_000u32, 1 => Just(0), 1 => Just(u32::MAX)]
}

/// Distance from the right era, usually 0.
fn shift() -> impl Strategy<Value = i8> {
	prop_oneof![6 => Just(0i8), 1 => -2..3i8]
}

fn who() -> impl Strategy<Value = AccountId> {
	prop_oneof![
		6 => household().prop_map(owner),
		6 => household().prop_map(meter),
		3 => Just(OPERATOR),
		1 => Just(UTILITY),
		1 => Just(STRANGER),
		1 => 2_000..2_004u128,
	]
}

fn change() -> impl Strategy<Value = Option<Change<AccountId>>> {
	prop_oneof![
		4 => (2_000..2_006u128).prop_map(|meter| Some(Change::Meter(meter))),
		2 => energy().prop_map(|limit| Some(Change::ConnectionLimit(limit))),
		1 => Just(None),
	]
}

fn act() -> impl Strategy<Value = Act> {
	let strategies = prop::collection::vec((0..5u8, energy()), 0..8);
	let items = prop::collection::vec((household(), shift(), energy()), 0..5);
	prop_oneof![
		2 => (who(), 2_000..2_006u128, energy()).prop_map(|(owner, meter, limit)| Act::Offer(owner, meter, limit)),
		3 => (household(), 0..2_000u128).prop_map(|(h, debit)| Act::Accept(h, debit)),
		4 => household().prop_map(Act::Confirm),
		1 => household().prop_map(Act::WithdrawOffer),
		1 => (household(), 0..2_000u128).prop_map(|(h, debit)| Act::SetMaxDebit(h, debit)),
		1 => (0..400u128, shift(), 0..1_000u128, prop::option::of((1_000..2_500i16, 1_800..3_000i16)))
			.prop_map(|(price, era, incentive, bounds)| Act::SetTerms(price, era, incentive, bounds)),
		1 => (household(), any::<bool>()).prop_map(|(h, some)| Act::SetComfort(h, some)),
		2 => (household(), 0..110u8).prop_map(|(h, share)| Act::SetPreference(h, share)),
		12 => (household(), shift(), energy(), strategies)
			.prop_map(|(h, era, generation, set)| Act::Submit(h, era, generation, set)),
		1 => household().prop_map(Act::Withdraw),
		12 => (household(), shift(), energy(), energy(), prop::bool::weighted(0.2)).prop_map(
			|(h, era, generation, consumption, corrected)| Act::Report(h, era, generation, consumption, corrected)
		),
		1 => items.prop_map(Act::ReportMany),
		1 => household().prop_map(Act::Repay),
		1 => any::<bool>().prop_map(Act::Pause),
		1 => (household(), any::<bool>()).prop_map(|(h, suspended)| Act::Suspend(h, suspended)),
		2 => (household(), change()).prop_map(|(h, change)| Act::Propose(h, change)),
		3 => household().prop_map(Act::AcceptChange),
		1 => (household(), who()).prop_map(|(h, who)| Act::OfferHousehold(h, who)),
		1 => household().prop_map(Act::AcceptHousehold),
		1 => household().prop_map(Act::WriteOff),
		1 => who().prop_map(Act::SetConcentrator),
		1 => (household(), any::<bool>()).prop_map(|(h, own)| if own { Act::Leave(h) } else { Act::Remove(h) }),
	]
}

fn step() -> impl Strategy<Value = Step> {
	prop_oneof![
		12 => (prop::option::weighted(0.15, who()), act()).prop_map(|(who, act)| Step::Call(who, act)),
		4 => prop_oneof![8 => Just(BLOCK_MS), 4 => Just(ERA_MS), 1 => 0..5 * ERA_MS].prop_map(Step::Block),
		1 => (household(), prop_oneof![Just(0), 0..2_000u128]).prop_map(|(h, money)| Step::Money(h, money)),
		1 => prop_oneof![Just(0), 0..20_000u128].prop_map(Step::Utility),
		1 => (0..2_000u128).prop_map(Step::Fund),
	]
}

fn near(era: Option<EraIndex>, shift: i8) -> EraIndex {
	era.unwrap_or(0).saturating_add_signed(shift.into())
}

/// The account that may make this call.
fn rightful(act: &Act) -> AccountId {
	match act {
		Act::Offer(..)
		| Act::SetTerms(..)
		| Act::Pause(..)
		| Act::Suspend(..)
		| Act::Propose(..)
		| Act::WithdrawOffer(..)
		| Act::Remove(..)
		| Act::SetConcentrator(..) => OPERATOR,
		Act::WriteOff(..) => UTILITY,
		Act::Accept(household, _) => Offers::<Test>::get(household).map_or(STRANGER, |offer| offer.owner),
		Act::AcceptHousehold(household) => Handovers::<Test>::get(household).unwrap_or(STRANGER),
		Act::Confirm(household) => match Proposals::<Test>::get(household).map(|proposal| proposal.change) {
			Some(Change::Meter(meter)) => meter,
			_ => Offers::<Test>::get(household).map_or(STRANGER, |offer| offer.meter),
		},
		Act::SetComfort(household, _)
		| Act::SetMaxDebit(household, _)
		| Act::AcceptChange(household)
		| Act::OfferHousehold(household, _)
		| Act::SetPreference(household, _)
		| Act::Submit(household, ..)
		| Act::Withdraw(household)
		| Act::Leave(household)
		| Act::Repay(household) => {
			let known = Households::<Test>::get(household);
			known.map_or(owner(*household), |known| *EnergyMarket::owner_now(&known))
		}
		Act::Report(household, ..) => {
			let known = Households::<Test>::get(household);
			known.map_or(meter(*household), |known| {
				known.next_meter.map_or(known.meter, |next| next.meter)
			})
		}
		Act::ReportMany(..) => {
			let clock = || Clock::<Test>::get().map_or(0, |clock| clock.current);
			let community = Communities::<Test>::get(VILLAGE);
			community
				.and_then(|community| *community.concentrator.in_era(clock()))
				.unwrap_or(STRANGER)
		}
	}
}

fn call(who: AccountId, act: Act) -> DispatchResult {
	let origin = RuntimeOrigin::signed(who);
	let clock = Clock::<Test>::get();
	let next = clock.map(|clock| clock.current + 1);
	let reported = clock.and_then(|clock| clock.previous);
	// Other tests cover refused comfort models and terms; here they only vary the inputs of the game.
	match act {
		Act::Offer(owner, meter, limit) => {
			EnergyMarket::offer_membership(origin, VILLAGE, owner, meter, limit)
		}
		Act::Accept(household, debit) => {
			EnergyMarket::accept_membership(origin, household, debit, Some(comfort()))
		}
		Act::Confirm(household) => EnergyMarket::confirm_meter(origin, household),
		Act::WithdrawOffer(household) => EnergyMarket::withdraw_offer(origin, household),
		Act::SetMaxDebit(household, debit) => EnergyMarket::set_max_debit(origin, household, debit),
		Act::SetTerms(retail_per_kwh, shift, incentive_per_era, bounds) => {
			let mut terms = Terms {
				incentive_per_era,
				comfort_bounds: bounds.map(|(min_centi_c, max_centi_c)| ComfortBounds {
					min_centi_c,
					max_centi_c,
				}),
				..terms()
			};
			terms.tariffs.retail_per_kwh = retail_per_kwh;
			EnergyMarket::set_terms(origin, VILLAGE, terms, near(next, shift))
		}
		Act::SetComfort(household, some) => EnergyMarket::set_comfort(origin, household, some.then(comfort)),
		Act::SetPreference(household, flexible_down_percent) => {
			let preference = commonwatt_market::game::Preference {
				flexible_down_percent,
				..preference()
			};
			EnergyMarket::set_preference(origin, household, Some(preference))
		}
		Act::Submit(household, shift, generation_wh, set) => {
			let set = set
				.into_iter()
				.map(|(kind, consumption_wh)| strategy(KINDS[usize::from(kind)], consumption_wh))
				.filter(|s: &commonwatt_market::game::Strategy| {
					s.check(generation_wh, 10).is_ok() || generation_wh % 7 == 0
				})
				.collect();
			EnergyMarket::submit_strategies(origin, household, near(next, shift), generation_wh, set)
		}
		Act::Withdraw(household) => EnergyMarket::withdraw_strategies(origin, household),
		Act::Report(_, shift, generation_wh, consumption_wh, corrected) => {
			let mut reading = reading(generation_wh, consumption_wh);
			if corrected {
				reading.quality = Quality::Corrected;
			}
			EnergyMarket::submit_reading(origin, near(reported, shift), reading)
		}
		Act::ReportMany(items) => {
			let items: Vec<_> = items
				.into_iter()
				.map(|(household, shift, consumption_wh)| ReadingItem {
					household,
					era: near(reported, shift),
					reading: reading(0, consumption_wh),
				})
				.collect();
			EnergyMarket::submit_readings(origin, items.try_into().unwrap())
		}
		Act::Repay(household) => EnergyMarket::repay_arrears(origin, household),
		Act::Pause(paused) => EnergyMarket::set_paused(origin, VILLAGE, paused),
		Act::Suspend(household, suspended) => EnergyMarket::set_suspended(origin, household, suspended),
		Act::Propose(household, change) => EnergyMarket::propose_change(origin, household, change),
		Act::AcceptChange(household) => {
			let proposed = Proposals::<Test>::get(household).map(|proposal| proposal.change);
			let change = proposed.unwrap_or(Change::ConnectionLimit(1));
			EnergyMarket::accept_change(origin, household, change)
		}
		Act::OfferHousehold(household, to) => EnergyMarket::offer_household(origin, household, Some(to)),
		Act::AcceptHousehold(household) => EnergyMarket::accept_household(origin, household, 1_000),
		Act::WriteOff(household) => EnergyMarket::write_off_arrears(origin, household),
		Act::SetConcentrator(who) => EnergyMarket::set_concentrator(origin, VILLAGE, Some(who)),
		Act::Leave(household) => EnergyMarket::leave(origin, household),
		Act::Remove(household) => EnergyMarket::remove_household(origin, household),
	}
}

fn root() -> Vec<u8> {
	sp_io::storage::root(StateVersion::V1)
}

fn pay(from: AccountId, to: AccountId, amount: Balance) {
	// May fail: the amount may be too small to open an account, or more than the payer has.
	let _ = Balances::transfer(&from, &to, amount, Preservation::Preserve);
}

/// Sets an account's free funds to about `amount` by transfers to and from a stranger, so that the total issuance does
/// not change.
fn replace_money(who: AccountId, amount: Balance) {
	let all = Balances::free_balance(who);
	pay(who, STRANGER, all.saturating_sub(EXISTENTIAL_DEPOSIT));
	pay(STRANGER, who, amount);
}

/// Plays the steps; returns the number of accepted calls and the number of eras that began.
fn play(steps: Vec<Step>) -> (usize, EraIndex) {
	let (mut accepted, mut calls) = (0, 0);
	enter_era(FIRST_ERA - 1);
	enter_era(FIRST_ERA);
	for step in steps {
		match step {
			Step::Call(who, act) => {
				// Hashing the whole state takes far longer than a call, so do it at every fourth call only.
				let before = (calls % 4 == 0).then(root);
				calls += 1;
				// Like the chain, roll back the storage if the call fails.
				let who = who.unwrap_or_else(|| rightful(&act));
				let result = frame_support::storage::with_storage_layer(|| call(who, act));
				match result {
					Ok(()) => accepted += 1,
					Err(_) => {
						if let Some(before) = before {
							assert_eq!(root(), before, "a failed call changed the state");
						}
					}
				}
			}
			Step::Block(ms) => {
				block_at(Timestamp::get() + ms);
				EnergyMarket::do_try_state().unwrap();
			}
			Step::Money(household, amount) => replace_money(owner(household), amount),
			Step::Utility(amount) => replace_money(UTILITY, amount),
			Step::Fund(amount) => pay(STRANGER, EnergyMarket::pot_account(VILLAGE), amount),
		}
	}
	(accepted, Clock::<Test>::get().unwrap().current - FIRST_ERA)
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

	#[test]
	fn invariants_hold_after_random_calls(steps in prop::collection::vec(step(), 300)) {
		ExtBuilder::default().build_and_execute(|| {
			let (accepted, eras) = play(steps);
			// A run in which almost nothing happens would prove nothing.
			assert!(accepted > 20, "only {accepted} calls were accepted");
			assert!(eras > 10, "only {eras} eras began");
		});
	}
}

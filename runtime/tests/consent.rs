//! Attacks on people who agreed to nothing, or to less, and what each consent is good for: who has what afterwards. On
//! the real runtime.

use commonwatt_runtime::extensions::READING_PRIORITY;
use commonwatt_testkit::*;
use frame_support::traits::fungible::{Inspect, InspectHold};
use pallet_energy_market::{Change, HoldReason, Households, MeterOf, Offers, OpenOffers};
use sp_runtime::{transaction_validity::InvalidTransaction, DispatchError};

const VILLAGE: CommunityId = CommunityId(0);
/// Eras for which an offer holds after the one of its making.
const LIFETIME: u64 = 336;

/// The highest connection limit that governance allows here.
const HIGHEST_WH: u32 = paper::BOUNDS.highest_connection_limit_wh;

fn offer(owner: AccountId, meter: AccountId) -> Signed {
	offer_with_limit(owner, meter, HIGHEST_WH)
}

fn offer_with_limit(owner: AccountId, meter: AccountId, connection_limit_wh: u32) -> Signed {
	let call = MarketCall::offer_membership {
		community: VILLAGE,
		owner,
		meter,
		connection_limit_wh,
	};
	by(Eve, call)
}

fn accept(who: AccountId, household: u32, max_debit_per_era: Balance) -> Signed {
	let call = MarketCall::accept_membership {
		household: HouseholdId(household),
		max_debit_per_era,
		comfort: None,
	};
	by(who, call)
}

fn confirm(meter: AccountId, household: u32) -> Signed {
	let household = HouseholdId(household);
	by(meter, MarketCall::confirm_meter { household })
}

fn everything(era: EraIndex) -> MarketCall<Runtime> {
	let reading = measured(0, HIGHEST_WH);
	MarketCall::submit_reading { era, reading }
}

fn all_of(who: &AccountId) -> Balance {
	Balances::total_balance(who)
}

fn deposits(who: &AccountId) -> Balance {
	Balances::balance_on_hold(&HoldReason::Offer.into(), who)
}

/// A chain with a community of one household, which has reported that it consumes nothing.
fn village(test: impl FnOnce(&mut Chain)) {
	Setup::empty().community(community(1)).run(|chain| {
		for _ in 0..2 {
			chain.next_era();
			chain.submit([reading(0, 0, 0)]);
		}
		test(chain);
	});
}

#[test]
fn nobody_is_robbed_by_an_operator_with_a_meter_of_its_own() {
	village(|chain| {
		let pot = EnergyMarket::pot_account(VILLAGE);
		let fund = pallet_balances::Call::transfer_allow_death {
			dest: pot.clone().into(),
			value: UNIT,
		};
		chain.submit([by(Eve, fund)]);
		let victims = [
			Bob.to_account_id(),
			// Sudo's account.
			Alice.to_account_id(),
			pot,
			EnergyMarket::pool_account(VILLAGE),
			Ferdie.to_account_id(),
		];
		let before: Vec<_> = victims.iter().map(all_of).collect();
		for (victim, number) in victims.iter().zip(1u32..) {
			let meter = account(&format!("//evil//{number}"));
			chain.submit([offer(victim.clone(), meter.clone())]);
			chain.submit([confirm(meter.clone(), number)]);
			assert_eq!(MeterOf::<Runtime>::get(&meter), Some(HouseholdId(number)));
		}
		for _ in 0..4 {
			let era = chain.next_era();
			chain.submit([reading(0, 0, 0)]);
			for number in 1..=victims.len() as u32 {
				let meter = account(&format!("//evil//{number}"));
				let report = signed(
					System::account_nonce(&meter),
					by(meter.clone(), everything(era - 1)),
				);
				// It is not valid, so it would cost a fee, which the meter does not have.
				let invalid = chain.validate(report);
				assert_eq!(invalid, Err(InvalidTransaction::Payment.into()));
				assert_eq!(
					dispatch(by(meter, everything(era - 1))),
					Err(MarketError::NotMemberInEra.into())
				);
			}
		}
		let after: Vec<_> = victims.iter().map(all_of).collect();
		// The one household consumes nothing, so the utility earns nothing.
		assert_eq!(after, before);
		assert_eq!(Households::<Runtime>::iter().count(), 1);
	});
}

#[test]
fn operator_with_a_meter_of_its_own_is_paid_for_no_more_than_a_connection_carries() {
	village(|chain| {
		let (own, meter) = (Eve.to_account_id(), account("//evil//meter"));
		assert_eq!(
			dispatch(offer_with_limit(own.clone(), meter.clone(), 1_000_000_000)),
			Err(MarketError::ConnectionLimitOutOfRange.into())
		);
		chain.submit([offer(own.clone(), meter.clone())]);
		chain.submit([accept(own.clone(), 1, 0), confirm(meter.clone(), 1)]);
		let era = chain.next_era();
		let report = |generation_wh| {
			let reading = measured(generation_wh, 0);
			let era = era - 1;
			by(meter.clone(), MarketCall::submit_reading { era, reading })
		};
		assert_eq!(
			dispatch(report(HIGHEST_WH + 1)),
			Err(MarketError::OverConnectionLimit.into())
		);
		chain.submit([report(HIGHEST_WH), reading(0, 0, 0)]);
		let before = all_of(&own);
		chain.next_era();
		// A meter that lies is paid at feed-in for what it claims, 100 kWh at most.
		assert_eq!(all_of(&own) - before, 100 * 80 * MILLI);
	});
}

fn limit_debits_of(home: u32, max_debit_per_era: Balance) -> Signed {
	let household = HouseholdId(home);
	by(
		owner(home),
		MarketCall::set_max_debit {
			household,
			max_debit_per_era,
		},
	)
}

#[test]
fn no_more_than_the_agreed_amount_is_debited_for_an_era_in_time_or_late() {
	village(|chain| {
		chain.submit([limit_debits_of(0, UNIT)]);
		let start = all_of(&owner(0));
		let paid = || start - all_of(&owner(0));
		// An era without a reading is billed 188 Wh: a quarter more than a hundredth of the connection limit. Then its
		// reading comes late: 15 kWh.
		let silent = chain.next_era() - 1;
		chain.next_era();
		assert_eq!((paid(), debt(0).arrears), (564 * MILLI / 10, 0));
		let late = MarketCall::submit_late_reading {
			era: silent,
			reading: measured(0, 15_000),
		};
		chain.submit([reading(0, 0, 0), by(meter(0), late)]);
		let corrected = statement(0, silent).amounts.cost();
		assert!(corrected >= 4_500 * MILLI, "{corrected}");
		assert_eq!((paid(), debt(0).arrears), (UNIT, corrected - UNIT));
		// Arrears are debited by the next settlements, within the same amount.
		chain.next_era();
		assert_eq!((paid(), debt(0).arrears), (2 * UNIT, corrected - 2 * UNIT));
		// 15 kWh in time, at retail.
		chain.submit([reading(0, 0, 15_000)]);
		chain.next_era();
		let owed = corrected + 4_500 * MILLI - 3 * UNIT;
		assert_eq!((paid(), debt(0).arrears), (3 * UNIT, owed));
	});
}

#[test]
fn household_that_agreed_to_less_than_its_worst_case_trades_with_the_main_grid_only() {
	Setup::empty().community(community(2)).run(|chain| {
		chain.next_era();
		let trade = || [sell(0, 2_000), buy(1, 2_000)];
		// A buyer's worst case is 2 kWh at retail, and two units for rounding.
		let worst = 600 * MILLI + 2;
		for (agreed, main_grid_only) in [(worst - 1, true), (worst, false)] {
			chain.submit([limit_debits_of(1, agreed)]);
			chain.submit(trade());
			let era = chain.next_era();
			chain.submit([reading(0, 0, 0), reading(1, 0, 0)]);
			let contract = contract(1, era);
			assert_eq!(
				(contract.main_grid_only, contract.held == 0),
				(main_grid_only, main_grid_only),
				"{agreed}"
			);
		}
		// Who lowers the amount after gate closure still pays the contract, from the funds on hold.
		chain.submit([limit_debits_of(1, 0)]);
		chain.next_era();
		let before = [0, 1].map(|home| all_of(&owner(home)));
		chain.submit([reading(0, 2_000, 0), reading(1, 0, 2_000)]);
		chain.next_era();
		let after = [0, 1].map(|home| all_of(&owner(home)));
		assert_eq!(after[0] - before[0], 380 * MILLI);
		assert_eq!(before[1] - after[1], 400 * MILLI);
	});
}

#[test]
fn household_that_joins_as_an_era_begins_is_not_billed_for_the_one_before() {
	village(|chain| {
		let (new, meter) = (Bob.to_account_id(), account("//device"));
		chain.submit([offer(new.clone(), meter.clone())]);
		chain.submit([accept(new.clone(), 1, UNIT)]);
		let before = all_of(&new);
		// In the first block of an era the chain has not noted yet that the one before is over.
		chain.next_era_with(|block| {
			if block == 0 {
				assert_ok!(dispatch(confirm(meter.clone(), 1)));
			}
		});
		let joined = Households::<Runtime>::get(HouseholdId(1)).map(|h| h.member_since);
		assert_eq!(joined, Some(now().current));
		chain.submit([reading(0, 0, 0)]);
		chain.next_era();
		assert_eq!(all_of(&new), before);
		assert!(EnergyMarket::view_statement(HouseholdId(1), now().current - 2).is_none());
	});
}

#[test]
fn each_owner_pays_for_the_eras_of_its_own() {
	village(|chain| {
		let (old, new) = (owner(0), Bob.to_account_id());
		let household = HouseholdId(0);
		let hand_over = MarketCall::offer_household {
			household,
			new_owner: Some(new.clone()),
		};
		let take_over = |who: AccountId| {
			let call = MarketCall::accept_household {
				household,
				max_debit_per_era: UNIT,
			};
			by(who, call)
		};
		assert_eq!(
			chain.try_submit(take_over(new.clone())),
			Err(MarketError::NothingProposed.into())
		);
		chain.submit([by(old.clone(), hand_over)]);
		assert_eq!(
			chain.try_submit(take_over(Eve.to_account_id())),
			Err(MarketError::NothingProposed.into())
		);
		chain.submit([take_over(new.clone())]);
		let before = [&old, &new].map(all_of);
		// The running era and the next one are the old owner's.
		chain.next_era();
		for _ in 0..3 {
			chain.submit([reading(0, 0, 1_000)]);
			chain.next_era();
		}
		let paid = |who: &AccountId, before: Balance| before - all_of(who);
		assert_eq!(paid(&old, before[0]), 600 * MILLI);
		assert_eq!(paid(&new, before[1]), 300 * MILLI);
	});
}

#[test]
fn neither_owner_nor_operator_changes_a_connection_limit_alone() {
	village(|chain| {
		let household = HouseholdId(0);
		let change = Change::ConnectionLimit(20_000);
		let propose = |who: AccountId| {
			let change = Some(change.clone());
			by(who, MarketCall::propose_change { household, change })
		};
		let agree = |who: AccountId| {
			let change = change.clone();
			by(who, MarketCall::accept_change { household, change })
		};
		assert_eq!(
			chain.try_submit(propose(owner(0))),
			Err(MarketError::NotOperator.into())
		);
		chain.submit([propose(Eve.to_account_id())]);
		assert_eq!(
			chain.try_submit(agree(Eve.to_account_id())),
			Err(MarketError::NotOwner.into())
		);
		chain.next_era();
		assert_eq!(
			dispatch(reading(0, 0, 20_000)),
			Err(MarketError::OverConnectionLimit.into())
		);
		chain.submit([reading(0, 0, 0), agree(owner(0))]);
		chain.next_era();
		assert_eq!(
			dispatch(reading(0, 0, 20_000)),
			Err(MarketError::OverConnectionLimit.into())
		);
		chain.next_era();
		chain.submit([reading(0, 0, 20_000)]);
	});
}

#[test]
fn meter_that_was_named_by_a_stranger_first_joins_its_own_household() {
	village(|chain| {
		let (meter, home) = (account("//device"), Bob.to_account_id());
		chain.submit([
			offer(Charlie.to_account_id(), meter.clone()),
			offer(home.clone(), meter.clone()),
		]);
		chain.submit([
			accept(Charlie.to_account_id(), 1, UNIT),
			accept(home.clone(), 2, UNIT),
		]);
		assert_eq!(all_of(&meter), 0);
		chain.submit([confirm(meter.clone(), 2)]);
		assert_eq!(
			Households::<Runtime>::get(HouseholdId(2)).map(|h| h.owner),
			Some(home)
		);
		assert!(Households::<Runtime>::get(HouseholdId(1)).is_none());
		// It confirms once without a fee, and cannot pay one.
		let nonce = System::account_nonce(&meter);
		assert_eq!(
			chain.validate(signed(nonce, confirm(meter.clone(), 1))),
			Err(InvalidTransaction::Payment.into())
		);
		assert_eq!(
			dispatch(confirm(meter.clone(), 1)),
			Err(MarketError::MeterAlreadyRegistered.into())
		);
		let era = chain.next_era();
		let report = MarketCall::submit_reading {
			era: era - 1,
			reading: measured(0, 0),
		};
		chain.submit([by(meter, report)]);
	});
}

#[test]
fn confirmations_have_the_priority_of_readings_and_a_meter_has_one_in_the_pool() {
	village(|chain| {
		let meter = account("//device");
		chain.submit([
			offer(Bob.to_account_id(), meter.clone()),
			offer(Charlie.to_account_id(), meter.clone()),
		]);
		let tag = |household, nonce| {
			let valid = chain
				.validate(signed(nonce, confirm(meter.clone(), household)))
				.unwrap();
			assert_eq!(valid.priority, READING_PRIORITY);
			valid.provides.last().cloned()
		};
		assert_eq!(tag(1, 0), tag(2, 0));
	});
}

#[test]
fn household_that_has_left_is_never_debited_again() {
	village(|chain| {
		let owner = owner(0);
		let give = |value| {
			by(
				Alice,
				pallet_balances::Call::transfer_allow_death {
					dest: owner.clone().into(),
					value,
				},
			)
		};
		let spend_all = pallet_balances::Call::transfer_keep_alive {
			dest: Alice.to_account_id().into(),
			value: Balances::balance(&owner) - 10 * MILLI,
		};
		chain.submit([by(owner.clone(), spend_all)]);
		let leave = MarketCall::leave {
			household: HouseholdId(0),
		};
		chain.submit([by(owner.clone(), leave)]);
		chain.next_era();
		chain.submit([reading(0, 0, 15_000)]);
		chain.next_era();
		let owed = debt(0).arrears;
		assert!(owed > UNIT, "{owed}");
		chain.submit([give(100 * UNIT)]);
		let before = all_of(&owner);
		for _ in 0..4 {
			chain.next_era();
		}
		assert_eq!((all_of(&owner), debt(0).arrears), (before, owed));
		let write_off = MarketCall::write_off_arrears {
			household: HouseholdId(0),
		};
		assert_eq!(
			chain.try_submit(by(Eve, write_off.clone())),
			Err(MarketError::NotUtility.into())
		);
		chain.submit([by(Ferdie, write_off)]);
		chain.next_era();
		assert_eq!(all_of(&owner), before);
		assert!(Households::<Runtime>::get(HouseholdId(0)).is_none());
	});
}

#[test]
fn neither_owner_nor_operator_swaps_a_meter_alone() {
	village(|chain| {
		let another = account("//another");
		let household = HouseholdId(0);
		let change = Change::Meter(another.clone());
		let propose = |who: AccountId| {
			by(
				who,
				MarketCall::propose_change {
					household,
					change: Some(change.clone()),
				},
			)
		};
		let agree = |who: AccountId| {
			by(
				who,
				MarketCall::accept_change {
					household,
					change: change.clone(),
				},
			)
		};
		let refused = |error: MarketError| Err::<(), DispatchError>(error.into());
		assert_eq!(
			chain.try_submit(propose(owner(0))),
			refused(MarketError::NotOperator)
		);
		assert_eq!(
			chain.try_submit(agree(owner(0))),
			refused(MarketError::NothingProposed)
		);
		// The operator has a meter of its own: without the owner it reports nothing.
		chain.submit([propose(Eve.to_account_id())]);
		chain.submit([confirm(another.clone(), 0)]);
		assert_eq!(
			chain.try_submit(agree(Eve.to_account_id())),
			refused(MarketError::NotOwner)
		);
		let before = all_of(&owner(0));
		for _ in 0..3 {
			let era = chain.next_era();
			assert!(dispatch(by(another.clone(), everything(era - 1))).is_err());
			chain.submit([reading(0, 0, 0)]);
		}
		assert_eq!(all_of(&owner(0)), before);
		// With everybody's consent it measures from the next era on.
		chain.submit([agree(owner(0))]);
		let era = chain.next_era();
		assert_eq!(
			Households::<Runtime>::get(household).map(|h| h.meter_in(era).clone()),
			Some(another)
		);
	});
}

#[test]
fn expired_offer_binds_nobody_and_anybody_returns_its_deposit() {
	village(|chain| {
		let (meter, eve) = (account("//device"), Eve.to_account_id());
		chain.submit([offer(Bob.to_account_id(), meter.clone())]);
		chain.submit([accept(Bob.to_account_id(), 1, UNIT)]);
		assert_eq!(deposits(&eve), UNIT);
		chain.stand_still((LIFETIME + 1) * HALF_HOUR_MS);
		chain.next_era();
		let nonce = System::account_nonce(&meter);
		assert_eq!(
			chain.validate(signed(nonce, confirm(meter.clone(), 1))),
			Err(InvalidTransaction::Payment.into())
		);
		assert_eq!(
			chain.try_submit(accept(Bob.to_account_id(), 1, UNIT)),
			Err(MarketError::OfferExpired.into())
		);
		let household = HouseholdId(1);
		chain.submit([by(Charlie, MarketCall::withdraw_offer { household })]);
		assert_eq!((deposits(&eve), System::sufficients(&meter)), (0, 0));
		assert!(!Offers::<Runtime>::contains_key(household));
	});
}

#[test]
fn offers_are_bounded_and_each_has_a_deposit() {
	village(|_| {
		let eve = Eve.to_account_id();
		for number in 1..1_000u32 {
			assert_ok!(dispatch(offer(Bob.to_account_id(), meter(number))));
		}
		assert_eq!(
			dispatch(offer(Bob.to_account_id(), meter(1_000))),
			Err(MarketError::CommunityFull.into())
		);
		assert_eq!(
			(deposits(&eve), OpenOffers::<Runtime>::get(VILLAGE)),
			(999 * UNIT, 999)
		);
		assert_ok!(EnergyMarket::do_try_state());
		for household in (1..1_000).map(HouseholdId) {
			assert_ok!(dispatch(by(Bob, MarketCall::withdraw_offer { household })));
		}
		assert_eq!((deposits(&eve), OpenOffers::<Runtime>::get(VILLAGE)), (0, 0));
		assert_eq!(System::sufficients(&meter(1)), 0);
	});
}

//! What an operator tries at its households' cost.

use super::*;
use pallet_energy_market::ReadingItem;

fn with_fee(grid_fee_per_kwh: Balance) -> Terms {
	let mut terms = paper::TERMS;
	terms.tariffs.grid_fee_per_kwh = grid_fee_per_kwh;
	terms
}

#[test]
fn operator_cannot_change_the_terms_of_an_era_that_is_at_hand() {
	village(3, paper::TERMS, |village| {
		let before = [0, 1].map(wealth);
		village.turn([sell(0, 2_000), buy(1, 2_000)], &[IDLE; 3]);
		village.act([0, 1, 2].map(|home| reading(home, 0, 0)));
		// In the closing block of an era, and in the first block of the next one.
		let mut era = now().current;
		village.chain.next_era_with(|_| {
			era = now().current;
			for terms in [with_fee(98 * UNIT), with_fee(50 * MILLI)] {
				assert!(dispatch(announce(terms, era)).is_err());
				assert!(dispatch(announce(terms, era + 1)).is_err());
			}
		});
		// A fee of 98 tokens never: with the price it is more than retail. Nor one of 98 milli: governance allows 50.
		let soon = now().current + NOTICE;
		assert_eq!(
			village.chain.try_submit(announce(with_fee(98 * UNIT), soon)),
			refused(MarketError::GridFeeTooHigh)
		);
		assert_eq!(
			village.chain.try_submit(announce(with_fee(98 * MILLI), soon)),
			refused(MarketError::OutsideBounds)
		);
		assert_eq!(
			village.chain.try_submit(announce(with_fee(50 * MILLI), soon - 1)),
			refused(MarketError::NoticeTooShort)
		);
		assert_ok!(village.chain.try_submit(announce(with_fee(50 * MILLI), soon)));
		village.turn([], &[(2_000, 0), (0, 2_000), IDLE]);
		// 2 kWh at 190, and a fee of 20.
		assert_eq!(wealth(0) - before[0], 380);
		assert_eq!(wealth(1) - before[1], -400);
		// Who does not like them has left before they hold.
		let household = HouseholdId(2);
		let leave = MarketCall::leave { household };
		village.turn([by(owner(2), leave)], &[IDLE; 3]);
		village.idle();
		village.homes = 2;
		village.idle();
		assert!(Households::<Runtime>::get(household).is_none());
		assert!(now().current < soon);
		// Who stays pays them from the announced era on.
		while now().current < soon {
			village.idle();
		}
		let operator = Balances::total_balance(&Eve.to_account_id());
		let trade = [sell(0, 2_000), buy(1, 2_000)];
		assert_eq!(village.play(trade, &[(2_000, 0), (0, 2_000)]), [380, -480]);
		let fee = Balances::total_balance(&Eve.to_account_id()) - operator;
		assert_eq!(fee, 100 * MILLI);
	});
}

#[test]
fn concentrator_of_the_operator_changes_no_reading_of_a_meter() {
	village(3, paper::TERMS, |village| {
		let evil = account("//evil");
		let appoint = |who| {
			by_operator(MarketCall::set_concentrator {
				community: VILLAGE,
				concentrator: who,
			})
		};
		let batch = |era, quality| {
			let reading = Reading {
				quality,
				..measured(0, 15_000)
			};
			let items = [0, 1, 2].map(|household| ReadingItem {
				household: HouseholdId(household),
				era,
				reading,
			});
			let items = items.to_vec().try_into().expect("a batch has room for three");
			by(evil.clone(), MarketCall::submit_readings { items })
		};
		let before = [0, 1, 2].map(wealth);
		// Named, used and removed in one block: it may not speak yet.
		village.chain.block_with(|| {
			let era = now().readings_of.expect("an era has ended");
			assert_ok!(dispatch(reading(0, 0, 500)));
			assert_ok!(dispatch(appoint(Some(evil.clone()))));
			for quality in [Quality::Corrected, Quality::Measured] {
				assert_eq!(
					dispatch(batch(era, quality)),
					refused(MarketError::NotConcentrator)
				);
			}
			assert_ok!(dispatch(reading(1, 0, 500)));
			assert_ok!(dispatch(reading(2, 0, 500)));
			assert_ok!(dispatch(appoint(None)));
		});
		village.chain.next_era();
		assert_eq!([0, 1, 2].map(wealth), before.map(|before| before - 150));
		// In the era after next it speaks for a meter that is silent. What a meter says stands, whoever comes first.
		village.turn([appoint(Some(evil.clone()))], &[IDLE; 3]);
		village.idle();
		let mut silent_in = 0;
		village.chain.block_with(|| {
			silent_in = now().readings_of.expect("an era has ended");
			assert_ok!(dispatch(reading(0, 0, 500)));
			assert_ok!(dispatch(batch(silent_in, Quality::Measured)));
			assert_ok!(dispatch(batch(silent_in, Quality::Corrected)));
			assert_ok!(dispatch(reading(1, 0, 500)));
			assert_ok!(dispatch(appoint(None)));
		});
		village.chain.next_era();
		assert_eq!([0, 1].map(wealth), [before[0] - 300, before[1] - 300]);
		// 15 kWh at retail, until the meter itself reports: then what it says, at most at the imbalance price.
		assert_eq!(wealth(2) - before[2], -150 - 4_500);
		village.act([late(2, silent_in, 500)]);
		let paid = before[2] - wealth(2) - 150;
		assert!((150..=180).contains(&paid), "{paid}");
		// Once it is removed, it speaks for nobody.
		village.turn([], &[IDLE; 3]);
		let corrected = wealth(2);
		village.chain.block_with(|| {
			let era = now().readings_of.expect("an era has ended");
			assert_eq!(
				dispatch(batch(era, Quality::Measured)),
				refused(MarketError::NotConcentrator)
			);
			assert_ok!(dispatch(reading(2, 0, 0)));
		});
		village.chain.next_era();
		assert_eq!(wealth(2), corrected);
	});
}

#[test]
fn suspension_and_pause_after_the_game_change_nothing_in_it() {
	village(2, paper::TERMS, |village| {
		let before = [0, 1].map(wealth);
		let era = village.turn([sell(0, 2_000), buy(1, 2_000)], &[IDLE; 2]);
		// The operator has seen the game, and strategies for the next one are in.
		village.act([sell(0, 2_000), buy(1, 2_000)]);
		let suspend = MarketCall::set_suspended {
			household: HouseholdId(0),
			suspended: true,
		};
		let pause = MarketCall::set_paused {
			community: VILLAGE,
			paused: true,
		};
		village.turn([by_operator(suspend), by_operator(pause)], &[IDLE; 2]);
		assert_eq!(record(0, era + 1).certificate.traded_wh, 2_000);
		// From the era after next on they hold.
		village.chain.block_with(|| {
			assert_eq!(dispatch(sell(0, 2_000)), refused(MarketError::HouseholdSuspended));
			assert_eq!(dispatch(buy(1, 2_000)), refused(MarketError::CommunityPaused));
		});
		village.turn([], &[(2_000, 0), (0, 2_000)]);
		village.turn([], &[(2_000, 0), (0, 2_000)]);
		assert_eq!([0, 1].map(wealth), [before[0] + 2 * 380, before[1] - 2 * 400]);
		assert!(EnergyMarket::view_contract(HouseholdId(0), era + 2).is_none());
	});
}

#[test]
fn announcement_of_an_operator_who_was_replaced_never_comes_into_force() {
	village(2, paper::TERMS, |village| {
		let from_era = now().current + NOTICE;
		village.chain.submit([announce(with_fee(50 * MILLI), from_era)]);
		let set_operator = MarketCall::<Runtime>::set_operator {
			community: VILLAGE,
			operator: Dave.to_account_id(),
		};
		let sudo = pallet_sudo::Call::sudo {
			call: Box::new(set_operator.into()),
		};
		village.chain.submit([by(Alice, sudo)]);
		while now().current <= from_era {
			village.idle();
		}
		let community = Communities::<Runtime>::get(VILLAGE).expect("genesis made it");
		assert_eq!(community.terms_in(from_era), paper::TERMS);
	});
}

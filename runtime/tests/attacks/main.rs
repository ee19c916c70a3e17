//! Attempts to gain at others' cost, by households, meters and operators, and who has what afterwards. On the real
//! runtime. Those on people who never agreed to anything are in `consent.rs`.
//!
//! On the paper's terms a kWh costs 300 milli at retail, earns 80 at feed-in, and trades inside the community at 190 with
//! a grid fee of 10. Imbalance costs 360 and earns 40. Most calls are dispatched without a signature, so that the fees of
//! transactions do not blur the sums.

mod operator;

use commonwatt_testkit::*;
use frame_support::traits::{
	fungible::{Inspect, Mutate},
	tokens::Preservation,
};
use pallet_energy_market::{Communities, Households, PriceRule};

const VILLAGE: CommunityId = CommunityId(0);

/// Eras from an announcement of terms to the first that they may hold for: a day, the default of chains with half-hour
/// eras.
const NOTICE: EraIndex = 48;

/// Generation and consumption in Wh.
type Metered = (u32, u32);

const IDLE: Metered = (0, 0);

/// A village with these terms, in its second era.
fn village(homes: u32, terms: Terms, test: impl FnOnce(&mut Village)) {
	let mut genesis = community(homes);
	genesis.terms = terms;
	for home in &mut genesis.households {
		home.comfort = None;
	}
	let mut setup = Setup::empty().community(genesis);
	setup.genesis.energy_market.terms_notice = NOTICE;
	setup.run(|chain| {
		chain.next_era();
		test(&mut Village { chain, homes });
	});
}

struct Village<'a> {
	chain: &'a mut Chain,
	homes: u32,
}

impl Village<'_> {
	/// Makes the calls, has each home's meter report the era that has ended, or none of them, and enters the next era.
	fn turn(&mut self, calls: impl IntoIterator<Item = Signed>, metered: &[Metered]) -> EraIndex {
		let readings = (0..).zip(metered).map(|(home, (g, c))| reading(home, *g, *c));
		self.act(readings.chain(calls).collect::<Vec<_>>());
		self.chain.next_era()
	}

	/// Makes the calls in one block.
	fn act(&mut self, calls: impl IntoIterator<Item = Signed>) {
		self.chain.block_with(|| {
			for call in calls {
				assert_eq!(dispatch(call.clone()), Ok(()), "{call:?}");
			}
		});
	}

	/// An era in which nobody consumes or does anything.
	fn idle(&mut self) -> EraIndex {
		self.turn([], &vec![IDLE; self.homes as usize])
	}

	/// Plays an era with these strategies and these readings, and returns what each home gained by it, in milli.
	fn play(&mut self, calls: impl IntoIterator<Item = Signed>, metered: &[Metered]) -> Vec<i128> {
		let before: Vec<_> = (0..self.homes).map(wealth).collect();
		self.turn(calls, &vec![IDLE; self.homes as usize]);
		self.idle();
		self.turn([], metered);
		let after = (0..self.homes).map(wealth);
		after.zip(before).map(|(after, before)| after - before).collect()
	}
}

/// What a home's owner has and is owed, less what it owes, in milli.
fn wealth(home: u32) -> i128 {
	let debt = debt(home);
	let all = Balances::total_balance(&owner(home)) + debt.credit;
	(all as i128 - debt.arrears as i128) / MILLI as i128
}

fn by_operator(call: MarketCall<Runtime>) -> Signed {
	by(Eve, call)
}

fn announce(terms: Terms, from_era: EraIndex) -> Signed {
	by_operator(MarketCall::set_terms {
		community: VILLAGE,
		terms,
		from_era,
	})
}

fn refused<T>(error: MarketError) -> Result<T, sp_runtime::DispatchError> {
	Err(error.into())
}

// Unplugging

#[test]
fn unplugged_meters_pay_more_than_honest_ones() {
	const DAYS: u32 = 10;
	village(3, paper::TERMS, |village| {
		let before = [0, 1, 2].map(wealth);
		for turn in 0..DAYS * 48 {
			// All three consume 400 Wh. Home 1 claims to be neutral and never reports. Home 2 reports 50 Wh once.
			let claim = strategies(1, 2_000, vec![strategy(Kind::Neutral, 2_000)]);
			village.chain.block_with(|| {
				assert_ok!(dispatch(reading(0, 0, 400)));
				assert_ok!(dispatch(claim));
				if turn == 0 {
					assert_ok!(dispatch(reading(2, 0, 50)));
				}
			});
			village.chain.next_era();
		}
		let gained = [0, 1, 2].map(|home| wealth(home as u32) - before[home]);
		println!("in {DAYS} days, milli: {gained:?}");
		// 400 Wh at retail in each of 480 eras.
		assert_eq!(gained[0], -i128::from(DAYS * 48) * 120);
		assert!(gained[1] < 2 * gained[0], "{gained:?}");
		assert!(gained[2] < 2 * gained[0], "{gained:?}");
	});
}

// Phantom offers and overstated requests

#[test]
fn phantom_offer_costs_its_maker_and_nobody_who_bought() {
	let honest = [(3_000, 0), (0, 1_500), (0, 1_500), IDLE];
	village(4, paper::TERMS, |village| {
		let fair = village.play([sell(0, 3_000), buy(1, 1_500), buy(2, 1_500)], &honest);
		assert_eq!(fair, [570, -300, -300, 0]);
		let offers = [sell(0, 3_000), buy(1, 1_500), buy(2, 1_500), sell(3, 15_000)];
		let phantom = village.play(offers, &honest);
		// The buyers pay what they paid. The seller sells 500 Wh inside and 2,500 Wh at feed-in, as beside any competitor.
		assert_eq!(phantom[..3], [95 + 200, -300, -300]);
		// The liar earned 475 for 2.5 kWh inside and 1,000 for 12.5 kWh at feed-in, and was 15 kWh short.
		assert_eq!(phantom[3], 475 + 1_000 - 5_400);
	});
}

#[test]
fn overstated_request_costs_its_maker() {
	let honest = [(2_000, 0), (0, 2_000), (0, 2_000)];
	village(3, paper::TERMS, |village| {
		let fair = village.play([sell(0, 2_000), buy(1, 2_000), buy(2, 2_000)], &honest);
		assert_eq!(fair, [380, -500, -500]);
		let greedy = village.play([sell(0, 2_000), buy(1, 2_000), buy(2, 15_000)], &honest);
		// It takes 1,765 Wh of the pool, and buys 13,235 Wh at retail; 13 kWh of that come back at 40.
		assert_eq!(greedy[2], -(353 + 3_971 - 520), "{greedy:?}");
		// The neighbour gets less of the pool, and pays at most retail for its two kWh.
		assert!(greedy[1] >= -600, "{greedy:?}");
		assert_eq!(greedy[0], 380);
	});
}

#[test]
fn phantom_offer_that_lowers_the_supply_demand_price_costs_more_than_its_buyer_saves() {
	let terms = Terms {
		price_rule: PriceRule::SupplyDemandRatio,
		..paper::TERMS
	};
	let honest = [(3_000, 0), (0, 4_000), IDLE];
	village(3, terms, |village| {
		let fair = village.play([sell(0, 3_000), buy(1, 4_000)], &honest);
		// The buyer and whoever makes the phantom offer may be one person.
		let fooled = village.play([sell(0, 3_000), buy(1, 4_000), sell(2, 3_000)], &honest);
		println!("fair {fair:?}, with 3 kWh that nobody delivers {fooled:?}");
		assert!(fooled[1] > fair[1], "the price has not moved: {fooled:?}");
		assert!(fooled[1] + fooled[2] < fair[1] + fair[2], "{fooled:?}");
	});
}

// The pot

/// The paper's terms with an incentive, and a pot that can pay it.
fn with_pot(homes: u32, test: impl FnOnce(&mut Village)) {
	let terms = Terms {
		incentive_per_era: 100 * UNIT,
		..paper::TERMS
	};
	village(homes, terms, |village| {
		let pot = EnergyMarket::pot_account(VILLAGE);
		assert_ok!(Balances::transfer(
			&Ferdie.to_account_id(),
			&pot,
			1_000 * UNIT,
			Preservation::Preserve
		));
		test(village);
	});
}

#[test]
fn empty_flat_gets_nothing_from_the_pot() {
	with_pot(4, |village| {
		let importers = [1, 2, 3].map(|home| strategies(home, 0, vec![strategy(Kind::BuyFromMain, 500)]));
		let flat = strategies(0, 0, vec![strategy(Kind::Neutral, 0)]);
		let gained = village.play(
			importers.into_iter().chain([flat]),
			&[IDLE, (0, 500), (0, 500), (0, 500)],
		);
		assert_eq!(gained, [0, -150, -150, -150]);
	});
}

#[test]
fn energy_in_a_circle_between_two_connections_of_one_owner_earns_nothing() {
	with_pot(2, |village| {
		// 15 kWh leave through one meter and come back through the other.
		let gained = village.play([sell(0, 15_000), buy(1, 15_000)], &[(15_000, 0), (0, 15_000)]);
		println!("the circle gained {gained:?}");
		assert!(gained[0] + gained[1] <= 0, "{gained:?}");
	});
}

#[test]
fn pot_cannot_be_emptied_by_suspending_everybody_else() {
	with_pot(4, |village| {
		let suspend = [2, 3].map(|home| {
			by_operator(MarketCall::set_suspended {
				household: HouseholdId(home),
				suspended: true,
			})
		});
		village.turn(suspend, &[IDLE; 4]);
		village.idle();
		let before = village.play(
			[sell(0, 1_000), buy(1, 1_000)],
			&[(1_000, 0), (0, 1_000), IDLE, IDLE],
		);
		// Of a budget of 100,000 the two who are left get at most 5 for each kWh that they traded.
		assert!(before[0] <= 190 + 5 && before[1] <= -200 + 5, "{before:?}");
	});
}

// Outages and late readings

fn late(home: u32, era: EraIndex, consumption_wh: u32) -> Signed {
	let reading = measured(0, consumption_wh);
	by(meter(home), MarketCall::submit_late_reading { era, reading })
}

#[test]
fn three_hours_without_a_block_are_billed_when_their_readings_come() {
	village(1, paper::TERMS, |village| {
		village.idle();
		village.act([reading(0, 0, 0)]);
		let before = wealth(0);
		let last = now().current;
		village.chain.stand_still(3 * 60 * 60 * 1_000);
		let era = village.chain.next_era();
		village.chain.submit([reading(0, 0, 0)]);
		village.chain.next_era();
		let missed: Vec<_> = (last + 1..era).collect();
		println!("eras {missed:?} were missed");
		assert!(missed.len() >= 5);
		// Meters without money report them.
		village
			.chain
			.submit(missed.iter().map(|missed| late(0, *missed, 500)));
		assert_eq!(wealth(0), before - 150 * missed.len() as i128);
	});
}

#[test]
fn reading_that_is_31_minutes_late_is_settled_and_never_better_than_in_time() {
	village(2, paper::TERMS, |village| {
		let before = [0, 1].map(wealth);
		village.turn([buy(0, 500), buy(1, 500)], &[IDLE; 2]);
		let era = village.idle() - 1;
		// Home 1 reports in time, home 0 does not, and is taken to consume what its contract says.
		village.act([reading(1, 0, 800)]);
		village.chain.next_era();
		assert_eq!(statement(0, era).reading.quality, Quality::Estimated);
		assert_eq!(
			dispatch(late(1, era, 100)),
			refused(MarketError::ReadingAlreadySubmitted)
		);
		village.chain.submit([late(0, era, 800)]);
		let gained = [0, 1].map(|home| wealth(home as u32) - before[home]);
		// 500 Wh at retail and 300 Wh at the imbalance price, for both.
		assert_eq!(gained, [-(150 + 108); 2]);
		assert_eq!(
			dispatch(late(0, era, 100)),
			refused(MarketError::ReadingAlreadySubmitted)
		);
	});
}

// Smaller ones

#[test]
fn deviations_that_cancel_inside_the_community_pay_no_imbalance() {
	village(2, paper::TERMS, |village| {
		let gained = village.play([sell(0, 1_000), buy(1, 1_000)], &[(1_500, 0), (0, 1_500)]);
		// 500 Wh more on both sides: feed-in for one, retail for the other. The pot gets what lies between.
		assert_eq!(gained, [190 + 40, -200 - 150]);
		assert_eq!(
			Balances::balance(&EnergyMarket::pot_account(VILLAGE)) / MILLI,
			110
		);
	});
}

#[test]
fn strategies_and_withdrawals_in_the_first_block_of_their_era_are_refused() {
	village(2, paper::TERMS, |village| {
		village.chain.submit([sell(0, 2_000)]);
		let household = HouseholdId(0);
		village.chain.next_era_with(|block| {
			if block == 0 {
				assert_eq!(dispatch(buy(1, 2_000)), refused(MarketError::GateClosed));
				let withdraw = MarketCall::withdraw_strategies { household };
				assert_eq!(dispatch(by(owner(0), withdraw)), refused(MarketError::GateClosed));
			}
		});
		assert!(EnergyMarket::view_contract(HouseholdId(1), now().current).is_none());
	});
}

#[test]
fn preference_of_a_meter_that_died_makes_no_contracts() {
	village(1, paper::TERMS, |village| {
		let preference = Some(Preference {
			flexible_down_percent: 0,
			flexible_up_percent: 0,
			response_centi_c_per_kwh: 0,
			trade_with_community: true,
		});
		let prefer = MarketCall::set_preference {
			household: HouseholdId(0),
			preference,
		};
		let era = village.turn([by(owner(0), prefer)], &[(0, 500)]);
		assert!(EnergyMarket::view_contract(HouseholdId(0), era).is_some());
		let mut era = era;
		for _ in 0..6 {
			era = village.chain.next_era();
		}
		assert!(EnergyMarket::view_contract(HouseholdId(0), era).is_none());
	});
}

#[test]
fn household_kept_to_the_main_grid_by_lack_of_funds_pays_no_imbalance() {
	village(2, paper::TERMS, |village| {
		let poor = owner(1);
		let rest = 10 * MILLI;
		assert_ok!(Balances::transfer(
			&poor,
			&Alice.to_account_id(),
			Balances::balance(&poor) - rest,
			Preservation::Preserve
		));
		let gained = village.play([sell(0, 2_000), buy(1, 2_000)], &[(2_000, 0), (0, 1_000)]);
		// All that it consumed at retail, although it had asked for more.
		assert_eq!(gained, [160, -300]);
	});
}

#[test]
fn utility_that_runs_dry_pays_everybody_the_same_share() {
	village(2, paper::TERMS, |village| {
		let utility = Ferdie.to_account_id();
		assert_ok!(Balances::transfer(
			&utility,
			&Alice.to_account_id(),
			Balances::balance(&utility) - 101 * MILLI,
			Preservation::Preserve
		));
		let paid = |home| Balances::balance(&owner(home)) as i128;
		let before = [0, 1].map(paid);
		// 80 and 240 are owed; 100 are there.
		village.play([], &[(1_000, 0), (3_000, 0)]);
		let received = [0, 1].map(|home| (paid(home as u32) - before[home]) / MILLI as i128);
		println!("received {received:?}, owed {:?} and {:?}", debt(0), debt(1));
		assert!(
			received[0] > 0 && (3 * received[0] - received[1]).abs() <= 3,
			"{received:?}"
		);
		assert!(debt(0).credit > 0 && debt(1).credit > 0);
		// What a household consumes is set off against what it is owed.
		let owed = debt(1).credit;
		village.play([], &[IDLE, (0, 500)]);
		assert!(debt(1).credit < owed && debt(1).arrears == 0);
	});
}

#[test]
fn price_and_fee_never_exceed_retail() {
	village(1, paper::TERMS, |village| {
		let mut dear = paper::TERMS;
		dear.tariffs.feed_in_per_kwh = 280 * MILLI;
		dear.tariffs.grid_fee_per_kwh = 20 * MILLI;
		let from_era = now().current + NOTICE;
		assert_eq!(
			village.chain.try_submit(announce(dear, from_era)),
			refused(MarketError::GridFeeTooHigh)
		);
	});
}

#[test]
fn governance_replaces_a_utility_and_ends_a_community_without_members() {
	village(1, paper::TERMS, |village| {
		let sudo = |call: MarketCall<Runtime>| {
			by(
				Alice,
				pallet_sudo::Call::sudo {
					call: Box::new(call.into()),
				},
			)
		};
		let set_utility = MarketCall::set_utility {
			community: VILLAGE,
			utility: Dave.to_account_id(),
		};
		assert_eq!(
			village.chain.try_submit(by_operator(set_utility.clone())),
			Err(sp_runtime::DispatchError::BadOrigin)
		);
		village.chain.submit([sudo(set_utility)]);
		let dave = Balances::balance(&Dave.to_account_id());
		village.play([], &[(0, 1_000)]);
		assert_eq!(Balances::balance(&Dave.to_account_id()) - dave, 300 * MILLI);

		let close = MarketCall::close_community {
			community: VILLAGE,
			beneficiary: Dave.to_account_id(),
		};
		let refuse = village.chain.block_with(|| dispatch_as_root(close.clone()));
		assert_eq!(refuse, refused(MarketError::CommunityNotEmpty));
		let leave = MarketCall::leave {
			household: HouseholdId(0),
		};
		village.turn([by(owner(0), leave)], &[IDLE]);
		village.turn([], &[IDLE]);
		while Households::<Runtime>::contains_key(HouseholdId(0)) {
			village.chain.next_era();
		}
		assert_eq!(village.chain.block_with(|| dispatch_as_root(close)), Ok(()));
		assert!(!Communities::<Runtime>::contains_key(VILLAGE));
	});
}

fn dispatch_as_root(call: MarketCall<Runtime>) -> Result<(), sp_runtime::DispatchError> {
	use sp_runtime::traits::Dispatchable;
	let call = RuntimeCall::from(call);
	call.dispatch(RuntimeOrigin::root())
		.map(|_| ())
		.map_err(|refused| refused.error)
}

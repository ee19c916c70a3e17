//! Who may create communities, admit households and change terms, comfort and preferences; and which values are
//! refused.

use crate::{mock::*, *};
use commonwatt_market::game::{Comfort, Preference, Ratio, MAX_ENERGY_WH};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError::BadOrigin;

fn create(terms: Terms) -> sp_runtime::DispatchResult {
	EnergyMarket::create_community(
		RuntimeOrigin::root(),
		b"hill".to_vec(),
		OPERATOR,
		UTILITY,
		terms,
		bounds(),
	)
}

#[test]
fn governance_creates_a_community_and_its_pool_account_exists() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(terms()));
		assert_eq!(CommunityCount::<Test>::get(), 2);
		let community = Communities::<Test>::get(CommunityId(1)).unwrap();
		assert_eq!((community.operator, community.utility), (OPERATOR, UTILITY));
		let pool = EnergyMarket::pool_account(CommunityId(1));
		assert_ne!(pool, EnergyMarket::pool_account(VILLAGE));
		assert_eq!(Balances::free_balance(pool), EXISTENTIAL_DEPOSIT);
		assert!(matches!(
			take_events().as_slice(),
			[Event::CommunityCreated { community: CommunityId(1), pool: p, .. }] if *p == pool
		));
	});
}

#[test]
fn genesis_says_in_words_what_is_wrong() {
	let home = |meter: AccountId| GenesisHousehold {
		owner: owner(0),
		meter,
		max_debit_per_era: MAX_DEBIT,
		connection_limit_wh: 10_000,
		comfort: None,
		preference: None,
	};
	let genesis = |change: fn(&mut GenesisConfig<Test>)| {
		let mut config = GenesisConfig::<Test> {
			communities: vec![GenesisCommunity {
				name: "hill".into(),
				operator: OPERATOR,
				utility: UTILITY,
				terms: terms(),
				bounds: bounds(),
				households: vec![home(8_001), home(8_002)],
			}],
			..Default::default()
		};
		change(&mut config);
		config
	};
	for (config, said) in [
		(
			genesis(|config| config.era_length_ms = 900),
			"genesis: era_length_ms is 900, but must be at least 1,000, or 0 for the default",
		),
		(
			genesis(|config| config.terms_notice = 1),
			"genesis: terms_notice is 1, but must be at least 2, or 0 for the default",
		),
		(
			genesis(|config| config.communities[0].terms.tariffs.feed_in_per_kwh = 1_000_000),
			"genesis: community 'hill' is invalid: TariffsOutOfOrder",
		),
		(
			genesis(|config| config.communities[0].households[1].meter = 8_001),
			"genesis: household 1 of community 'hill' is invalid: MeterAlreadyRegistered",
		),
		(
			genesis(|config| config.communities[0].operator = 9_999),
			"genesis: community 'hill' is invalid: ",
		),
	] {
		ExtBuilder::default().build_and_execute(|| {
			frame_support::storage::with_transaction(|| {
				let said_instead = config.try_build().unwrap_err();
				assert!(said_instead.starts_with(said), "{said_instead}");
				sp_runtime::TransactionOutcome::Rollback(Ok::<_, sp_runtime::DispatchError>(()))
			})
			.unwrap();
		});
	}
	// The framework's own build must not ignore it.
	let panicked = std::panic::catch_unwind(|| {
		let config = genesis(|config| config.era_length_ms = 900);
		frame_support::traits::BuildGenesisConfig::build(&config)
	});
	assert!(panicked.is_err());
	ExtBuilder::default().build_and_execute(|| {
		frame_support::storage::with_transaction(|| {
			assert_eq!(genesis(|_| ()).try_build(), Ok(()));
			sp_runtime::TransactionOutcome::Rollback(Ok::<_, sp_runtime::DispatchError>(()))
		})
		.unwrap();
	});
}

#[test]
fn community_creation_is_refused_without_governance() {
	ExtBuilder::default().build_and_execute(|| {
		let origin = RuntimeOrigin::signed(OPERATOR);
		assert_noop!(
			EnergyMarket::create_community(origin, b"hill".to_vec(), OPERATOR, UTILITY, terms(), bounds()),
			BadOrigin
		);
	});
}

#[test]
fn community_is_refused_when_its_name_is_too_long() {
	ExtBuilder::default().build_and_execute(|| {
		assert_noop!(
			EnergyMarket::create_community(
				RuntimeOrigin::root(),
				vec![b'x'; 33],
				OPERATOR,
				UTILITY,
				terms(),
				bounds()
			),
			Error::<Test>::NameTooLong
		);
	});
}

#[test]
fn community_is_refused_when_the_operator_cannot_fund_the_pool_account() {
	ExtBuilder::default().build_and_execute(|| {
		let name = b"hill".to_vec();
		assert!(EnergyMarket::create_community(
			RuntimeOrigin::root(),
			name,
			9_999,
			UTILITY,
			terms(),
			bounds()
		)
		.is_err());
		assert_eq!(CommunityCount::<Test>::get(), 1);
	});
}

#[test]
fn terms_are_refused_when_lambda_is_out_of_range() {
	ExtBuilder::default().build_and_execute(|| {
		for (numerator, denominator) in [(1, 1), (3, 4), (4, 0), (65_537, 1)] {
			let mut terms = terms();
			terms.rules.lambda = Ratio {
				numerator,
				denominator,
			};
			assert_noop!(create(terms), Error::<Test>::LambdaOutOfRange);
		}
	});
}

#[test]
fn terms_are_refused_when_the_resolution_is_out_of_range() {
	ExtBuilder::default().build_and_execute(|| {
		for resolution_wh in [0, 1_001] {
			let mut terms = terms();
			terms.rules.resolution_wh = resolution_wh;
			assert_noop!(create(terms), Error::<Test>::ResolutionOutOfRange);
		}
	});
}

#[test]
fn terms_are_refused_when_tariffs_are_out_of_order() {
	ExtBuilder::default().build_and_execute(|| {
		let wrong: [fn(&mut Tariffs); 3] = [
			|t| t.feed_in_per_kwh = t.retail_per_kwh + 1,
			|t| t.imbalance_import_per_kwh = t.retail_per_kwh - 1,
			|t| t.imbalance_export_per_kwh = t.feed_in_per_kwh + 1,
		];
		for spoil in wrong {
			let mut terms = terms();
			spoil(&mut terms.tariffs);
			assert_noop!(create(terms), Error::<Test>::TariffsOutOfOrder);
		}
	});
}

#[test]
fn terms_are_refused_when_fee_or_reward_cap_is_too_high() {
	ExtBuilder::default().build_and_execute(|| {
		// 190 + 110 is retail.
		let mut terms = terms();
		terms.tariffs.grid_fee_per_kwh = 111;
		assert_noop!(create(terms), Error::<Test>::GridFeeTooHigh);
		terms.price_rule = PriceRule::SupplyDemandRatio;
		assert_eq!(create(terms), Ok(()));
		terms.tariffs.grid_fee_per_kwh = 221;
		assert_noop!(create(terms), Error::<Test>::GridFeeTooHigh);
		terms.tariffs.grid_fee_per_kwh = 10;
		terms.reward_cap_per_kwh = 6;
		assert_noop!(create(terms), Error::<Test>::RewardCapTooHigh);
		terms.reward_cap_per_kwh = 5;
		assert_eq!(create(terms), Ok(()));
	});
}

#[test]
fn terms_are_refused_when_a_tariff_is_too_high() {
	ExtBuilder::default().build_and_execute(|| {
		let wrong: [fn(&mut Tariffs); 2] = [
			|t| t.imbalance_import_per_kwh = MAX_TARIFF_PER_KWH + 1,
			|t| t.grid_fee_per_kwh = MAX_TARIFF_PER_KWH + 1,
		];
		for spoil in wrong {
			let mut terms = terms();
			spoil(&mut terms.tariffs);
			assert_noop!(create(terms), Error::<Test>::TariffTooHigh);
		}
	});
}

#[test]
fn comfort_is_refused_when_range_or_sensitivity_is_invalid() {
	ExtBuilder::default().build_in_first_era(|| {
		let offered = offer(owner(5), 7_000, 5_000);
		let with = |change: fn(&mut Comfort)| {
			let mut comfort = comfort();
			change(&mut comfort);
			Some(comfort)
		};
		type Case = (fn(&mut Comfort), Error<Test>);
		let cases: [Case; 4] = [
			(|c| c.max_centi_c = c.min_centi_c, Error::ComfortRangeEmpty),
			(|c| c.a.denominator = 0, Error::ComfortSensitivityNotPositive),
			(|c| c.a.numerator = 0, Error::ComfortSensitivityNotPositive),
			// The largest valid sensitivity is 4 / 12^2 = 1/36; 1/35 is above it.
			(|c| c.a.denominator = 35, Error::ComfortCouldExceedOne),
		];
		for (change, error) in cases {
			let comfort = with(change);
			let error: sp_runtime::DispatchError = error.into();
			assert_noop!(
				EnergyMarket::accept_membership(RuntimeOrigin::signed(owner(5)), offered, MAX_DEBIT, comfort),
				error
			);
			assert_noop!(
				EnergyMarket::set_comfort(RuntimeOrigin::signed(owner(0)), home(0), comfort),
				error
			);
		}
	});
}

#[test]
fn owner_sets_comfort_and_preference() {
	ExtBuilder::default().build_and_execute(|| {
		let origin = RuntimeOrigin::signed(owner(1));
		assert_ok!(EnergyMarket::set_comfort(
			origin.clone(),
			home(1),
			Some(comfort())
		));
		assert_ok!(EnergyMarket::set_preference(origin, home(1), Some(preference())));
		let household = Households::<Test>::get(home(1)).unwrap();
		assert_eq!(
			(household.comfort, household.preference),
			(Some(comfort()), Some(preference()))
		);
		assert!(matches!(
			take_events().as_slice(),
			[
				Event::ComfortChanged {
					household: HouseholdId(1),
					..
				},
				Event::PreferenceChanged {
					household: HouseholdId(1),
					..
				}
			]
		));
	});
}

#[test]
fn comfort_and_preference_are_refused_when_the_signer_is_not_the_owner() {
	ExtBuilder::default().build_and_execute(|| {
		let stranger = || RuntimeOrigin::signed(owner(0));
		assert_noop!(
			EnergyMarket::set_comfort(stranger(), home(1), None),
			Error::<Test>::NotOwner
		);
		assert_noop!(
			EnergyMarket::set_preference(stranger(), home(1), None),
			Error::<Test>::NotOwner
		);
		assert_noop!(
			EnergyMarket::set_comfort(stranger(), home(9), None),
			Error::<Test>::UnknownHousehold
		);
		assert_noop!(
			EnergyMarket::set_preference(stranger(), home(9), None),
			Error::<Test>::UnknownHousehold
		);
	});
}

#[test]
fn preference_is_refused_when_a_percentage_exceeds_100() {
	ExtBuilder::default().build_and_execute(|| {
		let origin = || RuntimeOrigin::signed(owner(0));
		for wrong in [
			Preference {
				flexible_down_percent: 101,
				..preference()
			},
			Preference {
				flexible_up_percent: 101,
				..preference()
			},
		] {
			assert_noop!(
				EnergyMarket::set_preference(origin(), home(0), Some(wrong)),
				Error::<Test>::PreferenceOutOfRange
			);
		}
	});
}

fn set_terms(
	who: AccountId,
	community: CommunityId,
	terms: Terms,
	from_era: EraIndex,
) -> sp_runtime::DispatchResult {
	EnergyMarket::set_terms(RuntimeOrigin::signed(who), community, terms, from_era)
}

#[test]
fn new_terms_hold_from_their_era_on_and_do_not_change_contracts() {
	ExtBuilder::default().build_in_first_era(|| {
		submit(
			0,
			FIRST_ERA + 1,
			2_000,
			&[strategy(commonwatt_market::game::Kind::SellToCommunity, 0)],
		);
		submit(
			1,
			FIRST_ERA + 1,
			0,
			&[strategy(commonwatt_market::game::Kind::BuyFromCommunity, 2_000)],
		);
		enter_era(FIRST_ERA + 1);
		let mut new = terms();
		new.tariffs.feed_in_per_kwh = 200;
		set_terms(OPERATOR, VILLAGE, new, FIRST_ERA + 4).unwrap();
		enter_era(FIRST_ERA + 2);
		report(0, FIRST_ERA + 1, 2_000, 0);
		report(1, FIRST_ERA + 1, 0, 2_000);
		enter_era(FIRST_ERA + 3);
		enter_era(FIRST_ERA + 4);
		assert_eq!(statement(0, FIRST_ERA + 1).price_per_kwh, 190);
		assert_eq!(record(FIRST_ERA + 3).price_per_kwh, 190);
		assert_eq!(record(FIRST_ERA + 4).price_per_kwh, 250);
	});
}

#[test]
fn announcement_replaces_one_that_has_not_begun_and_keeps_one_that_has() {
	ExtBuilder::default().build_in_first_era(|| {
		let priced = |feed_in_per_kwh| {
			let mut terms = terms();
			terms.tariffs.feed_in_per_kwh = feed_in_per_kwh;
			terms
		};
		set_terms(OPERATOR, VILLAGE, priced(100), FIRST_ERA + 3).unwrap();
		set_terms(OPERATOR, VILLAGE, priced(200), FIRST_ERA + 3).unwrap();
		for era in 1..=3 {
			enter_era(FIRST_ERA + era);
		}
		set_terms(OPERATOR, VILLAGE, priced(280), FIRST_ERA + 6).unwrap();
		for era in 4..=6 {
			enter_era(FIRST_ERA + era);
		}
		let prices = [2, 3, 5, 6].map(|era| record(FIRST_ERA + era).price_per_kwh);
		assert_eq!(prices, [190, 250, 250, 290]);
	});
}

#[test]
fn terms_are_refused_without_notice() {
	ExtBuilder::default().build_in_first_era(|| {
		let earliest = FIRST_ERA + TERMS_NOTICE;
		for era in [0, FIRST_ERA, FIRST_ERA + 1, earliest - 1] {
			assert_noop!(
				set_terms(OPERATOR, VILLAGE, terms(), era),
				Error::<Test>::NoticeTooShort
			);
		}
		assert_ok!(set_terms(OPERATOR, VILLAGE, terms(), earliest));
	});
}

#[test]
fn terms_are_refused_outside_the_bounds() {
	ExtBuilder::default().build_in_first_era(|| {
		let community = CommunityId(1);
		let tight = TermsBounds::around(&terms(), MAX_ENERGY_WH);
		let root = RuntimeOrigin::root;
		let create =
			|terms| EnergyMarket::create_community(root(), b"hill".to_vec(), OPERATOR, UTILITY, terms, tight);
		let dearer: [fn(&mut Terms); 6] = [
			|terms| terms.tariffs.retail_per_kwh += 1,
			|terms| terms.tariffs.feed_in_per_kwh -= 1,
			|terms| terms.tariffs.imbalance_import_per_kwh += 1,
			|terms| terms.tariffs.imbalance_export_per_kwh -= 1,
			|terms| terms.tariffs.grid_fee_per_kwh += 1,
			|terms| terms.incentive_per_era += 1,
		];
		let changed = |change: &fn(&mut Terms)| {
			let mut terms = terms();
			change(&mut terms);
			terms
		};
		for change in &dearer {
			assert_noop!(create(changed(change)), Error::<Test>::OutsideBounds);
		}
		assert_ok!(create(terms()));
		let from_era = FIRST_ERA + TERMS_NOTICE;
		for change in &dearer {
			assert_noop!(
				set_terms(OPERATOR, community, changed(change), from_era),
				Error::<Test>::OutsideBounds
			);
		}
		// Only governance changes the bounds.
		assert_noop!(
			EnergyMarket::set_terms_bounds(RuntimeOrigin::signed(OPERATOR), community, bounds()),
			BadOrigin
		);
		assert_ok!(EnergyMarket::set_terms_bounds(root(), community, bounds()));
		assert_ok!(set_terms(OPERATOR, community, changed(&dearer[0]), from_era));
	});
}

#[test]
fn terms_are_refused_when_the_signer_is_not_the_operator() {
	ExtBuilder::default().build_and_execute(|| {
		assert_noop!(
			set_terms(STRANGER, VILLAGE, terms(), 1),
			Error::<Test>::NotOperator
		);
		assert_noop!(
			set_terms(OPERATOR, CommunityId(7), terms(), 1),
			Error::<Test>::UnknownCommunity
		);
	});
}

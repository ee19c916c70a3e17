//! What a home energy manager may do for an owner: the proxy type `HomeManager`.

use commonwatt_runtime::configs::ProxyType;
use commonwatt_testkit::*;
use frame_support::traits::fungible::Inspect;
use pallet_energy_market::Change;
use pallet_energy_market::{Communities, Households, Submissions};

const HOME: CommunityId = CommunityId(0);
/// Alice's household.
const HERS: HouseholdId = HouseholdId(0);
const MANAGER: Sr25519Keyring = EveStash;
const FILTERED: frame_system::Error<Runtime> = frame_system::Error::CallFiltered;

type Utility = pallet_utility::Call<Runtime>;
type Proxy = pallet_proxy::Call<Runtime>;

/// A chain on which Alice owns a household, operates its community and governs the chain, and has a home energy manager.
fn run(test: impl FnOnce(&mut Chain)) {
	let mut setup = Setup::preset("development");
	setup.genesis.energy_market.communities[0].operator = Alice.to_account_id();
	setup.run(|chain| {
		chain.next_era();
		let add_proxy = Proxy::add_proxy {
			delegate: MANAGER.to_account_id().into(),
			proxy_type: ProxyType::HomeManager,
			delay: 0,
		};
		chain.submit([by(Alice, add_proxy)]);
		test(chain)
	});
}

/// The call in Alice's name.
fn for_alice(call: impl Into<RuntimeCall>) -> RuntimeCall {
	let proxy = Proxy::proxy {
		real: Alice.to_account_id().into(),
		force_proxy_type: None,
		call: Box::new(call.into()),
	};
	proxy.into()
}

/// The results of all proxy calls in the last block. A proxy call succeeds even if the call inside it fails.
fn results() -> Vec<Result<(), sp_runtime::DispatchError>> {
	let result = |event| match event {
		RuntimeEvent::Proxy(pallet_proxy::Event::ProxyExecuted { result }) => Some(result),
		_ => None,
	};
	events().into_iter().filter_map(result).collect()
}

fn set_terms() -> RuntimeCall {
	let terms = MarketCall::set_terms {
		community: HOME,
		terms: paper::TERMS,
		from_era: now().current + 2,
	};
	terms.into()
}

fn batch(calls: Vec<RuntimeCall>) -> RuntimeCall {
	Utility::batch { calls }.into()
}

fn market(call: MarketCall<Runtime>) -> RuntimeCall {
	call.into()
}

/// What Alice could do herself, as an owner, an operator and a governor, and her manager must not.
fn calls_of_alice_alone() -> Vec<RuntimeCall> {
	let stranger = FerdieStash.to_account_id();
	let (_, measured) = reading(0, 0, 0);
	vec![
		set_terms(),
		market(MarketCall::offer_membership {
			community: HOME,
			owner: Alice.to_account_id(),
			meter: stranger.clone(),
			connection_limit_wh: 10_000,
		}),
		market(MarketCall::accept_membership {
			household: HERS,
			max_debit_per_era: 1,
			comfort: None,
		}),
		market(MarketCall::set_max_debit {
			household: HERS,
			max_debit_per_era: u128::MAX,
		}),
		market(MarketCall::offer_household {
			household: HERS,
			new_owner: Some(stranger.clone()),
		}),
		market(MarketCall::set_concentrator {
			community: HOME,
			concentrator: Some(stranger.clone()),
		}),
		market(MarketCall::set_paused {
			community: HOME,
			paused: true,
		}),
		market(MarketCall::set_suspended {
			household: HouseholdId(1),
			suspended: true,
		}),
		market(MarketCall::propose_change {
			household: HERS,
			change: Some(Change::Meter(stranger.clone())),
		}),
		market(MarketCall::accept_change {
			household: HERS,
			change: Change::Meter(stranger.clone()),
		}),
		market(MarketCall::repay_arrears { household: HERS }),
		market(MarketCall::leave { household: HERS }),
		market(MarketCall::remove_household { household: HERS }),
		measured,
		pallet_balances::Call::transfer_all {
			dest: stranger.clone().into(),
			keep_alive: false,
		}
		.into(),
		pallet_sudo::Call::set_key {
			new: stranger.clone().into(),
		}
		.into(),
		Proxy::add_proxy {
			delegate: stranger.into(),
			proxy_type: ProxyType::Any,
			delay: 0,
		}
		.into(),
		Proxy::remove_proxies {}.into(),
	]
}

/// Asserts that the manager's transactions change nothing that is Alice's, and that every call in her name is filtered.
fn assert_filtered(chain: &mut Chain, transactions: Vec<RuntimeCall>, in_her_name: usize) {
	let state = || {
		(
			Balances::balance(&Alice.to_account_id()),
			Communities::<Runtime>::get(HOME),
			Households::<Runtime>::iter().collect::<std::collections::BTreeMap<_, _>>(),
			pallet_proxy::Proxies::<Runtime>::get(Alice.to_account_id()),
			pallet_sudo::Key::<Runtime>::get(),
		)
	};
	let before = state();
	chain.submit(transactions.into_iter().map(|call| by(MANAGER, call)));
	assert_eq!(results(), vec![Err(FILTERED.into()); in_her_name]);
	assert_eq!(state(), before);
}

#[test]
fn home_manager_makes_an_owners_daily_calls() {
	run(|chain| {
		let preference = Preference {
			flexible_down_percent: 10,
			flexible_up_percent: 10,
			response_centi_c_per_kwh: 50,
			trade_with_community: true,
		};
		let (_, sell) = strategies(0, 2_000, vec![strategy(Kind::SellToMain, 0)]);
		let calls = [
			market(MarketCall::set_comfort {
				household: HERS,
				comfort: None,
			}),
			market(MarketCall::set_preference {
				household: HERS,
				preference: Some(preference),
			}),
			sell.clone(),
			market(MarketCall::withdraw_strategies { household: HERS }),
		];
		chain.submit(calls.map(|call| by(MANAGER, for_alice(call))));
		assert_eq!(results(), [Ok(()); 4]);
		let household = Households::<Runtime>::get(HERS).expect("Alice's household");
		assert_eq!(
			(household.comfort, household.preference),
			(None, Some(preference))
		);
		assert_eq!(Submissions::<Runtime>::iter_prefix(HERS).count(), 0);

		// Several of them at once are a batch of the manager's own.
		chain.submit([by(MANAGER, batch(vec![for_alice(sell)]))]);
		assert_eq!(results(), [Ok(())]);
		let era = chain.next_era();
		assert_eq!(contract(0, era).energy.sold_to_main_wh, 2_000);
	});
}

#[test]
fn home_manager_makes_no_other_call_of_an_owner_who_is_also_operator_and_governor() {
	run(|chain| {
		let calls = calls_of_alice_alone();
		let count = calls.len();
		assert_filtered(chain, calls.into_iter().map(for_alice).collect(), count);
		// Alice herself may change the terms: the filter is what stopped her manager.
		chain.submit([by(Alice, set_terms())]);
	});
}

#[test]
fn home_manager_gets_no_further_by_wrapping_calls() {
	run(|chain| {
		let boxed = || Box::new(set_terms());
		let as_alice = || Box::new(frame_system::RawOrigin::Signed(Alice.to_account_id()).into());
		let wrapped: Vec<RuntimeCall> = vec![
			batch(vec![set_terms()]),
			Utility::batch_all {
				calls: vec![set_terms()],
			}
			.into(),
			Utility::force_batch {
				calls: vec![set_terms()],
			}
			.into(),
			Utility::if_else {
				main: boxed(),
				fallback: boxed(),
			}
			.into(),
			Utility::as_derivative {
				index: 0,
				call: boxed(),
			}
			.into(),
			Utility::dispatch_as {
				as_origin: as_alice(),
				call: boxed(),
			}
			.into(),
			pallet_sudo::Call::sudo_as {
				who: Alice.to_account_id().into(),
				call: boxed(),
			}
			.into(),
			for_alice(set_terms()),
		];
		let count = wrapped.len();
		assert_filtered(chain, wrapped.into_iter().map(for_alice).collect(), count);

		// The other way round: the manager's own batch of a call in Alice's name.
		let own = batch(vec![for_alice(set_terms()), for_alice(batch(vec![set_terms()]))]);
		assert_filtered(chain, vec![own], 2);
	});
}

//! Sessions, validators and their fees on the real runtime.

use commonwatt_runtime::{
	configs::RuntimeBlockWeights, AccountId, Balance, Balances, Grandpa, Runtime, RuntimeCall, Session,
	SessionKeys, UNIT,
};
use commonwatt_testkit::{account, Setup};
use frame_support::traits::fungible::Inspect;
use pallet_validators::WeightInfo;
use sp_core::{ed25519, sr25519, Pair};
use sp_runtime::DispatchError;

/// Length of a session in these tests, blocks.
const SESSION: u32 = 10;

/// Session keys that belong to a path.
fn keys(path: &str) -> SessionKeys {
	SessionKeys {
		aura: sr25519::Pair::from_string(path, None).unwrap().public().into(),
		grandpa: ed25519::Pair::from_string(path, None).unwrap().public().into(),
	}
}

/// A chain with these validators, whose authors get this share of fees.
fn chain(paths: &[&str], fee_share_percent: u8) -> Setup {
	let mut setup = Setup::empty();
	let validators = paths
		.iter()
		.map(|path| (account(path), account(path), keys(path)));
	setup.genesis.session.keys = validators.collect();
	setup.genesis.validators = pallet_validators::GenesisConfig {
		session_length: SESSION,
		fee_share_percent,
	};
	setup
}

fn transfer(from: &str, to: &str) -> (AccountId, RuntimeCall) {
	let call = pallet_balances::Call::transfer_keep_alive {
		dest: account(to).into(),
		value: UNIT,
	};
	(account(from), call.into())
}

fn balances(paths: &[&str]) -> Vec<Balance> {
	paths
		.iter()
		.map(|path| Balances::total_balance(&account(path)))
		.collect()
}

#[test]
fn sessions_pass_and_change_the_authors() {
	let four = ["//Alice", "//Bob", "//Charlie", "//Dave"];
	chain(&four, 0).run(|chain| {
		assert_eq!(Session::validators().len(), 4);
		chain.submit([(
			account("//Dave"),
			RuntimeCall::Validators(pallet_validators::Call::leave {}),
		)]);
		for _ in 0..2 * SESSION {
			chain.block(vec![]);
		}
		assert_eq!(Session::validators().len(), 3);
		assert_eq!(pallet_aura::Authorities::<Runtime>::get().len(), 3);
		assert_eq!(Grandpa::grandpa_authorities().len(), 3);
		assert_eq!(Grandpa::current_set_id(), 1);
		assert!(!Session::validators().contains(&account("//Dave")));
	});
}

#[test]
fn author_gets_its_share_of_a_fee_and_the_rest_is_burnt() {
	let two = ["//validator//1", "//validator//2"];
	let mut setup = chain(&two, 60);
	let funded = two.iter().map(|path| (account(path), UNIT));
	setup.genesis.balances.balances.extend(funded);
	setup.run(|chain| {
		let issued = Balances::total_issuance();
		let (before, payer) = (balances(&two), Balances::total_balance(&account("//Bob")));
		chain.submit([transfer("//Bob", "//Charlie")]);
		let fee = payer - UNIT - Balances::total_balance(&account("//Bob"));
		let paid: Vec<_> = balances(&two)
			.iter()
			.zip(before)
			.map(|(now, before)| now - before)
			.collect();
		let burnt = issued - Balances::total_issuance();
		assert!(fee > 0);
		assert!(paid.contains(&0), "one author: {paid:?}");
		assert_eq!(paid.iter().sum::<Balance>() + burnt, fee);
		assert_eq!(paid.iter().sum::<Balance>(), fee * 60 / 100);
	});
}

/// Without a share, and if the share is less than the minimum balance of an account that does not exist.
#[test]
fn all_of_a_fee_is_burnt_if_nobody_can_have_a_share() {
	for (validator, share) in [("//Alice", 0), ("//validator//1", 60)] {
		chain(&[validator], share).run(|chain| {
			let issued = Balances::total_issuance();
			let payer = Balances::total_balance(&account("//Bob"));
			chain.submit([transfer("//Bob", "//Charlie")]);
			let fee = payer - UNIT - Balances::total_balance(&account("//Bob"));
			assert_eq!(issued - Balances::total_issuance(), fee);
		});
	}
}

#[test]
fn validator_at_work_cannot_delete_its_keys() {
	chain(&["//Alice", "//Bob"], 0).run(|chain| {
		let purge = || RuntimeCall::Session(pallet_session::Call::purge_keys {});
		assert_eq!(
			chain.try_submit((account("//Alice"), purge())),
			Err(frame_system::Error::<Runtime>::CallFiltered.into())
		);
		let purge = || RuntimeCall::Validators(pallet_validators::Call::purge_keys {});
		assert_eq!(
			chain.try_submit((account("//Alice"), purge())),
			Err(pallet_validators::Error::<Runtime>::StillAtWork.into())
		);
	});
}

#[test]
fn only_governance_changes_the_set() {
	chain(&["//Alice", "//Bob"], 0).run(|chain| {
		let remove = pallet_validators::Call::<Runtime>::remove {
			validator: account("//Bob"),
		};
		assert_eq!(
			chain.try_submit((account("//Bob"), remove.clone().into())),
			Err(DispatchError::BadOrigin)
		);
		let sudo = pallet_sudo::Call::sudo {
			call: Box::new(remove.into()),
		};
		chain.submit([(account("//Alice"), sudo.into())]);
		assert_eq!(
			pallet_validators::Validators::<Runtime>::get().into_inner(),
			[account("//Alice")]
		);
	});
}

/// The end of a session in which all validators change must leave room for the clearing and for transactions.
#[test]
fn largest_change_of_sessions_takes_little_of_a_block() {
	type Weights = <Runtime as pallet_validators::Config>::WeightInfo;
	let block = RuntimeBlockWeights::get().max_block;
	let largest = Weights::rotate(32);
	assert!(largest.ref_time() < block.ref_time() / 20, "{largest}");
}

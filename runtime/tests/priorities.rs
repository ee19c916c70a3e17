//! Which transactions come first in pools and blocks.

use commonwatt_runtime::extensions::{GOVERNOR_PRIORITY, READING_PRIORITY};
use commonwatt_testkit::*;
use frame_support::dispatch::{DispatchClass, GetDispatchInfo};
use sp_runtime::transaction_validity::ValidTransaction;

fn run(test: impl FnOnce(&mut Chain)) {
	Setup::empty().community(community(2)).run(|chain| {
		chain.next_era();
		test(chain)
	});
}

fn in_a_pool(chain: &Chain, nonce: u32, call: Signed) -> ValidTransaction {
	chain.validate(signed(nonce, call)).expect("a valid call")
}

fn remark(bytes: usize) -> RuntimeCall {
	let remark = vec![0; bytes];
	frame_system::Call::remark { remark }.into()
}

/// A call of Sudo, which has the class of the call that it contains.
fn sudo(call: impl Into<RuntimeCall>) -> RuntimeCall {
	let call = Box::new(call.into());
	pallet_sudo::Call::sudo { call }.into()
}

/// A call of the class `Operational`, which only Sudo may make.
fn operational() -> RuntimeCall {
	let call: RuntimeCall = frame_system::Call::set_heap_pages { pages: 64 }.into();
	assert_eq!(call.get_dispatch_info().class, DispatchClass::Operational);
	call
}

#[test]
fn reading_without_a_fee_comes_before_everything_that_pays() {
	run(|chain| {
		let reading = in_a_pool(chain, 0, reading(0, 0, 1_000));
		assert_eq!(reading.priority, READING_PRIORITY);
		let fortune = 500 * UNIT;
		let paid = [
			signed(0, by(Alice, remark(0))),
			signed(0, by(Alice, remark(100_000))),
			signed_with_tip(0, fortune, by(Alice, remark(0))),
			// Anybody may pay for an operational call that fails.
			signed_with_tip(0, fortune, by(Bob, operational())),
			signed_with_tip(0, fortune, by(Bob, sudo(operational()))),
		];
		for extrinsic in paid {
			let paid = chain.validate(extrinsic.clone()).expect("a valid call");
			assert!(
				paid.priority < reading.priority,
				"{extrinsic:?}, {paid:?}, goes ahead of the reading"
			);
		}
	});
}

#[test]
fn governors_calls_come_before_readings() {
	run(|chain| {
		let reading = in_a_pool(chain, 0, reading(0, 0, 1_000));
		for call in [sudo(operational()), sudo(remark(0)), sudo(remark(100_000))] {
			let governors = in_a_pool(chain, 0, by(Alice, call));
			assert_eq!(governors.priority, GOVERNOR_PRIORITY);
			assert!(governors.priority > reading.priority);
		}
	});
}

#[test]
fn only_the_sudo_key_governs() {
	run(|chain| {
		let priority = |chain: &Chain, who, nonce| in_a_pool(chain, nonce, by(who, sudo(remark(0)))).priority;
		let new = Bob.to_account_id().into();
		chain.submit([by(Alice, pallet_sudo::Call::set_key { new })]);
		assert_eq!(priority(chain, Bob, 0), GOVERNOR_PRIORITY);
		assert!(priority(chain, Alice, 1) < READING_PRIORITY);
		chain.submit([by(Bob, pallet_sudo::Call::remove_key {})]);
		for (who, nonce) in [(Alice, 1), (Bob, 1)] {
			assert!(priority(chain, who, nonce) < READING_PRIORITY);
		}
	});
}

#[test]
fn paid_transactions_keep_their_order() {
	run(|chain| {
		let with_tip = |tip| {
			let extrinsic = signed_with_tip(0, tip, by(Alice, remark(0)));
			chain.validate(extrinsic).expect("a valid call").priority
		};
		let priorities = [0, 1, MILLI, UNIT, 100 * UNIT].map(with_tip);
		assert!(priorities.is_sorted_by(|a, b| a < b), "{priorities:?}");
		let paid = |call| in_a_pool(chain, 0, by(Bob, call)).priority;
		assert!(paid(operational()) > paid(remark(0)));
	});
}

/// A pool refuses a transaction that provides a tag of another one with the same priority.
#[test]
fn pool_holds_one_reading_of_a_meter_and_era() {
	run(|chain| {
		let first = in_a_pool(chain, 0, reading(0, 0, 1_000));
		let shared = |other: ValidTransaction| other.provides.iter().any(|tag| first.provides.contains(tag));
		assert!(shared(in_a_pool(chain, 1, reading(0, 0, 900))));
		assert!(!shared(in_a_pool(chain, 0, reading(1, 0, 1_000))));
		assert!(!shared(in_a_pool(chain, 0, by(Alice, remark(0)))));
	});
}

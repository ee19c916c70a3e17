//! What is decided waits, a third stops it, and anybody applies it.

use crate::{mock::*, Config, Decided, Error, Event, Objections, DAY_MS};
use frame_support::{
	assert_noop, assert_ok,
	dispatch::{GetDispatchInfo, Pays},
};
use sp_core::{storage::well_known_keys::CODE, H256};
use sp_runtime::{
	traits::{BadOrigin, BlakeTwo256, Hash},
	DispatchResult,
};

/// The code of version 2, and its hash.
const CODE_2: [u8; 3] = [2, 1, 1];

fn hash(code: &[u8]) -> H256 {
	BlakeTwo256::hash(code)
}

fn decide(code: &[u8]) -> DispatchResult {
	Upgrades::decide(RuntimeOrigin::root(), hash(code))
}

fn object(member: u64) -> DispatchResult {
	Upgrades::object(RuntimeOrigin::signed(member), hash(&CODE_2))
}

fn apply(code: &[u8]) -> frame_support::dispatch::DispatchResultWithPostInfo {
	Upgrades::apply(RuntimeOrigin::signed(99), code.to_vec())
}

/// The notice is over.
fn pass() {
	System::set_block_number(System::block_number() + 3);
	Timestamp::set_timestamp(Timestamp::get() + 1_000);
}

/// The chain's code.
fn code() -> Option<Vec<u8>> {
	sp_io::storage::get(CODE).map(|code| code.to_vec())
}

#[test]
fn decided_code_waits_for_its_notice_and_anybody_applies_it() {
	chain(500).execute_with(|| {
		assert_ok!(decide(&CODE_2));
		let decided = Event::Decided {
			code_hash: hash(&CODE_2),
			from: 1_500,
		};
		assert_eq!(events(), [decided]);
		Timestamp::set_timestamp(1_499);
		assert_noop!(apply(&CODE_2), Error::<Test>::TooEarly);
		Timestamp::set_timestamp(1_500);
		// Three blocks must have passed as well.
		assert_noop!(apply(&CODE_2), Error::<Test>::TooEarly);
		System::set_block_number(3);
		assert_noop!(apply(&CODE_2), Error::<Test>::TooEarly);
		System::set_block_number(4);
		assert_eq!(apply(&CODE_2).unwrap().pays_fee, Pays::No);
		assert_eq!(code().as_deref(), Some(&CODE_2[..]));
		let code_hash = hash(&CODE_2);
		assert_eq!(events(), [Event::Applied { code_hash }]);
		// Once.
		assert_noop!(apply(&CODE_2), Error::<Test>::NothingDecided);
		Upgrades::do_try_state().unwrap();
	});
}

#[test]
fn without_a_genesis_value_the_notice_is_a_day() {
	chain(0).execute_with(|| {
		assert_ok!(decide(&CODE_2));
		assert_eq!(Decided::<Test>::get().unwrap().from, 1_000 + DAY_MS);
		assert_eq!(DAY_MS, 86_400_000);
		Timestamp::set_timestamp(1_000 + DAY_MS - 1);
		assert_noop!(apply(&CODE_2), Error::<Test>::TooEarly);
	});
}

#[test]
fn only_the_code_with_the_decided_hash_is_applied() {
	chain(1).execute_with(|| {
		assert_noop!(apply(&CODE_2), Error::<Test>::NothingDecided);
		assert_ok!(decide(&CODE_2));
		pass();
		assert_noop!(apply(&[2, 1, 2]), Error::<Test>::OtherCode);
		assert_eq!(code().as_deref(), Some(&[][..]));
	});
}

#[test]
fn code_that_is_no_newer_runtime_changes_nothing() {
	chain(1).execute_with(|| {
		let system = |error: frame_system::Error<Test>| error;
		assert_ok!(decide(&[1]));
		pass();
		assert_noop!(
			apply(&[1]),
			system(frame_system::Error::SpecVersionNeedsToIncrease)
		);
		// It is withdrawn, and another one decided.
		assert_noop!(decide(&CODE_2), Error::<Test>::AnotherWaits);
		assert_ok!(Upgrades::withdraw(RuntimeOrigin::root(), hash(&[1])));
		assert_ok!(decide(&[]));
		pass();
		assert_noop!(
			apply(&[]),
			system(frame_system::Error::FailedToExtractRuntimeVersion)
		);
	});
}

#[test]
fn third_of_the_council_stops_an_upgrade() {
	chain(1).execute_with(|| {
		assert_ok!(decide(&CODE_2));
		events();
		// Two of seven are less than a third, three are more.
		for (count, member) in [(1, 3), (2, 7)] {
			assert_ok!(object(member));
			let objected = Event::Objected {
				member,
				code_hash: hash(&CODE_2),
				objections: count,
				seats: 7,
			};
			assert_eq!(events(), [objected]);
			Upgrades::do_try_state().unwrap();
		}
		assert_noop!(object(7), Error::<Test>::AlreadyObjected);
		// Also after the notice, as long as nobody has applied it.
		pass();
		assert_ok!(object(1));
		assert_eq!(
			events()[1],
			Event::Stopped {
				code_hash: hash(&CODE_2)
			}
		);
		assert_noop!(apply(&CODE_2), Error::<Test>::NothingDecided);
		assert_noop!(object(2), Error::<Test>::NothingDecided);
		Upgrades::do_try_state().unwrap();
		// Decided again, it waits again, and nobody objects yet.
		assert_ok!(decide(&CODE_2));
		assert_noop!(apply(&CODE_2), Error::<Test>::TooEarly);
		assert_ok!(object(7));
		assert_eq!(Objections::<Test>::get().into_inner(), [7]);
	});
}

#[test]
fn exactly_a_third_is_enough() {
	for (seats, needed) in [(1, 1), (2, 1), (3, 1), (4, 2), (6, 2), (9, 3), (10, 4)] {
		chain(1).execute_with(|| {
			Members::set(&(1..=seats).collect());
			assert_ok!(decide(&CODE_2));
			for member in 1..=needed {
				assert!(Decided::<Test>::exists(), "{seats} seats, {member} objections");
				assert_ok!(object(member));
			}
			assert!(!Decided::<Test>::exists(), "{seats} seats");
		});
	}
}

#[test]
fn who_has_lost_the_seat_objects_no_more() {
	chain(1).execute_with(|| {
		assert_ok!(decide(&CODE_2));
		assert_ok!(object(6));
		assert_ok!(object(7));
		Members::set(&(1..=5).collect());
		assert_noop!(object(6), Error::<Test>::NotMember);
		// One of five, not three of five.
		assert_ok!(object(1));
		assert_eq!(Objections::<Test>::get().into_inner(), [1]);
		assert!(Decided::<Test>::exists());
	});
}

#[test]
fn strangers_neither_decide_nor_object_nor_withdraw() {
	chain(1).execute_with(|| {
		let member = || RuntimeOrigin::signed(1);
		assert_noop!(Upgrades::decide(member(), hash(&CODE_2)), BadOrigin);
		assert_ok!(decide(&CODE_2));
		assert_noop!(Upgrades::withdraw(member(), hash(&CODE_2)), BadOrigin);
		assert_noop!(object(8), Error::<Test>::NotMember);
		assert_noop!(Upgrades::object(RuntimeOrigin::none(), hash(&CODE_2)), BadOrigin);
		assert_noop!(Upgrades::apply(RuntimeOrigin::none(), CODE_2.to_vec()), BadOrigin);
		// An objection is to code that a member has seen, not to whatever waits.
		let other = Upgrades::object(member(), hash(&[9]));
		assert_noop!(other, Error::<Test>::OtherCode);
		let other = Upgrades::withdraw(RuntimeOrigin::root(), hash(&[9]));
		assert_noop!(other, Error::<Test>::OtherCode);
		assert!(Objections::<Test>::get().is_empty());
	});
}

#[test]
fn weight_of_applying_is_that_of_the_sdk_and_more() {
	chain(1).execute_with(|| {
		use frame_system::WeightInfo;
		let call = crate::Call::<Test>::apply {
			code: CODE_2.to_vec(),
		};
		let sdk = <Test as frame_system::Config>::SystemWeightInfo::apply_authorized_upgrade();
		let own = <<Test as Config>::WeightInfo as crate::WeightInfo>::withdraw();
		assert_eq!(call.get_dispatch_info().call_weight, sdk.saturating_add(own));
	});
}

//! Who validates after decisions, silence and double votes, and what liars and greedy validators end with.

use crate::{mock::*, Absent, Error, Event, Voters};
use frame_support::{assert_noop, assert_ok, traits::fungible::InspectHold, weights::Weight};
use sp_consensus_grandpa::{Equivocation, EquivocationProof, KEY_TYPE};
use sp_core::{ed25519, Pair, H256};
use sp_runtime::{
	traits::OpaqueKeys,
	transaction_validity::{InvalidTransaction, TransactionSource},
	DispatchError, Percent,
};
use sp_session::MembershipProof;

fn root() -> RuntimeOrigin {
	RuntimeOrigin::root()
}

fn signed(account: u64) -> RuntimeOrigin {
	RuntimeOrigin::signed(account)
}

/// Sets keys for an account, with the proof that it owns them.
fn set_keys(account: u64, version: u8) {
	assert_ok!(Session::set_keys(
		signed(account),
		keys(account, version),
		ownership(account, version)
	));
}

/// The proof of an account that it owns its keys.
fn ownership(account: u64, version: u8) -> Vec<u8> {
	use codec::Encode;
	use sp_core::proof_of_possession::ProofOfPossessionGenerator;
	(key(account, version).generate_proof_of_possession(&account.encode()),).encode()
}

/// Gives an account keys, admits it, and plays until it is at work and has made blocks.
fn join(account: u64) {
	set_keys(account, 0);
	assert_ok!(Validators::admit(root(), account));
	sessions(3);
	assert!(Session::validators().contains(&account));
}

fn set() -> Vec<u64> {
	crate::Validators::<Test>::get().into_inner()
}

fn voters_of_grandpa() -> Vec<ed25519::Public> {
	let list = Grandpa::grandpa_authorities();
	list.into_iter().map(|(key, _)| key.into_inner()).collect()
}

/// Two different votes of one key in one round.
fn double_vote(pair: &ed25519::Pair, set_id: u64, round: u64) -> EquivocationProof<H256, u64> {
	votes(pair, set_id, round, [1, 2])
}

/// Two votes of one key in one round, for blocks that are named by these bytes.
fn votes(pair: &ed25519::Pair, set_id: u64, round: u64, blocks: [u8; 2]) -> EquivocationProof<H256, u64> {
	let vote = |byte: u8| {
		let vote = finality_grandpa::Prevote {
			target_hash: H256::repeat_byte(byte),
			target_number: 10,
		};
		let message = finality_grandpa::Message::Prevote(vote.clone());
		let payload = sp_consensus_grandpa::localized_payload(round, set_id, &message);
		(vote, pair.sign(&payload).into())
	};
	let votes = finality_grandpa::Equivocation {
		round_number: round,
		identity: pair.public().into(),
		first: vote(blocks[0]),
		second: vote(blocks[1]),
	};
	EquivocationProof::new(set_id, Equivocation::Prevote(votes))
}

/// Account 20 reports a double vote of the key in the session.
fn report(pair: &ed25519::Pair, set_id: u64, session: u32) -> Result<(), DispatchError> {
	let proof = Validators::prove_vote(session, &pair.public().into()).unwrap_or(MembershipProof {
		session,
		trie_nodes: vec![],
		validator_count: 1,
	});
	let votes = Box::new(double_vote(pair, set_id, 7));
	Grandpa::report_equivocation(signed(20), votes, proof)
		.map(|_| ())
		.map_err(|error| error.error)
}

#[test]
fn genesis_set_is_at_work_from_the_first_block_on() {
	chain(4).execute_with(|| {
		assert_eq!(set(), [1, 2, 3, 4]);
		assert_eq!(Session::validators(), [1, 2, 3, 4]);
		assert_eq!(voters_of_grandpa(), [1, 2, 3, 4].map(|id| key(id, 0).public()));
		assert_eq!(Voters::<Test>::get(0).len(), 4);
		Validators::do_try_state().unwrap();
	});
}

#[test]
fn session_has_the_length_of_the_genesis_and_its_end_has_its_own_weight() {
	chain(4).execute_with(|| {
		// Block 0 is the genesis, so the first session ends in block 16.
		for _ in 1..SESSION {
			assert_eq!(block(1), Weight::from_parts(1, 0));
			assert_eq!(Session::current_index(), 0);
		}
		assert_eq!(block(1), Weight::from_parts(1 + 1_004, 0));
		assert_eq!(Session::current_index(), 1);
		for _ in 1..SESSION {
			block(2);
		}
		assert_eq!(Session::current_index(), 1);
		block(2);
		assert_eq!(Session::current_index(), 2);
	});
}

#[test]
fn sets_keep_their_number_while_nothing_changes() {
	chain(4).execute_with(|| {
		sessions(5);
		assert_eq!(Grandpa::current_set_id(), 0);
		assert!(events().is_empty());
	});
}

#[test]
fn admitted_validator_is_at_work_in_the_session_after_next() {
	chain(4).execute_with(|| {
		sessions(1);
		set_keys(5, 0);
		assert_ok!(Validators::admit(root(), 5));
		assert_eq!(
			events(),
			[Event::Admitted {
				validator: 5,
				from: 3
			}]
		);
		sessions(1);
		assert_eq!(Session::current_index(), 2);
		assert!(!Session::validators().contains(&5));
		sessions(1);
		assert_eq!(Session::current_index(), 3);
		assert_eq!(Session::validators(), [1, 2, 3, 4, 5]);
		assert_eq!(voters_of_grandpa()[4], key(5, 0).public());
		assert_eq!(Grandpa::current_set_id(), 1);
	});
}

#[test]
fn only_governance_admits_and_removes() {
	chain(4).execute_with(|| {
		block(1);
		set_keys(5, 0);
		assert_noop!(Validators::admit(signed(5), 5), DispatchError::BadOrigin);
		assert_noop!(Validators::remove(signed(1), 2), DispatchError::BadOrigin);
		assert_noop!(Validators::admit(root(), 4), Error::<Test>::AlreadyValidator);
		assert_noop!(Validators::admit(root(), 6), Error::<Test>::NoKeys);
		assert_noop!(Validators::remove(root(), 6), Error::<Test>::NotValidator);
		assert_noop!(Validators::leave(signed(6)), Error::<Test>::NotValidator);
	});
}

#[test]
fn keys_need_a_proof_of_possession_and_one_owner() {
	chain(4).execute_with(|| {
		block(1);
		// Account 5 names the keys of validator 1 as its own, with no proof, or with the proof of validator 1.
		for proof in [vec![], ownership(1, 0)] {
			assert_noop!(
				Session::set_keys(signed(5), keys(1, 0), proof),
				pallet_session::Error::<Test>::InvalidProof
			);
		}
		// Even who has a copy of the secret key cannot set it for another account.
		use codec::Encode;
		use sp_core::proof_of_possession::ProofOfPossessionGenerator;
		let stolen = (key(1, 0).generate_proof_of_possession(&5u64.encode()),).encode();
		assert_noop!(
			Session::set_keys(signed(5), keys(1, 0), stolen),
			pallet_session::Error::<Test>::DuplicatedKey
		);
	});
}

#[test]
fn new_validators_come_one_by_one_in_a_small_set() {
	chain(1).execute_with(|| {
		block(1);
		for account in 2..=4 {
			set_keys(account, 0);
		}
		assert_ok!(Validators::admit(root(), 2));
		// Of three, GRANDPA tolerates none that fails.
		assert_noop!(Validators::admit(root(), 3), Error::<Test>::TooManyUnproven);
		sessions(3);
		assert_ok!(Validators::admit(root(), 3));
		sessions(3);
		assert_ok!(Validators::admit(root(), 4));
		sessions(3);
		assert_eq!(Session::validators(), [1, 2, 3, 4]);
	});
}

#[test]
fn two_new_validators_may_come_at_once_into_a_set_of_seven() {
	chain(5).execute_with(|| {
		block(1);
		for account in 6..=8 {
			set_keys(account, 0);
		}
		assert_ok!(Validators::admit(root(), 6));
		assert_ok!(Validators::admit(root(), 7));
		assert_noop!(Validators::admit(root(), 8), Error::<Test>::TooManyUnproven);
	});
}

#[test]
fn silent_validator_counts_as_unproven_until_it_makes_a_block() {
	chain(4).execute_with(|| {
		set_keys(5, 0);
		session_without(&[3]);
		assert_noop!(Validators::admit(root(), 5), Error::<Test>::TooManyUnproven);
		// Nor may a working one go, but the silent one may.
		assert_noop!(Validators::leave(signed(1)), Error::<Test>::TooManyUnproven);
		sessions(1);
		assert!(Absent::<Test>::get().is_empty());
		assert_ok!(Validators::admit(root(), 5));
	});
}

#[test]
fn number_of_validators_is_bounded_by_the_length_of_a_session() {
	chain(4).execute_with(|| {
		block(1);
		crate::SessionRules::<Test>::mutate(|rules| rules.as_mut().unwrap().session_length = 9);
		set_keys(5, 0);
		assert_noop!(Validators::admit(root(), 5), Error::<Test>::SessionTooShort);
	});
	chain(8).execute_with(|| {
		block(1);
		set_keys(9, 0);
		assert_noop!(Validators::admit(root(), 9), Error::<Test>::TooManyValidators);
	});
}

#[test]
fn set_is_replaced_completely_in_steps() {
	chain(4).execute_with(|| {
		block(1);
		for step in 1..=4 {
			join(4 + step);
			assert_ok!(Validators::leave(signed(step)));
			sessions(2);
			assert!(!Session::validators().contains(&step));
		}
		assert_eq!(Session::validators(), [5, 6, 7, 8]);
		// One set for each of the eight changes.
		assert_eq!(Grandpa::current_set_id(), 8);
		// Those that left get their deposits back.
		assert_ok!(Validators::purge_keys(signed(5 - 4)));
	});
}

#[test]
fn last_validator_cannot_go() {
	chain(1).execute_with(|| {
		block(1);
		assert_noop!(Validators::leave(signed(1)), Error::<Test>::LastValidator);
		assert_noop!(Validators::remove(root(), 1), Error::<Test>::LastValidator);
		assert_eq!(
			report(&key(1, 0), 0, 0),
			Err(pallet_grandpa::Error::<Test>::DuplicateOffenceReport.into())
		);
		session_without(&[]);
		assert_eq!(set(), [1]);
	});
}

#[test]
fn keys_are_kept_while_their_owner_is_at_work() {
	chain(4).execute_with(|| {
		join(5);
		let deposit = Balances::balance_on_hold(&pallet_session::HoldReason::Keys.into(), &5);
		assert_eq!(deposit, 10);
		assert_noop!(Validators::purge_keys(signed(5)), Error::<Test>::StillAtWork);
		assert_ok!(Validators::leave(signed(5)));
		assert_noop!(Validators::purge_keys(signed(5)), Error::<Test>::StillAtWork);
		sessions(1);
		assert_noop!(Validators::purge_keys(signed(5)), Error::<Test>::StillAtWork);
		sessions(1);
		assert_ok!(Validators::purge_keys(signed(5)));
		assert_eq!(
			Balances::balance_on_hold(&pallet_session::HoldReason::Keys.into(), &5),
			0
		);
		assert_noop!(
			Validators::purge_keys(signed(6)),
			pallet_session::Error::<Test>::NoKeys
		);
	});
}

#[test]
fn keys_of_a_planned_validator_are_kept_also_if_it_leaves_before_it_works() {
	chain(4).execute_with(|| {
		block(1);
		set_keys(5, 0);
		assert_ok!(Validators::admit(root(), 5));
		sessions(1);
		assert_ok!(Validators::leave(signed(5)));
		assert!(!Session::validators().contains(&5));
		assert_noop!(Validators::purge_keys(signed(5)), Error::<Test>::StillAtWork);
		sessions(1);
		assert!(Session::validators().contains(&5));
		sessions(1);
		assert_ok!(Validators::purge_keys(signed(5)));
	});
}

#[test]
fn rotated_keys_are_at_work_in_the_session_after_next() {
	chain(4).execute_with(|| {
		block(1);
		set_keys(2, 1);
		sessions(1);
		assert_eq!(voters_of_grandpa()[1], key(2, 0).public());
		sessions(1);
		assert_eq!(voters_of_grandpa()[1], key(2, 1).public());
		assert_eq!(Grandpa::current_set_id(), 1);
		assert_eq!(Session::validators(), [1, 2, 3, 4]);
	});
}

#[test]
fn silent_validator_is_named_and_stays_in_a_set_of_four() {
	chain(4).execute_with(|| {
		session_without(&[3]);
		assert!(events().is_empty());
		session_without(&[3]);
		let named = |sessions| Event::Silent {
			validator: 3,
			sessions,
			removed: false,
		};
		assert_eq!(events(), [named(2)]);
		session_without(&[3]);
		assert_eq!(events(), [named(3)]);
		assert_eq!(set(), [1, 2, 3, 4]);
		// It is forgiven as soon as it makes a block.
		sessions(1);
		session_without(&[3]);
		assert!(events().is_empty());
	});
}

#[test]
fn silent_validators_are_removed_one_by_one_down_to_four() {
	chain(6).execute_with(|| {
		session_without(&[2]);
		session_without(&[2, 4, 5]);
		let silent = |validator, sessions, removed| Event::Silent {
			validator,
			sessions,
			removed,
		};
		assert_eq!(events(), [silent(2, 2, true)]);
		assert_eq!(set(), [1, 3, 4, 5, 6]);
		// Validator 2 is at work for one session more, and silent there, too.
		session_without(&[2, 4, 5]);
		assert_eq!(
			events(),
			[silent(2, 3, false), silent(4, 2, true), silent(5, 2, false)]
		);
		session_without(&[2, 4, 5]);
		assert_eq!(events(), [silent(4, 3, false), silent(5, 3, false)]);
		session_without(&[5]);
		assert_eq!(set(), [1, 3, 5, 6]);
		assert_eq!(Session::validators(), [1, 3, 5, 6]);
	});
}

#[test]
fn double_vote_removes_the_validator_once() {
	chain(4).execute_with(|| {
		sessions(2);
		assert_ok!(report(&key(3, 0), 0, 2));
		assert_eq!(set(), [1, 2, 4]);
		assert_eq!(
			events(),
			[Event::VotedTwice {
				validator: 3,
				session: 2
			}]
		);
		// The same votes, or votes of a session before, are no news.
		for session in 0..=2 {
			assert_eq!(
				report(&key(3, 0), 0, session),
				Err(pallet_grandpa::Error::<Test>::InvalidKeyOwnershipProof.into())
			);
		}
		sessions(2);
		assert_eq!(Session::validators(), [1, 2, 4]);
		// Admitted again with new keys, it cannot be removed for what is past.
		set_keys(3, 1);
		assert_ok!(Validators::admit(root(), 3));
		assert!(report(&key(3, 0), 0, 2).is_err());
		sessions(3);
		assert_eq!(Session::validators(), [1, 2, 3, 4]);
		assert!(events()
			.iter()
			.all(|event| matches!(event, Event::Admitted { .. })));
	});
}

#[test]
fn stolen_keys_cannot_remove_their_owner_twice() {
	chain(4).execute_with(|| {
		sessions(2);
		assert_ok!(report(&key(3, 0), 0, 2));
		// The thief votes twice also in the last session of these keys. Their owner is in the set again, with new ones.
		sessions(1);
		set_keys(3, 1);
		assert_ok!(Validators::admit(root(), 3));
		assert_eq!(
			report(&key(3, 0), 0, 3),
			Err(pallet_grandpa::Error::<Test>::InvalidKeyOwnershipProof.into())
		);
		sessions(3);
		assert!(report(&key(3, 0), 0, 3).is_err());
		assert_eq!(Session::validators(), [1, 2, 3, 4]);
	});
}

#[test]
fn new_keys_do_not_hide_a_double_vote() {
	chain(4).execute_with(|| {
		sessions(1);
		// The cheat and an accomplice change their keys before anybody reports.
		set_keys(3, 1);
		set_keys(4, 1);
		assert_ok!(report(&key(3, 0), 0, 1));
		assert_eq!(set(), [1, 2, 4]);
	});
}

#[test]
fn false_reports_change_nothing() {
	chain(4).execute_with(|| {
		sessions(2);
		// Of a key that is nobody's, of a session too early, and of a session to come.
		assert!(report(&key(9, 0), 0, 2).is_err());
		sessions(3);
		assert!(report(&key(3, 0), 0, 1).is_err());
		assert!(report(&key(3, 0), 0, 6).is_err());
		// Of a set that never was.
		assert!(report(&key(3, 0), 5, 5).is_err());
		// With one vote twice.
		let proof = Validators::prove_vote(5, &key(3, 0).public().into()).unwrap();
		let reported = Grandpa::report_equivocation(
			signed(20),
			Box::new(votes(&key(3, 0), 0, 7, [1, 1])),
			proof.clone(),
		);
		assert_eq!(
			reported.unwrap_err().error,
			pallet_grandpa::Error::<Test>::InvalidEquivocationProof.into()
		);
		// With a proof that carries more than it needs.
		let heavy = MembershipProof {
			trie_nodes: vec![vec![0; 1_000]],
			..proof
		};
		let votes = Box::new(double_vote(&key(3, 0), 0, 7));
		assert!(Grandpa::report_equivocation(signed(20), votes, heavy).is_err());
		assert_eq!(set(), [1, 2, 3, 4]);
		assert!(events().is_empty());
	});
}

#[test]
fn node_reports_a_double_vote_without_a_fee_and_only_once() {
	chain(4).execute_with(|| {
		sessions(1);
		let call = |pair: &ed25519::Pair| pallet_grandpa::Call::<Test>::report_equivocation_unsigned {
			equivocation_proof: Box::new(double_vote(pair, 0, 7)),
			key_owner_proof: Validators::prove_vote(1, &pair.public().into()).unwrap_or(MembershipProof {
				session: 1,
				trie_nodes: vec![],
				validator_count: 4,
			}),
		};
		let valid = |source, pair: &ed25519::Pair| Grandpa::validate_unsigned(source, &call(pair));
		assert!(valid(TransactionSource::Local, &key(3, 0)).is_ok());
		assert_eq!(
			valid(TransactionSource::External, &key(3, 0)),
			Err(InvalidTransaction::Call.into())
		);
		assert_ok!(report(&key(3, 0), 0, 1));
		assert_eq!(
			valid(TransactionSource::Local, &key(3, 0)),
			Err(InvalidTransaction::BadProof.into())
		);
	});
}

#[test]
fn votes_of_retained_sessions_are_kept_and_no_others() {
	chain(4).execute_with(|| {
		sessions(6);
		let mut kept: Vec<_> = Voters::<Test>::iter_keys().collect();
		kept.sort_unstable();
		assert_eq!(kept, [3, 4, 5, 6]);
	});
}

#[test]
fn fees_are_shared_with_the_author() {
	chain(4).execute_with(|| {
		// Between blocks nobody is the author.
		assert_eq!(Validators::paid_author(), None);
		System::initialize(
			&1,
			&Default::default(),
			&sp_runtime::Digest {
				logs: vec![sp_runtime::DigestItem::PreRuntime(
					*b"test",
					codec::Encode::encode(&2u64),
				)],
			},
		);
		assert_eq!(Validators::paid_author(), Some((2, Percent::from_percent(60))));
	});
}

#[test]
fn mined_chain_has_no_sessions() {
	chain(0).execute_with(|| {
		for _ in 0..SESSION {
			block(1);
		}
		assert_eq!(Session::current_index(), 0);
		set_keys(5, 0);
		assert_noop!(Validators::admit(root(), 5), Error::<Test>::NoSessions);
		assert_eq!(Validators::paid_author(), None);
	});
}

#[test]
fn mistakes_in_the_genesis_are_named() {
	chain(0).execute_with(|| {
		let refused = |session_length, fee_share_percent, validators| {
			let genesis = crate::GenesisConfig::<Test> {
				session_length,
				fee_share_percent,
			};
			genesis.try_build(Some(validators)).unwrap_err()
		};
		assert!(refused(16, 101, 4).contains("fee_share_percent must be at most 100"));
		assert!(refused(0, 0, 4).contains("session_length must be 0 on a chain without validators"));
		assert!(refused(16, 0, 0).contains("session_length must be 0 on a chain without validators"));
		assert!(refused(7, 0, 4).contains("at least 2 blocks for each validator"));
		assert!(refused(100, 0, 9).contains("more validators than a chain can have"));
		assert!(!crate::SessionRules::<Test>::exists());
	});
}

#[test]
fn records_name_the_keys_that_grandpa_uses() {
	chain(4).execute_with(|| {
		set_keys(2, 1);
		for _ in 0..4 {
			let recorded = Voters::<Test>::get(Session::current_index());
			let recorded: Vec<_> = recorded.into_iter().map(|(_, key)| key.into_inner()).collect();
			assert_eq!(recorded, voters_of_grandpa());
			sessions(1);
		}
		assert_eq!(<Keys as OpaqueKeys>::key_ids(), [KEY_TYPE]);
	});
}

#[test]
fn stalled_finality_is_noted_by_governance_and_forces_the_next_set() {
	chain(4).execute_with(|| {
		sessions(1);
		let now = System::block_number();
		assert_noop!(
			Validators::note_stalled(signed(1), 2, now),
			DispatchError::BadOrigin
		);
		for (delay, best_final) in [(SESSION, now), (2, now + 1)] {
			assert_noop!(
				Validators::note_stalled(root(), delay, best_final),
				Error::<Test>::StalledOutOfRange
			);
		}
		assert_eq!(Grandpa::stalled(), None);
		assert_ok!(Validators::note_stalled(root(), SESSION - 1, 5));
		assert_eq!(Grandpa::stalled(), Some((SESSION - 1, 5)));
		let set_id = Grandpa::current_set_id();
		sessions(1);
		let change = Grandpa::pending_change().expect("the new session changes the voters");
		assert_eq!((change.forced, change.delay), (Some(5), SESSION - 1));
		assert_eq!(Grandpa::current_set_id(), set_id + 1);
		// It is over before the next session, which may change the voters again.
		sessions(1);
		assert!(Grandpa::pending_change().is_none());
	});
}

//! The council: it decides by motions on operators, seats, validators, pauses and upgrades, and on nothing when too few
//! agree.

use crate::{homes::POCKET, world::World};
use codec::Encode;
use commonwatt_testkit::{
	account, by,
	council::{close, executed, propose, vote, MembershipCall},
	runtime::{configs::governance::CouncilInstance, Hash, Session, SessionKeys},
	AccountId, Runtime, RuntimeCall, Sr25519Keyring,
};
use pallet_validators::{Error, Validators};
use rand::Rng;
use sp_core::{ed25519, proof_of_possession::ProofOfPossessionGenerator, sr25519, Pair};
use sp_runtime::{DispatchError, DispatchResult};

/// The most members and validators at a time.
const MOST: usize = 5;

/// The members.
fn members() -> Vec<AccountId> {
	pallet_collective::Members::<Runtime, CouncilInstance>::get()
}

/// Session keys of an account, and the proof that it has their secrets.
fn keys_of(path: &str, owner: &AccountId) -> (SessionKeys, Vec<u8>) {
	let mut aura = sr25519::Pair::from_string(path, None).expect("a path of a key");
	let mut grandpa = ed25519::Pair::from_string(path, None).expect("a path of a key");
	let keys = SessionKeys {
		aura: aura.public().into(),
		grandpa: grandpa.public().into(),
	};
	let owner = owner.encode();
	let proofs = (
		aura.generate_proof_of_possession(&owner),
		grandpa.generate_proof_of_possession(&owner),
	);
	(keys, proofs.encode())
}

impl World {
	/// Does what the council has to do in this era.
	pub fn govern(&mut self) {
		let at_work = Session::validators().len() as u64;
		self.tally.validators[2] = self.tally.validators[2].max(at_work);
		if self.is_due("seat") {
			self.change_seats();
		}
		if self.is_due("validator comes") {
			self.add_validator();
		}
		if self.is_due("validator goes") {
			self.remove_validator();
		}
		if self.is_due("motion that too few want") {
			let call = frame_system::Call::remark { remark: vec![1] };
			self.refuse(&call.into());
		}
		if self.is_due("pause of a call") {
			self.pause_remarks();
		}
		if self.is_due("upgrade that is stopped") {
			self.stop_upgrade();
		}
	}

	/// The council decides on a call: two thirds of it agree, and anybody closes the motion. Returns what
	/// became of the call.
	pub fn decide(&mut self, call: impl Into<RuntimeCall>) -> DispatchResult {
		let (call, members) = (call.into(), members());
		let needed = (2 * members.len()).div_ceil(3);
		self.act(by(members[0].clone(), propose(needed as u32, &call)), Ok(()));
		for member in &members[..needed] {
			self.act(by(member.clone(), vote(&call, true)), Ok(()));
		}
		self.act(by(Sr25519Keyring::Ferdie, close(&call)), Ok(()));
		executed().expect("the motion passed")
	}

	/// The call of a motion that nobody but its mover wants.
	fn refuse(&mut self, call: &RuntimeCall) {
		let members = members();
		let needed = (2 * members.len()).div_ceil(3);
		let before = executed();
		self.act(by(members[0].clone(), propose(needed as u32, call)), Ok(()));
		for member in &members[1..] {
			self.act(by(member.clone(), vote(call, false)), Ok(()));
		}
		self.act(by(Sr25519Keyring::Ferdie, close(call)), Ok(()));
		assert_eq!(executed(), before, "a refused motion was carried out");
	}

	/// Gives out a seat, or takes one away.
	fn change_seats(&mut self) {
		let members = members();
		let call = match members.len() < MOST {
			true => {
				self.names += 1;
				MembershipCall::add_member {
					who: self.with_money(format!("//member//{}", self.names)).into(),
				}
			}
			false => {
				let last = self.rng.gen_range(0..members.len());
				MembershipCall::remove_member {
					who: members[last].clone().into(),
				}
			}
		};
		assert_eq!(self.decide(call), Ok(()));
	}

	/// A validator sets keys and is admitted, unless others are unproven.
	fn add_validator(&mut self) {
		if Validators::<Runtime>::get().len() >= MOST {
			return;
		}
		self.names += 1;
		let path = format!("//validator//{}", self.names);
		let validator = self.with_money(path.clone());
		let admit = pallet_validators::Call::admit {
			validator: validator.clone(),
		};
		assert_eq!(self.decide(admit.clone()), Err(Error::<Runtime>::NoKeys.into()));
		let (keys, proof) = keys_of(&path, &validator);
		let set = pallet_session::Call::set_keys { keys, proof };
		self.act(by(validator.clone(), set), Ok(()));
		match self.decide(admit) {
			Ok(()) => self.tally.validators[0] += 1,
			Err(error) => {
				assert_eq!(error, Error::<Runtime>::TooManyUnproven.into());
				self.act(by(validator, pallet_validators::Call::purge_keys {}), Ok(()));
			}
		}
	}

	/// One of several validators at work leaves, unless too many of the others are unproven.
	fn remove_validator(&mut self) {
		let at_work = Session::validators();
		let validator = at_work[self.rng.gen_range(0..at_work.len())].clone();
		if at_work.len() < 2 || !Validators::<Runtime>::get().contains(&validator) {
			return;
		}
		let remove = pallet_validators::Call::remove { validator };
		let result = self.decide(remove);
		match result {
			Ok(()) => self.tally.validators[1] += 1,
			Err(error) => {
				assert_eq!(error, Error::<Runtime>::TooManyUnproven.into());
			}
		}
	}

	/// Pauses a call that nobody here makes, and ends the pause later.
	fn pause_remarks(&mut self) {
		let bounded = |name: &str| name.as_bytes().to_vec().try_into().expect("a short name");
		let name = || (bounded("System"), bounded("remark_with_event"));
		let is_paused = pallet_tx_pause::Pallet::<Runtime>::is_paused(&name());
		let call: RuntimeCall = match is_paused {
			true => pallet_tx_pause::Call::unpause { ident: name() }.into(),
			false => pallet_tx_pause::Call::pause { full_name: name() }.into(),
		};
		assert_eq!(self.decide(call), Ok(()));
		let remark = frame_system::Call::remark_with_event { remark: vec![1] };
		let expected = match is_paused {
			true => Ok(()),
			false => Err(frame_system::Error::<Runtime>::CallFiltered.into()),
		};
		self.act(by(Sr25519Keyring::Ferdie, remark), expected);
	}

	/// The council decides on an upgrade, and a third of it objects.
	fn stop_upgrade(&mut self) {
		let code_hash = Hash::repeat_byte(self.rng.gen());
		let decide = pallet_upgrades::Call::decide { code_hash };
		assert_eq!(self.decide(decide), Ok(()));
		let members = members();
		let object = || pallet_upgrades::Call::object { code_hash };
		self.act(
			by(Sr25519Keyring::Ferdie, object()),
			Err(DispatchError::from(pallet_upgrades::Error::<Runtime>::NotMember)),
		);
		let third = members.len().div_ceil(3);
		for member in &members[..third] {
			self.act(by(member.clone(), object()), Ok(()));
		}
		assert!(!pallet_upgrades::Decided::<Runtime>::exists());
	}

	/// The account of a path, with money for fees and deposits.
	fn with_money(&mut self, path: String) -> AccountId {
		let who = account(&path);
		self.give(who.clone(), POCKET);
		who
	}
}

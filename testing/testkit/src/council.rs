//! Calls of the council: motions, votes, and what became of them.

use codec::{Decode, Encode};
use commonwatt_runtime::{
	configs::governance::CouncilInstance, Hash, Runtime, RuntimeCall, RuntimeEvent, System,
};
use frame_support::dispatch::GetDispatchInfo;
use sp_runtime::{
	traits::{BlakeTwo256, Hash as _},
	DispatchResult,
};

/// A call of the council.
pub type CouncilCall = pallet_collective::Call<Runtime, CouncilInstance>;
/// A call about the council's seats.
pub type MembershipCall = pallet_membership::Call<Runtime, CouncilInstance>;

/// The motion that a call be made, with this threshold.
pub fn propose(threshold: u32, call: &RuntimeCall) -> RuntimeCall {
	CouncilCall::propose {
		threshold,
		proposal: Box::new(call.clone()),
		length_bound: call.encoded_size() as u32,
	}
	.into()
}

/// The number of an open motion, which comes first in what the chain stores of its votes; 0 if there is no such motion.
pub fn motion_number(hash: Hash) -> u32 {
	let votes = pallet_collective::Voting::<Runtime, CouncilInstance>::get(hash);
	votes.map_or(0, |votes| {
		u32::decode(&mut &votes.encode()[..]).expect("a number comes first")
	})
}

/// A vote on the motion that a call be made.
pub fn vote(call: &RuntimeCall, approve: bool) -> RuntimeCall {
	let proposal = BlakeTwo256::hash_of(call);
	CouncilCall::vote {
		proposal,
		index: motion_number(proposal),
		approve,
	}
	.into()
}

/// Closes the motion that a call be made.
pub fn close(call: &RuntimeCall) -> RuntimeCall {
	let proposal_hash = BlakeTwo256::hash_of(call);
	CouncilCall::close {
		proposal_hash,
		index: motion_number(proposal_hash),
		proposal_weight_bound: call.get_dispatch_info().call_weight,
		length_bound: call.encoded_size() as u32,
	}
	.into()
}

/// What became of the last motion that was carried out in the newest block, if one was.
pub fn executed() -> Option<DispatchResult> {
	let results = System::read_events_no_consensus().filter_map(|record| match record.event {
		RuntimeEvent::Council(pallet_collective::Event::Executed { result, .. }) => Some(result),
		_ => None,
	});
	results.last()
}

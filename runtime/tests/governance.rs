//! What the council can decide on the real runtime, and what neither a member nor half of it can.

use commonwatt_runtime::{
	configs::governance::{
		CouncilInstance, MaxMotionWeight, MaxMotions, MinimumBlocks, MotionDuration, Unpausable,
		MAX_MOTION_BYTES,
	},
	Hash, Runtime, RuntimeCall, RuntimeEvent, Session, System, UNIT,
};
use commonwatt_testkit::{
	council::{close, motion_number, propose, vote, CouncilCall, MembershipCall},
	*,
};
use frame_support::{
	dispatch::GetDispatchInfo,
	traits::{Contains, Get, GetCallMetadata},
};
use pallet_energy_market::CommunityCount;
use sp_runtime::{
	traits::{BlakeTwo256, Hash as _},
	DispatchError, DispatchResult,
};

type CouncilError = pallet_collective::Error<Runtime, CouncilInstance>;

/// The seven members of the council of these tests.
const SEVEN: [&str; 7] = [
	"//member//1",
	"//member//2",
	"//member//3",
	"//member//4",
	"//member//5",
	"//member//6",
	"//member//7",
];

/// A chain with a council and without a Sudo key.
fn council(members: &[&str], test: impl FnOnce(&mut Chain)) {
	let mut setup = Setup::empty().community(community(2));
	setup.genesis.sudo.key = None;
	let accounts: Vec<_> = members.iter().map(|path| account(path)).collect();
	let funds = accounts.iter().map(|member| (member.clone(), 1_000 * UNIT));
	setup.genesis.balances.balances.extend(funds);
	setup.genesis.council_membership.members = accounts.try_into().unwrap();
	setup.genesis.upgrades.notice_ms = 3 * HALF_HOUR_MS;
	setup.run(|chain| {
		chain.next_era();
		test(chain)
	});
}

/// What became of the last motion.
fn executed() -> DispatchResult {
	commonwatt_testkit::council::executed().expect("a motion was carried out")
}

/// The first `yes` of the members move that a call be made, and agree. Returns what became of the call.
fn decide(chain: &mut Chain, members: &[&str], yes: usize, call: &RuntimeCall) -> DispatchResult {
	let first = members[0];
	chain.try_submit(by(account(first), propose(yes as u32, call)))?;
	if yes >= 2 {
		for member in &members[..yes] {
			chain.submit([by(account(member), vote(call, true))]);
		}
		chain.submit([by(account(first), close(call))]);
	}
	executed()
}

fn create(name: &str) -> RuntimeCall {
	let community = community(0);
	pallet_energy_market::Call::<Runtime>::create_community {
		name: name.as_bytes().to_vec(),
		operator: community.operator,
		utility: community.utility,
		terms: community.terms,
		bounds: community.bounds,
	}
	.into()
}

fn add(path: &str) -> RuntimeCall {
	MembershipCall::add_member {
		who: account(path).into(),
	}
	.into()
}

fn upgrade(code_hash: Hash) -> RuntimeCall {
	pallet_upgrades::Call::<Runtime>::decide { code_hash }.into()
}

fn pause(pallet: &str, call: &str) -> RuntimeCall {
	pallet_tx_pause::Call::<Runtime>::pause {
		full_name: name(pallet, call),
	}
	.into()
}

fn name(pallet: &str, call: &str) -> pallet_tx_pause::RuntimeCallNameOf<Runtime> {
	let bounded = |name: &str| name.as_bytes().to_vec().try_into().unwrap();
	(bounded(pallet), bounded(call))
}

/// The error of a call that the runtime's filter refuses.
fn filtered() -> DispatchError {
	frame_system::Error::<Runtime>::CallFiltered.into()
}

fn member_count() -> usize {
	pallet_collective::Members::<Runtime, CouncilInstance>::get().len()
}

#[test]
fn each_kind_of_decision_needs_its_share_of_the_council() {
	// Of seven: half are 4, more than half are 4, two thirds are 5.
	let decisions: [(&str, RuntimeCall, usize); 4] = [
		("a community", create("second"), 4),
		("a pause", pause("System", "remark_with_event"), 4),
		("a seat", add("//member//8"), 5),
		("an upgrade", upgrade(Hash::repeat_byte(1)), 5),
	];
	for (what, call, needed) in decisions {
		council(&SEVEN, |chain| {
			// A motion that fewer than half could pass is not even open.
			let refused = match 2 * (needed - 1) < 7 {
				true => filtered(),
				false => DispatchError::BadOrigin,
			};
			let too_few = decide(chain, &SEVEN, needed - 1, &call);
			assert_eq!(too_few, Err(refused), "{what}");
			assert_eq!(decide(chain, &SEVEN, needed, &call), Ok(()), "{what}");
		});
	}
	// Of six, three are half, but not more than half.
	let six = &SEVEN[..6];
	council(six, |chain| {
		let remarks = pause("System", "remark_with_event");
		assert_eq!(decide(chain, six, 3, &remarks), Ok(()));
		assert_eq!(
			decide(chain, six, 3, &create("second")),
			Err(DispatchError::BadOrigin)
		);
	});
}

#[test]
fn member_alone_decides_nothing() {
	council(&SEVEN, |chain| {
		let member = || account(SEVEN[0]);
		let remove_validator = pallet_validators::Call::<Runtime>::remove {
			validator: account("//Alice"),
		};
		let calls = [
			create("mine"),
			add("//friend"),
			upgrade(Hash::zero()),
			pause("System", "remark_with_event"),
			remove_validator.into(),
		];
		for call in calls {
			// By itself, by a motion that needs nobody else, and by the call for members.
			assert_eq!(
				chain.try_submit(by(member(), call.clone())),
				Err(DispatchError::BadOrigin)
			);
			for threshold in [0, 1] {
				let alone = chain.try_submit(by(member(), propose(threshold, &call)));
				assert_eq!(alone, Err(filtered()), "{call:?}");
			}
			let execute = CouncilCall::execute {
				proposal: Box::new(call.clone()),
				length_bound: 1_000_000,
			};
			chain.submit([by(member(), execute)]);
			let results = System::read_events_no_consensus().filter_map(|record| match record.event {
				RuntimeEvent::Council(pallet_collective::Event::MemberExecuted { result, .. }) => {
					Some(result)
				}
				_ => None,
			});
			assert_eq!(results.last(), Some(Err(DispatchError::BadOrigin)), "{call:?}");
		}
		assert_eq!(CommunityCount::<Runtime>::get(), 1);
		// Nor by Sudo, which has no key here. A validator without a seat has no say at all.
		let sudo = pallet_sudo::Call::<Runtime>::sudo {
			call: Box::new(create("mine")),
		};
		assert_eq!(
			chain.try_submit(by(member(), sudo)),
			Err(pallet_sudo::Error::<Runtime>::RequireSudo.into())
		);
		assert_eq!(
			chain.try_submit(by(Alice, propose(4, &create("mine")))),
			Err(CouncilError::NotMember.into())
		);
		assert_eq!(Session::validators(), [Alice.to_account_id()]);
	});
}

/// Four of seven would have two thirds after they have admitted two friends, if more than half could give out seats.
#[test]
fn majority_cannot_give_itself_the_seats_for_two_thirds() {
	council(&SEVEN, |chain| {
		for friend in ["//friend//1", "//friend//2"] {
			assert_eq!(
				decide(chain, &SEVEN, 4, &add(friend)),
				Err(DispatchError::BadOrigin)
			);
		}
		for call in [
			MembershipCall::remove_member {
				who: account(SEVEN[6]).into(),
			},
			MembershipCall::swap_member {
				remove: account(SEVEN[6]).into(),
				add: account("//friend//1").into(),
			},
		] {
			assert_eq!(
				decide(chain, &SEVEN, 4, &call.into()),
				Err(DispatchError::BadOrigin)
			);
		}
		// Not even all of them name one whose vote counts for those who do not vote.
		let reset = MembershipCall::reset_members {
			members: vec![account("//friend//1")],
		};
		assert_eq!(
			decide(chain, &SEVEN, 7, &reset.into()),
			Err(DispatchError::BadOrigin)
		);
		let prime = MembershipCall::set_prime {
			who: account(SEVEN[0]).into(),
		};
		assert_eq!(
			decide(chain, &SEVEN, 7, &prime.into()),
			Err(DispatchError::BadOrigin)
		);
		assert_eq!(member_count(), 7);
	});
}

#[test]
fn last_member_stays() {
	let two = &SEVEN[..2];
	council(two, |chain| {
		let remove = |path: &str| -> RuntimeCall {
			MembershipCall::remove_member {
				who: account(path).into(),
			}
			.into()
		};
		assert_eq!(decide(chain, two, 2, &remove(SEVEN[1])), Ok(()));
		assert_eq!(
			decide(chain, two, 1, &remove(SEVEN[0])),
			Err(DispatchError::BadOrigin)
		);
		assert_eq!(member_count(), 1);
		// The last one alone is the council.
		assert_eq!(decide(chain, two, 1, &create("second")), Ok(()));
		assert_eq!(decide(chain, two, 1, &add("//member//9")), Ok(()));
	});
}

#[test]
fn motion_expires_and_who_does_not_vote_votes_no() {
	council(&SEVEN, |chain| {
		let call = create("second");
		chain.submit([by(account(SEVEN[0]), propose(4, &call))]);
		for member in &SEVEN[..3] {
			chain.submit([by(account(member), vote(&call, true))]);
		}
		assert_eq!(
			chain.try_submit(by(account(SEVEN[0]), close(&call))),
			Err(CouncilError::TooEarly.into())
		);
		let now = System::block_number();
		chain.block_with(|| {
			System::set_block_number(now + MotionDuration::get());
			assert_eq!(dispatch(by(Bob, close(&call))), Ok(()));
			System::set_block_number(now + 1);
		});
		assert!(System::read_events_no_consensus().any(|record| matches!(
			record.event,
			RuntimeEvent::Council(pallet_collective::Event::Disapproved { .. })
		)));
		assert_eq!(CommunityCount::<Runtime>::get(), 1);
		assert_eq!(
			chain.try_submit(by(account(SEVEN[3]), vote(&call, true))),
			Err(CouncilError::ProposalMissing.into())
		);
	});
}

#[test]
fn same_motion_is_open_once_and_its_threshold_cannot_be_changed() {
	council(&SEVEN, |chain| {
		let call = upgrade(Hash::repeat_byte(7));
		// Somebody opens it with a threshold that it can never have.
		chain.submit([by(account(SEVEN[6]), propose(7, &call))]);
		for threshold in [5, 7] {
			assert_eq!(
				chain.try_submit(by(account(SEVEN[0]), propose(threshold, &call))),
				Err(CouncilError::DuplicateProposal.into())
			);
		}
		// One vote against it ends it, and the others move the same again.
		chain.submit([by(account(SEVEN[0]), vote(&call, false))]);
		assert_eq!(
			chain.try_submit(by(account(SEVEN[0]), vote(&call, false))),
			Err(CouncilError::DuplicateVote.into())
		);
		chain.submit([by(account(SEVEN[0]), close(&call))]);
		assert_eq!(decide(chain, &SEVEN, 5, &call), Ok(()));
	});
}

/// Motions that could hold a place against many votes are refused, and so are long ones.
#[test]
fn motion_that_cannot_be_voted_down_or_read_is_not_opened() {
	council(&SEVEN, |chain| {
		let mut open = |threshold, call: &RuntimeCall| {
			let motion = propose(threshold, call);
			chain.try_submit(by(account(SEVEN[6]), motion))
		};
		for threshold in [0, 1, 2, 3, 8, u32::MAX] {
			assert_eq!(open(threshold, &create("a")), Err(filtered()), "{threshold}");
		}
		assert_eq!(open(4, &create("a")), Ok(()));
		assert_eq!(open(7, &create("b")), Ok(()));
		let long = |bytes| {
			frame_system::Call::<Runtime>::remark {
				remark: vec![0; bytes],
			}
			.into()
		};
		assert_eq!(open(5, &long(MAX_MOTION_BYTES)), Err(filtered()));
		assert_eq!(open(5, &long(MAX_MOTION_BYTES - 10)), Ok(()));
	});
	// Half of two is one, but nobody of two decides alone.
	council(&SEVEN[..2], |chain| {
		let alone = propose(1, &pause("System", "remark_with_event"));
		assert_eq!(chain.try_submit(by(account(SEVEN[0]), alone)), Err(filtered()));
	});
}

/// A member who fills all places for motions costs the others a batch, and its seat is then at stake.
#[test]
fn flood_of_motions_is_ended_by_the_others() {
	council(&SEVEN, |chain| {
		let flood: Vec<_> = (0..MaxMotions::get())
			.map(|number| create(&format!("flood {number}")))
			.collect();
		// The least threshold that can be: four of seven must vote no.
		for motion in &flood {
			chain.submit([by(account(SEVEN[6]), propose(4, motion))]);
		}
		let remove: RuntimeCall = MembershipCall::remove_member {
			who: account(SEVEN[6]).into(),
		}
		.into();
		assert_eq!(
			chain.try_submit(by(account(SEVEN[0]), propose(5, &remove))),
			Err(CouncilError::TooManyProposals.into())
		);
		// A refused motion closes with any bounds, however heavy its call is.
		let close_refused = |call: &RuntimeCall| -> RuntimeCall {
			let proposal_hash = BlakeTwo256::hash_of(call);
			CouncilCall::close {
				proposal_hash,
				index: motion_number(proposal_hash),
				proposal_weight_bound: Default::default(),
				length_bound: 0,
			}
			.into()
		};
		let batch = |calls| -> RuntimeCall { pallet_utility::Call::<Runtime>::force_batch { calls }.into() };
		let against = || flood.iter().map(|motion| vote(motion, false)).collect();
		for member in &SEVEN[..3] {
			chain.submit([by(account(member), batch(against()))]);
		}
		// The first free place is taken in the same transaction, also if somebody has closed a motion before.
		let mut calls: Vec<RuntimeCall> = against();
		calls.extend(flood.iter().map(close_refused));
		calls.extend(flood.first().map(close_refused));
		calls.push(propose(5, &remove));
		chain.submit([by(account(SEVEN[3]), batch(calls))]);
		for member in &SEVEN[..5] {
			chain.submit([by(account(member), vote(&remove, true))]);
		}
		chain.submit([by(account(SEVEN[0]), close(&remove))]);
		assert_eq!((executed(), member_count()), (Ok(()), 6));
	});
}

#[test]
fn seat_is_not_handed_on_by_its_member() {
	council(&SEVEN, |chain| {
		let hand_on = MembershipCall::change_key {
			new: account("//friend//1").into(),
		};
		assert_eq!(chain.try_submit(by(account(SEVEN[6]), hand_on)), Err(filtered()));
		// Two thirds give a member another key.
		let swap = MembershipCall::swap_member {
			remove: account(SEVEN[6]).into(),
			add: account("//member//7//new").into(),
		};
		assert_eq!(decide(chain, &SEVEN, 5, &swap.into()), Ok(()));
	});
}

/// Otherwise two thirds could take the seats of those who object.
#[test]
fn seats_stay_as_they_are_while_an_upgrade_waits() {
	council(&SEVEN, |chain| {
		let code_hash = Hash::repeat_byte(7);
		assert_eq!(decide(chain, &SEVEN, 5, &upgrade(code_hash)), Ok(()));
		let remove = MembershipCall::remove_member {
			who: account(SEVEN[6]).into(),
		};
		for call in [add("//friend//1"), remove.into()] {
			assert_eq!(decide(chain, &SEVEN, 6, &call), Err(DispatchError::BadOrigin));
		}
		let withdraw = pallet_upgrades::Call::<Runtime>::withdraw { code_hash };
		assert_eq!(decide(chain, &SEVEN, 5, &withdraw.into()), Ok(()));
		assert_eq!(decide(chain, &SEVEN, 5, &add("//friend//1")), Ok(()));
	});
}

/// Nobody could object while the chain stood still.
#[test]
fn outage_is_no_notice() {
	council(&SEVEN, |chain| {
		let code = vec![1, 2, 3];
		let code_hash = BlakeTwo256::hash(&code);
		assert_eq!(decide(chain, &SEVEN, 5, &upgrade(code_hash)), Ok(()));
		chain.stand_still(10 * HALF_HOUR_MS);
		let apply = pallet_upgrades::Call::<Runtime>::apply { code };
		assert_eq!(
			chain.try_submit(by(Bob, apply)),
			Err(pallet_upgrades::Error::<Runtime>::TooEarly.into())
		);
		// Half of the blocks of a notice of an hour and a half, but no more than half an hour of them.
		assert_eq!(MinimumBlocks::get(), 300);
	});
}

#[test]
fn third_of_the_council_stops_an_upgrade_and_a_flood_of_motions_does_not_keep_it_from_that() {
	council(&SEVEN, |chain| {
		let code_hash = Hash::repeat_byte(7);
		assert_eq!(decide(chain, &SEVEN, 5, &upgrade(code_hash)), Ok(()));
		for number in 0..MaxMotions::get() {
			chain.submit([by(
				account(SEVEN[0]),
				propose(7, &create(&format!("flood {number}"))),
			)]);
		}
		let object = || pallet_upgrades::Call::<Runtime>::object { code_hash };
		assert_eq!(
			chain.try_submit(by(Bob, object())),
			Err(pallet_upgrades::Error::<Runtime>::NotMember.into())
		);
		for member in &SEVEN[4..] {
			assert!(pallet_upgrades::Decided::<Runtime>::exists());
			chain.submit([by(account(member), object())]);
		}
		assert!(!pallet_upgrades::Decided::<Runtime>::exists());
	});
}

#[test]
fn what_is_paused_is_refused_and_readings_clearing_and_settlement_go_on() {
	council(&SEVEN, |chain| {
		let pauses = [
			("EnergyMarket", "submit_strategies"),
			("System", "remark_with_event"),
		];
		for (pallet, call) in pauses {
			assert_eq!(decide(chain, &SEVEN, 4, &pause(pallet, call)), Ok(()));
		}
		let paused = Err(frame_system::Error::<Runtime>::CallFiltered.into());
		assert_eq!(chain.try_submit(sell(0, 1_000)), paused);
		let remark = frame_system::Call::<Runtime>::remark_with_event { remark: vec![1] };
		assert_eq!(chain.try_submit(by(Alice, remark.clone())), paused);
		// Nor inside another call.
		let wrapped = pallet_utility::Call::<Runtime>::batch_all {
			calls: vec![remark.into()],
		};
		assert_eq!(chain.try_submit(by(Alice, wrapped)), paused);
		// Eras go on, and what is metered is settled.
		let era = chain.next_era();
		chain.deliver([(0, 1_000, 0), (1, 0, 1_000)]);
		chain.next_era();
		assert_eq!(record(0, era).players, 0, "nobody could submit strategies");
		assert_sums(0, era);
		// The others end the pause.
		let unpause = pallet_tx_pause::Call::<Runtime>::unpause {
			ident: name("EnergyMarket", "submit_strategies"),
		};
		assert_eq!(decide(chain, &SEVEN, 4, &unpause.into()), Ok(()));
		chain.submit([sell(0, 1_000)]);
	});
}

#[test]
fn what_protects_people_and_the_chain_cannot_be_paused() {
	council(&SEVEN, |chain| {
		let unpausable: DispatchError = pallet_tx_pause::Error::<Runtime>::Unpausable.into();
		let calls = Unpausable::PALLETS.iter().flat_map(|pallet| {
			RuntimeCall::get_call_names(pallet)
				.iter()
				.map(move |call| (*pallet, *call))
		});
		let market = Unpausable::MARKET.iter().map(|call| ("EnergyMarket", *call));
		for (pallet, call) in calls.chain(market) {
			assert!(Unpausable::contains(&name(pallet, call)), "{pallet}.{call}");
		}
		for (pallet, call) in [
			("EnergyMarket", "submit_reading"),
			("EnergyMarket", "leave"),
			("Balances", "transfer_keep_alive"),
			("Timestamp", "set"),
			("TxPause", "unpause"),
			("Council", "vote"),
			("Multisig", "as_multi"),
		] {
			let refused = decide(chain, &SEVEN, 7, &pause(pallet, call));
			assert_eq!(refused, Err(unpausable), "{pallet}.{call}");
		}
	});
}

/// A typing error in a name would leave a call unprotected.
#[test]
fn names_of_what_cannot_be_paused_are_names_of_calls() {
	let market = RuntimeCall::get_call_names("EnergyMarket");
	for call in Unpausable::MARKET {
		assert!(market.contains(&call), "{call}");
	}
	let modules = RuntimeCall::get_module_names();
	for pallet in Unpausable::PALLETS {
		assert!(modules.contains(&pallet), "{pallet}");
	}
}

/// A motion may weigh so much; a decision that weighs more could never be made.
#[test]
fn every_decision_fits_into_a_motion() {
	use pallet_energy_market::{Call as Market, CommunityId};
	let anybody = || account("//member//1");
	let community_id = CommunityId(0);
	let decisions: [RuntimeCall; 11] = [
		create("any"),
		Market::set_operator {
			community: community_id,
			operator: anybody(),
		}
		.into(),
		Market::set_terms_bounds {
			community: community_id,
			bounds: community(0).bounds,
		}
		.into(),
		Market::set_utility {
			community: community_id,
			utility: anybody(),
		}
		.into(),
		Market::close_community {
			community: community_id,
			beneficiary: anybody(),
		}
		.into(),
		pallet_validators::Call::admit { validator: anybody() }.into(),
		pallet_validators::Call::remove { validator: anybody() }.into(),
		pallet_validators::Call::note_stalled {
			delay: 1,
			best_final: 1,
		}
		.into(),
		upgrade(Hash::zero()),
		pause("System", "remark_with_event"),
		add("//member//8"),
	];
	let most = MaxMotionWeight::get();
	for call in decisions {
		let weight = call.get_dispatch_info().call_weight;
		assert!(weight.all_lte(most), "{call:?}: {weight}");
	}
}

/// A chain of a version without a council has no members at first, and its Sudo key founds the council.
#[test]
fn sudo_gives_out_the_first_seats() {
	let mut setup = Setup::empty();
	setup.genesis.council_membership.members = Default::default();
	setup.run(|chain| {
		for (count, path) in (1..).zip(SEVEN) {
			let call = Box::new(add(path));
			chain.submit([by(Alice, pallet_sudo::Call::<Runtime>::sudo { call })]);
			assert_eq!(member_count(), count);
		}
		chain.submit([by(Alice, pallet_sudo::Call::<Runtime>::remove_key {})]);
		assert_eq!(pallet_sudo::Key::<Runtime>::get(), None);
	});
}

use crate::{mock::*, *};
use frame_support::{
	assert_err,
	traits::{Get, Hooks},
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sp_runtime::Digest;

const TARGET_MS: u64 = 6_000;
const REWARD: u128 = 1_000;

fn difficulty() -> u128 {
	Difficulty::<Test>::get()
}

/// Mines blocks with a machine of so many hashes a millisecond, each taking exactly its mean time, and returns what
/// the last one took.
fn mine_evenly(now_ms: &mut u64, blocks: u32, hashes_per_ms: u128) -> u64 {
	let mut took = 0;
	for _ in 0..blocks {
		block(*now_ms, Digest::default());
		took = u64::try_from(difficulty() / hashes_per_ms).unwrap().max(1);
		// What is being mined is the block after the one that was just noted.
		*now_ms += took;
	}
	took
}

/// The same with luck: times are exponentially distributed, as those of real work are.
fn mine_with_luck(now_ms: &mut u64, blocks: u32, hashes_per_ms: f64, rng: &mut ChaCha8Rng) -> f64 {
	let begin = *now_ms;
	for _ in 0..blocks {
		block(*now_ms, Digest::default());
		let luck = -(1.0 - rng.gen::<f64>()).ln();
		*now_ms += ((difficulty() as f64 / hashes_per_ms * luck) as u64).max(1);
	}
	(*now_ms - begin) as f64 / f64::from(blocks)
}

fn near(value: f64, expected: f64, tolerance: f64) -> bool {
	(value / expected - 1.0).abs() <= tolerance
}

#[test]
fn chain_that_is_not_mined_notes_and_pays_nothing() {
	idle_chain().execute_with(|| {
		block(1_000, mined_by(&7u64));
		assert_eq!((difficulty(), recent()), (0, vec![]));
		assert_eq!(Balances::total_issuance(), 0);
	});
}

#[test]
fn first_difficulty_is_that_of_genesis() {
	mined_chain(12_345, TARGET_MS, REWARD).execute_with(|| {
		assert_eq!(difficulty(), 12_345);
		block(1_000, Digest::default());
		// One block alone took no time that anybody knows of.
		assert_eq!(difficulty(), 12_345);
	});
}

#[test]
fn difficulty_is_that_worked_by_hand() {
	let mined = |timestamp_ms, difficulty| Mined {
		timestamp_ms,
		difficulty,
	};
	// Intervals 3 s, 9 s and 6 s of blocks at 100, 200 and 300: 6 s * (1*100 + 2*200 + 3*300) / (1*3 + 2*9 + 3*6) s = 215.4
	let recent = [
		mined(0, 100),
		mined(3_000, 200),
		mined(12_000, 300),
		mined(18_000, 250),
	];
	assert_eq!(retarget::next_difficulty(&recent, TARGET_MS), 215);
	assert_eq!(retarget::next_difficulty(&[], TARGET_MS), 1);
}

#[test]
fn difficulty_stays_while_blocks_take_what_they_should() {
	mined_chain(6_000_000, TARGET_MS, 0).execute_with(|| {
		let mut now = 1_000;
		mine_evenly(&mut now, 200, 1_000);
		assert_eq!(difficulty(), 6_000_000);
	});
}

#[test]
fn difficulty_follows_the_hash_rate_up_and_down_within_the_window() {
	mined_chain(6_000_000, TARGET_MS, 0).execute_with(|| {
		let mut now = 1_000;
		mine_evenly(&mut now, 2 * WINDOW, 1_000);
		for (rate, before) in [(10_000u128, 1_000), (1_000, 10_000), (250, 1_000), (1_000, 250)] {
			let first = mine_evenly(&mut now, 1, rate);
			assert!(
				near(first as f64, TARGET_MS as f64 * before as f64 / rate as f64, 0.25),
				"{first} ms"
			);
			let last = mine_evenly(&mut now, WINDOW, rate);
			assert!(
				near(last as f64, TARGET_MS as f64, 0.15),
				"{rate} a ms: {last} ms after a window"
			);
			mine_evenly(&mut now, WINDOW, rate);
		}
	});
}

#[test]
fn blocks_come_at_the_target_in_the_mean_whatever_the_luck() {
	let mut rng = ChaCha8Rng::seed_from_u64(20_261_124);
	mined_chain(1_000, TARGET_MS, 0).execute_with(|| {
		let mut now = 1_000;
		for rate in [1_000.0, 20_000.0, 500.0] {
			// Until the window has only blocks of this rate.
			mine_with_luck(&mut now, 2 * WINDOW, rate, &mut rng);
			let mean = mine_with_luck(&mut now, 4_000, rate, &mut rng);
			assert!(near(mean, TARGET_MS as f64, 0.06), "{rate} a ms: {mean} ms");
		}
	});
}

#[test]
fn difficulty_never_more_than_doubles_or_halves() {
	mined_chain(1 << 40, TARGET_MS, 0).execute_with(|| {
		let mut now = 1;
		block(now, Digest::default());
		for interval in [1, 1, 1, 1_000_000_000_000, 1_000_000_000_000, 1, u64::MAX / 2] {
			let before = difficulty();
			now += interval;
			block(now, Digest::default());
			assert!(
				difficulty() <= before * 2 && difficulty() >= before / 2,
				"{before} -> {}",
				difficulty()
			);
		}
	});
}

#[test]
fn extremes_do_not_overflow_and_leave_a_difficulty() {
	for target_ms in [1, TARGET_MS, u64::MAX] {
		for initial in [1, u128::MAX] {
			mined_chain(initial, target_ms, 0).execute_with(|| {
				for timestamp_ms in (1..=80).chain([u64::MAX - 1, u64::MAX]) {
					block(timestamp_ms, Digest::default());
					assert!(difficulty() > 0);
				}
			});
		}
	}
}

#[test]
fn window_is_all_that_is_remembered() {
	mined_chain(6_000, TARGET_MS, 0).execute_with(|| {
		let mut now = 1_000;
		mine_evenly(&mut now, 3 * WINDOW, 1);
		assert_eq!(recent().len(), WINDOW as usize + 1);
	});
}

#[test]
fn miner_of_the_header_gets_the_reward() {
	mined_chain(1, TARGET_MS, REWARD).execute_with(|| {
		block(1_000, mined_by(&7u64));
		assert_eq!(
			(Balances::free_balance(7), Balances::total_issuance()),
			(REWARD, REWARD)
		);
		System::assert_last_event(
			Event::<Test>::RewardPaid {
				miner: 7,
				amount: REWARD,
			}
			.into(),
		);
		block(2_000, mined_by(&8u64));
		assert_eq!(
			(Balances::free_balance(7), Balances::free_balance(8)),
			(REWARD, REWARD)
		);
	});
}

#[test]
fn header_that_names_nobody_has_no_reward() {
	mined_chain(1, TARGET_MS, REWARD).execute_with(|| {
		for (at, digest) in [
			(1, Digest::default()),
			(2, mined_by(&7u8)),
			(3, mined_by(&(7u64, 1u8))),
		] {
			block(at, digest);
		}
		let other = DigestItem::PreRuntime(*b"aura", codec::Encode::encode(&7u64));
		block(4, Digest { logs: vec![other] });
		assert_eq!(Balances::total_issuance(), 0);
	});
}

#[test]
fn reward_beyond_all_money_is_not_paid_and_stops_nothing() {
	mined_chain(1, TARGET_MS, u128::MAX).execute_with(|| {
		block(1, mined_by(&7u64));
		block(2, mined_by(&8u64));
		assert_eq!(
			(Balances::free_balance(7), Balances::free_balance(8)),
			(u128::MAX, 0)
		);
		assert_eq!(recent().len(), 2);
	});
}

#[test]
fn weight_is_charged_where_there_is_work() {
	mined_chain(1, TARGET_MS, 0)
		.execute_with(|| assert_eq!(Mining::on_initialize(1), UnitWeight::finalize_block()));
	let db: frame_support::weights::RuntimeDbWeight = <Test as frame_system::Config>::DbWeight::get();
	let reads = db.reads(2);
	idle_chain().execute_with(|| assert_eq!(<Mining as Hooks<u64>>::on_initialize(1), reads));
}

#[test]
#[should_panic(expected = "at least one millisecond")]
fn genesis_without_a_target_is_refused() {
	mined_chain(1, 0, 0);
}

#[test]
#[should_panic(expected = "must hold to exist")]
fn genesis_with_a_reward_below_the_existential_deposit_is_refused() {
	mined_chain(1, TARGET_MS, EXISTENTIAL_DEPOSIT - 1);
}

#[test]
#[should_panic(expected = "has an initial difficulty")]
fn genesis_with_a_target_and_no_difficulty_is_refused() {
	mined_chain(0, TARGET_MS, 0);
}

#[test]
fn broken_states_are_noticed() {
	mined_chain(1, TARGET_MS, 0).execute_with(|| {
		block(5, Digest::default());
		Difficulty::<Test>::put(0);
		assert_err!(
			Mining::check_state(),
			"a mined chain has rules and a difficulty, any other neither"
		);
		Difficulty::<Test>::put(1);
		let _ = Recent::<Test>::try_mutate(|recent| recent.try_push(recent[0]));
		assert_err!(
			Mining::check_state(),
			"each noted block is later than the one before"
		);
		Rules::<Test>::kill();
		Difficulty::<Test>::kill();
		assert_err!(Mining::check_state(), "only a mined chain notes its blocks");
	});
}

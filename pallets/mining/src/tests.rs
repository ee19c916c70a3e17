//! Tests of difficulty, rewards, genesis and invariants.

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

/// Mines blocks with a constant number of hashes in a millisecond, so that each block takes exactly its mean time.
/// Returns the time that the last one took, ms.
fn mine_evenly(now_ms: &mut u64, blocks: u32, hashes_per_ms: u128) -> u64 {
	let mut took = 0;
	for _ in 0..blocks {
		block(*now_ms, Digest::default());
		took = u64::try_from(difficulty() / hashes_per_ms).unwrap().max(1);
		// The block after the recorded one is being mined now.
		*now_ms += took;
	}
	took
}

/// Like [`mine_evenly`], but with exponentially distributed times, as real work has. Returns the mean time, ms.
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
fn unmined_chain_records_and_pays_nothing() {
	idle_chain().execute_with(|| {
		block(1_000, mined_by(&7u64));
		assert_eq!((difficulty(), recent()), (0, vec![]));
		assert_eq!(Balances::total_issuance(), 0);
	});
}

#[test]
fn first_difficulty_is_the_one_of_the_genesis() {
	mined_chain(12_345, TARGET_MS, REWARD).execute_with(|| {
		assert_eq!(difficulty(), 12_345);
		block(1_000, Digest::default());
		// A single block has no interval.
		assert_eq!(difficulty(), 12_345);
	});
}

#[test]
fn difficulty_equals_the_value_computed_by_hand() {
	let mined = |timestamp_ms, difficulty| Mined {
		timestamp_ms,
		difficulty,
	};
	// Intervals of 3 s, 9 s and 6 s at difficulties of 100, 200 and 300: 6 s * (1*100 + 2*200 + 3*300) / (1*3 + 2*9 +
	// 3*6) s = 215.4
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
fn difficulty_is_constant_while_blocks_take_the_target_time() {
	mined_chain(6_000_000, TARGET_MS, 0).execute_with(|| {
		let mut now = 1_000;
		mine_evenly(&mut now, 200, 1_000);
		assert_eq!(difficulty(), 6_000_000);
	});
}

#[test]
fn difficulty_follows_the_hash_rate_within_a_window() {
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
				"{rate} hashes/ms: {last} ms after a window"
			);
			mine_evenly(&mut now, WINDOW, rate);
		}
	});
}

#[test]
fn mean_block_time_is_the_target_with_random_times() {
	let mut rng = ChaCha8Rng::seed_from_u64(20_261_124);
	mined_chain(1_000, TARGET_MS, 0).execute_with(|| {
		let mut now = 1_000;
		for rate in [1_000.0, 20_000.0, 500.0] {
			// Until the window contains only blocks of this rate.
			mine_with_luck(&mut now, 2 * WINDOW, rate, &mut rng);
			let mean = mine_with_luck(&mut now, 4_000, rate, &mut rng);
			assert!(near(mean, TARGET_MS as f64, 0.06), "{rate} hashes/ms: {mean} ms");
		}
	});
}

#[test]
fn difficulty_at_most_doubles_or_halves() {
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
fn extreme_values_do_not_overflow_and_keep_the_difficulty_positive() {
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
fn only_the_window_is_recorded() {
	mined_chain(6_000, TARGET_MS, 0).execute_with(|| {
		let mut now = 1_000;
		mine_evenly(&mut now, 3 * WINDOW, 1);
		assert_eq!(recent().len(), WINDOW as usize + 1);
	});
}

#[test]
fn miner_named_in_the_header_gets_the_reward() {
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
fn header_without_a_valid_miner_gets_no_reward() {
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
fn reward_that_overflows_the_issuance_is_skipped() {
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
fn weight_is_charged_only_on_a_mined_chain() {
	mined_chain(1, TARGET_MS, 0)
		.execute_with(|| assert_eq!(Mining::on_initialize(1), UnitWeight::finalize_block()));
	let db: frame_support::weights::RuntimeDbWeight = <Test as frame_system::Config>::DbWeight::get();
	let reads = db.reads(2);
	idle_chain().execute_with(|| assert_eq!(<Mining as Hooks<u64>>::on_initialize(1), reads));
}

#[test]
#[should_panic(expected = "target_block_ms must be at least 1")]
fn genesis_without_a_target_is_refused() {
	mined_chain(1, 0, 0);
}

#[test]
#[should_panic(expected = "reward must be 0 or at least")]
fn genesis_with_a_reward_below_the_existential_deposit_is_refused() {
	mined_chain(1, TARGET_MS, EXISTENTIAL_DEPOSIT - 1);
}

#[test]
#[should_panic(expected = "initial_difficulty must be above 0")]
fn genesis_with_a_target_and_no_difficulty_is_refused() {
	mined_chain(0, TARGET_MS, 0);
}

#[test]
fn broken_states_are_caught() {
	mined_chain(1, TARGET_MS, 0).execute_with(|| {
		block(5, Digest::default());
		Difficulty::<Test>::put(0);
		assert_err!(
			Mining::check_state(),
			"mining rules without a difficulty, or a difficulty without rules"
		);
		Difficulty::<Test>::put(1);
		let _ = Recent::<Test>::try_mutate(|recent| recent.try_push(recent[0]));
		assert_err!(
			Mining::check_state(),
			"the timestamps of recorded blocks do not increase"
		);
		Rules::<Test>::kill();
		Difficulty::<Test>::kill();
		assert_err!(
			Mining::check_state(),
			"blocks are recorded on a chain that is not mined"
		);
	});
}

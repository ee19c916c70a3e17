//! The worst case at the end of a mined block: a full window, and a miner without an account.

use super::*;
use codec::Encode;
use frame_benchmarking::v2::*;
use frame_support::traits::{fungible::Inspect, Hooks};

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn finalize_block() -> Result<(), BenchmarkError> {
		let reward = T::Currency::minimum_balance();
		let now = T::Time::now();
		Rules::<T>::put(MiningRules {
			target_block_ms: 6_000,
			reward,
		});
		Difficulty::<T>::put(u128::MAX);
		let full = (0..=WINDOW)
			.map(|i| Mined {
				timestamp_ms: now.saturating_sub(u64::from(WINDOW + 1 - i)),
				difficulty: u128::MAX,
			})
			.collect();
		Recent::<T>::put(frame_support::BoundedVec::truncate_from(full));
		let miner: T::AccountId = account("miner", 0, 0);
		frame_system::Pallet::<T>::deposit_log(DigestItem::PreRuntime(POW_ENGINE_ID, miner.encode()));

		#[block]
		{
			Pallet::<T>::on_finalize(frame_system::Pallet::<T>::block_number());
		}

		assert_eq!(T::Currency::total_balance(&miner), reward);
		assert_eq!(Recent::<T>::decode_len(), Some(WINDOW as usize + 1));
		Ok(())
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::idle_chain(), crate::mock::Test);
}

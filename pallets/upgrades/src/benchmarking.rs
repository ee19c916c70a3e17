//! The worst cases: a full council, and as many objections as there can be.

use super::*;
use frame_benchmarking::v2::*;
use frame_support::{
	traits::{EnsureOrigin, Get, SortedMembers},
	BoundedVec,
};
use frame_system::RawOrigin;

/// An upgrade waits, and so many members of a full council object to it.
fn waiting<T: Config>(objections: u32) -> T::Hash {
	let code_hash = T::Hash::default();
	Decided::<T>::put(Upgrade {
		code_hash,
		from: 0,
		from_block: 0u32.into(),
	});
	let member = |index: &u32| account::<T::AccountId>("member", *index, 0);
	for index in 0..T::MaxMembers::get() {
		T::Council::add(&member(&index));
	}
	let who: alloc::vec::Vec<_> = (0..objections).collect();
	Objections::<T>::put(BoundedVec::truncate_from(who.iter().map(member).collect()));
	code_hash
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn decide() -> Result<(), BenchmarkError> {
		let origin = T::DecideOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, T::Hash::default());

		assert!(Decided::<T>::exists());
		Ok(())
	}

	#[benchmark]
	fn object() -> Result<(), BenchmarkError> {
		// With one more it is a third.
		let before = T::MaxMembers::get().div_ceil(3).saturating_sub(1);
		let code_hash = waiting::<T>(before);
		let member: T::AccountId = account("member", before, 0);

		#[extrinsic_call]
		_(RawOrigin::Signed(member), code_hash);

		assert!(!Decided::<T>::exists());
		Ok(())
	}

	#[benchmark]
	fn withdraw() -> Result<(), BenchmarkError> {
		let origin = T::DecideOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		let code_hash = waiting::<T>(T::MaxMembers::get() / 3);

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, code_hash);

		assert!(!Decided::<T>::exists());
		Ok(())
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::chain(0), crate::mock::Test);
}

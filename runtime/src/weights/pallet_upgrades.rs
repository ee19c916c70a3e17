//! Placeholder until the weights are measured.
#![allow(missing_docs)]
use core::marker::PhantomData;
use frame_support::weights::Weight;
pub struct WeightInfo<T>(PhantomData<T>);
impl<T: frame_system::Config> pallet_upgrades::WeightInfo for WeightInfo<T> {
	fn decide() -> Weight {
		Weight::from_parts(100_000_000, 0)
	}
	fn object() -> Weight {
		Weight::from_parts(100_000_000, 0)
	}
	fn withdraw() -> Weight {
		Weight::from_parts(100_000_000, 0)
	}
}

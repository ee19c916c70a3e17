//! Provisional: replaced by measured weights before anything is released.
#![allow(missing_docs)]
use core::marker::PhantomData;
use frame_support::weights::Weight;
pub struct WeightInfo<T>(PhantomData<T>);
impl<T: frame_system::Config> pallet_validators::WeightInfo for WeightInfo<T> {
	fn admit() -> Weight {
		Weight::from_parts(300_000_000, 0)
	}
	fn remove() -> Weight {
		Weight::from_parts(300_000_000, 0)
	}
	fn purge_keys() -> Weight {
		Weight::from_parts(300_000_000, 0)
	}
	fn note_author() -> Weight {
		Weight::from_parts(100_000_000, 0)
	}
	fn rotate(_v: u32) -> Weight {
		Weight::from_parts(2_000_000_000, 0)
	}
	fn report_offence() -> Weight {
		Weight::from_parts(2_000_000_000, 0)
	}
}

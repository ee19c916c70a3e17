//! What the runtime adds to the checks around a transaction.

use super::{AccountId, Runtime, RuntimeCall, RuntimeOrigin};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode};
use frame_support::weights::Weight;
use pallet_skip_feeless_payment::{Intermediate, SkipCheckIfFeeless};
use pallet_transaction_payment::ChargeTransactionPayment;
use scale_info::{Type, TypeInfo};
use sp_runtime::{
	traits::{
		AsSystemOriginSigner, DispatchInfoOf, Implication, PostDispatchInfoOf, TransactionExtension,
		TransactionExtensionMetadata, ValidateResult,
	},
	transaction_validity::{TransactionPriority, TransactionSource, TransactionValidityError},
	DispatchResult,
};

/// Fees, but none for what is feeless.
type Fees = SkipCheckIfFeeless<Runtime, ChargeTransactionPayment<Runtime>>;

/// Fees, and a way past everything that pays for a reading that has none.
///
/// A transaction that pays gets a priority for it; without this, a full pool or block would leave the feeless readings out,
/// whoever fills it for whatever fee. There is one such reading of a meter and era in a pool at a time, so that a meter
/// cannot fill it either: they carry a common tag, and a pool refuses a second transaction that provides what the
/// first provides.
///
/// From the outside it is the payment that it wraps, as [`SkipCheckIfFeeless`] is: wallets sign nothing for it.
#[derive(Encode, Decode, DecodeWithMemTracking, Clone, Eq, PartialEq, Debug)]
pub struct ReadingsFirst(Fees);

impl From<ChargeTransactionPayment<Runtime>> for ReadingsFirst {
	fn from(payment: ChargeTransactionPayment<Runtime>) -> Self {
		Self(payment.into())
	}
}

impl TypeInfo for ReadingsFirst {
	type Identity = <Fees as TypeInfo>::Identity;

	fn type_info() -> Type {
		Fees::type_info()
	}
}

/// The meter and the era of a reading.
fn reading(origin: &RuntimeOrigin, call: &RuntimeCall) -> Option<(AccountId, u32)> {
	let RuntimeCall::EnergyMarket(pallet_energy_market::Call::submit_reading { era, .. }) = call else {
		return None;
	};
	Some((origin.as_system_origin_signer()?.clone(), *era))
}

impl TransactionExtension<RuntimeCall> for ReadingsFirst {
	const IDENTIFIER: &'static str = <Fees as TransactionExtension<RuntimeCall>>::IDENTIFIER;
	type Implicit = <Fees as TransactionExtension<RuntimeCall>>::Implicit;
	type Val = <Fees as TransactionExtension<RuntimeCall>>::Val;
	type Pre = <Fees as TransactionExtension<RuntimeCall>>::Pre;

	fn metadata() -> Vec<TransactionExtensionMetadata> {
		<Fees as TransactionExtension<RuntimeCall>>::metadata()
	}

	fn implicit(&self) -> Result<Self::Implicit, TransactionValidityError> {
		TransactionExtension::<RuntimeCall>::implicit(&self.0)
	}

	fn weight(&self, call: &RuntimeCall) -> Weight {
		self.0.weight(call)
	}

	fn validate(
		&self,
		origin: RuntimeOrigin,
		call: &RuntimeCall,
		info: &DispatchInfoOf<RuntimeCall>,
		len: usize,
		self_implicit: Self::Implicit,
		inherited_implication: &impl Implication,
		source: TransactionSource,
	) -> ValidateResult<Self::Val, RuntimeCall> {
		let reading = reading(&origin, call);
		let (mut valid, val, origin) = self.0.validate(
			origin,
			call,
			info,
			len,
			self_implicit,
			inherited_implication,
			source,
		)?;
		if let (Intermediate::Skip(_), Some(reading)) = (&val, reading) {
			valid.priority = TransactionPriority::MAX;
			valid.provides.push((b"reading", reading).encode());
		}
		Ok((valid, val, origin))
	}

	fn prepare(
		self,
		val: Self::Val,
		origin: &RuntimeOrigin,
		call: &RuntimeCall,
		info: &DispatchInfoOf<RuntimeCall>,
		len: usize,
	) -> Result<Self::Pre, TransactionValidityError> {
		self.0.prepare(val, origin, call, info, len)
	}

	fn post_dispatch_details(
		pre: Self::Pre,
		info: &DispatchInfoOf<RuntimeCall>,
		post_info: &PostDispatchInfoOf<RuntimeCall>,
		len: usize,
		result: &DispatchResult,
	) -> Result<Weight, TransactionValidityError> {
		<Fees as TransactionExtension<RuntimeCall>>::post_dispatch_details(pre, info, post_info, len, result)
	}
}

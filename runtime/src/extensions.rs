//! This runtime's own transaction extension.

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

/// Charges fees, except for feeless calls.
type Fees = SkipCheckIfFeeless<Runtime, ChargeTransactionPayment<Runtime>>;

/// Charges fees, except for feeless calls, and gives what meters sign without a fee (readings and confirmations) the
/// highest priority, so that paid spam cannot crowd them out.
///
/// A paying transaction has a priority, which grows with its tip; a feeless one would have none. So without this
/// extension, a full pool or block would exclude the feeless readings. A meter cannot fill the pool either: all its
/// feeless readings of an era provide the same tag, as do all its feeless confirmations, and a pool holds only one
/// transaction that provides a given tag.
///
/// To wallets it looks like the payment extension that it wraps, as [`SkipCheckIfFeeless`] does: they sign no extra
/// data for it.
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

/// The tag of what a meter signs: that of a reading names the meter and the era, that of a confirmation the meter.
fn tag(origin: &RuntimeOrigin, call: &RuntimeCall) -> Option<Vec<u8>> {
	use pallet_energy_market::Call::{confirm_meter, submit_reading};
	let signer = || -> Option<AccountId> { origin.as_system_origin_signer().cloned() };
	match call {
		RuntimeCall::EnergyMarket(submit_reading { era, .. }) => Some((b"reading", signer()?, era).encode()),
		RuntimeCall::EnergyMarket(confirm_meter { .. }) => Some((b"confirmation", signer()?).encode()),
		_ => None,
	}
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
		let tag = tag(&origin, call);
		let (mut valid, val, origin) = self.0.validate(
			origin,
			call,
			info,
			len,
			self_implicit,
			inherited_implication,
			source,
		)?;
		if let (Intermediate::Skip(_), Some(tag)) = (&val, tag) {
			valid.priority = TransactionPriority::MAX;
			valid.provides.push(tag);
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

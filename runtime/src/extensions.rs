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

/// The priority of what meters sign without a fee: readings, late readings and confirmations. Paid transactions are
/// below, the governor's calls above.
pub const READING_PRIORITY: TransactionPriority = 1 << 63;

/// The priority of the governor's calls, and of an upgrade that it has authorized (see `frame_system`).
pub const GOVERNOR_PRIORITY: TransactionPriority = TransactionPriority::MAX;

/// Charges fees, except for feeless calls, and ranks transactions: first the governor's, then readings without a fee,
/// then all that pay. Pools and authors of blocks take them in this order.
///
/// **Readings before what pays.** [`SkipCheckIfFeeless`] leaves a feeless transaction the priority 0, below every paid
/// one, so a full pool or block would exclude it. A paid transaction keeps the priority that
/// `pallet_transaction_payment` computes from its tip and its size, but stays below every reading. The pallet raises calls
/// of the class `Operational`; they stay below readings too. Anybody may pay for an operational call that fails, such as
/// `set_code`, and could otherwise crowd readings out. Operational calls still have a quarter of each block to themselves.
///
/// **The governor before readings.** It must be able to stop or mend a chain at any moment, also in the minute in which
/// all meters report. Its calls are the calls of Sudo that the Sudo key signs, whatever class they have: most of the
/// market's calls have the class `Normal`. A call of Sudo by anybody else is merely paid, and so is one that the
/// governor wraps in a batch or a proxy.
///
/// **What meters can fill is bounded.** All feeless readings of one meter and era provide the same tag. A pool holds one
/// transaction for each tag, and a block accepts only the first of these readings. The confirmations of a meter share a
/// tag of their own. So there is at most one of each for a meter and an era, and an operator pays a deposit for each meter
/// that it names. They have the class `Normal`, so they never use the quarter of a block that is reserved for
/// `Operational` calls.
///
/// To wallets it looks like the payment extension that it wraps, as [`SkipCheckIfFeeless`] does: they sign no extra
/// data for it.
#[derive(Encode, Decode, DecodeWithMemTracking, Clone, Eq, PartialEq, Debug)]
pub struct RankedFees(Fees);

impl From<ChargeTransactionPayment<Runtime>> for RankedFees {
	fn from(payment: ChargeTransactionPayment<Runtime>) -> Self {
		Self(payment.into())
	}
}

impl TypeInfo for RankedFees {
	type Identity = <Fees as TypeInfo>::Identity;

	fn type_info() -> Type {
		Fees::type_info()
	}
}

/// The tag of a call that a meter signs. For a reading it contains the meter and the era, for a confirmation the meter.
fn tag(origin: &RuntimeOrigin, call: &RuntimeCall) -> Option<Vec<u8>> {
	use pallet_energy_market::Call::{confirm_meter, submit_late_reading, submit_reading};
	let signer = || -> Option<AccountId> { origin.as_system_origin_signer().cloned() };
	match call {
		RuntimeCall::EnergyMarket(submit_reading { era, .. }) => Some((b"reading", signer()?, era).encode()),
		RuntimeCall::EnergyMarket(submit_late_reading { era, .. }) => {
			Some((b"late reading", signer()?, era).encode())
		}
		RuntimeCall::EnergyMarket(confirm_meter { .. }) => Some((b"confirmation", signer()?).encode()),
		_ => None,
	}
}

/// Whether the governor signed the call, and Sudo will execute it.
fn is_governors(origin: &RuntimeOrigin, call: &RuntimeCall) -> bool {
	matches!(call, RuntimeCall::Sudo(_))
		&& pallet_sudo::Key::<Runtime>::get()
			.is_some_and(|key| origin.as_system_origin_signer() == Some(&key))
}

impl TransactionExtension<RuntimeCall> for RankedFees {
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
		// `is_governors` reads the key. The call reads it again, and its own weight includes that.
		let key = match call {
			RuntimeCall::Sudo(_) => <Runtime as frame_system::Config>::DbWeight::get().reads(1),
			_ => Weight::zero(),
		};
		self.0.weight(call).saturating_add(key)
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
		let is_governors = is_governors(&origin, call);
		let (mut valid, val, origin) = self.0.validate(
			origin,
			call,
			info,
			len,
			self_implicit,
			inherited_implication,
			source,
		)?;
		valid.priority = match (&val, tag) {
			(Intermediate::Skip(_), Some(tag)) => {
				valid.provides.push(tag);
				READING_PRIORITY
			}
			_ if is_governors => GOVERNOR_PRIORITY,
			_ => valid.priority.min(READING_PRIORITY - 1),
		};
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

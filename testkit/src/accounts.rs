//! Accounts and their keys.

use codec::Encode;
use commonwatt_runtime::{AccountId, Nonce, RuntimeCall, SignedPayload, TxExtension, UncheckedExtrinsic};
use sp_core::{sr25519, Pair};
use sp_keyring::Sr25519Keyring;
use sp_runtime::generic::Era;
use std::{
	collections::BTreeMap,
	sync::{Mutex, MutexGuard, OnceLock},
};

/// A call and the account that signs it.
pub type Signed = (AccountId, RuntimeCall);

/// The key of each account that was asked for: calls name accounts, and an account does not tell its key.
fn keys() -> MutexGuard<'static, BTreeMap<AccountId, sr25519::Pair>> {
	static KEYS: OnceLock<Mutex<BTreeMap<AccountId, sr25519::Pair>>> = OnceLock::new();
	let named = || Sr25519Keyring::iter().map(|key| (key.to_account_id(), key.pair()));
	KEYS.get_or_init(|| Mutex::new(named().collect()))
		.lock()
		.expect("nothing panics while it has the keys")
}

/// The account of a development key's path, such as `//Alice` or `//meter//7`.
pub fn account(path: &str) -> AccountId {
	let pair = sr25519::Pair::from_string(path, None).expect("a path of a key, such as //Alice");
	let account = AccountId::from(pair.public());
	keys().insert(account.clone(), pair);
	account
}

/// The owner of that number, `//owner//NUMBER`: of the household at that place in a [`community`](crate::community()).
pub fn owner(number: u32) -> AccountId {
	account(&format!("//owner//{number}"))
}

/// The meter of that number, `//meter//NUMBER`: of the household at that place in a [`community`](crate::community()).
pub fn meter(number: u32) -> AccountId {
	account(&format!("//meter//{number}"))
}

/// A call by an account, which is one of `Sr25519Keyring`, or one that [`account`] gave wherever it is to be signed.
pub fn by(who: impl Into<AccountId>, call: impl Into<RuntimeCall>) -> Signed {
	(who.into(), call.into())
}

/// The extrinsic of that nonce with this call, signed.
pub fn signed(nonce: Nonce, (who, call): Signed) -> UncheckedExtrinsic {
	let key = keys().get(&who).cloned();
	let key = key
		.unwrap_or_else(|| panic!("no key of {who} is known: take an account of account(), or dispatch()"));
	let extension: TxExtension = (
		frame_system::AuthorizeCall::new(),
		frame_system::CheckNonZeroSender::new(),
		frame_system::CheckSpecVersion::new(),
		frame_system::CheckTxVersion::new(),
		frame_system::CheckGenesis::new(),
		frame_system::CheckEra::from(Era::Immortal),
		frame_system::CheckNonce::from(nonce),
		frame_system::CheckWeight::new(),
		pallet_transaction_payment::ChargeTransactionPayment::from(0).into(),
		frame_system::WeightReclaim::new(),
	);
	let payload =
		SignedPayload::new(call.clone(), extension.clone()).expect("the extensions know this chain");
	let signature = payload.using_encoded(|bytes| key.sign(bytes));
	UncheckedExtrinsic::new_signed(call, who.into(), signature.into(), extension)
}

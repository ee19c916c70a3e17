//! Accounts and their keys.

use codec::Encode;
use commonwatt_runtime::{AccountId, Nonce, RuntimeCall, SignedPayload, TxExtension, UncheckedExtrinsic};
use rand_chacha::{rand_core::SeedableRng, ChaCha8Rng};
use schnorrkel::{context::attach_rng, signing_context, Keypair};
use sp_core::{sr25519, Pair};
use sp_keyring::Sr25519Keyring;
use sp_runtime::generic::Era;
use std::{
	collections::BTreeMap,
	sync::{Mutex, MutexGuard, OnceLock},
};

/// A call and the account that signs it.
pub type Signed = (AccountId, RuntimeCall);

/// The keys that were asked for, by account and by path: calls name accounts, and an account does not tell its key.
#[derive(Default)]
struct Keys {
	of: BTreeMap<AccountId, sr25519::Pair>,
	/// Finding a path's key takes thousands of hashes.
	found: BTreeMap<String, AccountId>,
}

fn keys() -> MutexGuard<'static, Keys> {
	static KEYS: OnceLock<Mutex<Keys>> = OnceLock::new();
	let named = || Keys {
		of: Sr25519Keyring::iter()
			.map(|key| (key.to_account_id(), key.pair()))
			.collect(),
		..Keys::default()
	};
	KEYS.get_or_init(|| Mutex::new(named()))
		.lock()
		.expect("nothing panics while it has the keys")
}

/// The account of a development key's path, such as `//Alice` or `//meter//7`.
pub fn account(path: &str) -> AccountId {
	if let Some(account) = keys().found.get(path) {
		return account.clone();
	}
	let pair = sr25519::Pair::from_string(path, None).expect("a path of a key, such as //Alice");
	let account = AccountId::from(pair.public());
	let mut keys = keys();
	keys.of.insert(account.clone(), pair);
	keys.found.insert(path.into(), account.clone());
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
	let key = keys().of.get(&who).cloned();
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
	let signature = payload.using_encoded(|bytes| sign(&key, bytes));
	UncheckedExtrinsic::new_signed(call, who.into(), signature.into(), extension)
}

/// The same signature for the same message each time, so that a run can be repeated to the last bit: a signature is part
/// of its block, and so of every later state.
fn sign(key: &sr25519::Pair, message: &[u8]) -> sr25519::Signature {
	let message = signing_context(b"substrate").bytes(message);
	// Key and message go into a signature's randomness too, so there is no such thing as a nonce used twice.
	let message = attach_rng(message, ChaCha8Rng::seed_from_u64(0));
	AsRef::<Keypair>::as_ref(key).sign(message).into()
}

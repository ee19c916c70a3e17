//! Accounts and their keys.

use codec::Encode;
use commonwatt_runtime::{
	AccountId, Balance, Nonce, RuntimeCall, SignedPayload, TxExtension, UncheckedExtrinsic,
};
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

/// The keys of all accounts so far. Calls name accounts only, and nothing leads from an account back to its key.
#[derive(Default)]
struct Keys {
	of: BTreeMap<AccountId, sr25519::Pair>,
	/// Accounts by path: deriving a path's key takes thousands of hashes.
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
		.expect("nothing panics while it holds the lock")
}

/// The account of a development key's path, such as `//Alice` or `//meter//7`. Panics if the path is malformed.
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

/// The account `//owner//NUMBER`, which owns the household at that index of a [`community`](crate::community()).
pub fn owner(number: u32) -> AccountId {
	account(&format!("//owner//{number}"))
}

/// The account `//meter//NUMBER`, the meter of the household at that index of a [`community`](crate::community()).
pub fn meter(number: u32) -> AccountId {
	account(&format!("//meter//{number}"))
}

/// A call and its account. To be signed, it needs an account from `Sr25519Keyring` or from [`account`].
pub fn by(who: impl Into<AccountId>, call: impl Into<RuntimeCall>) -> Signed {
	(who.into(), call.into())
}

/// The signed extrinsic of a call with this nonce. Panics if the account's key is unknown.
pub fn signed(nonce: Nonce, call: Signed) -> UncheckedExtrinsic {
	signed_with_tip(nonce, 0, call)
}

/// As [`signed`], with a tip for the block's author.
pub fn signed_with_tip(nonce: Nonce, tip: Balance, (who, call): Signed) -> UncheckedExtrinsic {
	let key = keys().of.get(&who).cloned();
	let key = key.unwrap_or_else(|| {
		panic!("the key of {who} is unknown: use an account from account(), or dispatch()")
	});
	let extension: TxExtension = (
		frame_system::AuthorizeCall::new(),
		frame_system::CheckNonZeroSender::new(),
		frame_system::CheckSpecVersion::new(),
		frame_system::CheckTxVersion::new(),
		frame_system::CheckGenesis::new(),
		frame_system::CheckEra::from(Era::Immortal),
		frame_system::CheckNonce::from(nonce),
		frame_system::CheckWeight::new(),
		pallet_transaction_payment::ChargeTransactionPayment::from(tip).into(),
		frame_metadata_hash_extension::CheckMetadataHash::new(false),
		frame_system::WeightReclaim::new(),
	);
	let payload =
		SignedPayload::new(call.clone(), extension.clone()).expect("the extensions know this chain");
	let signature = payload.using_encoded(|bytes| sign(&key, bytes));
	UncheckedExtrinsic::new_signed(call, who.into(), signature.into(), extension)
}

/// Signs with fixed randomness, so that the same message always gets the same signature. A signature is part of its
/// block and so affects every later state: otherwise two runs would never have the same state.
fn sign(key: &sr25519::Pair, message: &[u8]) -> sr25519::Signature {
	let message = signing_context(b"substrate").bytes(message);
	// schnorrkel derives the nonce from key and message too, so a fixed seed never uses a nonce for two messages.
	let message = attach_rng(message, ChaCha8Rng::seed_from_u64(0));
	AsRef::<Keypair>::as_ref(key).sign(message).into()
}

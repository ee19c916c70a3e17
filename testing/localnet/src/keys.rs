//! Keys of a node: a validator's session keys, a miner's account and the network identity.

use crate::{Binary, Fault};
use serde_json::Value;
use sp_core::{crypto::Ss58Codec, ed25519, sr25519, Pair};
use std::{
	fs::{self, OpenOptions},
	io::Write,
	os::unix::fs::OpenOptionsExt,
	path::Path,
};

/// The account and the public session keys by which a genesis names a validator.
pub struct Authority {
	/// The validator's account: SS58 address of an sr25519 key.
	pub account: String,
	/// The key that signs blocks: SS58 address of an sr25519 key.
	pub aura: String,
	/// The key that signs finality votes: SS58 address of an ed25519 key.
	pub grandpa: String,
}

/// Makes new session keys for a validator and writes them into its keystore. `account` is the file with the secret of its
/// account, which is made if it does not exist.
pub fn generate(keystore: &Path, account: &Path) -> Result<Authority, Fault> {
	fs::create_dir_all(keystore).map_err(|error| Fault::file(keystore, error))?;
	let (aura, phrase, _) = sr25519::Pair::generate_with_phrase(None);
	insert(keystore, b"aura", aura.public().as_ref(), &phrase)?;
	let (grandpa, phrase, _) = ed25519::Pair::generate_with_phrase(None);
	insert(keystore, b"gran", grandpa.public().as_ref(), &phrase)?;
	Ok(Authority {
		account: self::account(account)?,
		aura: aura.public().to_ss58check(),
		grandpa: grandpa.public().to_ss58check(),
	})
}

/// Writes a key in the format of the node's keystore: the file's name is the key's type and public key in hexadecimal,
/// its content the secret phrase as a JSON string. Only the file's owner can read it.
fn insert(keystore: &Path, key_type: &[u8; 4], public: &[u8], phrase: &str) -> Result<(), Fault> {
	let bytes = key_type.iter().chain(public);
	let path = keystore.join(bytes.map(|byte| format!("{byte:02x}")).collect::<String>());
	write_secret(&path, Value::from(phrase).to_string().as_bytes())
}

/// The account of a validator, or the one that receives a miner's rewards. Its secret phrase is in `file`, which is made
/// if it does not exist.
pub fn account(file: &Path) -> Result<String, Fault> {
	if !file.exists() {
		let (_, phrase, _) = sr25519::Pair::generate_with_phrase(None);
		write_secret(file, phrase.as_bytes())?;
	}
	let phrase = fs::read_to_string(file).map_err(|error| Fault::file(file, error))?;
	let pair = sr25519::Pair::from_string(phrase.trim(), None)
		.map_err(|_| Fault::Failed(format!("{}: does not contain a secret phrase", file.display())))?;
	Ok(pair.public().to_ss58check())
}

/// Writes a new file that only its owner can read. Fails if the file exists.
fn write_secret(path: &Path, secret: &[u8]) -> Result<(), Fault> {
	let mut options = OpenOptions::new();
	options.write(true).create_new(true).mode(0o600);
	let mut file = options.open(path).map_err(|error| Fault::file(path, error))?;
	file.write_all(secret).map_err(|error| Fault::file(path, error))
}

/// A node's peer ID. Its secret is in `file`, which is made if it does not exist.
pub fn peer_id(binary: &Binary, file: &Path) -> Result<String, Fault> {
	let path = file.display().to_string();
	if !file.exists() {
		// The command demands a chain, but ignores it when there is a file.
		binary.run(["key", "generate-node-key", "--chain", "local", "--file", &path])?;
	}
	let peer_id = binary.run(["key", "inspect-node-key", "--file", &path])?;
	Ok(String::from_utf8_lossy(&peer_id).trim().to_owned())
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::os::unix::fs::PermissionsExt;

	#[test]
	fn account_is_made_once_per_file() {
		let folder = tempfile::tempdir().unwrap();
		let (one, other) = (folder.path().join("one"), folder.path().join("other"));
		let made = account(&one).unwrap();
		assert_eq!(account(&one).unwrap(), made);
		assert_ne!(account(&other).unwrap(), made);
		fs::write(&one, "no phrase").unwrap();
		assert!(account(&one)
			.unwrap_err()
			.to_string()
			.contains("does not contain a secret phrase"));
	}

	#[test]
	fn session_keys_are_in_the_keystore_under_their_public_keys() {
		let folder = tempfile::tempdir().unwrap();
		let authority = generate(folder.path(), &folder.path().join("account")).unwrap();
		let secret = |name: String| {
			let path = folder.path().join(name);
			assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
			serde_json::from_str::<String>(&fs::read_to_string(path).unwrap()).unwrap()
		};
		let aura = sr25519::Public::from_ss58check(&authority.aura).unwrap();
		let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
		let phrase = secret(format!("61757261{}", hex(&aura)));
		assert_eq!(sr25519::Pair::from_string(&phrase, None).unwrap().public(), aura);
		let grandpa = ed25519::Public::from_ss58check(&authority.grandpa).unwrap();
		let phrase = secret(format!("6772616e{}", hex(&grandpa)));
		assert_eq!(
			ed25519::Pair::from_string(&phrase, None).unwrap().public(),
			grandpa
		);
		// The keys are new each time.
		let another = tempfile::tempdir().unwrap();
		let other = generate(another.path(), &another.path().join("account")).unwrap();
		assert_ne!(other.aura, authority.aura);
		assert_ne!(other.account, authority.account);
	}
}

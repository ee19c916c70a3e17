//! New keys for a validator: what it signs blocks and finality votes with, and what its peers know it by.

use crate::{Binary, Fault};
use serde_json::Value;
use sp_core::{crypto::Ss58Codec, ed25519, sr25519, Pair};
use std::{
	fs::{self, OpenOptions},
	io::Write,
	os::unix::fs::OpenOptionsExt,
	path::Path,
};

/// What a genesis names a validator by.
pub struct Authority {
	/// Signs blocks: an address of sr25519.
	pub aura: String,
	/// Signs finality votes: an address of ed25519.
	pub grandpa: String,
}

/// Makes a validator's two session keys from new secrets, and leaves them in its keystore.
pub fn generate(keystore: &Path) -> Result<Authority, Fault> {
	fs::create_dir_all(keystore).map_err(|error| Fault::file(keystore, error))?;
	let (aura, phrase, _) = sr25519::Pair::generate_with_phrase(None);
	insert(keystore, b"aura", aura.public().as_ref(), &phrase)?;
	let (grandpa, phrase, _) = ed25519::Pair::generate_with_phrase(None);
	insert(keystore, b"gran", grandpa.public().as_ref(), &phrase)?;
	Ok(Authority {
		aura: aura.public().to_ss58check(),
		grandpa: grandpa.public().to_ss58check(),
	})
}

/// As the node's keystore has it: a file named by the key's type and its public half in hexadecimal, with the secret
/// phrase in it as a JSON string, for its owner's eyes alone.
fn insert(keystore: &Path, key_type: &[u8; 4], public: &[u8], phrase: &str) -> Result<(), Fault> {
	let bytes = key_type.iter().chain(public);
	let path = keystore.join(bytes.map(|byte| format!("{byte:02x}")).collect::<String>());
	write_secret(&path, Value::from(phrase).to_string().as_bytes())
}

/// The account that gets a miner's rewards, of the secret phrase in a file; made if there is none.
pub fn miner_account(file: &Path) -> Result<String, Fault> {
	if !file.exists() {
		let (_, phrase, _) = sr25519::Pair::generate_with_phrase(None);
		write_secret(file, phrase.as_bytes())?;
	}
	let phrase = fs::read_to_string(file).map_err(|error| Fault::file(file, error))?;
	let pair = sr25519::Pair::from_string(phrase.trim(), None)
		.map_err(|_| Fault::Failed(format!("{}: no secret phrase", file.display())))?;
	Ok(pair.public().to_ss58check())
}

/// Writes a new file for its owner's eyes alone.
fn write_secret(path: &Path, secret: &[u8]) -> Result<(), Fault> {
	let mut options = OpenOptions::new();
	options.write(true).create_new(true).mode(0o600);
	let mut file = options.open(path).map_err(|error| Fault::file(path, error))?;
	file.write_all(secret).map_err(|error| Fault::file(path, error))
}

/// What a node's peers know it by, of the secret in a file; made if there is none.
pub fn peer_id(binary: &Binary, file: &Path) -> Result<String, Fault> {
	let path = file.display().to_string();
	if !file.exists() {
		// The command asks for a chain, and needs none with a file.
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
	fn miner_keeps_its_account() {
		let folder = tempfile::tempdir().unwrap();
		let (one, other) = (folder.path().join("one"), folder.path().join("other"));
		let account = miner_account(&one).unwrap();
		assert_eq!(miner_account(&one).unwrap(), account);
		assert_ne!(miner_account(&other).unwrap(), account);
		fs::write(&one, "no phrase").unwrap();
		assert!(miner_account(&one)
			.unwrap_err()
			.to_string()
			.contains("no secret phrase"));
	}

	#[test]
	fn keys_lie_in_the_keystore_under_their_public_halves() {
		let folder = tempfile::tempdir().unwrap();
		let authority = generate(folder.path()).unwrap();
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
		// Others each time.
		let another = tempfile::tempdir().unwrap();
		assert_ne!(generate(another.path()).unwrap().aura, authority.aura);
	}
}

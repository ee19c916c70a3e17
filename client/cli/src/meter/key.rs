//! The device's key, encrypted in a file of the format that Polkadot.js uses for accounts.
//!
//! The client library reads this format but does not write it. Polkadot.js's packages `keyring` (`pair/encode`) and
//! `util-crypto` (`json`, `scrypt`) define it: base64 of the scrypt salt and parameters, the nonce, and the key pair in
//! PKCS#8 layout, encrypted with XSalsa20-Poly1305.

use crate::{
	cli::{MeterKeyArgs, Passphrase},
	fault::Fault,
	files::InFile,
	keys,
};
use base64::{engine::general_purpose::STANDARD, Engine};
use crypto_secretbox::{
	aead::{Aead, KeyInit},
	Key, Nonce, XSalsa20Poly1305,
};
use rand::{rngs::OsRng, RngCore};
use sp_core::{sr25519, Pair};
use std::{
	fs::{self, File},
	io::{IsTerminal, Write},
	os::unix::fs::OpenOptionsExt,
	path::Path,
};
use subxt_signer::{polkadot_js_compat, sr25519::Keypair};

/// Polkadot.js's defaults for scrypt: 2^17 rounds, blocks of 8, one thread (OWASP's advice for scrypt).
const LOG_ROUNDS: u8 = 17;
const BLOCK: u32 = 8;
const THREADS: u32 = 1;
/// Bytes before the secret key, and between it and the public key.
const HEADER: [u8; 16] = [48, 83, 2, 1, 1, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
const DIVIDER: [u8; 5] = [161, 35, 3, 33, 0];
const PASSPHRASE: &str = "COMMONWATT_PASSPHRASE";

/// Makes a key file and prints the key's account.
pub fn make(args: &MeterKeyArgs) -> Result<(), Fault> {
	if args.file.exists() {
		return Err(Fault::file(
			&args.file,
			"already exists and was not changed; choose another file",
		));
	}
	let pair = match &args.import {
		Some(uri) => sr25519::Pair::from_string(uri, None)
			.map_err(|error| Fault::Input(format!("--import: not a secret URI or phrase: {error}")))?,
		None => sr25519::Pair::generate().0,
	};
	let passphrase = args.passphrase.read(true)?;
	let text = encrypt(&pair, &passphrase)?;
	let made = File::options()
		.write(true)
		.create_new(true)
		.mode(0o600)
		.open(&args.file)
		.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
	made.in_file(&args.file)?;
	// Reads the file back, to be sure that it can be opened.
	let account = keys::account(&decrypt(&args.file, &passphrase)?);
	println!("{account}");
	eprintln!("The operator registers this account as the household's meter.");
	Ok(())
}

/// Opens a key file.
pub fn open(file: &Path, passphrase: &Passphrase) -> Result<Keypair, Fault> {
	if !file.exists() {
		return Err(Fault::file(
			file,
			"there is no such file; make one with `commonwatt meter key`",
		));
	}
	decrypt(file, &passphrase.read(false)?)
}

fn decrypt(file: &Path, passphrase: &str) -> Result<Keypair, Fault> {
	use polkadot_js_compat::{decrypt_json, Error};
	let text = fs::read_to_string(file).in_file(file)?;
	decrypt_json(&text, passphrase).map_err(|error| match error {
		Error::Secretbox(_) => Fault::file(file, "wrong passphrase"),
		other => Fault::file(file, other),
	})
}

fn encrypt(pair: &sr25519::Pair, passphrase: &str) -> Result<String, Fault> {
	let failed = |what: &str| Fault::Input(format!("the key cannot be encrypted: {what}"));
	let mut salt = [0; 32];
	OsRng.fill_bytes(&mut salt);
	let parameters =
		scrypt::Params::new(LOG_ROUNDS, BLOCK, THREADS, 32).map_err(|error| failed(&error.to_string()))?;
	let mut key = Key::default();
	scrypt::scrypt(passphrase.as_bytes(), &salt, &parameters, &mut key)
		.map_err(|error| failed(&error.to_string()))?;

	let keypair: &schnorrkel::Keypair = pair.as_ref();
	let plain = [
		&HEADER[..],
		&keypair.secret.to_ed25519_bytes(),
		&DIVIDER,
		&pair.public().0,
	]
	.concat();
	let mut nonce = Nonce::default();
	OsRng.fill_bytes(&mut nonce);
	let sealed = XSalsa20Poly1305::new(&key)
		.encrypt(&nonce, plain.as_slice())
		.map_err(|error| failed(&error.to_string()))?;
	let numbers = [1u32 << LOG_ROUNDS, THREADS, BLOCK]
		.map(u32::to_le_bytes)
		.concat();
	let encoded = STANDARD.encode([&salt[..], &numbers, &nonce, &sealed].concat());
	let file = serde_json::json!({
		"encoded": encoded,
		"encoding": {
			"content": ["pkcs8", "sr25519"],
			"type": ["scrypt", "xsalsa20-poly1305"],
			"version": "3",
		},
		"address": subxt::utils::AccountId32(pair.public().0).to_string(),
		"meta": { "name": "Commonwatt meter" },
	});
	Ok(format!("{file:#}\n"))
}

impl Passphrase {
	/// The passphrase: from the named file, else from the environment, else from a prompt. Asks twice for a new one.
	fn read(&self, is_new: bool) -> Result<String, Fault> {
		let passphrase = match (&self.passphrase_file, std::env::var(PASSPHRASE)) {
			(Some(file), _) => {
				let text = fs::read_to_string(file).in_file(file)?;
				text.lines().next().unwrap_or_default().to_owned()
			}
			(None, Ok(passphrase)) => passphrase,
			(None, Err(_)) if !std::io::stdin().is_terminal() => {
				return Err(Fault::Input(format!(
					"no passphrase: name a file with --passphrase-file, or set {PASSPHRASE}"
				)))
			}
			(None, Err(_)) => asked("Passphrase of the device key: ")?,
		};
		if passphrase.is_empty() {
			return Err(Fault::Input("the passphrase is empty".into()));
		}
		let typed = is_new && self.passphrase_file.is_none() && std::env::var(PASSPHRASE).is_err();
		if typed && asked("Repeat the passphrase: ")? != passphrase {
			return Err(Fault::Input("the two passphrases differ".into()));
		}
		Ok(passphrase)
	}
}

fn asked(prompt: &str) -> Result<String, Fault> {
	rpassword::prompt_password(prompt).map_err(|error| Fault::Input(format!("no passphrase: {error}")))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn key_opens_only_with_its_passphrase_and_signs_for_its_account() {
		let folder = tempfile::tempdir().unwrap();
		let file = folder.path().join("key.json");
		let (pair, _) = sr25519::Pair::generate();
		fs::write(&file, encrypt(&pair, "correct horse").unwrap()).unwrap();
		let opened = decrypt(&file, "correct horse").unwrap();
		assert_eq!(opened.public_key().0, pair.public().0);
		let signature = sr25519::Signature::from_raw(opened.sign(b"1.2 kWh").0);
		assert!(sr25519::Pair::verify(&signature, b"1.2 kWh", &pair.public()));

		let wrong = decrypt(&file, "correct horsf").err().unwrap().to_string();
		assert!(wrong.ends_with("wrong passphrase"), "{wrong}");
		let text = fs::read_to_string(&file).unwrap();
		let secret = pair.to_raw_vec();
		for hidden in [STANDARD.encode(&secret[..30]), subxt::utils::to_hex(&secret[..8])] {
			assert!(!text.contains(&hidden));
		}
	}
}

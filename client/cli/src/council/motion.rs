//! What a motion does: its call, and how much of the council it needs.

use super::args::What;
use crate::{
	chain::{
		self, council,
		types::{
			Address, MarketCall, MembershipCall, PauseCall, RuntimeCall, Terms, TermsBounds, UpgradesCall,
			ValidatorsCall,
		},
		At,
	},
	fault::Fault,
	files::InFile,
};
use commonwatt_client::council::{code_hash, Share};
use commonwatt_market::paper;
use std::{fs, path::Path, str::FromStr};
use subxt::utils::{to_hex, AccountId32};

/// A motion to be moved.
#[derive(Debug)]
pub struct Draft {
	/// The call.
	pub call: RuntimeCall,
	/// Who must agree.
	pub share: Share,
	/// The call in words.
	pub words: String,
}

/// Makes the call of a motion.
pub async fn draft(at: &At, what: &What) -> Result<Draft, Fault> {
	use Share::{Half, MoreThanHalf, TwoThirds};
	let (share, call, words) = match what {
		What::AdmitValidator { account: text } => {
			let validator = account(text)?;
			let call = RuntimeCall::Validators(ValidatorsCall::admit { validator });
			(TwoThirds, call, format!("admit the validator {validator}"))
		}
		What::RemoveValidator { account: text } => {
			let validator = account(text)?;
			let call = RuntimeCall::Validators(ValidatorsCall::remove { validator });
			(TwoThirds, call, format!("remove the validator {validator}"))
		}
		What::AddMember { account: text } => {
			let member = account(text)?;
			let who = Address::Id(member);
			let call = RuntimeCall::CouncilMembership(MembershipCall::add_member { who });
			(TwoThirds, call, format!("give {member} a seat of the council"))
		}
		What::RemoveMember { account: text } => {
			let member = account(text)?;
			let who = Address::Id(member);
			let call = RuntimeCall::CouncilMembership(MembershipCall::remove_member { who });
			(TwoThirds, call, format!("take away the seat of {member}"))
		}
		What::CreateCommunity {
			name,
			operator,
			utility,
			like,
		} => {
			let (terms, bounds) = terms_like(at, like.as_deref()).await?;
			let call = create_community(name, account(operator)?, account(utility)?, terms, bounds);
			(MoreThanHalf, call, format!("create the community {name}"))
		}
		What::Upgrade { file } => {
			let code_hash = code_hash(&code(file)?);
			let call = RuntimeCall::Upgrades(UpgradesCall::decide { code_hash });
			let words = format!("upgrade to the code with the hash {}", to_hex(code_hash));
			(TwoThirds, call, words)
		}
		What::WithdrawUpgrade => {
			let (upgrade, _) = waiting(at).await?;
			let code_hash = upgrade.code_hash.0;
			let call = RuntimeCall::Upgrades(UpgradesCall::withdraw { code_hash });
			let words = format!("withdraw the upgrade with the hash {}", to_hex(code_hash));
			(TwoThirds, call, words)
		}
		What::Pause { call: text } => {
			let full_name = call_name(at, text)?;
			let call = RuntimeCall::TxPause(PauseCall::pause { full_name });
			(Half, call, format!("pause {text}"))
		}
		What::Unpause { call: text } => {
			let ident = call_name(at, text)?;
			let call = RuntimeCall::TxPause(PauseCall::unpause { ident });
			(Half, call, format!("end the pause of {text}"))
		}
	};
	Ok(Draft { call, share, words })
}

/// The call that creates a community.
pub fn create_community(
	name: &str,
	operator: AccountId32,
	utility: AccountId32,
	terms: Terms,
	bounds: TermsBounds,
) -> RuntimeCall {
	RuntimeCall::EnergyMarket(MarketCall::create_community {
		name: name.as_bytes().to_vec(),
		operator,
		utility,
		terms,
		bounds,
	})
}

/// The terms and bounds of a community, or those of the paper's experiment.
async fn terms_like(at: &At, named: Option<&str>) -> Result<(Terms, TermsBounds), Fault> {
	let Some(named) = named else {
		return Ok((paper::TERMS, paper::BOUNDS));
	};
	let id = chain::community_id(at, named).await?;
	let community = chain::community(at, id).await?;
	let community =
		community.ok_or_else(|| Fault::Input(format!("--like {named}: there is no such community")))?;
	Ok((community.terms, community.bounds))
}

/// The upgrade that waits.
pub async fn waiting(at: &At) -> Result<(council::Upgrade, Vec<AccountId32>), Fault> {
	let found = council::upgrade(at).await?;
	found.ok_or_else(|| Fault::Input("no upgrade waits".into()))
}

/// The code in a file.
pub fn code(file: &Path) -> Result<Vec<u8>, Fault> {
	let code = fs::read(file).in_file(file)?;
	// What a WebAssembly file begins with, and what a compressed one does.
	let is_code = code.starts_with(b"\0asm") || code.starts_with(&[0x52, 0xbc, 0x53, 0x76]);
	if !is_code {
		return Err(Fault::file(
			file,
			"this is not the code of a runtime: it is neither WebAssembly nor compressed WebAssembly",
		));
	}
	Ok(code)
}

fn account(text: &str) -> Result<AccountId32, Fault> {
	AccountId32::from_str(text)
		.map_err(|_| Fault::Input(format!("'{text}' is not an account's address, such as 5Grw…utQY")))
}

/// The names of a call's pallet and of the call, which must exist.
fn call_name(at: &At, text: &str) -> Result<(Vec<u8>, Vec<u8>), Fault> {
	let wrong = |what: String| Fault::Input(format!("'{text}': {what}"));
	let (pallet, call) = text.split_once('.').ok_or_else(|| {
		wrong("a call is written as PALLET.CALL, such as EnergyMarket.submit_strategies".into())
	})?;
	let metadata = at.metadata_ref();
	let found = metadata
		.pallet_by_name(pallet)
		.ok_or_else(|| wrong(format!("the runtime has no pallet {pallet}")))?;
	if found.call_variant_by_name(call).is_none() {
		return Err(wrong(format!("the pallet {pallet} has no call {call}")));
	}
	Ok((pallet.as_bytes().to_vec(), call.as_bytes().to_vec()))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn file_that_is_no_code_is_refused() {
		let folder = tempfile::tempdir().unwrap();
		let file = folder.path().join("code.wasm");
		fs::write(&file, "hello").unwrap();
		let refused = code(&file).unwrap_err().to_string();
		assert!(refused.contains("not the code of a runtime"), "{refused}");
		for begins in [
			&b"\0asm\x01"[..],
			&[0x52, 0xbc, 0x53, 0x76, 0x46, 0xdb, 0x8e, 0x05],
		] {
			fs::write(&file, begins).unwrap();
			assert_eq!(code(&file).unwrap(), begins);
		}
	}
}

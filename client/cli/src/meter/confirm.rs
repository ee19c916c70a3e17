//! Confirms that the meter measures the household that `--household` names.
//!
//! The meter's word is worth something only if it confirms no other household: whoever runs a community could name any
//! meter.

use crate::{
	chain::{
		self,
		send::{self, Offered},
		types::{ConfirmMeter, HouseholdId},
		At, Node,
	},
	fault::Fault,
	keys::account,
};
use commonwatt_market::Change;
use subxt_signer::sr25519::Keypair;

/// Validity of a confirmation, blocks.
const BLOCKS: u64 = 64;

/// The confirmation of one household.
pub struct Confirmation {
	household: HouseholdId,
	/// The signed transaction, its nonce and the last block that may have it.
	sent: Option<(Vec<u8>, u64, u64)>,
}

/// What became of the confirmation.
pub enum Progress {
	/// The chain has it.
	Done,
	/// It needs another poll; the text says for what it waits.
	Waits(String),
}

impl Confirmation {
	/// Of the household with this number.
	pub fn new(household: u32) -> Self {
		Self {
			household: HouseholdId(household),
			sent: None,
		}
	}

	/// Sends the confirmation as soon as an offer or a proposal names the meter.
	pub async fn advance(
		&mut self,
		node: &Node,
		(best, last): (&At, &At),
		key: &Keypair,
	) -> Result<Progress, Fault> {
		let (meter, household) = (account(key), self.household);
		match chain::household_of_meter(best, &meter).await? {
			Some(confirmed) if confirmed == household => return Ok(Progress::Done),
			Some(other) => {
				return Ok(Progress::Waits(format!(
					"the meter {meter} has confirmed household {other}, so it cannot confirm household {household}"
				)))
			}
			None => (),
		}
		let offer = chain::offer(best, household).await?;
		let proposal = chain::proposal(best, household).await?;
		let is_named = offer.is_some_and(|offer| offer.meter == meter)
			|| proposal.is_some_and(|proposal| proposal.change == Change::Meter(meter));
		if !is_named {
			return Ok(Progress::Waits(format!(
				"nothing to confirm yet: the operator has neither offered household {household} with the meter {meter} \
				 nor proposed the meter for it"
			)));
		}
		let nonce = chain::account(best, &meter).await?.nonce;
		let usable = self
			.sent
			.take()
			.filter(|(_, of, last)| *of == nonce && best.block_number() <= *last);
		let (bytes, nonce, last_block) = match usable {
			Some(sent) => sent,
			None => {
				let call = ("EnergyMarket", "confirm_meter");
				let (_, bytes) = send::encode(last, key, (nonce, BLOCKS), call, ConfirmMeter { household })?;
				(bytes, nonce, last.block_number() + BLOCKS)
			}
		};
		let offered = send::offer(node, &bytes, (&meter, nonce)).await?;
		self.sent = Some((bytes, nonce, last_block));
		Ok(Progress::Waits(match offered {
			Offered::Pooled | Offered::NonceUsed => format!("confirmation of household {household} sent"),
			Offered::NoRoom => "the node's transaction pool is full".to_owned(),
			Offered::Removed { .. } => {
				self.sent = None;
				"the node's transaction pool was full and removed the confirmation; it is signed again"
					.to_owned()
			}
			Offered::Refused { reason, .. } => {
				format!("confirmation of household {household} refused: {reason}")
			}
		}))
	}

	/// The household's number.
	pub fn household(&self) -> HouseholdId {
		self.household
	}
}

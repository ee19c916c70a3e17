//! Checks the seals of blocks, for `sc-consensus-pow`.

use crate::Seal;
use codec::DecodeAll;
use sc_consensus_pow::{Error, PowAlgorithm};
use sp_api::ProvideRuntimeApi;
use sp_consensus_pow::{DifficultyApi, Seal as RawSeal};
use sp_core::H256;
use sp_runtime::{generic::BlockId, traits::Block as BlockT};
use std::sync::Arc;

/// Checks seals against the difficulty that the runtime requires.
pub struct Work<Client> {
	client: Arc<Client>,
}

impl<Client> Work<Client> {
	/// Creates a check that queries the runtime of this client for difficulties.
	pub fn new(client: Arc<Client>) -> Self {
		Self { client }
	}
}

impl<Client> Clone for Work<Client> {
	fn clone(&self) -> Self {
		Self::new(self.client.clone())
	}
}

/// Decodes a seal. Trailing bytes are an error, because they would make another block with the same work.
fn decode(seal: &RawSeal) -> Option<Seal> {
	Seal::decode_all(&mut seal.as_slice()).ok()
}

impl<Block, Client> PowAlgorithm<Block> for Work<Client>
where
	Block: BlockT<Hash = H256>,
	Client: ProvideRuntimeApi<Block>,
	Client::Api: DifficultyApi<Block, u128>,
{
	type Difficulty = u128;

	fn difficulty(&self, parent: H256) -> Result<u128, Error<Block>> {
		self.client
			.runtime_api()
			.difficulty(parent)
			.map_err(|error| Error::Runtime(format!("no difficulty after block {parent:?}: {error}")))
	}

	fn preliminary_verify(&self, pre_hash: &H256, seal: &RawSeal) -> Result<Option<bool>, Error<Block>> {
		Ok(Some(decode(seal).is_some_and(|seal| seal.is_valid(pre_hash))))
	}

	fn verify(
		&self,
		_parent: &BlockId<Block>,
		pre_hash: &H256,
		_pre_digest: Option<&[u8]>,
		seal: &RawSeal,
		difficulty: u128,
	) -> Result<bool, Error<Block>> {
		Ok(decode(seal).is_some_and(|seal| seal.difficulty == difficulty && seal.is_valid(pre_hash)))
	}
}

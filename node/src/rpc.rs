//! The node's own RPC methods, beside those that every Substrate node has.
//!
//! # The clock of a development chain
//!
//! `dev_sealAt(timestamp_ms)` exists on a development chain only (`--dev`). It seals one block at once, with the
//! transactions that are ready, at the given time in milliseconds since 1970, and returns when that block is imported
//! and final:
//!
//! ```json
//! {"jsonrpc":"2.0","id":1,"method":"dev_sealAt","params":[1767225600000]}
//! {"jsonrpc":"2.0","id":1,"result":{"hash":"0x…","number":42,"timestamp_ms":1767225600000}}
//! ```
//!
//! From there chain time runs on: the following blocks are each one slot later than their parent until the clock on
//! the wall has overtaken the chain, if it ever does. The way back is closed. So a test or a replay walks a day of
//! half hours in seconds; Ethereum developers know the like as `evm_increaseTime` followed by `evm_mine`.
//!
//! A timestamp that is in no later slot than the head's or within half a slot of it, or more than ten years after it, is
//! refused with error -32602 (invalid params); the message names the timestamp, the head's, and the one that would have
//! done. Nothing happens then. As with all methods that change a node, a node that listens on other than local
//! interfaces offers it under `--rpc-methods unsafe` only.

use crate::{
	sealing::{DevClock, SealError, SealedBlock},
	service::{FullClient, Pool},
};
use jsonrpsee::{
	core::{async_trait, RpcResult},
	proc_macros::rpc,
	types::{
		error::{INTERNAL_ERROR_CODE, INVALID_PARAMS_CODE},
		ErrorObject, ErrorObjectOwned,
	},
	Extensions, RpcModule,
};
use pallet_transaction_payment_rpc::{TransactionPayment, TransactionPaymentApiServer};
use sc_rpc_api::check_if_safe;
use std::sync::Arc;
use substrate_frame_rpc_system::{System, SystemApiServer};

/// What the methods work on.
pub struct FullDeps {
	/// The client.
	pub client: Arc<FullClient>,
	/// The pool.
	pub pool: Arc<Pool>,
	/// The clock, on a development chain.
	pub dev_clock: Option<DevClock>,
}

/// Moving the clock of a development chain.
#[rpc(server)]
pub trait DevApi {
	/// Seals the next block at a timestamp, in milliseconds since 1970, and returns when it is final.
	#[method(name = "dev_sealAt", with_extensions)]
	async fn seal_at(&self, timestamp_ms: u64) -> RpcResult<SealedBlock>;
}

struct Dev(DevClock);

#[async_trait]
impl DevApiServer for Dev {
	async fn seal_at(&self, extensions: &Extensions, timestamp_ms: u64) -> RpcResult<SealedBlock> {
		check_if_safe(extensions)?;
		Ok(self.0.seal_at(timestamp_ms).await?)
	}
}

impl From<SealError> for ErrorObjectOwned {
	fn from(error: SealError) -> Self {
		let code = match error {
			SealError::Refused(_) => INVALID_PARAMS_CODE,
			SealError::NoTransactions | SealError::Stopped | SealError::Failed(_) => INTERNAL_ERROR_CODE,
		};
		ErrorObject::owned(code, error.to_string(), None::<()>)
	}
}

/// All of the node's own methods.
pub fn create_full(deps: &FullDeps) -> Result<RpcModule<()>, Box<dyn std::error::Error + Send + Sync>> {
	let FullDeps {
		client,
		pool,
		dev_clock,
	} = deps;
	let mut module = RpcModule::new(());
	module.merge(System::new(client.clone(), pool.clone()).into_rpc())?;
	module.merge(TransactionPayment::new(client.clone()).into_rpc())?;
	if let Some(dev_clock) = dev_clock {
		module.merge(Dev(dev_clock.clone()).into_rpc())?;
	}
	Ok(module)
}

//! The RPC: the node's own methods, in addition to those of every Substrate node, and the server that answers calls.
//!
//! - [`server`]: serves all methods over HTTP and WebSockets;
//! - [`origins`]: which web pages may use them.
//!
//! # The clock of a development chain
//!
//! `dev_sealAt(timestamp_ms)` exists only on a development chain (`--dev`). It seals one block at once at the given
//! time, in milliseconds since the Unix epoch, with the transactions that are ready. It returns when that block is
//! imported and final:
//!
//! ```json
//! {"jsonrpc":"2.0","id":1,"method":"dev_sealAt","params":[1767225600000]}
//! {"jsonrpc":"2.0","id":1,"result":{"hash":"0x…","number":42,"timestamp_ms":1767225600000}}
//! ```
//!
//! Chain time continues from there: each later block is one slot after its parent, until the wall clock has overtaken
//! the chain. Chain time never goes back. So a test or a replay can walk through a day of half hours in seconds.
//! Ethereum has `evm_increaseTime` followed by `evm_mine` for the same purpose.
//!
//! The method refuses a timestamp that is not in a later slot than the head's, that is within half a slot of it, or
//! that is more than ten years after it, with error -32602 (invalid params). The message names the requested timestamp,
//! the head's, and the nearest possible one. No block is sealed then. Like all methods that change a node, it is
//! available on other than local interfaces only with `--rpc-methods unsafe`, and to a web page only if `--rpc-cors` allows
//! its origin.

pub mod origins;
pub mod server;

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

/// Methods of a development chain.
#[rpc(server)]
pub trait DevApi {
	/// Seals the next block at a timestamp, in milliseconds since the Unix epoch, and returns when it is final.
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

/// Makes a module of all the node's own methods. There is a clock only if the chain is sealed on demand.
pub fn create_full(
	client: &Arc<FullClient>,
	pool: &Arc<Pool>,
	dev_clock: Option<&DevClock>,
) -> Result<RpcModule<()>, Box<dyn std::error::Error + Send + Sync>> {
	let mut module = RpcModule::new(());
	module.merge(System::new(client.clone(), pool.clone()).into_rpc())?;
	module.merge(TransactionPayment::new(client.clone()).into_rpc())?;
	if let Some(dev_clock) = dev_clock {
		module.merge(Dev(dev_clock.clone()).into_rpc())?;
	}
	Ok(module)
}

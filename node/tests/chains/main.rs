//! The chains that the real node runs, over its real RPC and its command line.

mod dev_chain;
mod harness;
mod local_chain;
mod metrics;
mod mined_chain;
mod sealing;

//! The node's chains, tested on the real binary through its RPC and its command line.

mod bad_genesis;
mod dev_chain;
mod disk;
mod harness;
mod local_chain;
mod metrics;
mod mined_chain;
mod rpc;
mod sealing;

//! What every Rust program needs that talks to a Commonwatt chain.
//!
//! - [`chain`]: the connection to a node, queries at a block, events of one community, and transactions that are
//!   followed until they are final.
//! - [`council`]: decisions of those who govern a chain.
//! - [`ledger`]: a community's books, era by era, written from events alone.
//! - [`keys`]: development keys from names.
//! - [`fault`]: why something failed, in words for a person.
//!
//! Everything is read over RPC from a node that has to be believed. `commonwatt audit` checks such answers.

pub mod chain;
pub mod council;
pub mod fault;
pub mod keys;
pub mod ledger;

//! The proof of work of a mined chain: what a seal is, how nodes check it, and how miners find it.
//!
//! # The work
//! The hash of a block's header without its seal is the *pre-hash*. A seal contains the difficulty `d` for which it was
//! made and a nonce `n`. It is valid if
//!
//! ```text
//! SHA3-256(pre-hash, d, n) * d < 2^256        (d: 16 bytes, n: 8 bytes, both little endian; the hash: big endian)
//! ```
//!
//! Finding a valid seal takes `d` hashes in the mean; checking one takes a single hash. This is Bitcoin's scheme
//! (Nakamoto 2008, section 4) with the hash of FIPS 202 in place of double SHA-256, because nobody rents out hardware
//! that computes it by the terahash, and because its RustCrypto implementation is well maintained. It does not resist
//! special hardware as a memory-hard function would; consider that for a chain whose miners may be strangers.
//!
//! # What is refused
//! - A seal whose work does not reach its own difficulty. `preliminary_verify` checks this first ([`Seal::is_valid`]),
//!   so each block of a flood costs the node only one hash.
//! - A seal with another difficulty than the runtime requires after the parent.
//! - A seal made for another header, because the pre-hash differs. So replaying a seal is the same as forging one.
//!
//! `sc-consensus-pow` uses [`Work`] to import blocks, to choose the chain with the most work and to propose blocks;
//! [`mine`] searches for seals.

mod miner;
mod seal;
mod work;

pub use miner::mine;
pub use seal::Seal;
pub use work::Work;

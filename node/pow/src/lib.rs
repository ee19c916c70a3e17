//! The proof of work of a mined chain: what a seal is, how it is checked, and how it is found.
//!
//! # The work
//! A block's header without its seal has a hash, the *pre-hash*. A seal names the difficulty `d` that it was made for
//! and a nonce `n`, and is valid if
//!
//! ```text
//! SHA3-256(pre-hash, d, n) * d < 2^256        (d: 16 bytes, n: 8 bytes, both little endian; the hash: big endian)
//! ```
//!
//! which takes `d` hashes in the mean to find and one to check. This is Bitcoin's scheme (Nakamoto 2008, section 4)
//! with the hash of FIPS 202 instead of a double SHA-256: there is no hardware for rent that makes it by the terahash,
//! and the RustCrypto implementation is one that the field keeps. It does not resist special hardware as a
//! memory-hard function would; a chain whose miners may be strangers should know that.
//!
//! # What is refused
//! - a seal whose work does not reach its own difficulty: before anything else is looked at ([`Seal::is_valid`] in
//!   `preliminary_verify`), so that a flood of such blocks costs a hash each;
//! - a seal of another difficulty than the runtime asks for after the parent;
//! - a seal made for another header, since the pre-hash is another: a replayed seal is a forged one.
//!
//! [`Work`] is given to `sc-consensus-pow`, which imports, chooses the chain with most work, and proposes blocks;
//! [`mine`] looks for seals.

mod miner;
mod seal;
mod work;

pub use miner::mine;
pub use seal::Seal;
pub use work::Work;

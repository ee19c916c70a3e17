//! The way from an older layout of the pallet's storage to today's.
//!
//! Version 1 is today's layout and the first that was released, so there is nothing to migrate yet: no release has a
//! migration.
//!
//! ## The next layout
//!
//! A change in how anything in storage is encoded comes together with
//!
//! 1. a module `v2` here, with the old types, the old items under `#[storage_alias]`, and a private
//!    `UncheckedOnRuntimeUpgrade` that turns the one into the other. What leaves the module is its
//!    `VersionedMigration<1, 2, ..>`: the framework runs that only where the chain says version 1, and then writes 2, so it
//!    cannot run twice, nor on a layout that it was not made for;
//! 2. `STORAGE_VERSION` at 2, which genesis writes, and which `try-runtime` compares with the chain's after migrations;
//! 3. its name at the end of the runtime's `Migrations`, and a higher `spec_version`;
//! 4. a test like those of the rehearsal: it runs once, and every invariant holds after it.
//!
//! A migration stays in the runtime until every chain has passed it. It runs at the start of the first block on the new
//! code, before anything else and whole, whatever it weighs. So its loops go over numbers that are counted in storage,
//! and a test compares its weight with the block's. What would not fit into one block needs `pallet-migrations`, which
//! this runtime does not have.
//!
//! ## The rehearsal
//!
//! The way itself is tested before it is needed: [`rehearsal`] has a migration for the place of the first one, and the
//! runtime's feature `upgrade-rehearsal` puts it there.

pub mod rehearsal;

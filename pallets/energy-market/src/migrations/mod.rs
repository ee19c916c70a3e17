//! Migrations from an older layout of the pallet's storage to the current one.
//!
//! Version 2 is the current layout. There is no migration from version 1, and chains of that version start anew: their
//! households never agreed to be billed, so whoever carried them over would bill people without their consent. The
//! settlement of open contracts follows other rules as well.
//!
//! ## The next layout
//!
//! A change of the encoding of anything in storage comes together with
//!
//! 1. a module `v3` here, with the old types, the old items under `#[storage_alias]`, and a private
//!    `UncheckedOnRuntimeUpgrade` that converts the old layout. The module exports only its `VersionedMigration<2, 3,
//!    ..>`. The framework runs that only if the chain is at version 2, and then writes version 3. So the migration
//!    cannot run twice, nor on a layout that it was not made for;
//! 2. `STORAGE_VERSION` at 3, which genesis writes, and which `try-runtime` compares with the chain's after migrations;
//! 3. its name at the end of the runtime's `Migrations`, and a higher `spec_version`;
//! 4. a test like those of the rehearsal: the migration runs once, and every invariant holds after it.
//!
//! A migration stays in the runtime until every chain has run it. It runs completely at the start of the first block on
//! the new code, before anything else, whatever its weight is. So its loops must be bounded by counts in storage, and a
//! test must compare its weight with the block's limit. A migration that does not fit into one block needs
//! `pallet-migrations`, which this runtime does not have.
//!
//! ## The rehearsal
//!
//! [`rehearsal`] tests the procedure before a release needs it: it has a migration in the place of the first one, and
//! the runtime's feature `upgrade-rehearsal` enables it.

pub mod rehearsal;

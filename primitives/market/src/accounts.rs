//! The accounts that a community's money goes through. Nobody has a key to them; FRAME derives them from the pallet's id.

use crate::CommunityId;

/// The market's pallet id.
pub const PALLET_ID: [u8; 8] = *b"cw/enrgy";

/// The number that FRAME derives a community's pool account from.
pub const fn pool_number(community: CommunityId) -> u32 {
	community.0
}

/// The number that FRAME derives the account of a community's incentive pot from: the community's with all bits turned,
/// so that no pool has it.
pub const fn pot_number(community: CommunityId) -> u32 {
	!community.0
}

/// The 32 bytes of the account that FRAME derives from the pallet id and a number: `modl`, the id, the number in little
/// endian, zeros.
pub fn account(number: u32) -> [u8; 32] {
	let mut account = [0; 32];
	let bytes = b"modl".iter().chain(&PALLET_ID);
	for (slot, byte) in account.iter_mut().zip(bytes.copied().chain(number.to_le_bytes())) {
		*slot = byte;
	}
	account
}

//! The largest inputs that a game accepts. The error bounds of [`crate::log2`] and the absence of overflow are proved
//! up to these values.

/// Largest generation or consumption of one household in one era, in Wh (1 GWh).
pub const MAX_ENERGY_WH: u32 = 1_000_000_000;
/// Most strategies of one household. A choice is stored in one byte.
pub const MAX_STRATEGIES: usize = 255;
/// Most households of one game. Their energies sum to less than 2^46 Wh.
pub const MAX_HOUSEHOLDS: usize = 65_535;
/// Largest lambda. Its base-2 logarithm is 16.
pub const MAX_LAMBDA: u32 = 1 << 16;
/// Coarsest meter resolution, in Wh.
pub const MAX_RESOLUTION_WH: u32 = 1_000;

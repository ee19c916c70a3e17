//! Numbers that name things.

/// Number of an era: `floor(now / era length)` since the Unix epoch, UTC.
pub type EraIndex = u32;
/// Number of a community, counted from 0 in the order of creation.
pub type CommunityId = u32;
/// Number of a household, counted from 0 over all communities in the order of registration.
pub type HouseholdId = u32;

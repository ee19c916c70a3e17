//! The words and the arithmetic of the energy market, without FRAME.
//!
//! The pallet, the client, the audit and the tests share this crate, so that each rule of the market is written once:
//!
//! - [`ids`], [`money`]: numbers of eras, communities and households, and amounts of money;
//! - [`terms`], [`membership`], [`readings`], [`contract`], [`statement`], [`clock`], [`views`]: what the market stores
//!   and reports;
//! - [`scheduled`]: values that change with a notice;
//! - [`prices`]: what energy costs;
//! - [`settlement`]: deviations from contracts, and what each household owes and earns;
//! - [`late`]: bills of eras whose readings came late;
//! - [`bill`]: sums over several eras;
//! - [`paper`]: the numbers of the paper's experiment;
//! - [`accounts`]: the accounts that a community's money goes through.
//!
//! Units: energy in Wh for each direction and never negative, unless a name says `net` or a doc comment says that the
//! sign counts; temperatures in hundredths of a degree Celsius; money in the smallest unit of the chain's balance;
//! prices for each kWh.
//!
//! Nothing here panics, and nothing overflows for values within the limits that the pallet checks.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod accounts;
pub mod bill;
pub mod clock;
pub mod contract;
pub mod ids;
pub mod late;
pub mod membership;
pub mod money;
pub mod paper;
pub mod prices;
pub mod readings;
pub mod scheduled;
pub mod settlement;
pub mod statement;
pub mod terms;
pub mod views;

pub use bill::{Bill, Trade};
pub use clock::{ClockState, Phase, PlannedStep, RoundState};
pub use commonwatt_game as game;
pub use contract::{Channels, Contract, Submission};
pub use ids::{CommunityId, EraIndex, HouseholdId};
pub use membership::{
	Acceptance, Change, Community, Debt, Household, MembershipOffer, NextLimit, NextMeter, NextOwner,
	Proposal,
};
pub use money::Balance;
pub use readings::{Calendar, Metered, Peaks, Quality, Reading, ReadingItem, Reported, ReportedBy};
pub use scheduled::Scheduled;
pub use statement::{Amounts, EraRecord, Statement, Totals};
pub use terms::{
	ComfortBounds, EndedTerms, NextTerms, PriceRule, Tariffs, Terms, TermsBounds, MAX_TARIFF_PER_KWH,
};
pub use views::{EraView, Explanation, Overview, QueueView, RecordView};

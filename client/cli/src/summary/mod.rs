//! The results of a replay: for people on the screen, for programs as JSON.

mod report;
mod screen;

pub use report::{EraLine, ReplaySummary, Sent};
pub use screen::Screen;

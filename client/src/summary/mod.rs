//! What a replay came to: for people on the screen, for programs as JSON.

mod report;
mod screen;

pub use report::{EraLine, ReplaySummary, Sent};
pub use screen::Screen;

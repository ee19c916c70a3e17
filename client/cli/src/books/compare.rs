//! Compares the books with the chain's state.

use super::state::State;
use crate::{compare, fault::Fault};

/// Every number that differs between the books and the chain's state, or that only one of them has.
pub fn differences(books: &State, chain: &State) -> Result<Vec<String>, Fault> {
	compare::differences(("in the books", books), ("in the state", chain))
}

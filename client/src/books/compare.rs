//! Two accounts of the same thing, compared number by number.

use super::state::State;
use crate::{compare, fault::Fault};

/// Every number of the books that is another one in the chain's state, or in one of the two only.
pub fn differences(books: &State, chain: &State) -> Result<Vec<String>, Fault> {
	compare::differences(("in the books", books), ("in the state", chain))
}

//! Changes with a notice.

use commonwatt_market::scheduled::{Scheduled, NOTICE};
use proptest::prelude::*;

#[test]
fn change_binds_the_era_after_next() {
	let mut paused = Scheduled::from(false);
	assert_eq!(paused.schedule(10, true), 12);
	assert_eq!(
		[10, 11, 12, 13].map(|era| *paused.in_era(era)),
		[false, false, true, true]
	);
	assert!(paused.last());
}

#[test]
fn changes_of_two_eras_in_a_row_both_count() {
	let mut paused = Scheduled::from(false);
	paused.schedule(10, true);
	paused.schedule(11, false);
	assert_eq!([11, 12, 13].map(|era| *paused.in_era(era)), [false, true, false]);
}

#[test]
fn second_change_of_an_era_replaces_the_first() {
	let mut concentrator = Scheduled::from(1);
	concentrator.schedule(10, 2);
	concentrator.schedule(10, 3);
	assert_eq!([11, 12].map(|era| *concentrator.in_era(era)), [1, 3]);
}

#[test]
fn cancelled_changes_never_begin() {
	let mut concentrator = Scheduled::from(1);
	concentrator.schedule(10, 2);
	concentrator.schedule(12, 3);
	concentrator.cancel(13);
	assert_eq!([13, 14, 99].map(|era| *concentrator.in_era(era)), [2, 2, 2]);
}

proptest! {
	/// Against a list of all changes: an era's value is that of the newest change made at least the notice before.
	#[test]
	fn value_of_an_era_is_the_newest_change_with_notice(steps in prop::collection::vec((0u32..3, any::<u8>()), 0..30)) {
		let (mut era, mut all, mut scheduled) = (100, vec![(0, 0)], Scheduled::from(0u8));
		for (pause, value) in steps {
			era += pause;
			scheduled.schedule(era, value);
			all.push((era + NOTICE, value));
			// From the running era on; earlier ones are over.
			for asked in era..era + NOTICE + 2 {
				let expected = all.iter().rev().find(|(from, _)| *from <= asked).unwrap().1;
				prop_assert_eq!(*scheduled.in_era(asked), expected);
			}
		}
	}
}

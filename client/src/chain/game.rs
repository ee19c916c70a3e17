//! Whose rules an era was cleared by.

/// The first `spec_version` of the runtime whose payoffs are those of this program's game crate. In earlier ones a
/// household gained by what it bought from the community as if it had sold it.
pub const GAME_RULES_SINCE: u32 = 101;

/// What to call the rules by which a runtime computed payoffs, if this program cannot judge them. `spec_version` is that
/// runtime's; it is `None` where it is unknown. A runtime later than those that are known is judged by the present
/// rules: if its rules are others, the difference must show.
pub fn other_rules(spec_version: Option<u32>) -> Option<String> {
	match spec_version {
		Some(GAME_RULES_SINCE..) => None,
		Some(version) => Some(format!("other rules (runtime version {version})")),
		None => {
			Some("unknown rules (the node no longer has the block that tells the runtime version)".into())
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn rules_are_those_of_the_version() {
		let named = |version| other_rules(version).unwrap_or_default();
		assert_eq!(named(Some(100)), "other rules (runtime version 100)");
		assert_eq!(named(Some(0)), "other rules (runtime version 0)");
		assert!(named(None).starts_with("unknown rules"));
		for version in [101, 102, u32::MAX] {
			assert_eq!(other_rules(Some(version)), None);
		}
	}
}

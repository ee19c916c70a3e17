//! Values of lambda: reading one, and choosing one that suits.

use commonwatt_market::game::{Ratio, Rules};

/// The seed paper's lambda: kept where the homes allow it, never exceeded by a recommendation.
const PAPER: Ratio = decimal(4, 1);
/// The round values from the paper's lambda down to 1.25. Smaller round values have one digit besides the leading 1.
const ROUND: [Ratio; 8] = [
	PAPER,
	decimal(35, 10),
	decimal(3, 1),
	decimal(25, 10),
	decimal(2, 1),
	decimal(175, 100),
	decimal(15, 10),
	decimal(125, 100),
];
/// 1.000001: below the limit of every deficit that data can hold. The smallest is that of 1 GWh, 1.00001.
const SMALLEST: Ratio = decimal(1_000_001, 1_000_000);

/// A decimal number, as a fraction.
pub const fn decimal(numerator: u32, denominator: u32) -> Ratio {
	Ratio {
		numerator,
		denominator,
	}
}

/// The number that a fraction stands for; its denominator is not zero.
pub fn number(ratio: Ratio) -> f64 {
	f64::from(ratio.numerator) / f64::from(ratio.denominator)
}

/// Reads a decimal number such as 1.5 exactly, if a community can have it as its lambda.
pub fn parse(text: &str) -> Result<Ratio, String> {
	let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
	let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
	if !is_digits(whole) || !is_digits(fraction) {
		return Err("lambda is not a decimal number such as 1.5".into());
	}
	let fraction = fraction.trim_end_matches('0');
	let too_long = || "lambda has too many digits".to_string();
	let places = u32::try_from(fraction.len()).map_err(|_| too_long())?;
	let lambda = Ratio {
		numerator: format!("{whole}{fraction}").parse().map_err(|_| too_long())?,
		denominator: 10_u32.checked_pow(places).ok_or_else(too_long)?,
	};
	let rules = Rules {
		lambda,
		resolution_wh: 1,
	};
	rules.check().map_err(|fault| fault.to_string())?;
	Ok(lambda)
}

/// The largest round value that is not above the limit and not above the paper's lambda. Without a limit, the paper's.
pub fn recommend(limit: Option<f64>) -> Ratio {
	let Some(limit) = limit else { return PAPER };
	let fine = [10, 100, 1_000, 10_000, 100_000, 1_000_000]
		.into_iter()
		.flat_map(|denominator| {
			(1..10)
				.rev()
				.map(move |digit| decimal(denominator + digit, denominator))
		});
	let mut candidates = ROUND.into_iter().chain(fine);
	candidates
		.find(|candidate| number(*candidate) <= limit)
		.unwrap_or(SMALLEST)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn decimals_are_read_exactly() {
		for (text, numerator, denominator) in [
			("4", 4, 1),
			("1.25", 125, 100),
			("2.50", 25, 10),
			("65536", 65_536, 1),
		] {
			assert_eq!(parse(text), Ok(decimal(numerator, denominator)), "{text}");
		}
	}

	#[test]
	fn lambda_that_no_community_can_have_is_refused_with_the_reason() {
		for (text, reason) in [
			("1", "must be above 1"),
			("0.5", "must be above 1"),
			("1.000", "must be above 1"),
			("65536.1", "at most 65536"),
			("", "not a decimal number"),
			("two", "not a decimal number"),
			("-2", "not a decimal number"),
			("1e3", "not a decimal number"),
			(".5", "not a decimal number"),
			("2.", "not a decimal number"),
			("NaN", "not a decimal number"),
			("1.2.3", "not a decimal number"),
			("1.00000000001", "too many digits"),
			("99999999999", "too many digits"),
		] {
			let message = parse(text).expect_err(text);
			assert!(message.contains(reason), "{text}: {message}");
		}
	}

	#[test]
	fn recommendation_is_round_and_neither_above_the_limit_nor_above_the_papers_lambda() {
		for (limit, recommended) in [
			(65_536.0, 4.0),
			(4.0, 4.0),
			(3.999, 3.5),
			(2.609, 2.5),
			(1.999, 1.75),
			(1.25, 1.25),
			(1.249, 1.2),
			(1.0965, 1.09),
			(1.0116, 1.01),
			(1.00002, 1.00002),
			(1.000013, 1.00001),
		] {
			assert_eq!(number(recommend(Some(limit))), recommended, "{limit}");
		}
		assert_eq!(number(recommend(None)), 4.0);
	}
}

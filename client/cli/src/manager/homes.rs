//! The file that describes a community's homes, in TOML.

use super::thermal::Device;
use crate::{fault::Fault, files::InFile};
use serde::Deserialize;
use std::{collections::BTreeMap, fs, path::Path};

/// The file's contents.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Homes {
	/// Seed of all random numbers.
	pub seed: u64,
	/// Maximum error of a forecast of generation and load, percent of it, in either direction.
	pub forecast_error_percent: f64,
	/// Share of readings that never arrive, percent.
	pub missing_readings_percent: f64,
	/// Outdoor temperature if the data have none: pairs of hour and degrees, interpolated linearly.
	pub outdoor_c: Vec<(f64, f64)>,
	/// Values of the fields that a household does not set.
	pub default: Home,
	/// What households set, by name.
	pub household: BTreeMap<String, Partial>,
}

impl Default for Homes {
	fn default() -> Self {
		Self {
			seed: 1,
			forecast_error_percent: 0.0,
			missing_readings_percent: 0.0,
			outdoor_c: vec![(4.0, 16.0), (15.0, 28.0)],
			default: Home::default(),
			household: BTreeMap::new(),
		}
	}
}

/// Declares [`Home`] with its default, and [`Partial`] with the same fields.
macro_rules! home {
	($($(#[$doc:meta])* $field:ident: $type:ty = $default:expr,)*) => {
		/// A home, its device, and how its load is managed.
		#[derive(Clone, Debug, PartialEq, Deserialize)]
		#[serde(deny_unknown_fields, default)]
		pub struct Home {
			$($(#[$doc])* pub $field: $type,)*
		}

		impl Default for Home {
			fn default() -> Self {
				Self { $($field: $default,)* }
			}
		}

		/// The fields that a household sets.
		#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
		#[serde(deny_unknown_fields, default)]
		pub struct Partial {
			$(pub $field: Option<$type>,)*
		}

		impl Partial {
			/// A home with these fields, and all others from `other`.
			fn or(&self, other: &Home) -> Home {
				Home {
					$($field: self.$field.clone().unwrap_or_else(|| other.$field.clone()),)*
				}
			}
		}
	};
}

// The default is a well-insulated home with a small heat pump, a quarter of whose other load can wait until the evening.
home! {
	device: Device = Device::Both,
	/// R of [`super::thermal`], kelvin per kW.
	resistance_k_per_kw: f64 = 8.0,
	/// C, kWh per kelvin.
	capacity_kwh_per_k: f64 = 4.0,
	/// Maximum electrical power of the device, kW.
	device_kw: f64 = 1.5,
	/// f, the coefficient of performance.
	cop: f64 = 3.0,
	/// G, heat gains from people, appliances and sun, kW.
	gains_kw: f64 = 0.0,
	setpoint_c: f64 = 21.0,
	/// Range in which the manager keeps the indoor temperature, degrees Celsius.
	comfort_c: (f64, f64) = (18.0, 24.0),
	/// Share of the load besides the device that may be put off, percent. The same share of the average such load may
	/// come back, or run early, in one period.
	shiftable_percent: f64 = 25.0,
	/// Maximum load that may be put off, or have run early, at any time, kWh.
	shift_kwh: f64 = 2.0,
	/// Length of a stretch, periods. At the end of each stretch, and of the data, nothing is put off or ahead.
	shift_periods: usize = 24,
	/// Cap on consumption in a period, percent of the highest in the data. Exceeded only where it cannot be kept.
	peak_percent: f64 = 100.0,
}

impl Homes {
	/// Reads and checks a file.
	pub fn read(path: &Path) -> Result<Self, Fault> {
		let text = fs::read_to_string(path).in_file(path)?;
		Self::parse(&text).in_file(path)
	}

	/// Parses and checks a text. The error says what is wrong.
	pub fn parse(text: &str) -> Result<Self, String> {
		let homes: Self = toml::from_str(text).map_err(|error| error.to_string())?;
		let share = |name: &str, percent: f64| within(name, percent, 0.0, 100.0);
		share("forecast_error_percent", homes.forecast_error_percent)?;
		share("missing_readings_percent", homes.missing_readings_percent)?;
		if homes.outdoor_c.is_empty() || !homes.outdoor_c.windows(2).all(|pair| pair[0].0 < pair[1].0) {
			return Err("outdoor_c: must be pairs [hour, degrees] with the hours in ascending order".into());
		}
		for (hour, degrees) in &homes.outdoor_c {
			within("outdoor_c: hour", *hour, 0.0, 24.0)?;
			within("outdoor_c: degrees", *degrees, -60.0, 60.0)?;
		}
		homes.default.check().map_err(|what| format!("default: {what}"))?;
		for name in homes.household.keys() {
			homes
				.of(name)
				.check()
				.map_err(|what| format!("household.{name}: {what}"))?;
		}
		Ok(homes)
	}

	/// The home of a household.
	pub fn of(&self, household: &str) -> Home {
		self.household
			.get(household)
			.map_or_else(|| self.default.clone(), |partial| partial.or(&self.default))
	}

	/// Outdoor temperature at an hour of the day, interpolated between the file's pairs, also across midnight.
	pub fn outdoor_c(&self, hour: f64) -> f64 {
		let points = &self.outdoor_c;
		let (Some(first), Some(last)) = (points.first(), points.last()) else {
			return 0.0;
		};
		let around = [(last.0 - 24.0, last.1)]
			.into_iter()
			.chain(points.iter().copied())
			.chain([(first.0 + 24.0, first.1)]);
		let around: Vec<(f64, f64)> = around.collect();
		let pair = around
			.windows(2)
			.find(|pair| pair[0].0 <= hour && hour <= pair[1].0 && pair[0].0 < pair[1].0);
		pair.map_or(first.1, |pair| {
			let (from, to) = (pair[0], pair[1]);
			from.1 + (to.1 - from.1) * (hour - from.0) / (to.0 - from.0)
		})
	}
}

impl Home {
	fn check(&self) -> Result<(), String> {
		within("resistance_k_per_kw", self.resistance_k_per_kw, 0.01, 1_000.0)?;
		within("capacity_kwh_per_k", self.capacity_kwh_per_k, 0.01, 1_000.0)?;
		within("device_kw", self.device_kw, 0.0, 1_000.0)?;
		within("cop", self.cop, 0.1, 20.0)?;
		within("gains_kw", self.gains_kw, 0.0, 1_000.0)?;
		within("shiftable_percent", self.shiftable_percent, 0.0, 100.0)?;
		within("shift_kwh", self.shift_kwh, 0.0, 1_000.0)?;
		within("peak_percent", self.peak_percent, 0.0, 1_000.0)?;
		if self.shift_periods == 0 {
			return Err("shift_periods: must be 1 or more".into());
		}
		let (low, high) = self.comfort_c;
		within("comfort_c", low, -60.0, 100.0)?;
		within("comfort_c", high, low + 0.5, 100.0)?;
		within("setpoint_c", self.setpoint_c, low, high)
	}
}

fn within(name: &str, value: f64, low: f64, high: f64) -> Result<(), String> {
	if (low..=high).contains(&value) {
		Ok(())
	} else {
		Err(format!("{name}: {value} is not within {low} to {high}"))
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn missing_fields_have_the_default() {
		let homes = Homes::parse("[default]\ncop = 4\n[household.Bob]\ndevice_kw = 2.5\n").unwrap();
		assert_eq!((homes.of("Bob").cop, homes.of("Bob").device_kw), (4.0, 2.5));
		assert_eq!(homes.of("Alice"), homes.default);
		assert_eq!(Homes::parse("").unwrap(), Homes::default());
	}

	#[test]
	fn mistakes_are_named() {
		for (text, words) in [
			("cop = 3", "unknown field `cop`"),
			("[default]\ncop = 0", "default: cop: 0 is not within"),
			(
				"[household.Bob]\nsetpoint_c = 40",
				"household.Bob: setpoint_c: 40",
			),
			("[household.Bob]\nsetpiont_c = 20", "unknown field `setpiont_c`"),
			("[default]\ndevice = \"oven\"", "unknown variant `oven`"),
			("outdoor_c = [[5, 10], [3, 10]]", "hours in ascending order"),
			("missing_readings_percent = 101", "missing_readings_percent: 101"),
		] {
			let found = Homes::parse(text).unwrap_err();
			assert!(found.contains(words), "{found}");
		}
	}

	#[test]
	fn outdoor_temperature_is_interpolated_across_midnight() {
		let homes = Homes::parse("outdoor_c = [[4, 16], [16, 28]]").unwrap();
		let of = |hour| homes.outdoor_c(hour);
		assert_eq!(
			(of(4.0), of(10.0), of(16.0), of(22.0), of(0.0)),
			(16.0, 22.0, 28.0, 22.0, 20.0)
		);
	}
}

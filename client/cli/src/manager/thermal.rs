//! A home as one resistance and one capacity: the first-order equation of its indoor temperature, solved exactly.
//!
//! C dT/dt = (T_out - T) / R + G + s f P, with the outdoor temperature, the gains G (people, appliances, sun) and the
//! device's electrical power P constant over a period; f is the heat that the device moves for each kWh (its
//! coefficient of performance) and s is 1 when it heats and -1 when it cools. The solution after a period of h hours is
//! T' = T_inf + (T - T_inf) e^(-h / (R C)) with T_inf = T_out + R (G + s f P). (The 1R1C model of a building, as in
//! Bacher and Madsen, Energy and Buildings 43 (7), 2011, doi 10.1016/j.enbuild.2011.02.005, where it is the simplest.)

use super::homes::Home;
use serde::Deserialize;

/// What a device does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Device {
	Heating,
	Cooling,
	/// Heats or cools, whichever the home needs.
	Both,
	None,
}

/// A period of a home: its length, and the temperatures from which it starts.
#[derive(Clone, Copy, Debug)]
pub struct Span {
	pub hours: f64,
	pub outdoor_c: f64,
	/// At the period's beginning.
	pub indoor_c: f64,
}

impl Home {
	/// The fraction of a temperature difference that is left after a period.
	fn left(&self, span: &Span) -> f64 {
		(-span.hours / (self.resistance_k_per_kw * self.capacity_kwh_per_k)).exp()
	}

	/// The temperature after a period in which the device's heat flow was `heat_kw`, negative when it cools.
	fn after_heat(&self, span: &Span, heat_kw: f64) -> f64 {
		let end = span.outdoor_c + self.resistance_k_per_kw * (self.gains_kw + heat_kw);
		end + (span.indoor_c - end) * self.left(span)
	}

	/// 1 if the device heats in a period, -1 if it cools, 0 without a device. A device that can do both heats if the
	/// home would settle below the setpoint without it, else it cools. So it never undoes its own work of earlier periods.
	fn sign(&self, span: &Span) -> f64 {
		let alone_c = span.outdoor_c + self.resistance_k_per_kw * self.gains_kw;
		match self.device {
			Device::Heating => 1.0,
			Device::Cooling => -1.0,
			Device::Both if alone_c < self.setpoint_c => 1.0,
			Device::Both => -1.0,
			Device::None => 0.0,
		}
	}

	/// The temperature after a period in which the device took `device_wh`. A home without a device is always at its
	/// setpoint, whatever else heats it.
	pub fn after(&self, span: &Span, device_wh: f64) -> f64 {
		let sign = self.sign(span);
		if sign == 0.0 {
			return self.setpoint_c;
		}
		self.after_heat(span, sign * self.cop * device_wh / 1_000.0 / span.hours)
	}

	/// Energy that the device must take in a period so that the home ends at `indoor_c`, Wh, within what the device can
	/// do.
	pub fn device_wh_for(&self, span: &Span, indoor_c: f64) -> f64 {
		let sign = self.sign(span);
		if sign == 0.0 {
			return 0.0;
		}
		let left = self.left(span);
		let end = (indoor_c - span.indoor_c * left) / (1.0 - left);
		let heat_kw = (end - span.outdoor_c) / self.resistance_k_per_kw - self.gains_kw;
		let wh = sign * heat_kw / self.cop * span.hours * 1_000.0;
		wh.clamp(0.0, self.most_wh(span.hours))
	}

	/// Maximum energy of the device in a period, Wh.
	pub fn most_wh(&self, hours: f64) -> f64 {
		match self.device {
			Device::None => 0.0,
			_ => self.device_kw * hours * 1_000.0,
		}
	}

	/// Minimum and maximum energy of the device in a period so that the home ends within a range, Wh, within what the
	/// device can do.
	pub fn range_wh(&self, span: &Span, (low_c, high_c): (f64, f64)) -> (f64, f64) {
		let (a, b) = (self.device_wh_for(span, low_c), self.device_wh_for(span, high_c));
		(a.min(b), a.max(b))
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::sync::LazyLock;

	static HOME: LazyLock<Home> = LazyLock::new(|| Home {
		device: Device::Both,
		resistance_k_per_kw: 8.0,
		capacity_kwh_per_k: 2.5,
		device_kw: 3.0,
		cop: 3.0,
		gains_kw: 0.25,
		setpoint_c: 21.0,
		..Home::default()
	});

	fn span(outdoor_c: f64, indoor_c: f64) -> Span {
		Span {
			hours: 0.5,
			outdoor_c,
			indoor_c,
		}
	}

	/// Many small steps of Euler's method give the same. The test has its own copy of the equation.
	#[test]
	fn solution_is_that_of_the_differential_equation() {
		for (outdoor, indoor, wh) in [(0.0, 21.0, 600.0), (35.0, 22.0, 400.0), (10.0, 15.0, 1_500.0)] {
			let sign = if outdoor < 21.0 { 1.0 } else { -1.0 };
			let (mut t, steps) = (indoor, 1_000_000);
			for _ in 0..steps {
				let heat = (outdoor - t) / 8.0 + 0.25 + sign * 3.0 * wh / 500.0;
				t += heat / 2.5 * 0.5 / f64::from(steps);
			}
			let exact = HOME.after(&span(outdoor, indoor), wh);
			assert!((exact - t).abs() < 1e-5, "{outdoor} {indoor} {wh}: {exact} {t}");
		}
	}

	#[test]
	fn two_halves_of_a_period_make_the_whole() {
		let whole = HOME.after(&span(2.0, 20.0), 800.0);
		let half = |indoor_c| Span {
			hours: 0.25,
			..span(2.0, indoor_c)
		};
		let middle = HOME.after(&half(20.0), 400.0);
		assert!((HOME.after(&half(middle), 400.0) - whole).abs() < 1e-12);
	}

	#[test]
	fn device_takes_what_a_temperature_needs() {
		for (outdoor, indoor, wanted) in [(0.0, 21.0, 21.0), (36.0, 22.0, 21.5), (5.0, 20.0, 20.4)] {
			let span = span(outdoor, indoor);
			let wh = HOME.device_wh_for(&span, wanted);
			assert!((HOME.after(&span, wh) - wanted).abs() < 1e-9, "{outdoor}: {wh}");
		}
		assert_eq!(HOME.device_wh_for(&span(-60.0, 21.0), 26.0), 1_500.0);
		assert_eq!(HOME.device_wh_for(&span(25.0, 22.0), 26.0), 0.0);
	}

	#[test]
	fn range_keeps_a_home_within_its_comfort() {
		for outdoor in [-5.0, 10.0, 20.0, 30.0, 40.0] {
			let span = span(outdoor, 21.0);
			let (least, most) = HOME.range_wh(&span, (20.0, 22.0));
			assert!(least <= most);
			for wh in [least, most] {
				let after = HOME.after(&span, wh);
				assert!((19.999..22.001).contains(&after), "{outdoor}: {after}");
			}
		}
	}
}

//! Plots as SVG that scale with the page, with a description for readers who cannot see them.

use crate::fault::Fault;
use plotters::prelude::*;

/// In units of the drawing: little more than a phone's width, so that the text stays legible there.
const SIZE: (u32, u32) = (400, 280);
/// Distinct for colour-blind readers too (Okabe and Ito, "Color Universal Design", 2008).
const COLOURS: [RGBColor; 6] = [
	RGBColor(0, 114, 178),
	RGBColor(213, 94, 0),
	RGBColor(0, 158, 115),
	RGBColor(204, 121, 167),
	RGBColor(86, 120, 40),
	RGBColor(90, 90, 90),
];
/// Plots with more series than this have thinner lines.
const FEW: usize = 4;

/// How a series is drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Style {
	Line,
	Dashes,
	/// Only where there is a value.
	Points,
}

/// A series: kWh by period, where there is a value.
pub struct Series {
	pub name: String,
	pub style: Style,
	pub values: Vec<Option<f64>>,
}

impl Series {
	/// From Wh of every period.
	pub fn of_wh(name: impl Into<String>, style: Style, wh: impl IntoIterator<Item = i64>) -> Self {
		let values = wh.into_iter().map(|wh| Some(wh as f64 / 1_000.0));
		Self {
			name: name.into(),
			style,
			values: values.collect(),
		}
	}
}

/// A plot over the periods.
pub struct Plot {
	/// Unique within the page.
	pub id: String,
	pub title: String,
	/// A description in a sentence.
	pub words: String,
	/// The start of each period.
	pub starts: Vec<String>,
	pub series: Vec<Series>,
}

/// The style of a series by its index, so that no two of a dozen look alike.
pub fn style(place: usize) -> Style {
	if place < COLOURS.len() {
		Style::Line
	} else {
		Style::Dashes
	}
}

/// The colour of a series by its index, as CSS.
pub fn colour(place: usize) -> String {
	let RGBColor(red, green, blue) = COLOURS[place % COLOURS.len()];
	format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Escapes text for HTML and SVG.
pub fn escaped(text: &str) -> String {
	text.replace('&', "&amp;")
		.replace('<', "&lt;")
		.replace('>', "&gt;")
		.replace('"', "&quot;")
}

/// A table whose first column has the headings of the rows.
pub fn table(heads: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
	let heads: String = heads
		.iter()
		.map(|head| format!("<th scope=\"col\">{}</th>", escaped(head)))
		.collect();
	let row = |row: Vec<String>| {
		let mut cells = row.iter().map(|cell| escaped(cell));
		let first = cells.next().unwrap_or_default();
		let rest: String = cells.map(|cell| format!("<td>{cell}</td>")).collect();
		format!("<tr><th scope=\"row\">{first}</th>{rest}</tr>\n")
	};
	let rows: String = rows.into_iter().map(row).collect();
	format!(
		"<div class=\"wide\"><table><thead><tr>{heads}</tr></thead><tbody>\n{rows}</tbody></table></div>\n"
	)
}

impl Plot {
	/// The plot as SVG.
	pub fn svg(&self) -> Result<String, Fault> {
		let mut drawn = String::new();
		self.draw(&mut drawn)
			.map_err(|error| Fault::Chain(format!("plot '{}': {error}", self.title)))?;
		// Without a width and a height a drawing fills the width that it is given.
		let (_, inside) = drawn.split_once("<svg").unwrap_or(("", &drawn));
		let (_, inside) = inside.split_once('>').unwrap_or(("", inside));
		let (id, title, words) = (&self.id, escaped(&self.title), escaped(&self.words));
		Ok(format!(
			"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" role=\"img\" aria-labelledby=\"{id}-title \
			 {id}-words\"><title id=\"{id}-title\">{title}</title><desc id=\"{id}-words\">{words}</desc>{inside}",
			SIZE.0, SIZE.1
		))
	}

	fn draw(&self, drawn: &mut String) -> Result<(), Box<dyn std::error::Error + '_>> {
		let values = || {
			self.series
				.iter()
				.flat_map(|series| series.values.iter().flatten())
		};
		let top = values().copied().fold(0.0, f64::max) * 1.05;
		let bottom = values().copied().fold(0.0, f64::min) * 1.05;
		let last = self.starts.len().max(2) - 1;
		let root = SVGBackend::with_string(drawn, SIZE).into_drawing_area();
		let mut chart = ChartBuilder::on(&root)
			.margin(8)
			.margin_right(16)
			.x_label_area_size(34)
			.y_label_area_size(46)
			.build_cartesian_2d(0.0..last as f64, bottom..top.max(0.1))?;
		chart
			.configure_mesh()
			.light_line_style(TRANSPARENT)
			.bold_line_style(RGBColor(221, 221, 221))
			.x_labels(5)
			.y_labels(6)
			.x_label_formatter(&|place| self.label(*place))
			.y_label_formatter(&|kwh| format!("{kwh:.1}"))
			.label_style(("sans-serif", 16))
			.draw()?;
		let width = if self.series.len() > FEW || self.starts.len() > 100 {
			1
		} else {
			2
		};
		for (place, series) in self.series.iter().enumerate() {
			let colour = COLOURS[place % COLOURS.len()];
			let line = colour.stroke_width(width);
			let points = series.values.iter().enumerate();
			let points = points.filter_map(|(at, kwh)| kwh.map(|kwh| (at as f64, kwh)));
			match series.style {
				Style::Line => {
					chart.draw_series(LineSeries::new(points, line))?;
				}
				Style::Dashes => {
					chart.draw_series(DashedLineSeries::new(points, 5, 4, line))?;
				}
				Style::Points => {
					chart.draw_series(points.map(|point| Circle::new(point, 4, line)))?;
				}
			}
		}
		root.present()?;
		drop(chart);
		Ok(())
	}

	/// The label at an index: the time if all periods are on one day, else the date.
	fn label(&self, place: f64) -> String {
		let start = self.starts.get(place.round() as usize).map_or("", String::as_str);
		let one_day =
			self.starts.first().map(|first| first.get(..10)) == self.starts.last().map(|last| last.get(..10));
		let part = if one_day {
			start.get(11..16)
		} else {
			start.get(5..10)
		};
		part.unwrap_or_default().into()
	}

	/// The names of the series, each with a sample of its line.
	pub fn legend(&self) -> String {
		let entry = |(place, series): (usize, &Series)| {
			let sample = match series.style {
				Style::Line => "<line x1=\"0\" y1=\"6\" x2=\"28\" y2=\"6\" stroke-width=\"3\"/>",
				Style::Dashes => {
					"<line x1=\"0\" y1=\"6\" x2=\"28\" y2=\"6\" stroke-width=\"3\" stroke-dasharray=\"6 5\"/>"
				}
				Style::Points => "<circle cx=\"14\" cy=\"6\" r=\"4\" fill=\"none\" stroke-width=\"2\"/>",
			};
			format!(
				"<li><svg class=\"sample\" viewBox=\"0 0 28 12\" aria-hidden=\"true\" stroke=\"{}\">{sample}</svg> {}</li>",
				colour(place),
				escaped(&series.name)
			)
		};
		let entries: String = self.series.iter().enumerate().map(entry).collect();
		format!("<ul class=\"legend\">{entries}</ul>")
	}

	/// The same numbers as a table, collapsed at first.
	pub fn table(&self) -> String {
		let mut heads = vec!["from"];
		heads.extend(self.series.iter().map(|series| series.name.as_str()));
		let rows = self.starts.iter().enumerate().map(|(place, start)| {
			let mut row = vec![start.replace('T', " ")];
			row.extend(self.series.iter().map(|series| {
				let value = series.values.get(place).copied().flatten();
				value.map_or(String::new(), |kwh| format!("{kwh:.3}"))
			}));
			row
		});
		format!(
			"<details><summary>The numbers, kWh</summary>{}</details>",
			table(&heads, rows).trim_end()
		)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn plot() -> Plot {
		Plot {
			id: "p".into(),
			title: "Loads <&>".into(),
			words: "Two lines.".into(),
			starts: (7..19)
				.map(|hour| format!("2021-07-31T{hour:02}:00:00"))
				.collect(),
			series: vec![
				Series::of_wh("one", Style::Line, (0..12).map(|period| period * 500)),
				Series {
					name: "two".into(),
					style: Style::Points,
					values: vec![None, Some(1.5), None],
				},
			],
		}
	}

	#[test]
	fn drawing_scales_and_has_a_description() {
		let svg = plot().svg().unwrap();
		assert!(
			svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 400 280\" role=\"img\"")
		);
		assert!(svg.contains("<title id=\"p-title\">Loads &lt;&amp;&gt;</title>"));
		assert!(svg.contains("<polyline") && svg.contains("<circle"), "{svg}");
		assert!(
			svg.contains("12:00") && svg.trim_end().ends_with("</svg>"),
			"{svg}"
		);
		assert_eq!(svg.matches("<svg").count(), 1);
	}

	#[test]
	fn table_has_every_number() {
		let table = plot().table();
		assert_eq!(table.matches("<tr>").count(), 13);
		assert!(table.contains("<th scope=\"row\">2021-07-31 08:00:00</th><td>0.500</td><td>1.500</td>"));
	}
}

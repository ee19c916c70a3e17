//! What the text and the tables of the seed paper say about its experiment (Ouyang, Yan and Zhu, ACM TURC 2021, doi
//! 10.1145/3472634.3474065).

/// Table 1: Wh generated in the half hour that begins at the given time, households 1 to 4.
pub const GENERATION: [(&str, [i64; 4]); 7] = [
	("07:00", [0, 0, 0, 0]),
	("09:00", [800, 1_000, 800, 500]),
	("11:00", [3_300, 3_700, 3_400, 3_100]),
	("13:00", [5_300, 5_400, 5_700, 5_200]),
	("15:00", [3_600, 3_800, 3_300, 4_000]),
	("17:00", [800, 1_000, 600, 1_300]),
	("19:00", [100, 100, 100, 100]),
];

/// Table 2: household 1's consumption before the game and after it, Wh.
pub const CONSUMPTION: [(&str, i64, i64); 7] = [
	("07:00", 0, 3_000),
	("07:30", 4_000, 5_300),
	("08:00", 6_000, 3_500),
	("08:30", 4_000, 0),
	("09:30", 0, 3_400),
	("10:00", 3_000, 6_500),
	("10:30", 7_000, 3_500),
];

/// The paper's claims, each with the beginning of the name of our figure beside which it is shown.
pub const CLAIMS: [(&str, &str); 4] = [
	(
		"peak load of Alice",
		"from 7 to 6 kWh, 14 % lower (its own Table 2 has 6.5 kWh at 10:00)",
	),
	(
		"most bought from the main grid",
		"the community's peak 10 % lower, if the grid's load is meant (Figure 7, a picture only)",
	),
	(
		"peak load of the community",
		"10 % lower, if consumption is meant (most of the loads are pictures only, ours are made)",
	),
	(
		"of it from 10:00",
		"\"greatly reduced\" (a picture only, no number in the text)",
	),
];

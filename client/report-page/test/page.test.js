// Tests the report's page in a browser. COMMONWATT_REPORT is the path of the page; COMMONWATT_PICTURES, if set, is a
// folder for pictures of it, as in docs/pictures.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { executablePath } from '../../chromium.js';

const report = process.env.COMMONWATT_REPORT;
const pictures = process.env.COMMONWATT_PICTURES;
// The minimum size of legible text on a phone, in CSS pixels.
const LEGIBLE_PX = 10;

let browser;

before(async () => {
	assert.ok(report && existsSync(report), `COMMONWATT_REPORT: there is no page at ${report}`);
	assert.ok(executablePath, 'Chromium is missing; scripts/setup.sh installs it');
	browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
});

after(async () => browser?.close());

// Opens the page offline. Returns also the URLs that it requested and its console messages and errors.
async function open(width, height) {
	const context = await browser.newContext({ viewport: { width, height }, offline: true, deviceScaleFactor: 2 });
	const page = await context.newPage();
	const asked = [];
	const complaints = [];
	page.on('request', (request) => asked.push(request.url()));
	page.on('console', (message) => complaints.push(message.text()));
	page.on('pageerror', (error) => complaints.push(String(error)));
	const url = pathToFileURL(/** @type {string} */ (report)).href;
	await page.goto(url);
	return { context, page, url, asked, complaints };
}

// Takes pictures for the documentation: the first screen, and the plots.
async function picture(page, name) {
	await page.screenshot({ path: `${pictures}/report-${name}.png`, scale: 'css' });
	const [first, last] = await page.$$eval('figure', (all) =>
		[all[0], all[all.length - 1]].map((one) => {
			const { top, bottom } = one.getBoundingClientRect();
			return { top, bottom };
		}),
	);
	const clip = { x: 0, y: first.top - 8, width: page.viewportSize().width, height: last.bottom - first.top + 16 };
	await page.screenshot({ path: `${pictures}/report-plots-${name}.png`, clip, fullPage: true, scale: 'css' });
}

for (const [name, width, height] of [
	['phone', 390, 844],
	['desk', 1280, 900],
]) {
	test(`${name}: the page opens offline, fits the screen and is legible`, async () => {
		const { context, page, url, asked, complaints } = await open(width, height);
		assert.deepEqual(asked, [url], 'the page must request nothing else');
		assert.deepEqual(complaints, []);
		const widths = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
		assert.ok(widths[0] <= widths[1], `the page is ${widths[0]} px wide on ${widths[1]} px`);
		const plots = await page.$$eval('figure > svg', (all) =>
			all.map((svg) => {
				const box = svg.getBoundingClientRect();
				const text = [...svg.querySelectorAll('text')].filter((one) => one.textContent.trim());
				const scale = box.width / svg.viewBox.baseVal.width;
				return {
					left: box.left,
					right: box.right,
					height: box.height,
					smallest: Math.min(...text.map((one) => parseFloat(getComputedStyle(one).fontSize) * scale)),
					labels: text.length,
					outside: text.filter((one) => {
						const { left, right } = one.getBoundingClientRect();
						return left < box.left - 1 || right > box.right + 1;
					}).length,
					lines: svg.querySelectorAll('polyline, path').length,
				};
			}),
		);
		assert.equal(plots.length, 6);
		for (const plot of plots) {
			assert.ok(plot.left >= 0 && plot.right <= width && plot.height > 150, JSON.stringify(plot));
			assert.ok(plot.smallest >= LEGIBLE_PX, `text of ${plot.smallest} px is too small`);
			assert.ok(plot.labels >= 6 && plot.lines >= 2, JSON.stringify(plot));
			assert.equal(plot.outside, 0, 'labels must be within their plot');
		}
		if (pictures) await picture(page, name);
		await context.close();
	});
}

test('plots have names and descriptions, and their numbers are in a table', async () => {
	const { context, page } = await open(390, 844);
	const words = await page.$$eval('figure > svg', (all) =>
		all.map((svg) =>
			svg
				.getAttribute('aria-labelledby')
				.split(' ')
				.map((id) => document.getElementById(id)?.textContent),
		),
	);
	for (const [title, description] of words) assert.ok(title.length > 5 && description.length > 20);
	const names = await page.getByRole('img').count();
	assert.equal(names, words.length);
	const figure = page.locator('figure').first();
	await figure.locator('summary').click();
	assert.ok(await figure.locator('table').isVisible());
	assert.ok((await figure.locator('tbody tr').count()) > 1);
	await context.close();
});

test('the lines of a plot have the colours of its legend', async () => {
	const { context, page } = await open(1280, 900);
	const figures = await page.$$eval('figure', (all) =>
		all.map((figure) => ({
			legend: [...figure.querySelectorAll('.sample')].map((sample) => sample.getAttribute('stroke').toLowerCase()),
			drawn: [...figure.querySelectorAll(':scope > svg [stroke]')].map((one) =>
				one.getAttribute('stroke').toLowerCase(),
			),
		})),
	);
	for (const { legend, drawn } of figures) {
		assert.ok(legend.length >= 2);
		for (const colour of legend) assert.ok(drawn.includes(colour), `no line is ${colour}, only ${[...new Set(drawn)]}`);
	}
	await context.close();
});

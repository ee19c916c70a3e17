/**
 * What the page's tests need: the built page on a web server, a browser, a development chain with a day of eras, and a
 * network of validators.
 */

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { executablePath } from '../../chromium.js';
import { nodeBinary, startNode } from '../../polkadot-js/src/node.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const paper = fileURLToPath(new URL('../../../examples/paper.csv', import.meta.url));

/** A program that was built beside the node. */
const program = (name) => join(dirname(nodeBinary()), name);

/** Runs `commonwatt` and returns what it printed. */
export async function commonwatt(...options) {
	return (await promisify(execFile)(program('commonwatt'), options)).stdout;
}

/**
 * Serves the built page on the loopback interface, as `commonwatt dashboard` does.
 *
 * @param {string[]} options more of its options
 * @returns {Promise<{ url: string, stop: () => Promise<void> }>}
 */
export async function servePage(...options) {
	assert.ok(existsSync(join(root, 'dist', 'index.html')), 'the page is not built: run `npm run build`');
	const all = ['dashboard', '--files', join(root, 'dist'), '--port', '0', ...options];
	const child = spawn(program('commonwatt'), all, { stdio: ['ignore', 'pipe', 'inherit'] });
	const ended = new Promise((resolve) => child.once('close', resolve));
	const url = await new Promise((resolve, reject) => {
		let said = '';
		child.stdout.on('data', (chunk) => {
			said += chunk;
			const found = said.match(/^The page: (\S+)$/m);
			if (found) resolve(found[1]);
		});
		child.once('error', reject);
		child.once('close', (code) => reject(new Error(`commonwatt dashboard ended with ${code}`)));
	});
	const stop = async () => {
		child.kill('SIGTERM');
		await ended;
	};
	return { url: new URL('.', url).href, stop };
}

/** Starts Chromium. */
export async function startBrowser() {
	assert.ok(executablePath, 'Chromium is missing; scripts/setup.sh installs it');
	return await chromium.launch({ executablePath, args: ['--no-sandbox'] });
}

/** A development chain on which the paper's community has played some eras. */
export async function startDay(eras = 8) {
	const node = await startNode();
	await commonwatt('replay', paper, '--url', node.url, '--first', `${eras}`);
	return node;
}

/**
 * Starts four validators, and waits until blocks are final.
 *
 * @returns {Promise<{ specification: string, urls: string[], kill: () => Promise<void>, stop: () => Promise<void> }>} the
 *   file with which light clients join, the nodes' RPC, and a function that kills the last validator
 */
export async function startNetwork(port = 20_944) {
	const base = await mkdtemp(join(tmpdir(), 'commonwatt-network-'));
	const options = ['4', '--base-path', base, '--era-seconds', '60', '--rpc-port', `${port}`];
	const child = spawn(program('commonwatt-localnet'), options, { stdio: 'ignore' });
	const ended = new Promise((resolve) => child.once('close', resolve).once('error', resolve));
	const stop = async () => {
		child.kill('SIGTERM');
		await ended;
		await rm(base, { recursive: true, force: true });
	};
	const urls = [0, 1, 2, 3].map((index) => `ws://127.0.0.1:${port + index}`);
	const specification = join(base, 'chain-light.json');
	const deadline = Date.now() + 120_000;
	while (!existsSync(specification) || !(await isFinal(port).catch(() => false))) {
		if (Date.now() > deadline || child.exitCode !== null) {
			await stop();
			throw new Error('the network makes no final blocks');
		}
		await sleep(500);
	}
	const kill = async () => {
		const found = await promisify(execFile)('pgrep', ['-P', `${child.pid}`, '-f', `rpc-port ${port + 3}`]);
		process.kill(Number(found.stdout), 'SIGKILL');
	};
	return { specification, urls, kill, stop };
}

/** Whether a node has a final block after the first. */
async function isFinal(port) {
	const ask = async (method, params) => {
		const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
		const answer = await fetch(`http://127.0.0.1:${port}`, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body,
		});
		return (await answer.json()).result;
	};
	const hash = await ask('chain_getFinalizedHead', []);
	const { number } = await ask('chain_getHeader', [hash]);
	return Number(number) > 0;
}

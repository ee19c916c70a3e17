/**
 * Starts a development node with a new chain for a test, and stops it at the end.
 */

import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** @import { AddressInfo } from 'node:net' */

/** A loaded machine takes a while to compile the runtime. */
const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 10_000;
/** How much of the end of the node's output the error shows if the node does not start. */
const LOG_CHARACTERS = 4_000;

/** The path of the node: COMMONWATT_NODE, or where the project's scripts build it. */
export function nodeBinary() {
	const { COMMONWATT_NODE, CARGO_TARGET_DIR, XDG_CACHE_HOME, COMMONWATT_PROFILE } = process.env;
	if (COMMONWATT_NODE) return COMMONWATT_NODE;
	const target = CARGO_TARGET_DIR || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'commonwatt', 'target');
	return join(target, COMMONWATT_PROFILE || 'ci', 'commonwatt-node');
}

/**
 * A port of the loopback interface that is free now.
 *
 * @returns {Promise<number>}
 */
function freePort() {
	return new Promise((resolve, reject) => {
		const server = createServer();
		server.on('error', reject);
		server.listen(0, '127.0.0.1', () => {
			const { port } = /** @type {AddressInfo} */ (server.address());
			server.close(() => resolve(port));
		});
	});
}

/** @param {number} port */
async function answers(port) {
	try {
		const response = await fetch(`http://127.0.0.1:${port}`, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: '{"jsonrpc":"2.0","id":1,"method":"chain_getHeader","params":[]}',
		});
		const { result } = await response.json();
		// The market's clock starts in block 1, the first block with a timestamp.
		return Number(result?.number ?? 0) > 0;
	} catch {
		return false;
	}
}

/**
 * Starts a node with a fresh development chain and waits until it makes blocks.
 *
 * @param {string} binary the node
 * @param {string[]} chain the options that choose the chain
 * @returns {Promise<{url: string, stop: () => Promise<void>}>} the URL of its RPC, and a function that stops the node
 *   and removes its state
 */
export async function startNode(binary = nodeBinary(), chain = ['--dev']) {
	if (!existsSync(binary)) {
		throw new Error(`there is no node at ${binary}: build it first, or set COMMONWATT_NODE to its path`);
	}
	const [port, base] = [await freePort(), await mkdtemp(join(tmpdir(), 'commonwatt-walkthrough-'))];
	const child = spawn(binary, [...chain, '--rpc-port', `${port}`, '--base-path', base, '--no-prometheus'], {
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	let log = '';
	const remember = (chunk) => (log = (log + chunk).slice(-LOG_CHARACTERS));
	child.stdout.on('data', remember);
	child.stderr.on('data', remember);
	const ended = new Promise((resolve) => child.once('close', resolve).once('error', resolve));
	const isRunning = () => child.pid !== undefined && child.exitCode === null && child.signalCode === null;

	const kill = () => isRunning() && child.kill('SIGKILL');
	// If this process ends early, it must not leave the node running or its state on disk.
	const abandon = () => {
		kill();
		rmSync(base, { recursive: true, force: true, maxRetries: 3 });
	};
	process.once('exit', abandon);
	for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

	const stop = async () => {
		if (isRunning()) {
			child.kill('SIGTERM');
			const timer = setTimeout(kill, STOP_TIMEOUT_MS);
			await ended;
			clearTimeout(timer);
		}
		process.off('exit', abandon);
		await rm(base, { recursive: true, force: true });
	};

	const deadline = Date.now() + START_TIMEOUT_MS;
	while (!(await answers(port))) {
		if (!isRunning() || Date.now() > deadline) {
			await stop();
			throw new Error(`the node at ${binary} did not start; its output ends with:\n${log}`);
		}
		await sleep(200);
	}
	return { url: `ws://127.0.0.1:${port}`, stop };
}

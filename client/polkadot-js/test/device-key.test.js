/**
 * Meter key files are Polkadot.js key files: each program opens the files of the other.
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { Keyring } from '@polkadot/keyring';
import { cryptoWaitReady } from '@polkadot/util-crypto';

const PASSPHRASE = 'correct horse';

describe('a meter key file', () => {
	let folder;
	let keyring;
	const client = process.env.COMMONWATT_CLIENT;
	const commonwatt = (...options) =>
		promisify(execFile)(/** @type {string} */ (client), ['meter', ...options], {
			env: { ...process.env, COMMONWATT_PASSPHRASE: PASSPHRASE },
		});

	before(async () => {
		assert.ok(client, 'COMMONWATT_CLIENT must be the path of commonwatt');
		folder = await mkdtemp(join(tmpdir(), 'commonwatt-'));
		await cryptoWaitReady();
		keyring = new Keyring({ type: 'sr25519' });
	});

	after(() => rm(folder, { recursive: true }));

	it('made by commonwatt opens in Polkadot.js with its passphrase and signs', async () => {
		const file = join(folder, 'made.json');
		const { stdout } = await commonwatt('key', file);
		const pair = keyring.addFromJson(JSON.parse(await readFile(file, 'utf8')));
		assert.equal(pair.address, stdout.trim());
		assert.throws(() => pair.decodePkcs8('correct horsf'));
		pair.decodePkcs8(PASSPHRASE);
		const message = new TextEncoder().encode('1.2 kWh');
		assert.ok(pair.verify(message, pair.sign(message), keyring.decodeAddress(stdout.trim())));
	});

	it('made by Polkadot.js opens in commonwatt', async () => {
		const [file, rows] = [join(folder, 'exported.json'), join(folder, 'rows.csv')];
		const pair = keyring.addFromUri('//Bob//stash');
		await writeFile(file, JSON.stringify(pair.toJson(PASSPHRASE)));
		await writeFile(rows, 'period_start,generation_wh,consumption_wh\n');
		const { stderr } = await commonwatt(
			'run',
			'--key',
			file,
			'--queue',
			join(folder, 'queue'),
			'--csv',
			rows,
			'--once',
		);
		assert.ok(stderr.includes(pair.address), stderr);
	});
});

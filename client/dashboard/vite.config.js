import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

/** Writes each file in brotli as well, for web servers that take `.br` beside a file. */
const compressed = {
	name: 'compressed',
	writeBundle({ dir }, bundle) {
		for (const name of Object.keys(bundle)) {
			const file = join(dir, name);
			writeFileSync(`${file}.br`, brotliCompressSync(readFileSync(file)));
		}
	},
};

export default defineConfig({
	// Relative addresses, so that the files work in any folder of any web host.
	base: './',
	plugins: [svelte(), compressed],
	resolve: {
		// The provider needs one class of smoldot, and would bring the whole light client into the page a second time.
		alias: [{ find: /^@polkadot-api\/smoldot$/, replacement: 'smoldot/no-auto-bytecode' }],
	},
	build: { target: 'es2022', chunkSizeWarningLimit: 4_000 },
	worker: { format: 'es' },
});

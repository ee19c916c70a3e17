import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

export default defineConfig({
	// Relative addresses, so that the files work in any folder of any web host.
	base: './',
	plugins: [svelte()],
	resolve: {
		// The provider needs one class of smoldot, and would bring the whole light client into the page a second time.
		alias: [{ find: /^@polkadot-api\/smoldot$/, replacement: 'smoldot/no-auto-bytecode' }],
	},
	build: { target: 'es2022', chunkSizeWarningLimit: 4_000 },
	worker: { format: 'es' },
});

import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

/** The server that `npm run dev` talks to. */
const server = process.env.RAPPORT_URL ?? 'http://127.0.0.1:8321';

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { '~': new URL('./src', import.meta.url).pathname } },
  server: { proxy: { '/v1': server, '/api': server } },
  build: {
    target: 'es2022',
    // The pages are served under `default-src 'self'`: no data: addresses, no inline module preloads.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // What changes only when a package does stays in the browser's cache when the pages change.
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: 'react', test: /node_modules\/(react|react-dom|scheduler)\// },
            { name: 'tanstack', test: /node_modules\/@tanstack\// },
          ],
        },
      },
    },
  },
  test: { environment: 'node', include: ['src/**/*.test.ts'] },
});

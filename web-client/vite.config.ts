import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { live } from './build/live.ts';
import { precompress } from './build/precompress.ts';

// Where `npm run dev` sends what the pages ask of the server.
const server = process.env['CITYTWIN_URL'] ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [react(), live(), precompress()],
  build: {
    emptyOutDir: true,
    // Nothing becomes a data: URL, so that the Content-Security-Policy can stay narrow.
    assetsInlineLimit: 0,
    // Every browser that runs these pages knows module preloading.
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // Monaco is one large library; GraphiQL needs all of it.
    chunkSizeWarningLimit: 6000,
    rolldownOptions: {
      input: ['index.html', 'city-live.html', 'graphiql.html'],
      onLog(level, log, handle) {
        // GraphiQL's files carry a hint to a compiler that has already run.
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') handle(level, log);
      },
    },
  },
  // What `npm run dev` bundles beforehand: not Monaco's workers, since that step does not know what `?worker` means, but what these
  // take from CommonJS.
  optimizeDeps: {
    exclude: ['graphiql/setup-workers/vite', '@graphiql/react/setup-workers/vite'],
    include: ['picomatch-browser', 'nullthrows'],
  },
  server: {
    proxy: {
      '/graphql': { target: server, ws: true },
      '/api': server,
      '/readyz': server,
      '/metrics': server,
      '/map.json': server,
      '/background.pmtiles': server,
      '/schema.graphql': server,
    },
  },
  test: { include: ['src/**/*.test.ts', 'build/**/*.test.ts'] },
});

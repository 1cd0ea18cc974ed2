import { resolve } from 'node:path';
import { build, type Plugin, type ResolvedConfig } from 'vite';

/**
 * A Vite plugin that adds `live.js` to the finished bundle: `src/api` in one file of that name, for pages of others.
 *
 * It is a build of its own, not one more entry: a file without a hash in its name must not share chunks with pages
 * that a browser keeps for ever.
 */
export function live(): Plugin {
  let config: ResolvedConfig;
  return {
    name: 'citytwin-live',
    apply: 'build',
    configResolved(resolved) {
      config = resolved;
    },
    closeBundle: {
      order: 'pre',
      sequential: true,
      async handler() {
        await build({
          configFile: false,
          root: config.root,
          publicDir: false,
          logLevel: config.logLevel ?? 'warn',
          build: {
            outDir: resolve(config.root, config.build.outDir),
            emptyOutDir: false,
            reportCompressedSize: false,
            lib: { entry: 'src/api/index.ts', formats: ['es'], fileName: () => 'live.js' },
          },
        });
      },
    },
  };
}

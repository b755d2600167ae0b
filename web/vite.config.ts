import {defineConfig} from 'vite';

// A live server to develop against: BEACONRY_URL=http://127.0.0.1:9090 npm run dev
declare const process: {env: Record<string, string | undefined>};
const server = process.env['BEACONRY_URL'] ?? 'http://127.0.0.1:9090';

export default defineConfig({
  base: '/ui/',
  esbuild: {jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none'},
  build: {
    target: 'es2020',
    // Nothing inline: the server's Content-Security-Policy takes scripts, styles and pictures from
    // files alone.
    assetsInlineLimit: 0,
    modulePreload: {polyfill: false},
    cssCodeSplit: false,
    reportCompressedSize: true,
    sourcemap: false,
  },
  server: {proxy: {'/api': {target: server, secure: false}}},
});

import { defineConfig } from 'vite';

// The API during development: the mock (npm run mock) or a running gateway (PATCHBAY_GATEWAY).
const gateway = process.env.PATCHBAY_GATEWAY ?? 'http://127.0.0.1:8621';

export default defineConfig({
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0, // the page's Content-Security-Policy admits no data: addresses
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/api': { target: gateway, changeOrigin: true } } },
});

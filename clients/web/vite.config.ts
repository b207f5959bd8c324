/// <reference types="vitest/config" />
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig, type Plugin } from 'vite'

const SERVER = process.env.ALBUMEN_URL ?? 'http://127.0.0.1:5000'
const SERVER_PATHS = ['/api', '/get', '/display', '/upload', '/health', '/static']
const COMPRESSIBLE = new Set(['.css', '.js', '.svg'])
const LEAST_BYTES = 1024

/** Writes a .br and a .gz beside every text file of the bundle, so that the server never compresses. */
function precompressed(): Plugin {
  return {
    name: 'precompressed',
    apply: 'build',
    writeBundle({ dir = '' }) {
      for (const name of readdirSync(join(dir, 'assets'))) {
        const path = join(dir, 'assets', name)
        const bytes = readFileSync(path)
        if (bytes.length < LEAST_BYTES || !COMPRESSIBLE.has(extname(name))) continue
        writeFileSync(`${path}.br`, brotliCompressSync(bytes))
        writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }))
      }
    },
  }
}

export default defineConfig({
  base: './', // the server may stand below a path; it writes that path into index.html
  plugins: [svelte(), precompressed()],
  resolve: process.env.VITEST ? { conditions: ['browser'] } : {},
  build: {
    outDir: '../../src/albumen/web/client',
    emptyOutDir: true,
    target: ['chrome123', 'firefox125', 'safari17.5'], // where light-dark() and popovers are known
    assetsInlineLimit: 0, // the policy of the page allows no data: fonts or scripts
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: Object.fromEntries(SERVER_PATHS.map((path) => [path, SERVER])) },
  test: { include: ['tests/**/*.test.ts'], environment: 'node' },
})

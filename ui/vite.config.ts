// Builds into the server's package; while working, `npm run dev` serves the screens and asks a running server for the rest.
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const api = 'http://127.0.0.1:7733'

export default defineConfig({
  plugins: [react()],
  // Relative: the pages work under any path that a proxy puts before them; index.html's <base> leads to their root.
  base: './',
  build: { outDir: '../src/segue/server/static', emptyOutDir: true, target: 'es2022', sourcemap: false },
  server: { proxy: { '/api': api } },
})

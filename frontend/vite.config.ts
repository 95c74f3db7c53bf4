import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// `npm start` shows the page with hot reload against a running `visuai serve` or `visuai view`.
const server = process.env.VISUAI_SERVER ?? "http://127.0.0.1:8765";

export default defineConfig(({ command }) => ({
  plugins: [react()],
  define: command === "build" ? { "process.env.NODE_ENV": JSON.stringify("production") } : {},
  server: {
    host: "127.0.0.1",
    proxy: { "/api": { target: server, changeOrigin: true } },
  },
  // A page from a disk may start classic workers from a blob, but no module workers.
  worker: { format: "iife" },
  build: {
    outDir: "../visuai/static",
    emptyOutDir: true,
    target: "es2022",
    cssCodeSplit: false,
    modulePreload: false,
    chunkSizeWarningLimit: 1100,
    // Not `lib`, which leaves white space and long names in an ES module: this one is sent.
    rolldownOptions: {
      input: "src/main.tsx",
      preserveEntrySignatures: "strict",
      output: { format: "es", entryFileNames: "viewer.js", assetFileNames: "viewer[extname]" },
    },
  },
}));

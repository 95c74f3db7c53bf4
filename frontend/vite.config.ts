import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// `npm start` shows the page with hot reload against a running `visuai serve` or `visuai view`.
const server = process.env.VISUAI_SERVER ?? "http://127.0.0.1:8765";

export default defineConfig({
  plugins: [react()],
  define: { "process.env.NODE_ENV": JSON.stringify(process.env.NODE_ENV ?? "production") },
  server: {
    host: "127.0.0.1",
    proxy: { "/api": { target: server, changeOrigin: true } },
  },
  worker: { format: "es" },
  build: {
    outDir: "../visuai/static",
    emptyOutDir: true,
    target: "es2022",
    cssCodeSplit: false,
    lib: { entry: "src/main.tsx", formats: ["es"], fileName: () => "viewer.js", cssFileName: "viewer" },
  },
});

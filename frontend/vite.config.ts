import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

// `npm start` shows the page with hot reload against a running `visuai serve` or `visuai view`.
const server = process.env.VISUAI_SERVER ?? "http://127.0.0.1:8765";

/**
 * Leaves the shaders of three's own materials out of the bundle: an eighth of its size, and the
 * scene draws with shaders of its own (`RawShaderMaterial`) alone.
 */
function withoutShaders(): Plugin {
  return {
    name: "without-shaders",
    apply: "build",
    transform(code, id) {
      if (!/\/three\/build\/three\.module\.js$/.test(id)) return null;
      let found = 0;
      const shader = /^((?:var|const) \w+ = )"(?:[^"\\]|\\.)*\\n(?:[^"\\]|\\.)*";$/gm;
      const left = code.replace(shader, (_, head: string) => {
        found += 1;
        return `${head}"";`;
      });
      if (found < 90) this.error(`three has ${found} shaders where it had 100: look at it again.`);
      return { code: left, map: null };
    },
  };
}

export default defineConfig(({ command }) => ({
  plugins: [react(), withoutShaders()],
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

/** Makes the browser ready to draw while it still waits for the network. */

/**
 * Starts what draws WebGL: the first context of a page takes a second where software draws, later
 * ones next to nothing.
 */
export function warmUp(): void {
  const context = document.createElement("canvas").getContext("webgl2");
  context?.getExtension("WEBGL_lose_context")?.loseContext();
}

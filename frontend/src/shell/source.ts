/** Where networks come from: bytes in the page, or a server. */

import type { Wire, WireEntry } from "../wire";

/** What a viewer is given to show: a wire document, gzipped, or a server that has some. */
export type Source =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "base64"; readonly text: string }
  | { readonly kind: "server"; readonly api: string };

/** How far loading has come, in words; a fraction where it is known. */
export interface Progress {
  readonly doing: string;
  readonly fraction: number | null;
}

/** What went wrong, and what one can do. */
export class LoadError extends Error {
  readonly advice: string;

  constructor(message: string, advice: string) {
    super(message);
    this.advice = advice;
  }
}

const SCHEMA = "visuai/wire@1";

/** Reads a wire document that is in the page. */
export async function fromBytes(
  source: Extract<Source, { kind: "bytes" | "base64" }>,
  tell: (progress: Progress) => void,
): Promise<Wire> {
  tell({ doing: "Unpacking", fraction: null });
  await breath();
  const bytes = source.kind === "bytes" ? source.bytes : fromBase64(source.text);
  const text = await gunzip(bytes);
  return parse(text, tell);
}

/** Asks a server which networks it has. */
export async function listNetworks(api: string): Promise<WireEntry[]> {
  const answer = await ask(`${api}networks`);
  return (await answer.json()) as WireEntry[];
}

/** Gets the network of a run from a server. */
export function fromRun(
  api: string,
  id: string,
  tell: (progress: Progress) => void,
): Promise<Wire> {
  tell({ doing: "Fetching", fraction: null });
  return received(`${api}runs/${encodeURIComponent(id)}/network`, tell);
}

/** Gets a network from a server, or two and their difference. */
export async function fromServer(
  api: string,
  id: string,
  other: string | null,
  tell: (progress: Progress) => void,
): Promise<Wire> {
  tell({ doing: other ? "Comparing" : "Fetching", fraction: null });
  const path = `${api}networks/${encodeURIComponent(id)}`;
  return received(other ? `${path}/compare/${encodeURIComponent(other)}` : path, tell);
}

async function received(address: string, tell: (progress: Progress) => void): Promise<Wire> {
  const answer = await ask(address);
  const reader = answer.body?.getReader();
  if (!reader) return parse(await answer.text(), tell);
  const decoder = new TextDecoder();
  const parts: string[] = [];
  let bytes = 0;
  for (let told = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.length;
    parts.push(decoder.decode(value, { stream: true }));
    if (bytes - told > 500_000) {
      told = bytes;
      tell({ doing: `Fetching, ${(bytes / 1e6).toFixed(1)} MB`, fraction: null });
    }
  }
  parts.push(decoder.decode());
  return parse(parts.join(""), tell);
}

async function parse(text: string, tell: (progress: Progress) => void): Promise<Wire> {
  tell({ doing: "Reading", fraction: null });
  await breath();
  let document: Partial<Wire>;
  try {
    document = JSON.parse(text) as Partial<Wire>;
  } catch (error) {
    throw new LoadError(`The network cannot be read: ${(error as Error).message}`, RELOAD);
  }
  if (document?.schema !== SCHEMA || !Array.isArray(document.networks) || !document.networks[0]) {
    const got = JSON.stringify(document?.schema ?? null).slice(0, 80);
    throw new LoadError(`Expected a document of the kind ${SCHEMA}, got ${got}.`, RELOAD);
  }
  return document as Wire;
}

const RELOAD = "The page and what made it may be of different versions: reload, or make it again.";

async function ask(address: string): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(address, { credentials: "same-origin" });
  } catch {
    throw new LoadError(
      "The server does not answer.",
      "Is the command that opened this page still running? Start it again, then reload.",
    );
  }
  if (answer.ok) return answer;
  const said = (await answer.text().catch(() => "")).slice(0, 2000);
  throw new LoadError(
    reason(said) || `The server answered ${answer.status}.`,
    "Reload to try again.",
  );
}

/** What an error says: the server answers in JSON with a word of its own, or in plain text. */
function reason(said: string): string {
  try {
    const { error, detail } = JSON.parse(said) as { error?: unknown; detail?: unknown };
    return String(error ?? detail ?? "");
  } catch {
    return said.trimStart().startsWith("<") ? "" : said;
  }
}

async function gunzip(bytes: Uint8Array): Promise<string> {
  if (typeof DecompressionStream === "undefined") {
    throw new LoadError(
      "This browser is too old to unpack the network.",
      "Chrome 80, Firefox 113, Safari 16.4 or later can.",
    );
  }
  try {
    const packed = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
    return await new Response(packed.pipeThrough(new DecompressionStream("gzip"))).text();
  } catch {
    throw new LoadError(
      "The network in this page is damaged and does not unpack.",
      "Make the page again.",
    );
  }
}

function fromBase64(text: string): Uint8Array {
  let binary: string;
  try {
    binary = atob(text.trim());
  } catch {
    throw new LoadError(
      "The network in this page is damaged: it is not base64.",
      "Make the page again.",
    );
  }
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

/** Lets the page paint before work that takes long. */
export function breath(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 0);
  });
}

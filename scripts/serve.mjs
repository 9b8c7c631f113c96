// A static server for the inspector and the tests. It serves files with the strictest Content-Security-Policy under
// which the package is guaranteed to work.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { at } from './process.mjs';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.json': 'application/json',
  '.db': 'application/vnd.sqlite3',
};

export const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** The inspector shows four tabs as frames of one page. The package itself needs no frames. */
const SITE_POLICY = `${POLICY}; frame-src 'self'`;

/** The folders behind each path: the built package, the inspector's files, and what TypeScript compiled of them. */
export const SITE = {
  '/package/': [at('dist')],
  '/inspector/': [at('target', 'site', 'inspector'), at('www', 'inspector')],
};

/**
 * Serves folders on localhost.
 * @param {{ port?: number, folders?: Record<string, string[]>, policy?: string, headers?: Record<string, string> }} options
 */
export async function serve({
  port = 0,
  folders = SITE,
  policy = folders === SITE ? SITE_POLICY : POLICY,
  headers = {},
} = {}) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    if (pathname === '/' && folders === SITE) {
      response.writeHead(302, { location: '/inspector/' }).end();
      return;
    }
    const path = normalize(decodeURIComponent(pathname.endsWith('/') ? `${pathname}index.html` : pathname));
    const prefix = Object.keys(folders).find((prefix) => path.startsWith(prefix));
    for (const folder of prefix ? folders[prefix] : []) {
      const file = join(folder, path.slice(prefix.length));
      const body = await readFile(file).catch(() => undefined);
      if (!body) continue;
      response.writeHead(200, {
        'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
        'content-security-policy': policy,
        'cache-control': 'no-cache',
        'x-content-type-options': 'nosniff',
        ...headers,
      });
      response.end(body);
      return;
    }
    response.writeHead(404, { 'content-type': 'text/plain' }).end('Not found\n');
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, 'localhost', resolve);
  });
  return {
    url: `http://localhost:${server.address().port}`,
    close: () => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))),
  };
}

/**
 * The health probe of a container: asks the service beside it, on its own `HTTP_PORT`, and exits 0 (yes) or 1.
 *
 * `node probe.ts`         can it serve now? (`/readyz`: a service that has lost its database is not ready)
 * `node probe.ts livez`   does it answer at all? For whoever kills what fails the probe: a service without its database
 *                         is better left alone, a new one would not fare better.
 *
 * It imports nothing but Node, since it runs every few seconds in every container.
 */
import { get } from 'node:http';

const TIMEOUT_MS = 2_000;
const path = process.argv[2] === 'livez' ? '/livez' : '/readyz';

const request = get(
  { host: '127.0.0.1', port: process.env.HTTP_PORT ?? '8080', path, timeout: TIMEOUT_MS, agent: false },
  (response) => {
    response.pipe(process.stdout);
    process.exitCode = response.statusCode === 200 ? 0 : 1;
  },
);
request.once('timeout', () => request.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
request.once('error', (error) => {
  console.error(`${path}: ${error.message}`);
  process.exitCode = 1;
});

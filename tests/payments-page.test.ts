import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSound, type System, startSystem } from './system.ts';

// The scripts of docs/payments.md, word by word: each prints what stands below it.

const page = readFileSync(new URL('../docs/payments.md', import.meta.url), 'utf8');
const [, setUp = '', expectedOfSetUp = ''] = /```sh setup-shop\n(.*?)```\n+```text\n(.*?)```/s.exec(page) ?? [];
/** By the words in bold before each. */
const scripts = [...page.matchAll(/\*\*(.*?)[.,:]?\*\*(?:(?!```)[\s\S])*?```sh\n(.*?)```\n+```text\n(.*?)```/gs)].map(
  ([, title = '', script = '', output = '']): [string, string, string] => [title, script, output],
);

let system: System;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  system = await startSystem();
  const { http, apiKey, sandbox, services } = system.cluster.run;
  const payment = services.find(({ name }) => name === 'payment')?.http;
  // As `setup` of the page finds them in .holdfast/run.json.
  env = {
    PATH: process.env.PATH,
    API: http,
    API_KEY: apiKey,
    SANDBOX: sandbox,
    PAYMENT: payment,
    WEBHOOK_SECRET: 'whsec_holdfast',
  };
});
afterAll(() => system?.stop());

async function run(script: string): Promise<string> {
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { env, timeout: 60_000 });
  return stdout;
}

describe('docs/payments.md', () => {
  it('sets up a shop', async () => {
    expect(await run(setUp)).toBe(expectedOfSetUp);
    expect(scripts.map(([title]) => title)).toEqual([
      'By card',
      'By a card that needs 3-D Secure',
      "On the shop's page",
      'Declined',
      'Cancelled before it is paid',
      'Capture at dispatch',
      'Cancelled before it is captured',
      'A dispute',
      'A webhook that is replayed',
      'A part is refunded, twice',
      'A return that goes back to stock',
      "Refunded at the provider's dashboard",
    ]);
  });

  it.each(scripts)('%s', async (_, script, output) => {
    expect(await run(setUp + script)).toBe(expectedOfSetUp + output);
  });

  it('A1, M1: leaves the books right', () => expectSound(system));
});

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSound, joinSystem, type System } from './system.ts';

// The scripts of docs/refunds.md, word by word: each prints what stands below it.

const page = readFileSync(new URL('../docs/refunds.md', import.meta.url), 'utf8');
const [, setUp = '', expectedOfSetUp = ''] = /```sh setup-shop\n(.*?)```\n+```text\n(.*?)```/s.exec(page) ?? [];
/** By the words in bold before each. */
const scripts = [...page.matchAll(/\*\*(.*?)[.,:]?\*\*(?:(?!```)[\s\S])*?```sh\n(.*?)```\n+```text\n(.*?)```/gs)].map(
  ([, title = '', script = '', output = '']): [string, string, string] => [title, script, output],
);

let system: System;
beforeAll(async () => {
  system = await joinSystem();
});
afterAll(() => system?.stop());

async function run(script: string): Promise<string> {
  const { http, apiKey, sandbox } = system.cluster.run;
  // As `setup` of the page finds them in .holdfast/run.json.
  const env = { PATH: process.env.PATH, API: http, API_KEY: apiKey, SANDBOX: sandbox };
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { env, timeout: 60_000 });
  return stdout;
}

describe('docs/refunds.md', () => {
  it('has its scripts', () => {
    expect(scripts.map(([title]) => title)).toEqual([
      'A part, twice, and once too much',
      'A return that goes back to stock',
      "Made at the provider's dashboard",
    ]);
  });

  it.each(scripts)('%s', async (_, script, output) => {
    expect(await run(setUp + script)).toBe(expectedOfSetUp + output);
  });

  it('A1, M1: leaves the books right', () => expectSound(system));
});

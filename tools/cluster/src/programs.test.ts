import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bundlePrograms } from './programs.ts';

let workspace: string;
let main: string;
beforeAll(() => {
  workspace = mkdtempSync(join(tmpdir(), 'holdfast-programs-'));
  writeFileSync(join(workspace, 'pnpm-lock.yaml'), '');
  mkdirSync(join(workspace, 'apps/till/src'), { recursive: true });
  main = join(workspace, 'apps/till/src/main.ts');
});
afterAll(() => rmSync(workspace, { recursive: true, force: true }));
beforeEach(() => {
  write('says.ts', `export class Greeting {}\nexport const words: string = 'hello';`);
  write(
    'main.ts',
    `import { readFileSync } from 'node:fs';
     import { Greeting, words } from './says.ts';
     console.log(words, Greeting.name, readFileSync(new URL('../beside.txt', import.meta.url), 'utf8'));`,
  );
  writeFileSync(join(workspace, 'apps/till/beside.txt'), 'beside');
});

let changes = 0;
function write(name: string, text: string): void {
  const path = join(workspace, 'apps/till/src', name);
  writeFileSync(path, text);
  // Two changes within the clock's grain are still two.
  changes += 1;
  utimesSync(path, changes, changes);
}

async function bundled(): Promise<string> {
  const program = (await bundlePrograms(workspace, [main])).get(main);
  if (program === undefined) throw new Error('no program');
  return program;
}
const said = (program: string) => execFileSync(process.execPath, [program], { encoding: 'utf8' }).trim();

describe('the programs of a cluster', () => {
  it('do what their sources do, and find what lies beside these', async () => {
    expect(said(await bundled())).toBe('hello Greeting beside');
  });

  it('are made anew when a source has changed, and only then', async () => {
    const before = await bundled();
    expect(await bundled()).toBe(before);
    write('says.ts', `export class Greeting {}\nexport const words = 'goodbye';`);
    const after = await bundled();
    expect(after).not.toBe(before);
    expect([said(before), said(after)]).toEqual(['hello Greeting beside', 'goodbye Greeting beside']);
  });

  it('are whole when several processes make them at once', async () => {
    const all = await Promise.all([bundled(), bundled(), bundled()]);
    expect(new Set(all).size).toBe(1);
    expect(said(all[0])).toBe('hello Greeting beside');
    const folder = dirname(all[0]);
    expect(readdirSync(dirname(folder)).filter((name) => name.startsWith(`${basename(folder)}.`))).toEqual([]);
  });

  it('name the place in a source that can’t be understood', async () => {
    write('says.ts', 'export const words = = 1;');
    await expect(bundled()).rejects.toThrow(/says\.ts/);
  });

  it('are forgotten when nobody has used them for a week', async () => {
    const old = await bundled();
    utimesSync(dirname(old), 0, 0);
    write('says.ts', `export class Greeting {}\nexport const words = 'new';`);
    const fresh = await bundled();
    const left = readdirSync(dirname(dirname(fresh)));
    expect([left.includes(basename(dirname(old))), left.includes(basename(dirname(fresh)))]).toEqual([false, true]);
  });
});

import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunFile, readRunFile, removeRunFile, writeRunFile } from './run-file.ts';

const RUN: RunFile = {
  http: 'http://127.0.0.1:8080',
  sandbox: 'http://127.0.0.1:21000',
  services: [
    {
      name: 'orchestrator',
      replica: 0,
      pid: 1,
      grpc: '127.0.0.1:22000',
      http: 'http://127.0.0.1:8080',
      ops: 'http://127.0.0.1:9050',
      databaseUrl: 'postgres://postgres:secret@127.0.0.1:23000/orchestrator',
    },
  ],
  postgres: { pid: 2, port: 23_000 },
  redisUrl: null,
  apiKey: 'a-key-of-the-shop',
  tls: null,
};

let stateDir: string;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'holdfast-run-file-'));
});
afterEach(() => rmSync(stateDir, { recursive: true }));

describe('run.json', () => {
  it('is read as it was written, and leaves nothing else behind', () => {
    writeRunFile(stateDir, RUN);
    writeRunFile(stateDir, { ...RUN, redisUrl: 'redis://127.0.0.1' });
    expect(readRunFile(stateDir)).toEqual({ ...RUN, redisUrl: 'redis://127.0.0.1' });
    expect(readdirSync(stateDir)).toEqual(['run.json']);
  });

  it('is for its owner only: it holds passwords and a key', () => {
    writeRunFile(stateDir, RUN);
    expect(statSync(join(stateDir, 'run.json')).mode & 0o777).toBe(0o600);
  });

  it('that is not there is reported with what to do', () => {
    writeRunFile(stateDir, RUN);
    removeRunFile(stateDir);
    removeRunFile(stateDir);
    expect(() => readRunFile(stateDir)).toThrow('start the system first, with `npm run up`');
  });

  it('that is broken is reported with what to do', () => {
    writeFileSync(join(stateDir, 'run.json'), '{"http":');
    expect(() => readRunFile(stateDir)).toThrow('is not JSON: stop the system, remove the file, and start again');
  });
});

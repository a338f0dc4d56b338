import { createHash } from 'node:crypto';
import { cpus, loadavg, totalmem } from 'node:os';

export interface Machine {
  cores: number;
  model: string;
  memoryGb: number;
  node: string;
  loadBefore: number;
  /** SHA-256 of 64 MB in one thread, MB a second: how fast a core was just now. It varies on shared hosts. */
  hashMbPerSecond: number;
}

const BLOCK_MB = 64;

/** What the figures were measured on. */
export function describeMachine(): Machine {
  const [first] = cpus();
  const block = Buffer.alloc(BLOCK_MB * 1024 * 1024, 7);
  const startedAtMs = performance.now();
  createHash('sha256').update(block).digest();
  const seconds = (performance.now() - startedAtMs) / 1_000;
  return {
    cores: cpus().length,
    model: first?.model ?? 'unknown',
    memoryGb: Math.round(totalmem() / 1e9),
    node: process.version,
    loadBefore: loadavg()[0] ?? 0,
    hashMbPerSecond: Math.round(BLOCK_MB / seconds),
  };
}

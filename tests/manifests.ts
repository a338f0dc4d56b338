/** What is deployed, as it is written down: for the tests that read it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { config as inventory } from '@holdfast/inventory';
import { config as orchestrator } from '@holdfast/orchestrator';
import { config as payment } from '@holdfast/payment';
import type { ConfigSpec } from '@holdfast/service';
import { config as shipping } from '@holdfast/shipping';
import { expect } from 'vitest';
import { parseAllDocuments } from 'yaml';

export const DEPLOY = fileURLToPath(new URL('../deploy/', import.meta.url));
export const BASE = join(DEPLOY, 'kubernetes/base');
export const SETTINGS: Record<string, ConfigSpec> = { orchestrator, inventory, payment, shipping };
export const SERVICES = Object.keys(SETTINGS);
// biome-ignore lint/suspicious/noExplicitAny: manifests of many kinds; a wrong look fails the test
export type Manifest = any;

export function documentsOf(path: string): Manifest[] {
  return parseAllDocuments(readFileSync(path, 'utf8')).map((document) => {
    expect(document.errors, path).toEqual([]);
    return document.toJS();
  });
}

export const manifestsOf = (service: string): Manifest[] =>
  readdirSync(join(BASE, service))
    .filter((file) => file !== 'kustomization.yaml')
    .flatMap((file) => documentsOf(join(BASE, service, file)));

export const one = (service: string, kind: string): Manifest => {
  const found = manifestsOf(service).filter((manifest) => manifest.kind === kind);
  expect(found, `${service} has one ${kind}`).toHaveLength(1);
  return found[0];
};

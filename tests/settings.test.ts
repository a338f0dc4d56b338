import { readFileSync } from 'node:fs';
import { config as inventory } from '@holdfast/inventory';
import { config as orchestrator } from '@holdfast/orchestrator';
import { config as payment } from '@holdfast/payment';
import { SETTINGS as sandbox } from '@holdfast/sandbox/config';
import type { ConfigSpec } from '@holdfast/service';
import { config as shipping } from '@holdfast/shipping';
import { expect, test } from 'vitest';

const SERVICES: Record<string, ConfigSpec> = { orchestrator, inventory, payment, shipping, sandbox };

interface Documented {
  service: string;
  name: string;
  /** What stands behind the name; of a commented setting that is its default. */
  value: string;
  isOptional: boolean;
  /** Of this service alone, so that the value shown is its own. */
  isOwn: boolean;
}

/** `.env.example` in sections, each under a comment that names its services (or every service) and holds no setting. */
function documentedSettings(): Documented[] {
  const page = readFileSync(new URL('../.env.example', import.meta.url), 'utf8');
  const [, ...sections] = page.split(/\n\n/);
  return sections.flatMap((section) => {
    const [title = '', ...lines] = section.trim().split('\n');
    const named = Object.keys(SERVICES).filter((name) => new RegExp(`\\b${name}\\b`, 'i').test(title));
    const services = /every service/i.test(title) ? Object.keys(SERVICES) : named;
    expect(services, `no service is named by "${title}"`).not.toEqual([]);
    return lines.flatMap((line) => {
      const [, comment, name = '', value = ''] = /^(# )?([A-Z][A-Z0-9_]+)=(\S*)/.exec(line) ?? [];
      if (name === '') throw new Error(`.env.example: no setting in "${line}"`);
      const isOptional = comment !== undefined;
      return services.map((service) => ({ service, name, value, isOptional, isOwn: services.length === 1 }));
    });
  });
}

test('every setting of every service is in .env.example, and no other', () => {
  const documented = documentedSettings().map(({ service, name }) => `${service}: ${name}`);
  const declared = Object.entries(SERVICES).flatMap(([service, spec]) =>
    Object.keys(spec).map((name) => `${service}: ${name}`),
  );
  expect(declared.length).toBeGreaterThan(40);
  expect(documented.sort()).toEqual(declared.sort());
});

test('.env.example shows the default of every number and switch', () => {
  const wrong = documentedSettings()
    .filter(({ isOptional, isOwn, name }) => isOwn || (isOptional && !/_PORT$/.test(name)))
    .filter(({ isOptional }) => isOptional)
    .flatMap(({ service, name, value }) => {
      const standard = SERVICES[service]?.[name]?.read(undefined);
      if (typeof standard !== 'number' && typeof standard !== 'boolean') return [];
      return String(standard) === value ? [] : [`${service}: ${name} is ${standard}, documented as ${value}`];
    });
  expect(wrong).toEqual([]);
});

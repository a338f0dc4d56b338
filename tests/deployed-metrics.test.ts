import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { DEPLOY, type Manifest, manifestsOf, one, SERVICES, SETTINGS } from './manifests.ts';

describe('Prometheus', () => {
  /** Where a service serves `/metrics`: the orchestrator keeps them off the API's port. */
  const opsPort = (service: string) => Number(SETTINGS[service]?.OPS_PORT?.read(undefined) ?? 8_080);

  it.each(SERVICES)(
    'T1: finds the metrics of %s by its annotations, in clear text, and may reach them alone',
    (service) => {
      const { annotations } = one(service, 'Deployment').spec.template.metadata;
      expect(annotations).toMatchObject({ 'prometheus.io/scrape': 'true', 'prometheus.io/path': '/metrics' });
      expect(annotations['prometheus.io/port']).toBe(String(opsPort(service)));
      expect(annotations).not.toHaveProperty('prometheus.io/scheme');
      const [container] = one(service, 'Deployment').spec.template.spec.containers;
      expect(container.ports).toContainEqual(expect.objectContaining({ containerPort: opsPort(service) }));
      const { ingress } = one(service, 'NetworkPolicy').spec;
      const readers = ingress.filter(({ ports }: Manifest) =>
        ports.some(({ port }: Manifest) => port === opsPort(service)),
      );
      expect(readers).toEqual([
        {
          from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
          ports: [{ port: opsPort(service) }],
        },
      ]);
    },
  );

  it('T1: no other way in leads to the metrics of the orchestrator', () => {
    const port = opsPort('orchestrator');
    const services = manifestsOf('orchestrator').filter(({ kind }) => kind === 'Service');
    const targets = services.flatMap(({ spec }) => spec.ports.map(({ targetPort }: Manifest) => targetPort));
    expect(targets.sort()).toEqual(['grpc', 'http']);
    for (const path of ['../docker-compose.yml', 'compose/orchestrator.yml', 'swarm/publish.yml']) {
      const { ports } = parse(readFileSync(join(DEPLOY, path), 'utf8'), { merge: true, maxAliasCount: 1_000 }).services
        .orchestrator;
      expect(ports, path).not.toEqual([]);
      expect(JSON.stringify(ports), path).not.toContain(String(port));
    }
  });
});

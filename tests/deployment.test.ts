/** What is deployed, as it is written down: manifests against the published schemas and against what the services need. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sessionSettings } from '@holdfast/postgres';
import type { ConfigSpec } from '@holdfast/service';
import { Deployment } from 'kubernetes-models/apps/v1';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import { Job } from 'kubernetes-models/batch/v1';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { Namespace, Service } from 'kubernetes-models/v1';
import { describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { BASE, DEPLOY, documentsOf, type Manifest, manifestsOf, one, SERVICES, SETTINGS } from './manifests.ts';

// Reading the published schemas takes a second, and many on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

/** Set by the image itself. */
const BY_THE_IMAGE = ['HOST', 'HTTP_PORT', 'GRPC_PORT', 'MIGRATE_ON_START'];

const MODELS: Record<string, new (data: Manifest) => { validate(): void }> = {
  Deployment,
  HorizontalPodAutoscaler,
  Job,
  Namespace,
  NetworkPolicy,
  PodDisruptionBudget,
  Service,
};

describe.each(SERVICES)('the Kubernetes manifests of %s', (service) => {
  it('are valid by the published schemas', () => {
    const manifests = manifestsOf(service);
    expect(new Set(manifests.map(({ kind }) => kind)).size).toBe(6);
    for (const manifest of manifests) {
      const Model = MODELS[manifest.kind];
      if (Model === undefined) throw new Error(`no schema for ${manifest.kind}`);
      expect(() => new Model(manifest).validate(), `${manifest.kind} ${manifest.metadata.name}`).not.toThrow();
    }
  });

  it('are all listed by the kustomization, which lists nothing else', () => {
    const { resources } = parse(readFileSync(join(BASE, service, 'kustomization.yaml'), 'utf8'));
    const files = readdirSync(join(BASE, service)).filter((file) => file !== 'kustomization.yaml');
    expect([...resources].sort()).toEqual(files.sort());
  });

  it('give every pod no more rights than it needs, and a share of the machine', () => {
    for (const kind of ['Deployment', 'Job']) {
      const { spec } = one(service, kind).spec.template;
      expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      expect(spec.automountServiceAccountToken).toBe(false);
      const [container] = spec.containers;
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(container.resources).toMatchObject({
        requests: { cpu: expect.any(String), memory: expect.any(String) },
        limits: { memory: expect.any(String) },
      });
    }
  });

  it('set what the service needs and nothing that it does not know; secrets come by reference', () => {
    const { env } = one(service, 'Deployment').spec.template.spec.containers[0];
    const names: string[] = env.map(({ name }: { name: string }) => name.replace(/_FILE$/, ''));
    const known = Object.keys(SETTINGS[service] ?? {});
    expect(names.filter((name) => !known.includes(name))).toEqual([]);
    expect(missing(service, names)).toEqual([]);
    for (const { name, value } of env) if (/(URL|KEY|KEYS|SECRET)$/.test(name)) expect(value, name).toBeUndefined();
  });

  it('ask for health where it is answered, and kill nobody for a database that is gone', () => {
    const [container] = one(service, 'Deployment').spec.template.spec.containers;
    const port = { port: 'http', ...(speaksHttps(container.env) && { scheme: 'HTTPS' }) };
    expect(container.startupProbe.httpGet).toEqual({ path: '/livez', ...port });
    expect(container.livenessProbe.httpGet).toEqual({ path: '/livez', ...port });
    expect(container.readinessProbe.httpGet).toEqual({ path: '/readyz', ...port });
  });

  it('give a service the time to stop, and keep an old replica until a new one serves', () => {
    const { spec } = one(service, 'Deployment');
    expect(spec.template.spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(15);
    expect(spec.strategy.rollingUpdate).toEqual({ maxSurge: 1, maxUnavailable: 0 });
    // The autoscaler's business: a number here would undo its work with every release.
    expect(spec.replicas).toBeUndefined();
  });

  it('select the pods of the service, and never those of its job', () => {
    const labels = one(service, 'Deployment').spec.template.metadata.labels;
    const job = one(service, 'Job').spec.template.metadata.labels;
    const selectors = manifestsOf(service).flatMap(({ kind, spec }) =>
      kind === 'Service'
        ? [spec.selector]
        : ['Deployment', 'PodDisruptionBudget'].includes(kind)
          ? [spec.selector.matchLabels]
          : [],
    );
    expect(selectors.length).toBeGreaterThanOrEqual(3);
    for (const selector of selectors) {
      expect(labels).toMatchObject(selector);
      expect(job).not.toMatchObject(selector);
    }
    for (const pod of [labels, job])
      expect(pod).toMatchObject(one(service, 'NetworkPolicy').spec.podSelector.matchLabels);
    expect(one(service, 'HorizontalPodAutoscaler').spec.scaleTargetRef).toMatchObject({
      kind: 'Deployment',
      name: service,
    });
  });

  it('migrate with the image that will serve', () => {
    const job = one(service, 'Job').spec.template.spec.containers[0];
    expect(job.args).toEqual(['migrate']);
    expect(job.image).toBe(one(service, 'Deployment').spec.template.spec.containers[0].image);
  });

  it('balance gRPC by call: its name stands for all replicas', () => {
    const grpc = manifestsOf(service).find(
      ({ kind, spec }) => kind === 'Service' && spec.ports.some(({ port }: { port: number }) => port === 50_051),
    );
    expect(grpc.spec.clusterIP).toBe('None');
  });
});

const speaksHttps = (env: Manifest[]) => env.some(({ name }) => name === 'HTTP_TLS_CERT_FILE');
const TLS_FILES = ['GRPC_TLS_CERT_FILE', 'GRPC_TLS_KEY_FILE', 'GRPC_TLS_CA_FILE'];

describe('T1: whatever is deployed', () => {
  const composed = (path: string) =>
    parse(readFileSync(join(DEPLOY, path), 'utf8'), { merge: true, maxAliasCount: 1_000 }).services;
  const environmentsOf = (service: string): Record<string, string>[] => [
    Object.fromEntries(
      one(service, 'Deployment').spec.template.spec.containers[0].env.map(({ name, value }: Manifest) => [name, value]),
    ),
    ...['../docker-compose.yml', 'swarm/stack.yml', `compose/${service}.yml`].map(
      (path) => composed(path)[service].environment,
    ),
  ];

  it.each(SERVICES)('gives %s a certificate, and clear text to no gRPC', (service) => {
    for (const environment of environmentsOf(service)) {
      expect(Object.keys(environment)).toEqual(expect.arrayContaining(TLS_FILES));
      if (service === 'orchestrator') continue;
      expect(environment.GRPC_TLS_ALLOW).toMatch(/^(orchestrator|\$\{GRPC_TLS_ALLOW:-orchestrator\})$/);
      expect(environment).not.toHaveProperty('ALLOW_PLAINTEXT');
    }
  });

  it('has cert-manager make what the pods mount: a name for each, and calls by orchestrators alone', () => {
    const made = documentsOf(join(DEPLOY, 'kubernetes/overlays/production/certificates.yaml'));
    const issuers = made.filter(({ kind }) => kind === 'Issuer').map(({ metadata }) => metadata.name);
    const certificates = made.filter(({ kind, spec }) => kind === 'Certificate' && spec.isCA !== true);
    expect(certificates.map(({ metadata }) => metadata.name).sort()).toEqual([...SERVICES].sort());
    for (const { metadata, spec } of certificates) {
      const { volumes, containers } = one(metadata.name, 'Deployment').spec.template.spec;
      expect(volumes).toContainEqual({ name: 'certificates', secret: { secretName: spec.secretName } });
      expect(containers[0].volumeMounts).toContainEqual(expect.objectContaining({ mountPath: '/certificates' }));
      expect(spec.dnsNames).toContain(metadata.name);
      expect(spec.usages.includes('client auth')).toBe(metadata.name === 'orchestrator');
      expect(issuers).toContain(spec.issuerRef.name);
    }
  });
});

describe('ORDER_EVENTS', () => {
  it('is one switch: every service that tells or hears of orders gets it from the same place', () => {
    const concerned = SERVICES.filter((service) => 'ORDER_EVENTS' in (SETTINGS[service] ?? {}));
    expect(concerned.sort()).toEqual(['inventory', 'orchestrator', 'payment', 'shipping']);
    const sources = concerned.flatMap((service) => {
      const { env } = one(service, 'Deployment').spec.template.spec.containers[0];
      return env.flatMap(({ name, valueFrom }: Manifest) => (name === 'ORDER_EVENTS' ? [valueFrom] : []));
    });
    expect(sources).toHaveLength(4);
    expect(new Set(sources.map((source) => JSON.stringify(source))).size).toBe(1);
    const composed = ['docker-compose.yml', 'deploy/swarm/stack.yml'].flatMap((path) => {
      const { services } = parse(readFileSync(join(DEPLOY, '..', path), 'utf8'), { merge: true, maxAliasCount: 1_000 });
      return concerned.map((service) => services[service].environment.ORDER_EVENTS);
    });
    expect(new Set(composed)).toEqual(new Set([`\${ORDER_EVENTS:-false}`]));
  });
});

describe('the network policies', () => {
  it.each(['inventory', 'payment', 'shipping'])('let nobody call %s but orchestrators', (service) => {
    const { ingress } = one(service, 'NetworkPolicy').spec;
    const callers = ingress.filter(({ ports }: Manifest) => ports.some(({ port }: Manifest) => port === 50_051));
    expect(callers).toEqual([
      {
        from: [{ podSelector: { matchLabels: { 'app.kubernetes.io/name': 'orchestrator' } } }],
        ports: [{ port: 50_051 }],
      },
    ]);
  });
});

describe('the production overlay', () => {
  it('takes every image from the registry, by one release', () => {
    const overlay = parse(readFileSync(join(DEPLOY, 'kubernetes/overlays/production/kustomization.yaml'), 'utf8'));
    expect(overlay.images.map(({ name }: Manifest) => name).sort()).toEqual(
      SERVICES.map((name) => `holdfast-${name}`).sort(),
    );
    expect(new Set(overlay.images.map(({ newTag }: Manifest) => newTag)).size).toBe(1);
    for (const path of overlay.resources) {
      expect(existsSync(join(DEPLOY, 'kubernetes/overlays/production', path)), path).toBe(true);
    }
    const base = parse(readFileSync(join(BASE, 'kustomization.yaml'), 'utf8'));
    expect([...base.resources].sort()).toEqual([...SERVICES].sort());
  });

  it('makes a namespace that is valid, and changes what is there to be changed', () => {
    const folder = join(DEPLOY, 'kubernetes/overlays/production');
    const [namespace] = documentsOf(join(folder, 'namespace.yaml'));
    expect(() => new Namespace(namespace).validate()).not.toThrow();
    const overlay = parse(readFileSync(join(folder, 'kustomization.yaml'), 'utf8'));
    expect(overlay.namespace).toBe(namespace.metadata.name);
    for (const { target, patch } of overlay.patches) {
      for (const { op, path } of parse(patch)) {
        expect(op).toBe('replace');
        const keys: string[] = path.split('/').slice(1);
        const found = keys.reduce((at: Manifest, key) => at?.[key], one(target.name, target.kind));
        expect(found, `${target.kind} ${target.name} ${path}`).toBeDefined();
      }
    }
  });
});

describe.each([...SERVICES])('deploy/compose/%s.yml', (service) => {
  const compose = parse(readFileSync(join(DEPLOY, 'compose', `${service}.yml`), 'utf8'));

  it('sets what the service needs and nothing that it does not know', () => {
    const names = Object.keys(compose.services[service].environment).map((name) => name.replace(/_FILE$/, ''));
    const known = Object.keys(SETTINGS[service] ?? {});
    expect(names.filter((name) => !known.includes(name))).toEqual([]);
    expect(missing(service, names)).toEqual([]);
  });

  it('is as hardened as the rest, and waits for its migration', () => {
    for (const container of Object.values<Manifest>(compose.services)) expectHardened(container);
    expect(compose.services.migrate.command).toEqual(['migrate']);
    expect(compose.services[service].depends_on).toEqual({ migrate: { condition: 'service_completed_successfully' } });
  });
});

describe.each([...SERVICES])('deploy/swarm/stack.yml: %s', (service) => {
  const stack = parse(readFileSync(join(DEPLOY, 'swarm/stack.yml'), 'utf8'), { merge: true, maxAliasCount: 1_000 });
  const [container, job] = [stack.services[service], stack.services[`${service}-migrate`]];

  it('sets what the service needs and nothing that it does not know; secrets come by reference', () => {
    for (const { environment, secrets } of [container, job]) {
      const names = Object.keys(environment).map((name) => name.replace(/_FILE$/, ''));
      const known = Object.keys(SETTINGS[service] ?? {});
      expect(names.filter((name) => !known.includes(name))).toEqual([]);
      for (const name of Object.keys(environment)) {
        if (/^(DATABASE_URL|REDIS_URL|API_KEYS|STRIPE_SECRET_KEY)$/.test(name))
          expect.unreachable(`${name} is a secret`);
      }
      const files = Object.values<string>(environment).flatMap(
        (value) => /^\/run\/secrets\/(.*)/.exec(value)?.[1] ?? [],
      );
      expect(secrets.map((secret: Manifest) => secret.target ?? secret).sort()).toEqual(files.sort());
      for (const secret of secrets) expect(stack.secrets[secret.source ?? secret]).toMatchObject({ external: true });
    }
    expect(
      missing(
        service,
        Object.keys(container.environment).map((name) => name.replace(/_FILE$/, '')),
      ),
    ).toEqual([]);
  });

  it('keeps an old replica until a new one serves, goes back when that fails, and migrates with the image that serves', () => {
    expect(container.deploy.update_config).toMatchObject({ order: 'start-first', failure_action: 'rollback' });
    expect(container.deploy.endpoint_mode).toBe('dnsrr');
    expect(job).toMatchObject({ image: container.image, command: ['migrate'], deploy: { mode: 'replicated-job' } });
    for (const { read_only, cap_drop, deploy, logging } of [container, job]) {
      expect({ read_only, cap_drop }).toEqual({ read_only: true, cap_drop: ['ALL'] });
      expect(deploy.resources.limits).toMatchObject({ memory: expect.any(String), pids: expect.any(Number) });
      expect(logging.options).toMatchObject({ 'max-size': expect.any(String) });
    }
  });
});

describe('docker-compose.yml', () => {
  const compose = parse(readFileSync(join(DEPLOY, '../docker-compose.yml'), 'utf8'), {
    merge: true,
    maxAliasCount: 1_000,
  });
  const services = Object.entries<Manifest>(compose.services);
  const ours = services.filter(([, { image }]) => image.startsWith('holdfast-'));

  it('publishes the API and nothing else, and lets nothing else out', () => {
    const published = services.filter(([, { ports }]) => ports !== undefined).map(([name]) => name);
    expect(published.sort()).toEqual(['orchestrator', 'orchestrator-2']);
    for (const [name, { networks }] of services) {
      if (published.includes(name)) continue;
      expect(Array.isArray(networks) ? networks : Object.keys(networks), name).toEqual(['inside']);
    }
    expect(compose.networks.inside).toEqual({ internal: true });
  });

  it('T4: gives every service a database of its own, whose owner migrates, and a role that changes data alone', () => {
    const connections = ours.flatMap(([name, { environment }]) => {
      const [, role, database] = /^postgres:\/\/(\w+):.*\/([a-z]+)$/.exec(environment.DATABASE_URL ?? '') ?? [];
      return role === undefined ? [] : [{ name, role, database, runner: environment.DATABASE_RUNNER }];
    });
    expect(connections).toHaveLength(14);
    for (const { name, role, database, runner } of connections) {
      const service = name.replace(/-(migrate|2)$/, '');
      const isOwner = name.endsWith('-migrate') && service !== 'sandbox';
      expect({ name, role, database, runner }).toEqual({
        ...{ name, database: service },
        ...(isOwner ? { role: `${service}_owner`, runner: service } : { role: service, runner: undefined }),
      });
    }
  });

  it('bounds, hardens and restarts every container, and its logs', () => {
    for (const [name, container] of services) {
      expect(container.deploy.resources.limits, name).toMatchObject({
        memory: expect.any(String),
        pids: expect.any(Number),
      });
      expect(container.logging.options, name).toMatchObject({ 'max-size': expect.any(String) });
      if (name !== 'demo') expect(container.restart, name).toMatch(/unless-stopped|on-failure/);
    }
    for (const [, container] of ours) expectHardened(container);
  });
});

function missing(service: string, names: string[]): string[] {
  return Object.entries(SETTINGS[service] ?? {})
    .filter(([name]) => !names.includes(name) && !BY_THE_IMAGE.includes(name))
    .filter(([, reader]) => isRequired(reader))
    .map(([name]) => name);
}

function isRequired(reader: ConfigSpec[string]): boolean {
  try {
    reader.read(undefined);
    return false;
  } catch {
    return true;
  }
}

function expectHardened(container: Manifest): void {
  expect(container).toMatchObject({
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    logging: { options: { 'max-size': expect.any(String) } },
  });
}

describe('deploy/postgres/databases.sh', () => {
  it('gives the roles what the services ask of their connections, where the server has it otherwise', () => {
    const script = readFileSync(join(DEPLOY, 'postgres/databases.sh'), 'utf8');
    const given = Object.fromEntries(
      [...script.matchAll(/^alter role :"service" in database :"service" set (\w+) = '(.+)';$/gm)].map(
        ([, name, value = '']) => [name, /^\d+s$/.test(value) ? `${Number.parseInt(value, 10) * 1_000}` : value],
      ),
    );
    const { default_transaction_isolation, standard_conforming_strings, array_nulls, DateStyle, ...asked } =
      sessionSettings({ keyLookupsOnly: true });
    expect(given).toEqual(asked);
  });
});

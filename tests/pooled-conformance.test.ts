/** What callers may rely on, behind a PgBouncer in transaction mode: conformance.test.ts again. */
import { skipsPooler } from '@holdfast/cluster';
import { it } from 'vitest';

if (skipsPooler('conformance behind PgBouncer')) it.skip('conformance behind PgBouncer');
else {
  // Read by whatever starts a cluster.
  process.env.HOLDFAST_POOLER = 'pgbouncer';
  await import('./conformance.test.ts');
}

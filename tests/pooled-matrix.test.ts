/** Whatever dies, behind a PgBouncer in transaction mode: a sample of the matrix again. */
import { skipsPooler } from '@holdfast/cluster';
import { it } from 'vitest';

if (skipsPooler('matrix behind PgBouncer')) it.skip('matrix behind PgBouncer');
else {
  // Read by whatever starts a cluster.
  process.env.HOLDFAST_POOLER = 'pgbouncer';
  await import('./matrix.test.ts');
}

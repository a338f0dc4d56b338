import { describe, expect, it } from 'vitest';
import { exposedStores } from './trust.ts';

const settings = (DATABASE_URL: string, REDIS_URL?: string) => Object.keys(exposedStores({ DATABASE_URL, REDIS_URL }));
const HERE = 'postgres://u:p@127.0.0.1/x';

describe('T1: a store beyond this machine', () => {
  it.each([
    'postgres://u:p@db.example.org/x',
    'postgres://u:p@10.0.0.5/x?sslmode=disable',
    'postgres://u:p@db/x?sslmode=no-verify',
    'postgres://u:p@localhost.example.org/x',
  ])('is named when its traffic can be read, or anybody can answer for it: %s', (url) => {
    expect(settings(url)).toEqual(['DATABASE_URL']);
  });

  it.each([
    'postgres://u:p@db.example.org/x?sslmode=verify-full&sslrootcert=/ca.crt',
    HERE,
    'postgres://u:p@localhost/x',
    'postgres://u:p@[::1]:5432/x',
    'postgres:///x?host=/var/run/postgresql',
    'postgres://u:p@%2Fvar%2Frun%2Fpostgresql/x',
  ])('is not named when it is proven, or on this machine: %s', (url) => {
    expect(settings(url)).toEqual([]);
  });

  it.each(['redis://cache:6379', 'redis+cluster://127.0.0.1:1,node-2:2', 'redis+sentinel://u:p@s-1:1,s-2:2/main'])(
    'is named when it is a Redis in clear text: %s',
    (url) => expect(settings(HERE, url)).toEqual(['REDIS_URL']),
  );

  it.each([
    'rediss://cache:6379',
    'rediss+cluster://node-1:1,node-2:2',
    'rediss+sentinel://s-1:1/main',
    'redis://localhost',
  ])('is not named when Redis speaks TLS, or is on this machine: %s', (url) => expect(settings(HERE, url)).toEqual([]));
});

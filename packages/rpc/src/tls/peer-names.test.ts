import { expect, it } from 'vitest';
import { namesIn } from './peer-names.ts';

it('T1: only whole DNS names and URIs are names; what looks like an entry inside of one is none', () => {
  const subjectaltname =
    'DNS:a.example.org, IP Address:10.0.0.1, URI:spiffe://shop/a, URI:"x:, DNS:orchestrator, y", DNS:"b\\u002c c"';
  expect(namesIn({ subjectaltname })).toEqual(['a.example.org', 'spiffe://shop/a', 'x:, DNS:orchestrator, y', 'b, c']);
  expect(namesIn({ subjectaltname: '' })).toEqual([]);
});

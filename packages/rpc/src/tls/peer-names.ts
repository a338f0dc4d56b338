import type { PeerCertificate } from 'node:tls';

/** One entry of what Node makes of a certificate's alternative names; a value in which a comma stands is quoted. */
const ENTRY = /(?:, )?([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)/y;

/** The DNS names and URIs that a certificate says its holder has. */
export function namesIn({ subjectaltname = '' }: Pick<PeerCertificate, 'subjectaltname'>): string[] {
  const names: string[] = [];
  // One after the other, from the start: a name that itself looks like an entry is none.
  ENTRY.lastIndex = 0;
  for (let found = ENTRY.exec(subjectaltname); found !== null; found = ENTRY.exec(subjectaltname)) {
    const [whole, kind, value = ''] = found;
    if (whole === '') break;
    if (kind === 'DNS' || kind === 'URI') names.push(value.startsWith('"') ? String(JSON.parse(value)) : value);
  }
  return names;
}

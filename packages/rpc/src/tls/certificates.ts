/*
 * A service's own certificate and key, and the authorities that it believes: read from files again when those change, so
 * that certificates can be exchanged while calls go on. A connection keeps the certificates that it was made with; every
 * new one gets the latest. Connections to a server end after half a minute, so by then all have changed.
 *
 * A certificate and its key are two files, and whoever writes them can't change both at once: as long as the two do not
 * belong together, or can't be read, the last ones that did are used.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { experimental } from '@grpc/grpc-js';
import type { Log, Pem } from '@holdfast/service';

export interface CertificateSources {
  cert: Pem;
  key: Pem;
  /** The authorities whose certificates are believed; undefined where no peer shows one. */
  ca: Pem | undefined;
}

/** PEM texts that belong together. */
export interface CertificateTexts {
  cert: string;
  key: string;
  ca: string | undefined;
}

type Identity = experimental.IdentityCertificateUpdateListener;
type Trust = experimental.CaCertificateUpdateListener;

const LOOK_EVERY_MS = 1_000;

export class Certificates implements experimental.CertificateProvider {
  readonly #sources: CertificateSources;
  readonly #log: Log | undefined;
  readonly #identity = new Set<Identity>();
  readonly #trust = new Set<Trust>();
  readonly #changed = new Set<() => void>();
  readonly #timer: NodeJS.Timeout | undefined;
  #texts: CertificateTexts;
  #fault: string | undefined;
  #looking = false;

  /** @throws Error when the texts do not belong together */
  constructor(sources: CertificateSources, log?: Log, lookEveryMs = LOOK_EVERY_MS) {
    this.#sources = sources;
    this.#log = log;
    this.#texts = { cert: sources.cert.text, key: sources.key.text, ca: sources.ca?.text };
    const fault = certificateFault(this.#texts);
    if (fault !== undefined) throw new Error(fault);
    this.#sayIfEnded();
    const isWatched = [sources.cert, sources.key, sources.ca].some((pem) => pem?.path !== undefined);
    if (isWatched) this.#timer = setInterval(() => void this.look(), lookEveryMs).unref();
  }

  get texts(): CertificateTexts {
    return this.#texts;
  }

  /** When the service's own certificate ends. */
  get notAfter(): Date {
    return new X509Certificate(this.#texts.cert).validToDate;
  }

  /** Hears of every change, after it. */
  onChange(listener: () => void): void {
    this.#changed.add(listener);
  }

  addIdentityCertificateListener(listener: Identity): void {
    this.#identity.add(listener);
    // Later, as grpc-js expects it: its server hears of nothing that it is told while it is being made.
    process.nextTick(() => listener(this.#identityUpdate()));
  }

  removeIdentityCertificateListener(listener: Identity): void {
    this.#identity.delete(listener);
  }

  addCaCertificateListener(listener: Trust): void {
    this.#trust.add(listener);
    process.nextTick(() => listener(this.#trustUpdate()));
  }

  removeCaCertificateListener(listener: Trust): void {
    this.#trust.delete(listener);
  }

  /** Reads the files now, and takes what is in them if it belongs together. */
  async look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      const { cert, key, ca } = this.#sources;
      const [certNow, keyNow, caNow] = await Promise.all([textNow(cert), textNow(key), ca && textNow(ca)]);
      this.#take({ cert: certNow, key: keyNow, ca: caNow });
    } catch (error) {
      this.#say(`a file can't be read (${(error as NodeJS.ErrnoException).code ?? (error as Error).message})`);
    } finally {
      this.#looking = false;
    }
  }

  /** Reads no more. */
  stop(): void {
    clearInterval(this.#timer);
  }

  #take(texts: CertificateTexts): void {
    const { cert, key, ca } = this.#texts;
    if (isSame(texts.cert, cert) && isSame(texts.key, key) && isSame(texts.ca, ca)) {
      this.#fault = undefined;
      return;
    }
    const fault = certificateFault(texts);
    if (fault !== undefined) {
      this.#say(fault);
      return;
    }
    this.#texts = texts;
    this.#fault = undefined;
    for (const listener of this.#identity) listener(this.#identityUpdate());
    for (const listener of this.#trust) listener(this.#trustUpdate());
    for (const listener of this.#changed) listener();
    this.#log?.info({ notAfter: this.notAfter.toISOString() }, 'certificates were read again: they have changed');
    this.#sayIfEnded();
  }

  #say(fault: string): void {
    if (fault === this.#fault) return;
    this.#fault = fault;
    this.#log?.warn({ fault }, 'certificates have changed and can’t be used: the last ones go on being used');
  }

  #sayIfEnded(): void {
    const { notAfter } = this;
    if (notAfter.getTime() > Date.now()) return;
    this.#log?.error({ notAfter: notAfter.toISOString() }, 'the certificate has ended: peers refuse it; put a new one');
  }

  #identityUpdate(): experimental.IdentityCertificateUpdate {
    return { certificate: Buffer.from(this.#texts.cert), privateKey: Buffer.from(this.#texts.key) };
  }

  #trustUpdate(): experimental.CaCertificateUpdate | null {
    return this.#texts.ca === undefined ? null : { caCertificate: Buffer.from(this.#texts.ca) };
  }
}

async function textNow({ text, path }: Pem): Promise<string> {
  return path === undefined ? text : await readFile(path, 'utf8');
}

/** But for the line feed that a file ends with, and which a setting that is read from one is without. */
function isSame(one: string | undefined, other: string | undefined): boolean {
  const bare = (text: string | undefined) => text?.replace(/\r?\n$/, '');
  return bare(one) === bare(other);
}

/** What is wrong with texts that should belong together; never a part of them. */
export function certificateFault({ cert, key, ca }: CertificateTexts): string | undefined {
  const own = parsed(() => new X509Certificate(cert));
  if (own === undefined) return 'the certificate can’t be read; expected a chain in PEM, the service’s own first';
  const privateKey = parsed(() => createPrivateKey(key));
  if (privateKey === undefined) return 'the key can’t be read; expected one private key in PEM, without a passphrase';
  if (!own.checkPrivateKey(privateKey))
    return 'the key is not the certificate’s; expected the two that belong together';
  if (!isWhole(cert)) return 'the certificate’s chain can’t be read; expected whole certificates, one after the other';
  if (ca !== undefined && !isWhole(ca))
    return 'the authorities can’t be read; expected one certificate in PEM or several, one after the other';
  // As every connection makes it: what OpenSSL refuses there, such as a key that is too short, would end them all.
  const context = parsed(() => createSecureContext({ cert, key, ca }));
  if (context !== undefined) return undefined;
  return 'OpenSSL refuses certificate, key and authorities; expected keys of 2048 bits (RSA) or 256 (EC) and SHA-256 at least';
}

/** Every block that begins is there to its end and is a certificate: of a file that is being written half a block may be there. */
function isWhole(text: string): boolean {
  const begun = text.split('-----BEGIN CERTIFICATE-----').length - 1;
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const isRead = (block: string) => parsed(() => new X509Certificate(block)) !== undefined;
  return begun > 0 && blocks.length === begun && blocks.every(isRead);
}

function parsed<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    // The library's message would quote what may be a key; which text is wrong is said instead.
    return undefined;
  }
}

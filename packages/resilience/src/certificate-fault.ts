/** The codes that Node and OpenSSL give when a certificate is not believed, or the other end does not speak TLS. */
const CODES = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_PURPOSE|ERR_TLS_|ERR_SSL_)/;

/** True when a connection failed because the other end could not prove who it is. */
export function isCertificateFault(error: unknown): boolean {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' && CODES.test(code);
}

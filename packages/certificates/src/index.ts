export { type Authority, type CertificateRequest, issueCertificate, makeAuthority, type PemPair } from './authority.ts';
export { type CertificateFiles, type Holder, keepCertificates, LOCAL_HOLDERS } from './keep-certificates.ts';

export {
  type Authority,
  authorityOf,
  type CertificateRequest,
  issueCertificate,
  makeAuthority,
  type PemPair,
  type Validity,
} from './authority.ts';
export { type CertificateFiles, type Holder, keepCertificates, LOCAL_HOLDERS } from './keep-certificates.ts';

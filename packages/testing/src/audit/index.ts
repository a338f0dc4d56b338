export { inSnapshot, ledgerPages, pagesOf } from './audit-read.ts';
export type { AuditCheck, AuditReport, MoneyLine, OrderCounts, Violation } from './audit-report.ts';
export { type Tally, tally } from './audit-report.ts';
export {
  auditSagas,
  type EffectBook,
  type SagaAuditOptions,
  type SagaAuditReport,
  type SagaAuditSources,
} from './audit-sagas.ts';

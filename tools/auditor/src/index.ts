export { auditTable } from './audit-table.ts';
export { type WatchEnd, type WatchOptions, watchBooks } from './audit-watch.ts';
export { type AuditOptions, type AuditSources, auditSystem, booksAt } from './auditor.ts';

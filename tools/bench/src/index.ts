export { type GrowProgress, grow, settle } from './grow.ts';
export { DATABASES, type Database } from './order-rows.ts';

export { type GrowProgress, grow, settle } from './growth/grow.ts';
export { DATABASES, type Database } from './growth/order-rows.ts';

export { FUZZED_ENV, type FuzzOptions, type FuzzReport, fuzzSystem } from './fuzz-system.ts';

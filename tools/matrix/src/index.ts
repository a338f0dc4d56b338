export { matrix, POINTS } from './cases.ts';
export { type CaseResult, LEASE_MS, type Matrix } from './run-matrix.ts';
export { sample } from './sample.ts';
export { runCases, startMatrices } from './side-by-side.ts';

export { findGuards, guardsIn, withoutGuard } from './guards.ts';
export { checkVariant, missingTools, VARIANTS } from './model.ts';
export { MUTATIONS } from './mutations.ts';

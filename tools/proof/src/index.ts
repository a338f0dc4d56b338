export { checkVariant, missingTools, VARIANTS } from './model.ts';
export { MUTATIONS } from './mutations.ts';

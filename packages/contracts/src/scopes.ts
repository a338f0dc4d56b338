/** What a caller of the API may do. Settings name them: never renamed. */
export const SCOPES = [
  'orders:read',
  'orders:write',
  'catalogue:write',
  'accounts:write',
  'refunds:write',
  'operate',
  'metrics',
  'admin',
] as const;

export type Scope = (typeof SCOPES)[number];

/** A guard that is taken out of the code (guards.ts), and the tests that must notice. */
export interface Mutation {
  /** As it is marked. */
  name: string;
  /** Test files, and in each the beginnings of titles of which every one must be red. */
  red: { file: string; titles: string[] }[];
}

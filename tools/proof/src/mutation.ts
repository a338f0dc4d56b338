/** One replacement in a source file. */
export interface Edit {
  file: string;
  /** Stands there exactly as often as `times` says (1). */
  from: string;
  to: string;
  times?: number;
}

/** A rule taken out of the code, and the tests that must notice. */
export interface Mutation {
  name: string;
  edits: Edit[];
  /** Test files, and in each the beginnings of titles of which every one must be red. */
  red: { file: string; titles: string[] }[];
}

/**
 * SQL that is true of every row of a list that is joined to a table by key, for the planner's sake: it knows nothing of a
 * list's length and guesses ten, and ten look-ups may seem dearer than reading the whole index of a table that is small
 * when the plan is made. The plan is kept while the table grows, until the next analyze: a batch then takes hundreds of
 * milliseconds. Each comparison divides the guess by three; two make it one row.
 * @param names columns of the list, two of them; texts
 */
export function fewRowsHint(...names: [string, string]): string {
  return names.map((name) => `${name} >= ''`).join(' and ');
}

/** Thrown where a rule can't be seen on this system: it lacks what the rule needs. Says how to see it. */
export class NotSeen extends Error {
  override name = 'NotSeen';
}

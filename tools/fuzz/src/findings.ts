/** One thing that must not be, with what led to it. */
export interface Finding {
  /** Findings that are alike are shown once, and counted. */
  kind: string;
  fault: string;
  request: string;
}

const SHOWN = 1_200;

/** What a run has found, by kind. */
export class Findings {
  readonly #byKind = new Map<string, { first: Finding; count: number }>();

  add(finding: Finding): void {
    const known = this.#byKind.get(finding.kind);
    if (known === undefined) this.#byKind.set(finding.kind, { first: finding, count: 1 });
    else known.count += 1;
  }

  get count(): number {
    return this.#byKind.size;
  }

  lines(): string[] {
    return [...this.#byKind.values()].map(
      ({ first, count }) => `${count} x ${first.kind}\n    ${first.fault}\n    ${first.request.slice(0, SHOWN)}`,
    );
  }
}

/** What a run asked, by status: a run whose answers are all refusals at the door shows nothing. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  countOf(what: string): number {
    return this.#counts.get(what) ?? 0;
  }

  toString(): string {
    return [...this.#counts]
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([what, count]) => `${what}: ${count}`)
      .join(', ');
  }
}

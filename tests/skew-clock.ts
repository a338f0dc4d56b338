/**
 * Loaded ahead of a service (`node --import`): its machine's clock is wrong by CLOCK_SKEW_MS, an orchestrator's second
 * place (INSTANCE) by as much in the other direction. Only what tells the time of day is; what measures durations is not.
 */
const skewMs = Number(process.env.CLOCK_SKEW_MS) * (process.env.INSTANCE === 'orchestrator-1' ? -1 : 1);
const RealDate = globalThis.Date;
const rightNow = RealDate.now.bind(RealDate);

class SkewedDate extends RealDate {
  constructor(...given: [] | [number | string | Date]) {
    super(...((given.length === 0 ? [rightNow() + skewMs] : given) as [number]));
  }
  static override now(): number {
    return rightNow() + skewMs;
  }
}

globalThis.Date = SkewedDate as DateConstructor;

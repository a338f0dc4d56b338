export { migrationJob } from './migration-job.ts';
export { consumeEvents, eventsRoute, orderEvents, orderEventsKeys, relayEvents } from './order-events.ts';
export {
  type Bound,
  databaseCheck,
  openRedis,
  type Participant,
  type ParticipantConfig,
  redisUrl,
  retentionOf,
  runParticipant,
  serviceConfig,
  startParticipant,
} from './run-participant.ts';
export { type ReachStepPoint, STEP_POINTS, type StepPoint } from './step/crash-points.ts';
export {
  byOrder,
  DuplicateEffect,
  type EffectOutcome,
  makeOrFind,
  type OrderId,
  orderColumns,
  type Refused,
  settlementOf,
} from './step/effect.ts';
export { runAlone, stepMethod } from './step/methods.ts';
export { getStep, keyedCall, type Operation, stepAnswer, storeFault } from './step/step-call.ts';
export {
  type Begun,
  createStepRunner,
  type OutsideSpec,
  oneByOne,
  type Performed,
  type PerformOutcome,
  type Prepared,
  type RunStep,
  type StepOutcome,
  type StepSpec,
  type Waiting,
} from './step/step-runner.ts';
export { createStepClient } from './transport/step-client.ts';
export { stepStreams } from './transport/step-server.ts';
export { certificatesOf, serverTls, warnOfExposedStores } from './trust.ts';

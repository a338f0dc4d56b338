export { FAULT_KINDS, type FaultKind, seedOf } from './chance.ts';
export type { Breach } from './invariants.ts';
export { ModelDatabase, nameOf, READ_ANSWER, STORE_ANSWER } from './model/model-database.ts';
export { PLANTED_BUGS, type PlantedBug, type Switches } from './planted-bugs.ts';
export { runSchedule, type ScheduleOptions, type ScheduleResult } from './schedule.ts';
export { type Shrunk, shrink } from './shrink.ts';
export {
  replaySaga,
  type SimulatedAct,
  type SimulatedCall,
  type SimulatedParticipant,
  type SimulatedSaga,
  type SimulatedSchedule,
  type SimulatedSignal,
  type SimulateSagaOptions,
  type SimulateSagaResult,
  simulateSaga,
} from './simulate-saga.ts';
export { type Owed, ownSteps, type StepModelOptions, stepModel } from './step-model.ts';

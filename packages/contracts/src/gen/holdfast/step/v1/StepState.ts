// Original file: protos/holdfast/step/v1/step.proto

export const StepState = {
  STEP_STATE_UNSPECIFIED: 'STEP_STATE_UNSPECIFIED',
  STEP_STATE_EXECUTED: 'STEP_STATE_EXECUTED',
  STEP_STATE_REFUSED: 'STEP_STATE_REFUSED',
  STEP_STATE_SEALED: 'STEP_STATE_SEALED',
  STEP_STATE_IN_FLIGHT: 'STEP_STATE_IN_FLIGHT',
  STEP_STATE_UNKNOWN_KEY: 'STEP_STATE_UNKNOWN_KEY',
} as const;

export type StepStateInput =
  | 'STEP_STATE_UNSPECIFIED'
  | 0
  | 'STEP_STATE_EXECUTED'
  | 1
  | 'STEP_STATE_REFUSED'
  | 2
  | 'STEP_STATE_SEALED'
  | 3
  | 'STEP_STATE_IN_FLIGHT'
  | 4
  | 'STEP_STATE_UNKNOWN_KEY'
  | 5

export type StepState = typeof StepState[keyof typeof StepState]

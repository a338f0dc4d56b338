// Original file: protos/holdfast/payment/v1/payment.proto

export const CaptureStatus = {
  CAPTURE_STATUS_UNSPECIFIED: 'CAPTURE_STATUS_UNSPECIFIED',
  CAPTURE_STATUS_CAPTURED: 'CAPTURE_STATUS_CAPTURED',
  CAPTURE_STATUS_FAILED: 'CAPTURE_STATUS_FAILED',
} as const;

export type CaptureStatusInput =
  | 'CAPTURE_STATUS_UNSPECIFIED'
  | 0
  | 'CAPTURE_STATUS_CAPTURED'
  | 1
  | 'CAPTURE_STATUS_FAILED'
  | 2

export type CaptureStatus = typeof CaptureStatus[keyof typeof CaptureStatus]

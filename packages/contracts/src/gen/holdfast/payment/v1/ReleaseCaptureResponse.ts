// Original file: protos/holdfast/payment/v1/payment.proto


export interface ReleaseCaptureResponseInput {
}

export interface ReleaseCaptureResponse {
}

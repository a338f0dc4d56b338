// Original file: protos/holdfast/payment/v1/payment.proto


export interface ReleaseRefundResponseInput {
}

export interface ReleaseRefundResponse {
}

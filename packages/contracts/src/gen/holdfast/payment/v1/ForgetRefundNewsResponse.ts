// Original file: protos/holdfast/payment/v1/payment.proto


export interface ForgetRefundNewsResponseInput {
}

export interface ForgetRefundNewsResponse {
}

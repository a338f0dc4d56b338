// Original file: protos/holdfast/payment/v1/payment.proto


export interface ForgetOrderNewsResponseInput {
}

export interface ForgetOrderNewsResponse {
}

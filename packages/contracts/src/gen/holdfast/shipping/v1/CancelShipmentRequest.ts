// Original file: protos/holdfast/shipping/v1/shipping.proto


export interface CancelShipmentRequestInput {
  'orderId'?: (string);
}

export interface CancelShipmentRequest {
  'orderId': (string);
}

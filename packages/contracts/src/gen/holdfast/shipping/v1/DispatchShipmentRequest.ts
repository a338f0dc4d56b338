// Original file: protos/holdfast/shipping/v1/shipping.proto


export interface DispatchShipmentRequestInput {
  'orderId'?: (string);
}

export interface DispatchShipmentRequest {
  'orderId': (string);
}

// Original file: protos/holdfast/shipping/v1/shipping.proto


export interface DispatchShipmentRequestInput {
  'orderId'?: (string);
  'returning'?: (boolean);
}

export interface DispatchShipmentRequest {
  'orderId': (string);
  'returning': (boolean);
}

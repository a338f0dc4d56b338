// Original file: protos/holdfast/shipping/v1/shipping.proto


export interface WithholdShipmentRequestInput {
  'orderId'?: (string);
}

export interface WithholdShipmentRequest {
  'orderId': (string);
}

// Original file: protos/holdfast/shipping/v1/shipping.proto


export interface WithholdShipmentResponseInput {
  'dispatched'?: (boolean);
}

export interface WithholdShipmentResponse {
  'dispatched': (boolean);
}

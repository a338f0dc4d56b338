// Original file: protos/holdfast/shipping/v1/shipping.proto


export interface CreateShipmentResponseInput {
  'shipmentId'?: (string);
}

export interface CreateShipmentResponse {
  'shipmentId': (string);
}

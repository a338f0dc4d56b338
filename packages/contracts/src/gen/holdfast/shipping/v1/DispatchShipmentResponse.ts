// Original file: protos/holdfast/shipping/v1/shipping.proto


export interface DispatchShipmentResponseInput {
  'shipmentId'?: (string);
  'dispatchedAt'?: (string);
}

export interface DispatchShipmentResponse {
  'shipmentId': (string);
  'dispatchedAt': (string);
}

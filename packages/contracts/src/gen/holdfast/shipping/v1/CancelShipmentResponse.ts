// Original file: protos/holdfast/shipping/v1/shipping.proto


export interface CancelShipmentResponseInput {
  'shipmentId'?: (string);
}

export interface CancelShipmentResponse {
  'shipmentId': (string);
}

// Original file: protos/holdfast/inventory/v1/inventory.proto


export interface ReleaseInventoryResponseInput {
  'reservationId'?: (string);
}

export interface ReleaseInventoryResponse {
  'reservationId': (string);
}

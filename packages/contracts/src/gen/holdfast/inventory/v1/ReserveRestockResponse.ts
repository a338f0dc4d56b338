// Original file: protos/holdfast/inventory/v1/inventory.proto


export interface ReserveRestockResponseInput {
}

export interface ReserveRestockResponse {
}

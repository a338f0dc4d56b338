// Original file: protos/holdfast/inventory/v1/inventory.proto


export interface ReleaseRestockResponseInput {
}

export interface ReleaseRestockResponse {
}

// Original file: protos/holdfast/shipping/v1/shipping.proto

import type { AddressInput as _holdfast_shipping_v1_AddressInput, Address as _holdfast_shipping_v1_Address } from '../../../holdfast/shipping/v1/Address.ts';
import type { ParcelInput as _holdfast_shipping_v1_ParcelInput, Parcel as _holdfast_shipping_v1_Parcel } from '../../../holdfast/shipping/v1/Parcel.ts';

export interface CreateShipmentRequestInput {
  'orderId'?: (string);
  'shipTo'?: (_holdfast_shipping_v1_AddressInput | null);
  'parcels'?: (_holdfast_shipping_v1_ParcelInput)[];
}

export interface CreateShipmentRequest {
  'orderId': (string);
  'shipTo': (_holdfast_shipping_v1_Address | null);
  'parcels': (_holdfast_shipping_v1_Parcel)[];
}

import protobuf from 'protobufjs';

/** What travels in `grpc-status-details-bin`: a google.rpc.Status that carries one google.rpc.ErrorInfo. */
export interface StatusDetail {
  code: number;
  message: string;
  reason: string;
  metadata: Record<string, string>;
}

const DOMAIN = 'holdfast';
const ERROR_INFO_URL = 'type.googleapis.com/google.rpc.ErrorInfo';

// The published wire format of google/rpc/status.proto and error_details.proto, the two messages that we speak.
const root = protobuf.Root.fromJSON({
  nested: {
    Any: { fields: { typeUrl: { type: 'string', id: 1 }, value: { type: 'bytes', id: 2 } } },
    Status: {
      fields: {
        code: { type: 'int32', id: 1 },
        message: { type: 'string', id: 2 },
        details: { rule: 'repeated', type: 'Any', id: 3 },
      },
    },
    ErrorInfo: {
      fields: {
        reason: { type: 'string', id: 1 },
        domain: { type: 'string', id: 2 },
        metadata: { keyType: 'string', type: 'string', id: 3 } as protobuf.IMapField,
      },
    },
  },
});
const Status = root.lookupType('Status');
const ErrorInfo = root.lookupType('ErrorInfo');

export function encodeStatus(detail: StatusDetail): Buffer {
  const info = ErrorInfo.encode({ reason: detail.reason, domain: DOMAIN, metadata: detail.metadata }).finish();
  const status = { code: detail.code, message: detail.message, details: [{ typeUrl: ERROR_INFO_URL, value: info }] };
  return Buffer.from(Status.encode(status).finish());
}

/** @returns undefined when the bytes are no status of ours (another server's, or damaged) */
export function decodeStatus(bytes: Uint8Array): StatusDetail | undefined {
  try {
    const status = Status.decode(bytes) as unknown as {
      code: number;
      message: string;
      details: { typeUrl: string; value: Uint8Array }[];
    };
    const any = status.details.find((detail) => detail.typeUrl === ERROR_INFO_URL);
    if (any === undefined) return undefined;
    const info = ErrorInfo.decode(any.value) as unknown as {
      reason: string;
      domain: string;
      metadata: Record<string, string>;
    };
    if (info.domain !== DOMAIN) return undefined;
    return { code: status.code, message: status.message, reason: info.reason, metadata: { ...info.metadata } };
  } catch {
    // Damaged details say nothing; the plain status code still does, and callers fall back on it.
    return undefined;
  }
}

import { create, toBinary } from '@bufbuild/protobuf';
import { type Code, ConnectError } from '@connectrpc/connect';

interface StoredRefusal {
  code: Code;
  message: string;
  /** Their bytes in base64. */
  details: { type: string; value: string }[];
}

/** A refusal as it is stored: code, message and details. Its metadata is not: headers are of one answer. */
export function encodeRefusal({ code, rawMessage, details }: ConnectError): Buffer {
  const stored: StoredRefusal = {
    code,
    message: rawMessage,
    details: details.map((detail) => {
      if (!('desc' in detail)) return { type: detail.type, value: Buffer.from(detail.value).toString('base64') };
      const bytes = toBinary(detail.desc, create(detail.desc, detail.value));
      return { type: detail.desc.typeName, value: Buffer.from(bytes).toString('base64') };
    }),
  };
  return Buffer.from(JSON.stringify(stored));
}

export function decodeRefusal(bytes: Buffer): ConnectError {
  const { code, message, details } = JSON.parse(bytes.toString()) as StoredRefusal;
  const error = new ConnectError(message, code);
  for (const { type, value } of details) error.details.push({ type, value: Buffer.from(value, 'base64') });
  return error;
}

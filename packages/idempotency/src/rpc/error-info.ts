// Errors as google.rpc.Status with one google.rpc.ErrorInfo. Only written here, never read, so a few lines of the wire
// format do, and this package brings no protobuf runtime.

export interface StatusParts extends ErrorInfo {
  code: number;
  message: string;
}

export interface ErrorInfo {
  reason: string;
  domain: string;
  info: Record<string, string>;
}

export const ERROR_INFO = 'google.rpc.ErrorInfo';

/** The bytes of a google.rpc.Status, for `grpc-status-details-bin`. */
export function encodeStatus({ code, message, ...errorInfo }: StatusParts): Buffer {
  const any = [textField(1, `type.googleapis.com/${ERROR_INFO}`), bytesField(2, [encodeErrorInfo(errorInfo)])];
  return Buffer.concat([Buffer.from([0x08]), varint(code), textField(2, message), bytesField(3, any)]);
}

export function encodeErrorInfo({ reason, domain, info }: ErrorInfo): Buffer {
  const entries = Object.entries(info).map(([key, value]) => bytesField(3, [textField(1, key), textField(2, value)]));
  return Buffer.concat([textField(1, reason), textField(2, domain), ...entries]);
}

function textField(number: number, text: string): Buffer {
  return bytesField(number, [Buffer.from(text)]);
}

/** Wire type 2: a tag, a length, the bytes. */
function bytesField(number: number, parts: Buffer[]): Buffer {
  const value = Buffer.concat(parts);
  return Buffer.concat([varint((number << 3) | 2), varint(value.length), value]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
}

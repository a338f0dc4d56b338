/** A status and an encoded body: what is stored is what was sent, byte for byte (K2). */
export interface StripeAnswer {
  status: number;
  body: string;
}

export type StripeErrorType = 'api_error' | 'card_error' | 'idempotency_error' | 'invalid_request_error';

export interface StripeError {
  type: StripeErrorType;
  message: string;
  code?: string;
  decline_code?: string;
  param?: string;
  charge?: string;
  payment_intent?: object;
}

export function ok(body: object): StripeAnswer {
  return { status: 200, body: JSON.stringify(body) };
}

/** An error in the shape and with the HTTP status that Stripe documents. */
export function failure(status: number, error: StripeError): StripeAnswer {
  return { status, body: JSON.stringify({ error: { ...error, ...docUrl(error.code) } }) };
}

export function docUrl(code: string | undefined): { doc_url?: string } {
  return code === undefined ? {} : { doc_url: `https://docs.stripe.com/error-codes/${code.replaceAll('_', '-')}` };
}

/** 400: the request, or the state that it meets, is at fault; the same request fails again. */
export function invalidRequest(
  message: string,
  where: Pick<StripeError, 'code' | 'param' | 'payment_intent'> = {},
): StripeAnswer {
  return failure(400, { type: 'invalid_request_error', message, ...where });
}

export function noSuch(what: string, id: string, param: string): StripeAnswer {
  return failure(404, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    param,
    message: `No such ${what}: '${id}'`,
  });
}

/** 500: the caller cannot know whether the effect happened; it must ask by retrieving the object. */
export const SERVER_ERROR = failure(500, {
  type: 'api_error',
  message: 'Sorry, something went wrong on our side. Retrieve the object to see whether the request took effect.',
});

/** 503: nothing is known to have happened; the same request with the same key may be sent again. */
export const STORE_UNAVAILABLE = failure(503, {
  type: 'api_error',
  message: 'The service cannot reach its database now. Send the same request with the same idempotency key again.',
});

/** 429: other requests hold the object. Nothing happened. */
export const LOCK_TIMEOUT = failure(429, {
  type: 'invalid_request_error',
  code: 'lock_timeout',
  message: 'This object cannot be accessed right now because another request is changing it. Send the request again.',
});

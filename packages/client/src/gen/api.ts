// Generated from what /openapi.json says, by `npm run gen`: do not edit.
export interface paths {
    "/v1/accounts/{customerId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One customer’s account */
        get: operations["getAccount"];
        /**
         * Open an account, or set its balance
         * @description Send a key, and a retry changes nothing that came in between. Send `If-Match` where the new value was decided by what was read.
         */
        put: operations["putAccount"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{customerId}/adjust": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Add to the balance, or take from it */
        post: operations["adjustAccount"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/api-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * API keys, newest first
         * @description Those that were made at run time, without their secrets; revoked and expired ones too.
         */
        get: operations["listApiKeys"];
        put?: never;
        /**
         * Make an API key
         * @description Its scopes and its end are fixed. The answer has the key itself, which is kept nowhere: put it away. A retry gets the same answer for as long as `Idempotency-Expires` says, if it comes with the credential of the first request; with another one, or later, it gets the same without `key`. If the key was lost, revoke it and make another one.
         */
        post: operations["makeApiKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/api-keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One API key, without its secret */
        get: operations["getApiKey"];
        put?: never;
        post?: never;
        /**
         * Revoke an API key
         * @description For good. Within 10 s it opens nothing any more, on no replica. Revoking it again does no harm, with an idempotency key or without.
         */
        delete: operations["revokeApiKey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who asked for which change, newest first
         * @description Every change but the placing of orders: who asked for it, when and why, and what came of it. An entry stands before its change is made. What was refused before its key was claimed (400, 401, 403, 404, 422) is not here.
         */
        get: operations["listAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/config": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What a key may look like, and how long it is kept */
        get: operations["getConfig"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/idempotency-keys/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What a key stands for
         * @description For a client that lost an answer and does not want to send the request again. Your own keys only.
         */
        get: operations["getIdempotencyKey"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Orders, newest first */
        get: operations["listOrders"];
        put?: never;
        /**
         * Place an order
         * @description Accepts the order and drives it to its end, whatever happens. A refusal by a step is not an HTTP error: the order exists and has failed.
         */
        post: operations["placeOrder"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The order as it is now */
        get: operations["getOrder"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Turn the order back
         * @description Undoes what the order did. Refused once its shipment is booked or it has ended otherwise. An order that is captured when it is dispatched can be cancelled until then: its payment is released. Asking again does no harm, with a key or without. 202: not decided yet, ask again.
         */
        post: operations["cancelOrder"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders/{id}/dispatch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Say that the order’s shipment has left
         * @description For completed orders only. Captures the payment first where the order was placed with `capture: "on_dispatch"`. The stock that the order holds is fulfilled soon afterwards, where events are switched on. Asking again gets the same answer, with a key or without. Refused with `conflict` when goods of it go back to stock that had not left, or when another amount was captured, and with `authorization-expired` when nothing can be captured any more. 202: not captured yet, ask again.
         */
        post: operations["dispatchOrder"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders/{id}/effects": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What each participant says of the order’s steps now
         * @description Asks inventory, payment and shipping under the keys of the order’s steps and of its newest refunds’. A participant that does not answer is shown as `unreachable`: nothing is known of its step then.
         */
        get: operations["getOrderEffects"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders/{id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The order now and after every change (server-sent events)
         * @description Events are named after the order’s status and carry the order; the terminal one ends the stream.
         */
        get: operations["watchOrder"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders/{id}/refunds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Refunds of an order, newest first
         * @description Those that were made at the payment provider too, with `origin: "provider"`.
         */
        get: operations["listRefunds"];
        put?: never;
        /**
         * Give a completed order back, or a part of it
         * @description Accepts the refund and drives it to its end. More than is left of what was captured is no HTTP error: the refund exists and has failed. Read it until it is `succeeded` or `failed`.
         */
        post: operations["refundOrder"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders/{id}/refunds/{refundId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The refund as it is now */
        get: operations["getRefund"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sagas": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Sagas, newest first */
        get: operations["listSagas"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sagas/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A saga with every attempt at every step */
        get: operations["getSaga"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sagas/{id}/compensate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Turn a saga back, parked or not
         * @description Before its pivot is known to be done only. What may have been started is undone; the order ends cancelled. With a key it is done once.
         */
        post: operations["compensateSaga"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sagas/{id}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Go on with a parked saga
         * @description Its attempts are counted afresh. With a key it is done once.
         */
        post: operations["resumeSaga"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sagas/{id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Attempt the step of a saga now
         * @description Ends its wait between attempts, wherever it is driven, and resumes it when it is parked. With a key it is done once.
         */
        post: operations["retrySaga"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/stock/{sku}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One item */
        get: operations["getStock"];
        /**
         * List an item, or set what is given of it
         * @description Send a key, and a retry changes nothing that came in between. Send `If-Match` where the new value was decided by what was read.
         */
        put: operations["putStock"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/stock/{sku}/adjust": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Add to what is on hand, or take from it */
        post: operations["adjustStock"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: never;
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getAccount: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The shop’s own name of a customer. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                customerId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The resource as it is */
            200: {
                headers: {
                    /** @description The version of the resource, for `If-Match` */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Minor units of the currency: of EUR 1/100, of JPY 1, of KWD 1/1000 */
                        balance: number;
                        /**
                         * @description ISO 4217, one that is in use
                         * @example EUR
                         */
                        currency: string;
                        /** @description The shop’s own name of a customer. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                        customerId: string;
                        /** @description Rises with every change; the `ETag` is this in quotes */
                        version: number;
                    };
                };
            };
            /** @description `malformed-request`, `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `insufficient-scope` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `headers-too-large` */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `internal` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `store-unavailable`, `try-again`, `service-unavailable` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
        };
    };
    putAccount: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Why it is done, for the audit log: up to 200 printable ASCII characters, and nothing about a person
                 * @example stocktaking of 2026-11-30
                 */
                "audit-reason"?: string;
                /**
                 * @description A new one for every operation, the same one for every retry: 16 to 128 of `[A-Za-z0-9._~:-]`, best a new UUIDv7
                 * @example till-7~20260314T092653589Z~order
                 */
                "idempotency-key"?: string;
                /**
                 * @description Do it only if the resource still has the `ETag` that was read; else 412 `version-changed`
                 * @example "7"
                 */
                "if-match"?: string;
            };
            path: {
                /** @description The shop’s own name of a customer. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                customerId: string;
            };
            cookie?: never;
        };
        /** @description `currency` is needed to open an account, and stays */
        requestBody: {
            content: {
                "application/json": {
                    /** @description Minor units of the currency */
                    balance: number;
                    /**
                     * @description ISO 4217, one that is in use
                     * @example EUR
                     */
                    currency?: string;
                };
            };
        };
        responses: {
            /** @description The answer, the same for every retry */
            200: {
                headers: {
                    /** @description The version of the resource, for `If-Match` */
                    ETag?: string;
                    /** @description Until when a retry gets this very answer; later ones get the resource as it is then */
                    "Idempotency-Expires"?: string;
                    /** @description The key, as it was sent */
                    "Idempotency-Key"?: string;
                    /** @description Whether the request had been answered before; nothing was run then */
                    "Idempotent-Replayed"?: "true" | "false";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Minor units of the currency: of EUR 1/100, of JPY 1, of KWD 1/1000 */
                        balance: number;
                        /**
                         * @description ISO 4217, one that is in use
                         * @example EUR
                         */
                        currency: string;
                        /** @description The shop’s own name of a customer. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                        customerId: string;
                        /** @description Rises with every change; the `ETag` is this in quotes */
                        version: number;
                    };
                };
            };
            /** @description `malformed-request`, `idempotency-key-invalid`, `invalid-request`, `malformed-json`, `body-too-large` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `insufficient-scope` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-in-progress`, `conflict` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `idempotency-key-expired`, `version-changed` */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unsupported-media-type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `idempotency-key-reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `headers-too-large` */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `internal` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `store-unavailable`, `try-again`, `service-unavailable` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
        };
    };
    adjustAccount: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Why it is done, for the audit log: up to 200 printable ASCII characters, and nothing about a person
                 * @example stocktaking of 2026-11-30
                 */
                "audit-reason"?: string;
                /**
                 * @description A new one for every operation, the same one for every retry: 16 to 128 of `[A-Za-z0-9._~:-]`, best a new UUIDv7
                 * @example till-7~20260314T092653589Z~order
                 */
                "idempotency-key": string;
            };
            path: {
                /** @description The shop’s own name of a customer. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                customerId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Below 0 to take */
                    delta: number;
                };
            };
        };
        responses: {
            /** @description The answer, the same for every retry */
            200: {
                headers: {
                    /** @description The version of the resource, for `If-Match` */
                    ETag?: string;
                    /** @description Until when a retry gets this very answer; later ones get the resource as it is then */
                    "Idempotency-Expires"?: string;
                    /** @description The key, as it was sent */
                    "Idempotency-Key"?: string;
                    /** @description Whether the request had been answered before; nothing was run then */
                    "Idempotent-Replayed"?: "true" | "false";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Minor units of the currency: of EUR 1/100, of JPY 1, of KWD 1/1000 */
                        balance: number;
                        /**
                         * @description ISO 4217, one that is in use
                         * @example EUR
                         */
                        currency: string;
                        /** @description The shop’s own name of a customer. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                        customerId: string;
                        /** @description Rises with every change; the `ETag` is this in quotes */
                        version: number;
                    };
                };
            };
            /** @description `malformed-request`, `idempotency-key-missing`, `idempotency-key-invalid`, `invalid-request`, `malformed-json`, `body-too-large` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `insufficient-scope` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-in-progress`, `conflict`, `insufficient-funds` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `idempotency-key-expired` */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unsupported-media-type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `idempotency-key-reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `headers-too-large` */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `internal` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `store-unavailable`, `try-again`, `service-unavailable` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
        };
    };
    listApiKeys: {
        parameters: {
            query?: {
                cursor?: string;
                /** @description 1 to 100; 20 when absent */
                limit?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        apiKeys: {
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC
                             */
                            createdAt: string;
                            expiresAt: string | null;
                            id: string;
                            lastUsedAt: string | null;
                            name: string;
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC
                             */
                            notBefore: string;
                            /**
                             * @description How the key begins; it opens nothing
                             * @example hf_main_1A2b…
                             */
                            prefix: string;
                            revokedAt: string | null;
                            scopes: string[];
                            /** @enum {unknown} */
                            status: "active" | "pending" | "expired" | "revoked";
                        }[];
                        nextCursor: string | null;
                    };
                };
            };
            /** @description `malformed-request`, `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `insufficient-scope` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `headers-too-large` */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `internal` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `store-unavailable`, `try-again` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
        };
    };
    makeApiKey: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Why it is done, for the audit log: up to 200 printable ASCII characters, and nothing about a person
                 * @example stocktaking of 2026-11-30
                 */
                "audit-reason"?: string;
                /**
                 * @description A new one for every operation, the same one for every retry: 16 to 128 of `[A-Za-z0-9._~:-]`, best a new UUIDv7
                 * @example till-7~20260314T092653589Z~order
                 */
                "idempotency-key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description When it ends; never by itself when left out
                     * @example 2027-01-31T00:00:00Z
                     */
                    expiresAt?: string;
                    /** @description For people */
                    name: string;
                    /**
                     * @description From when on it counts; at once when left out
                     * @example 2027-01-31T00:00:00Z
                     */
                    notBefore?: string;
                    /** @description What it opens; `admin` can make keys of every scope */
                    scopes: ("orders:read" | "orders:write" | "catalogue:write" | "accounts:write" | "refunds:write" | "operate" | "metrics" | "admin")[];
                };
            };
        };
        responses: {
            /** @description The answer, the same for every retry */
            201: {
                headers: {
                    /** @description Until when a retry gets this very answer; later ones get the resource as it is then */
                    "Idempotency-Expires"?: string;
                    /** @description The key, as it was sent */
                    "Idempotency-Key"?: string;
                    /** @description Whether the request had been answered before; nothing was run then */
                    "Idempotent-Replayed"?: "true" | "false";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /**
                         * Format: date-time
                         * @description RFC 3339, UTC
                         */
                        createdAt: string;
                        expiresAt: string | null;
                        id: string;
                        /** @description The key itself, kept nowhere. A retry shows it to the credential that made it alone, until `Idempotency-Expires` */
                        key?: string;
                        lastUsedAt: string | null;
                        name: string;
                        /**
                         * Format: date-time
                         * @description RFC 3339, UTC
                         */
                        notBefore: string;
                        /**
                         * @description How the key begins; it opens nothing
                         * @example hf_main_1A2b…
                         */
                        prefix: string;
                        revokedAt: string | null;
                        scopes: string[];
                        /** @enum {unknown} */
                        status: "active" | "pending" | "expired" | "revoked";
                    };
                };
            };
            /** @description `malformed-request`, `idempotency-key-missing`, `idempotency-key-invalid`, `invalid-request`, `malformed-json`, `body-too-large` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `insufficient-scope` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-in-progress`, `conflict` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `idempotency-key-expired` */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unsupported-media-type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `idempotency-key-reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `headers-too-large` */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `internal` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `store-unavailable`, `try-again` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
        };
    };
    getApiKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /**
                         * Format: date-time
                         * @description RFC 3339, UTC
                         */
                        createdAt: string;
                        expiresAt: string | null;
                        id: string;
                        lastUsedAt: string | null;
                        name: string;
                        /**
                         * Format: date-time
                         * @description RFC 3339, UTC
                         */
                        notBefore: string;
                        /**
                         * @description How the key begins; it opens nothing
                         * @example hf_main_1A2b…
                         */
                        prefix: string;
                        revokedAt: string | null;
                        scopes: string[];
                        /** @enum {unknown} */
                        status: "active" | "pending" | "expired" | "revoked";
                    };
                };
            };
            /** @description `malformed-request`, `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `insufficient-scope` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `headers-too-large` */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `internal` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `store-unavailable`, `try-again` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
        };
    };
    revokeApiKey: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Why it is done, for the audit log: up to 200 printable ASCII characters, and nothing about a person
                 * @example stocktaking of 2026-11-30
                 */
                "audit-reason"?: string;
                /**
                 * @description A new one for every operation, the same one for every retry: 16 to 128 of `[A-Za-z0-9._~:-]`, best a new UUIDv7
                 * @example till-7~20260314T092653589Z~order
                 */
                "idempotency-key"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer, the same for every retry */
            200: {
                headers: {
                    /** @description Until when a retry gets this very answer; later ones get the resource as it is then */
                    "Idempotency-Expires"?: string;
                    /** @description The key, as it was sent */
                    "Idempotency-Key"?: string;
                    /** @description Whether the request had been answered before; nothing was run then */
                    "Idempotent-Replayed"?: "true" | "false";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /**
                         * Format: date-time
                         * @description RFC 3339, UTC
                         */
                        createdAt: string;
                        expiresAt: string | null;
                        id: string;
                        lastUsedAt: string | null;
                        name: string;
                        /**
                         * Format: date-time
                         * @description RFC 3339, UTC
                         */
                        notBefore: string;
                        /**
                         * @description How the key begins; it opens nothing
                         * @example hf_main_1A2b…
                         */
                        prefix: string;
                        revokedAt: string | null;
                        scopes: string[];
                        /** @enum {unknown} */
                        status: "active" | "pending" | "expired" | "revoked";
                    };
                };
            };
            /** @description `malformed-request`, `idempotency-key-invalid`, `invalid-request`, `malformed-json`, `body-too-large` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `insufficient-scope` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-in-progress` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `idempotency-key-expired` */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unsupported-media-type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `idempotency-key-reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `headers-too-large` */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `internal` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `store-unavailable`, `try-again` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
        };
    };
    listAudit: {
        parameters: {
            query?: {
                /** @description Only changes asked for by this one */
                actor?: string;
                cursor?: string;
                /**
                 * @description Only changes asked for from this instant on
                 * @example 2026-11-30T00:00:00Z
                 */
                from?: string;
                /** @description 1 to 100; 20 when absent */
                limit?: string;
                status?: "processing" | "awaiting_payment" | "completed" | "compensating" | "failed" | "cancelled" | "parked";
                /**
                 * @description Only changes of what has this path
                 * @example /v1/accounts/ada
                 */
                target?: string;
                /**
                 * @description Only changes asked for before this instant
                 * @example 2026-11-30T00:00:00Z
                 */
                to?: string;
                /** @description The operationId of the route */
                verb?: "refundOrder" | "adjustStock" | "adjustAccount" | "putStock" | "putAccount" | "cancelOrder" | "dispatchOrder" | "resumeSaga" | "retrySaga" | "compensateSaga" | "makeApiKey" | "revokeApiKey";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        entries: {
                            /** @description The API key that asked for it, by what may be shown of it */
                            actor: string;
                            after: {
                                [key: string]: unknown;
                            } | null;
                            /** @description What was to be set, added or given back */
                            asked: {
                                [key: string]: unknown;
                            };
                            /**
                             * Format: date-time
                             * @description When it was asked for. RFC 3339, UTC
                             */
                            at: string;
                            before: {
                                [key: string]: unknown;
                            } | null;
                            code: string | null;
                            decidedAt: string | null;
                            id: string;
                            /**
                             * @description `open`: not decided yet, or the answer was lost; a retry under its key decides it. `done` of a refund: accepted
                             * @enum {unknown}
                             */
                            outcome: "open" | "done" | "refused";
                            reason: string | null;
                            /** @description `X-Request-Id` of the request, or what the log calls it by */
                            requestId: string;
                            /** @description Path of what was to be changed */
                            target: string;
                            traceId: string;
                            /**
                             * @description The operationId of the route
                             * @enum {unknown}
                             */
                            verb: "refundOrder" | "adjustStock" | "adjustAccount" | "putStock" | "putAccount" | "cancelOrder" | "dispatchOrder" | "resumeSaga" | "retrySaga" | "compensateSaga" | "makeApiKey" | "revokeApiKey";
                        }[];
                        nextCursor: string | null;
                    };
                };
            };
            /** @description `malformed-request`, `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `insufficient-scope` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `headers-too-large` */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `internal` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `store-unavailable`, `try-again` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
        };
    };
    getConfig: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description A regular expression */
                        idempotencyKeyGrammar: string;
                        /**
                         * @description How long the first answer is replayed; ISO 8601
                         * @example P1D
                         */
                        idempotencyKeyLifetime: string;
                        /**
                         * @description How long a key is remembered at least; ISO 8601. An older UUIDv7 or ULID that is not known is refused
                         * @example P30D
                         */
                        tombstoneLifetime: string;
                    };
                };
            };
            /** @description `malformed-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `insufficient-scope` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `headers-too-large` */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `internal` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `store-unavailable` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
        };
    };
    getIdempotencyKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description 16 to 128 of `[A-Za-z0-9._~:-]` */
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /**
                         * Format: date-time
                         * @description RFC 3339, UTC
                         */
                        createdAt: string;
                        /**
                         * Format: date-time
                         * @description RFC 3339, UTC
                         */
                        expiresAt: string;
                        /**
                         * @description Method and path template
                         * @example POST /v1/orders
                         */
                        operation: string;
                        /** @description Path of what the operation made or changed */
                        resource: string;
                        /**
                         * @description `expired`: a retry gets the resource as it is now instead of the first answer; nothing runs
                         * @enum {unknown}
                         */
                        state: "in_progress" | "answered" | "expired";
                    };
                };
            };
            /** @description `malformed-request`, `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `insufficient-scope` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `headers-too-large` */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `internal` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `store-unavailable`, `try-again` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
        };
    };
    listOrders: {
        parameters: {
            query?: {
                cursor?: string;
                /** @description 1 to 100; 20 when absent */
                limit?: string;
                status?: "processing" | "awaiting_payment" | "completed" | "compensating" | "failed" | "cancelled" | "parked";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        nextCursor: string | null;
                        orders: {
                            /** @description Only of an order that is captured when it is dispatched */
                            capture?: {
                                /** @description Minor units that were captured */
                                amount: number;
                                expiresAt: string | null;
                                /**
                                 * @description `expired`: it can’t be captured any more: cancel the order. `released`: nothing was taken, and the order is turned back
                                 * @enum {unknown}
                                 */
                                status: "pending" | "authorized" | "capturing" | "captured" | "expired" | "releasing" | "released";
                            };
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC
                             */
                            createdAt: string;
                            /**
                             * @description ISO 4217, one that is in use
                             * @example EUR
                             */
                            currency: string;
                            /** @description The shop’s own name of a customer. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                            customerId: string;
                            /** @description Only where there are any: the newest, newest first */
                            disputes?: {
                                /** @description Minor units */
                                amount: number;
                                currency: string;
                                id: string;
                                /** Format: date-time */
                                openedAt: string;
                                /**
                                 * @description The provider’s word, as is `status`
                                 * @example fraudulent
                                 */
                                reason: string;
                                /**
                                 * @example needs_response
                                 * @example won
                                 * @example lost
                                 */
                                status: string;
                                /** Format: date-time */
                                updatedAt: string;
                            }[];
                            failure: {
                                message: string;
                                /** @description Of `PRICE_CHANGED`: the prices as they were when the order failed, to be shown to the customer */
                                prices?: {
                                    /** @description All items, in the order’s order */
                                    items: {
                                        shownUnitPrice: number | null;
                                        /** @description The shop’s own name of an item. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                                        sku: string;
                                        /** @description Minor units of the currency: of EUR 1/100, of JPY 1, of KWD 1/1000 */
                                        unitPrice: number;
                                    }[];
                                    shownTotal: number | null;
                                    total: number | null;
                                };
                                /** @description One of the failure reasons of docs/errors.md */
                                reason: string;
                                step: string;
                            } | null;
                            id: string;
                            items: {
                                name?: string;
                                quantity: number;
                                /** @description The shop’s own name of an item. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                                sku: string;
                                unitPrice: number | null;
                            }[];
                            /** @description Amounts beside the items, as the shop has worked them out: added up, never computed */
                            lines?: {
                                /** @description Minor units; 0 or below for a discount, 0 or above for all others */
                                amount: number;
                                /** @enum {unknown} */
                                kind: "shipping" | "tax" | "discount" | "fee";
                                /** @description For people; carried */
                                name: string;
                            }[];
                            /** @description Up to 50, of names of 1 to 40 characters and values of up to 500; carried */
                            metadata?: {
                                [key: string]: string;
                            };
                            nextAction: {
                                /** @description For Stripe.js on the shop’s page */
                                clientSecret?: string;
                                /**
                                 * Format: date-time
                                 * @description RFC 3339, UTC: until when the customer can act
                                 */
                                expiresAt?: string;
                                /** @description The bank’s page */
                                redirectUrl?: string;
                                /**
                                 * @description `confirm`: pay on the shop’s page. `authenticate`: let the page ask for the bank. `redirect`: send the customer to `redirectUrl`. `processing`: nothing is to be done, the bank decides
                                 * @enum {unknown}
                                 */
                                type: "confirm" | "authenticate" | "redirect" | "processing";
                            } | null;
                            paymentId: string | null;
                            reference?: string;
                            /** @description Minor units that were given back by now */
                            refunded: number;
                            /** @description The newest, newest first; `GET /v1/orders/{id}/refunds` has all */
                            refunds: {
                                /** @description Minor units of the currency: of EUR 1/100, of JPY 1, of KWD 1/1000 */
                                amount: number;
                                /**
                                 * Format: date-time
                                 * @description RFC 3339, UTC
                                 */
                                createdAt: string;
                                /**
                                 * @description ISO 4217, one that is in use
                                 * @example EUR
                                 */
                                currency: string;
                                failure: {
                                    message: string;
                                    /** @description One of the failure reasons of docs/errors.md */
                                    reason: string;
                                    step: string;
                                } | null;
                                id: string;
                                lines: {
                                    quantity: number;
                                    /** @description Whether it goes back to stock */
                                    restock: boolean;
                                    /** @description The shop’s own name of an item. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                                    sku: string;
                                }[];
                                orderId: string;
                                /**
                                 * @description `provider`: made at the payment provider, and learned from it
                                 * @enum {unknown}
                                 */
                                origin: "api" | "provider";
                                reason: string | null;
                                /**
                                 * @description `pending`: the provider has taken it on. `failed`: not given back; also where the provider says so later
                                 * @enum {unknown}
                                 */
                                status: "processing" | "pending" | "succeeded" | "failed" | "parked";
                                /**
                                 * Format: date-time
                                 * @description RFC 3339, UTC
                                 */
                                updatedAt: string;
                            }[];
                            reservationId: string | null;
                            shipmentId: string | null;
                            /** @enum {unknown} */
                            status: "processing" | "awaiting_payment" | "completed" | "compensating" | "failed" | "cancelled" | "parked";
                            total: number | null;
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC
                             */
                            updatedAt: string;
                        }[];
                    };
                };
            };
            /** @description `malformed-request`, `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `insufficient-scope` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `headers-too-large` */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `internal` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `store-unavailable`, `try-again` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
        };
    };
    placeOrder: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description A new one for every operation, the same one for every retry: 16 to 128 of `[A-Za-z0-9._~:-]`, best a new UUIDv7
                 * @example till-7~20260314T092653589Z~order
                 */
                "idempotency-key": string;
                /** @description `wait=N`: wait up to N seconds (at most 30) for the terminal status, or until the customer has to act (RFC 7240) */
                prefer?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description ISO 4217, one that is in use
                     * @example EUR
                     */
                    currency: string;
                    /** @description The shop’s own name of a customer. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                    customerId: string;
                    /** @description The total that the customer was shown; another one: `PRICE_CHANGED` */
                    expectedTotal?: number;
                    /** @description Every SKU at most once */
                    items: {
                        /** @description For people; carried */
                        name?: string;
                        quantity: number;
                        /** @description The shop’s own name of an item. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                        sku: string;
                        /** @description The price that the customer was shown; another one: `PRICE_CHANGED` */
                        unitPrice?: number;
                    }[];
                    /** @description Amounts beside the items, as the shop has worked them out: added up, never computed */
                    lines?: {
                        /** @description Minor units; 0 or below for a discount, 0 or above for all others */
                        amount: number;
                        /** @enum {unknown} */
                        kind: "shipping" | "tax" | "discount" | "fee";
                        /** @description For people; carried */
                        name: string;
                    }[];
                    /** @description Up to 50, of names of 1 to 40 characters and values of up to 500; carried */
                    metadata?: {
                        [key: string]: string;
                    };
                    payment: {
                        /**
                         * @description `on_dispatch`, by card: the amount is only authorised, and captured by `POST /v1/orders/{id}/dispatch`. `on_order` when left out
                         * @enum {unknown}
                         */
                        capture?: "on_order" | "on_dispatch";
                        /** @description Stripe’s customer, whose payment method it is */
                        customer?: string;
                        /**
                         * @description `balance` for the customer’s account, a Stripe payment method, or `card` (also when left out): the customer gives one on the shop’s page, which confirms the payment with the order’s `nextAction.clientSecret`
                         * @example balance
                         * @example pm_card_visa
                         * @example card
                         */
                        method?: string;
                        /** @description The customer is not there: a bank that wants to be asked makes the order fail at once */
                        offSession?: boolean;
                        /** @description Where the bank sends the customer back to */
                        returnUrl?: string;
                    };
                    /** @description The shop’s own number of the order; carried */
                    reference?: string;
                    shipTo: {
                        city: string;
                        company?: string;
                        /**
                         * @description ISO 3166-1 alpha-2
                         * @example DE
                         */
                        country: string;
                        line1: string;
                        line2?: string;
                        name: string;
                        /**
                         * @description For the carrier
                         * @example +49 30 123456
                         */
                        phone?: string;
                        /** @description By the country’s rule; left out where it has none (Hong Kong) */
                        postalCode?: string;
                        /** @description State, province, prefecture … */
                        region?: string;
                    };
                };
            };
        };
        responses: {
            /** @description The answer, the same for every retry */
            201: {
                headers: {
                    /** @description Until when a retry gets this very answer; later ones get the resource as it is then */
                    "Idempotency-Expires"?: string;
                    /** @description The key, as it was sent */
                    "Idempotency-Key"?: string;
                    /** @description Whether the request had been answered before; nothing was run then */
                    "Idempotent-Replayed"?: "true" | "false";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Only of an order that is captured when it is dispatched */
                        capture?: {
                            /** @description Minor units that were captured */
                            amount: number;
                            expiresAt: string | null;
                            /**
                             * @description `expired`: it can’t be captured any more: cancel the order. `released`: nothing was taken, and the order is turned back
                             * @enum {unknown}
                             */
                            status: "pending" | "authorized" | "capturing" | "captured" | "expired" | "releasing" | "released";
                        };
                        /**
                         * Format: date-time
                         * @description RFC 3339, UTC
                         */
                        createdAt: string;
                        /**
                         * @description ISO 4217, one that is in use
                         * @example EUR
                         */
                        currency: string;
                        /** @description The shop’s own name of a customer. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                        customerId: string;
                        /** @description Only where there are any: the newest, newest first */
                        disputes?: {
                            /** @description Minor units */
                            amount: number;
                            currency: string;
                            id: string;
                            /** Format: date-time */
                            openedAt: string;
                            /**
                             * @description The provider’s word, as is `status`
                             * @example fraudulent
                             */
                            reason: string;
                            /**
                             * @example needs_response
                             * @example won
                             * @example lost
                             */
                            status: string;
                            /** Format: date-time */
                            updatedAt: string;
                        }[];
                        failure: {
                            message: string;
                            /** @description Of `PRICE_CHANGED`: the prices as they were when the order failed, to be shown to the customer */
                            prices?: {
                                /** @description All items, in the order’s order */
                                items: {
                                    shownUnitPrice: number | null;
                                    /** @description The shop’s own name of an item. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                                    sku: string;
                                    /** @description Minor units of the currency: of EUR 1/100, of JPY 1, of KWD 1/1000 */
                                    unitPrice: number;
                                }[];
                                shownTotal: number | null;
                                total: number | null;
                            };
                            /** @description One of the failure reasons of docs/errors.md */
                            reason: string;
                            step: string;
                        } | null;
                        id: string;
                        items: {
                            name?: string;
                            quantity: number;
                            /** @description The shop’s own name of an item. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                            sku: string;
                            unitPrice: number | null;
                        }[];
                        /** @description Amounts beside the items, as the shop has worked them out: added up, never computed */
                        lines?: {
                            /** @description Minor units; 0 or below for a discount, 0 or above for all others */
                            amount: number;
                            /** @enum {unknown} */
                            kind: "shipping" | "tax" | "discount" | "fee";
                            /** @description For people; carried */
                            name: string;
                        }[];
                        /** @description Up to 50, of names of 1 to 40 characters and values of up to 500; carried */
                        metadata?: {
                            [key: string]: string;
                        };
                        nextAction: {
                            /** @description For Stripe.js on the shop’s page */
                            clientSecret?: string;
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC: until when the customer can act
                             */
                            expiresAt?: string;
                            /** @description The bank’s page */
                            redirectUrl?: string;
                            /**
                             * @description `confirm`: pay on the shop’s page. `authenticate`: let the page ask for the bank. `redirect`: send the customer to `redirectUrl`. `processing`: nothing is to be done, the bank decides
                             * @enum {unknown}
                             */
                            type: "confirm" | "authenticate" | "redirect" | "processing";
                        } | null;
                        paymentId: string | null;
                        reference?: string;
                        /** @description Minor units that were given back by now */
                        refunded: number;
                        /** @description The newest, newest first; `GET /v1/orders/{id}/refunds` has all */
                        refunds: {
                            /** @description Minor units of the currency: of EUR 1/100, of JPY 1, of KWD 1/1000 */
                            amount: number;
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC
                             */
                            createdAt: string;
                            /**
                             * @description ISO 4217, one that is in use
                             * @example EUR
                             */
                            currency: string;
                            failure: {
                                message: string;
                                /** @description One of the failure reasons of docs/errors.md */
                                reason: string;
                                step: string;
                            } | null;
                            id: string;
                            lines: {
                                quantity: number;
                                /** @description Whether it goes back to stock */
                                restock: boolean;
                                /** @description The shop’s own name of an item. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                                sku: string;
                            }[];
                            orderId: string;
                            /**
                             * @description `provider`: made at the payment provider, and learned from it
                             * @enum {unknown}
                             */
                            origin: "api" | "provider";
                            reason: string | null;
                            /**
                             * @description `pending`: the provider has taken it on. `failed`: not given back; also where the provider says so later
                             * @enum {unknown}
                             */
                            status: "processing" | "pending" | "succeeded" | "failed" | "parked";
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC
                             */
                            updatedAt: string;
                        }[];
                        reservationId: string | null;
                        shipmentId: string | null;
                        /** @enum {unknown} */
                        status: "processing" | "awaiting_payment" | "completed" | "compensating" | "failed" | "cancelled" | "parked";
                        total: number | null;
                        /**
                         * Format: date-time
                         * @description RFC 3339, UTC
                         */
                        updatedAt: string;
                    };
                };
            };
            /** @description `malformed-request`, `idempotency-key-missing`, `idempotency-key-invalid`, `invalid-request`, `malformed-json`, `body-too-large` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `insufficient-scope` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-in-progress` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `idempotency-key-expired` */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unsupported-media-type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `idempotency-key-reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `headers-too-large` */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `internal` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `store-unavailable`, `try-again` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
        };
    };
    getOrder: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Only of an order that is captured when it is dispatched */
                        capture?: {
                            /** @description Minor units that were captured */
                            amount: number;
                            expiresAt: string | null;
                            /**
                             * @description `expired`: it can’t be captured any more: cancel the order. `released`: nothing was taken, and the order is turned back
                             * @enum {unknown}
                             */
                            status: "pending" | "authorized" | "capturing" | "captured" | "expired" | "releasing" | "released";
                        };
                        /**
                         * Format: date-time
                         * @description RFC 3339, UTC
                         */
                        createdAt: string;
                        /**
                         * @description ISO 4217, one that is in use
                         * @example EUR
                         */
                        currency: string;
                        /** @description The shop’s own name of a customer. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                        customerId: string;
                        /** @description Only where there are any: the newest, newest first */
                        disputes?: {
                            /** @description Minor units */
                            amount: number;
                            currency: string;
                            id: string;
                            /** Format: date-time */
                            openedAt: string;
                            /**
                             * @description The provider’s word, as is `status`
                             * @example fraudulent
                             */
                            reason: string;
                            /**
                             * @example needs_response
                             * @example won
                             * @example lost
                             */
                            status: string;
                            /** Format: date-time */
                            updatedAt: string;
                        }[];
                        failure: {
                            message: string;
                            /** @description Of `PRICE_CHANGED`: the prices as they were when the order failed, to be shown to the customer */
                            prices?: {
                                /** @description All items, in the order’s order */
                                items: {
                                    shownUnitPrice: number | null;
                                    /** @description The shop’s own name of an item. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                                    sku: string;
                                    /** @description Minor units of the currency: of EUR 1/100, of JPY 1, of KWD 1/1000 */
                                    unitPrice: number;
                                }[];
                                shownTotal: number | null;
                                total: number | null;
                            };
                            /** @description One of the failure reasons of docs/errors.md */
                            reason: string;
                            step: string;
                        } | null;
                        id: string;
                        items: {
                            name?: string;
                            quantity: number;
                            /** @description The shop’s own name of an item. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                            sku: string;
                            unitPrice: number | null;
                        }[];
                        /** @description Amounts beside the items, as the shop has worked them out: added up, never computed */
                        lines?: {
                            /** @description Minor units; 0 or below for a discount, 0 or above for all others */
                            amount: number;
                            /** @enum {unknown} */
                            kind: "shipping" | "tax" | "discount" | "fee";
                            /** @description For people; carried */
                            name: string;
                        }[];
                        /** @description Up to 50, of names of 1 to 40 characters and values of up to 500; carried */
                        metadata?: {
                            [key: string]: string;
                        };
                        nextAction: {
                            /** @description For Stripe.js on the shop’s page */
                            clientSecret?: string;
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC: until when the customer can act
                             */
                            expiresAt?: string;
                            /** @description The bank’s page */
                            redirectUrl?: string;
                            /**
                             * @description `confirm`: pay on the shop’s page. `authenticate`: let the page ask for the bank. `redirect`: send the customer to `redirectUrl`. `processing`: nothing is to be done, the bank decides
                             * @enum {unknown}
                             */
                            type: "confirm" | "authenticate" | "redirect" | "processing";
                        } | null;
                        paymentId: string | null;
                        reference?: string;
                        /** @description Minor units that were given back by now */
                        refunded: number;
                        /** @description The newest, newest first; `GET /v1/orders/{id}/refunds` has all */
                        refunds: {
                            /** @description Minor units of the currency: of EUR 1/100, of JPY 1, of KWD 1/1000 */
                            amount: number;
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC
                             */
                            createdAt: string;
                            /**
                             * @description ISO 4217, one that is in use
                             * @example EUR
                             */
                            currency: string;
                            failure: {
                                message: string;
                                /** @description One of the failure reasons of docs/errors.md */
                                reason: string;
                                step: string;
                            } | null;
                            id: string;
                            lines: {
                                quantity: number;
                                /** @description Whether it goes back to stock */
                                restock: boolean;
                                /** @description The shop’s own name of an item. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                                sku: string;
                            }[];
                            orderId: string;
                            /**
                             * @description `provider`: made at the payment provider, and learned from it
                             * @enum {unknown}
                             */
                            origin: "api" | "provider";
                            reason: string | null;
                            /**
                             * @description `pending`: the provider has taken it on. `failed`: not given back; also where the provider says so later
                             * @enum {unknown}
                             */
                            status: "processing" | "pending" | "succeeded" | "failed" | "parked";
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC
                             */
                            updatedAt: string;
                        }[];
                        reservationId: string | null;
                        shipmentId: string | null;
                        /** @enum {unknown} */
                        status: "processing" | "awaiting_payment" | "completed" | "compensating" | "failed" | "cancelled" | "parked";
                        total: number | null;
                        /**
                         * Format: date-time
                         * @description RFC 3339, UTC
                         */
                        updatedAt: string;
                    };
                };
            };
            /** @description `malformed-request`, `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `insufficient-scope` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `headers-too-large` */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `internal` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `store-unavailable`, `try-again` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
        };
    };
    cancelOrder: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Why it is done, for the audit log: up to 200 printable ASCII characters, and nothing about a person
                 * @example stocktaking of 2026-11-30
                 */
                "audit-reason"?: string;
                /**
                 * @description A new one for every operation, the same one for every retry: 16 to 128 of `[A-Za-z0-9._~:-]`, best a new UUIDv7
                 * @example till-7~20260314T092653589Z~order
                 */
                "idempotency-key"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer, the same for every retry */
            200: {
                headers: {
                    /** @description Until when a retry gets this very answer; later ones get the resource as it is then */
                    "Idempotency-Expires"?: string;
                    /** @description The key, as it was sent */
                    "Idempotency-Key"?: string;
                    /** @description Whether the request had been answered before; nothing was run then */
                    "Idempotent-Replayed"?: "true" | "false";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Only of an order that is captured when it is dispatched */
                        capture?: {
                            /** @description Minor units that were captured */
                            amount: number;
                            expiresAt: string | null;
                            /**
                             * @description `expired`: it can’t be captured any more: cancel the order. `released`: nothing was taken, and the order is turned back
                             * @enum {unknown}
                             */
                            status: "pending" | "authorized" | "capturing" | "captured" | "expired" | "releasing" | "released";
                        };
                        /**
                         * Format: date-time
                         * @description RFC 3339, UTC
                         */
                        createdAt: string;
                        /**
                         * @description ISO 4217, one that is in use
                         * @example EUR
                         */
                        currency: string;
                        /** @description The shop’s own name of a customer. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                        customerId: string;
                        /** @description Only where there are any: the newest, newest first */
                        disputes?: {
                            /** @description Minor units */
                            amount: number;
                            currency: string;
                            id: string;
                            /** Format: date-time */
                            openedAt: string;
                            /**
                             * @description The provider’s word, as is `status`
                             * @example fraudulent
                             */
                            reason: string;
                            /**
                             * @example needs_response
                             * @example won
                             * @example lost
                             */
                            status: string;
                            /** Format: date-time */
                            updatedAt: string;
                        }[];
                        failure: {
                            message: string;
                            /** @description Of `PRICE_CHANGED`: the prices as they were when the order failed, to be shown to the customer */
                            prices?: {
                                /** @description All items, in the order’s order */
                                items: {
                                    shownUnitPrice: number | null;
                                    /** @description The shop’s own name of an item. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                                    sku: string;
                                    /** @description Minor units of the currency: of EUR 1/100, of JPY 1, of KWD 1/1000 */
                                    unitPrice: number;
                                }[];
                                shownTotal: number | null;
                                total: number | null;
                            };
                            /** @description One of the failure reasons of docs/errors.md */
                            reason: string;
                            step: string;
                        } | null;
                        id: string;
                        items: {
                            name?: string;
                            quantity: number;
                            /** @description The shop’s own name of an item. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                            sku: string;
                            unitPrice: number | null;
                        }[];
                        /** @description Amounts beside the items, as the shop has worked them out: added up, never computed */
                        lines?: {
                            /** @description Minor units; 0 or below for a discount, 0 or above for all others */
                            amount: number;
                            /** @enum {unknown} */
                            kind: "shipping" | "tax" | "discount" | "fee";
                            /** @description For people; carried */
                            name: string;
                        }[];
                        /** @description Up to 50, of names of 1 to 40 characters and values of up to 500; carried */
                        metadata?: {
                            [key: string]: string;
                        };
                        nextAction: {
                            /** @description For Stripe.js on the shop’s page */
                            clientSecret?: string;
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC: until when the customer can act
                             */
                            expiresAt?: string;
                            /** @description The bank’s page */
                            redirectUrl?: string;
                            /**
                             * @description `confirm`: pay on the shop’s page. `authenticate`: let the page ask for the bank. `redirect`: send the customer to `redirectUrl`. `processing`: nothing is to be done, the bank decides
                             * @enum {unknown}
                             */
                            type: "confirm" | "authenticate" | "redirect" | "processing";
                        } | null;
                        paymentId: string | null;
                        reference?: string;
                        /** @description Minor units that were given back by now */
                        refunded: number;
                        /** @description The newest, newest first; `GET /v1/orders/{id}/refunds` has all */
                        refunds: {
                            /** @description Minor units of the currency: of EUR 1/100, of JPY 1, of KWD 1/1000 */
                            amount: number;
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC
                             */
                            createdAt: string;
                            /**
                             * @description ISO 4217, one that is in use
                             * @example EUR
                             */
                            currency: string;
                            failure: {
                                message: string;
                                /** @description One of the failure reasons of docs/errors.md */
                                reason: string;
                                step: string;
                            } | null;
                            id: string;
                            lines: {
                                quantity: number;
                                /** @description Whether it goes back to stock */
                                restock: boolean;
                                /** @description The shop’s own name of an item. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                                sku: string;
                            }[];
                            orderId: string;
                            /**
                             * @description `provider`: made at the payment provider, and learned from it
                             * @enum {unknown}
                             */
                            origin: "api" | "provider";
                            reason: string | null;
                            /**
                             * @description `pending`: the provider has taken it on. `failed`: not given back; also where the provider says so later
                             * @enum {unknown}
                             */
                            status: "processing" | "pending" | "succeeded" | "failed" | "parked";
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC
                             */
                            updatedAt: string;
                        }[];
                        reservationId: string | null;
                        shipmentId: string | null;
                        /** @enum {unknown} */
                        status: "processing" | "awaiting_payment" | "completed" | "compensating" | "failed" | "cancelled" | "parked";
                        total: number | null;
                        /**
                         * Format: date-time
                         * @description RFC 3339, UTC
                         */
                        updatedAt: string;
                    };
                };
            };
            /** @description Default Response */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Only of an order that is captured when it is dispatched */
                        capture?: {
                            /** @description Minor units that were captured */
                            amount: number;
                            expiresAt: string | null;
                            /**
                             * @description `expired`: it can’t be captured any more: cancel the order. `released`: nothing was taken, and the order is turned back
                             * @enum {unknown}
                             */
                            status: "pending" | "authorized" | "capturing" | "captured" | "expired" | "releasing" | "released";
                        };
                        /**
                         * Format: date-time
                         * @description RFC 3339, UTC
                         */
                        createdAt: string;
                        /**
                         * @description ISO 4217, one that is in use
                         * @example EUR
                         */
                        currency: string;
                        /** @description The shop’s own name of a customer. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                        customerId: string;
                        /** @description Only where there are any: the newest, newest first */
                        disputes?: {
                            /** @description Minor units */
                            amount: number;
                            currency: string;
                            id: string;
                            /** Format: date-time */
                            openedAt: string;
                            /**
                             * @description The provider’s word, as is `status`
                             * @example fraudulent
                             */
                            reason: string;
                            /**
                             * @example needs_response
                             * @example won
                             * @example lost
                             */
                            status: string;
                            /** Format: date-time */
                            updatedAt: string;
                        }[];
                        failure: {
                            message: string;
                            /** @description Of `PRICE_CHANGED`: the prices as they were when the order failed, to be shown to the customer */
                            prices?: {
                                /** @description All items, in the order’s order */
                                items: {
                                    shownUnitPrice: number | null;
                                    /** @description The shop’s own name of an item. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                                    sku: string;
                                    /** @description Minor units of the currency: of EUR 1/100, of JPY 1, of KWD 1/1000 */
                                    unitPrice: number;
                                }[];
                                shownTotal: number | null;
                                total: number | null;
                            };
                            /** @description One of the failure reasons of docs/errors.md */
                            reason: string;
                            step: string;
                        } | null;
                        id: string;
                        items: {
                            name?: string;
                            quantity: number;
                            /** @description The shop’s own name of an item. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                            sku: string;
                            unitPrice: number | null;
                        }[];
                        /** @description Amounts beside the items, as the shop has worked them out: added up, never computed */
                        lines?: {
                            /** @description Minor units; 0 or below for a discount, 0 or above for all others */
                            amount: number;
                            /** @enum {unknown} */
                            kind: "shipping" | "tax" | "discount" | "fee";
                            /** @description For people; carried */
                            name: string;
                        }[];
                        /** @description Up to 50, of names of 1 to 40 characters and values of up to 500; carried */
                        metadata?: {
                            [key: string]: string;
                        };
                        nextAction: {
                            /** @description For Stripe.js on the shop’s page */
                            clientSecret?: string;
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC: until when the customer can act
                             */
                            expiresAt?: string;
                            /** @description The bank’s page */
                            redirectUrl?: string;
                            /**
                             * @description `confirm`: pay on the shop’s page. `authenticate`: let the page ask for the bank. `redirect`: send the customer to `redirectUrl`. `processing`: nothing is to be done, the bank decides
                             * @enum {unknown}
                             */
                            type: "confirm" | "authenticate" | "redirect" | "processing";
                        } | null;
                        paymentId: string | null;
                        reference?: string;
                        /** @description Minor units that were given back by now */
                        refunded: number;
                        /** @description The newest, newest first; `GET /v1/orders/{id}/refunds` has all */
                        refunds: {
                            /** @description Minor units of the currency: of EUR 1/100, of JPY 1, of KWD 1/1000 */
                            amount: number;
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC
                             */
                            createdAt: string;
                            /**
                             * @description ISO 4217, one that is in use
                             * @example EUR
                             */
                            currency: string;
                            failure: {
                                message: string;
                                /** @description One of the failure reasons of docs/errors.md */
                                reason: string;
                                step: string;
                            } | null;
                            id: string;
                            lines: {
                                quantity: number;
                                /** @description Whether it goes back to stock */
                                restock: boolean;
                                /** @description The shop’s own name of an item. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                                sku: string;
                            }[];
                            orderId: string;
                            /**
                             * @description `provider`: made at the payment provider, and learned from it
                             * @enum {unknown}
                             */
                            origin: "api" | "provider";
                            reason: string | null;
                            /**
                             * @description `pending`: the provider has taken it on. `failed`: not given back; also where the provider says so later
                             * @enum {unknown}
                             */
                            status: "processing" | "pending" | "succeeded" | "failed" | "parked";
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC
                             */
                            updatedAt: string;
                        }[];
                        reservationId: string | null;
                        shipmentId: string | null;
                        /** @enum {unknown} */
                        status: "processing" | "awaiting_payment" | "completed" | "compensating" | "failed" | "cancelled" | "parked";
                        total: number | null;
                        /**
                         * Format: date-time
                         * @description RFC 3339, UTC
                         */
                        updatedAt: string;
                    };
                };
            };
            /** @description `malformed-request`, `idempotency-key-invalid`, `invalid-request`, `malformed-json`, `body-too-large` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `insufficient-scope` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-in-progress`, `cancel-refused` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `idempotency-key-expired` */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unsupported-media-type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `idempotency-key-reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `headers-too-large` */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `internal` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `store-unavailable`, `try-again` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
        };
    };
    dispatchOrder: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Why it is done, for the audit log: up to 200 printable ASCII characters, and nothing about a person
                 * @example stocktaking of 2026-11-30
                 */
                "audit-reason"?: string;
                /**
                 * @description A new one for every operation, the same one for every retry: 16 to 128 of `[A-Za-z0-9._~:-]`, best a new UUIDv7
                 * @example till-7~20260314T092653589Z~order
                 */
                "idempotency-key"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Minor units to capture, of an order that is captured when it is dispatched: less than its total where not all of it is sent. The rest of the authorisation is given free. Left out: all of it */
                    amount?: number;
                } | null;
            };
        };
        responses: {
            /** @description The answer, the same for every retry */
            200: {
                headers: {
                    /** @description Until when a retry gets this very answer; later ones get the resource as it is then */
                    "Idempotency-Expires"?: string;
                    /** @description The key, as it was sent */
                    "Idempotency-Key"?: string;
                    /** @description Whether the request had been answered before; nothing was run then */
                    "Idempotent-Replayed"?: "true" | "false";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Minor units that were captured with it; only where the order was authorised before */
                        captured?: number;
                        /**
                         * Format: date-time
                         * @description RFC 3339, UTC
                         */
                        dispatchedAt: string;
                        /** @description The order’s */
                        id: string;
                        shipmentId: string;
                    };
                };
            };
            /** @description Default Response */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Only of an order that is captured when it is dispatched */
                        capture?: {
                            /** @description Minor units that were captured */
                            amount: number;
                            expiresAt: string | null;
                            /**
                             * @description `expired`: it can’t be captured any more: cancel the order. `released`: nothing was taken, and the order is turned back
                             * @enum {unknown}
                             */
                            status: "pending" | "authorized" | "capturing" | "captured" | "expired" | "releasing" | "released";
                        };
                        /**
                         * Format: date-time
                         * @description RFC 3339, UTC
                         */
                        createdAt: string;
                        /**
                         * @description ISO 4217, one that is in use
                         * @example EUR
                         */
                        currency: string;
                        /** @description The shop’s own name of a customer. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                        customerId: string;
                        /** @description Only where there are any: the newest, newest first */
                        disputes?: {
                            /** @description Minor units */
                            amount: number;
                            currency: string;
                            id: string;
                            /** Format: date-time */
                            openedAt: string;
                            /**
                             * @description The provider’s word, as is `status`
                             * @example fraudulent
                             */
                            reason: string;
                            /**
                             * @example needs_response
                             * @example won
                             * @example lost
                             */
                            status: string;
                            /** Format: date-time */
                            updatedAt: string;
                        }[];
                        failure: {
                            message: string;
                            /** @description Of `PRICE_CHANGED`: the prices as they were when the order failed, to be shown to the customer */
                            prices?: {
                                /** @description All items, in the order’s order */
                                items: {
                                    shownUnitPrice: number | null;
                                    /** @description The shop’s own name of an item. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                                    sku: string;
                                    /** @description Minor units of the currency: of EUR 1/100, of JPY 1, of KWD 1/1000 */
                                    unitPrice: number;
                                }[];
                                shownTotal: number | null;
                                total: number | null;
                            };
                            /** @description One of the failure reasons of docs/errors.md */
                            reason: string;
                            step: string;
                        } | null;
                        id: string;
                        items: {
                            name?: string;
                            quantity: number;
                            /** @description The shop’s own name of an item. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                            sku: string;
                            unitPrice: number | null;
                        }[];
                        /** @description Amounts beside the items, as the shop has worked them out: added up, never computed */
                        lines?: {
                            /** @description Minor units; 0 or below for a discount, 0 or above for all others */
                            amount: number;
                            /** @enum {unknown} */
                            kind: "shipping" | "tax" | "discount" | "fee";
                            /** @description For people; carried */
                            name: string;
                        }[];
                        /** @description Up to 50, of names of 1 to 40 characters and values of up to 500; carried */
                        metadata?: {
                            [key: string]: string;
                        };
                        nextAction: {
                            /** @description For Stripe.js on the shop’s page */
                            clientSecret?: string;
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC: until when the customer can act
                             */
                            expiresAt?: string;
                            /** @description The bank’s page */
                            redirectUrl?: string;
                            /**
                             * @description `confirm`: pay on the shop’s page. `authenticate`: let the page ask for the bank. `redirect`: send the customer to `redirectUrl`. `processing`: nothing is to be done, the bank decides
                             * @enum {unknown}
                             */
                            type: "confirm" | "authenticate" | "redirect" | "processing";
                        } | null;
                        paymentId: string | null;
                        reference?: string;
                        /** @description Minor units that were given back by now */
                        refunded: number;
                        /** @description The newest, newest first; `GET /v1/orders/{id}/refunds` has all */
                        refunds: {
                            /** @description Minor units of the currency: of EUR 1/100, of JPY 1, of KWD 1/1000 */
                            amount: number;
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC
                             */
                            createdAt: string;
                            /**
                             * @description ISO 4217, one that is in use
                             * @example EUR
                             */
                            currency: string;
                            failure: {
                                message: string;
                                /** @description One of the failure reasons of docs/errors.md */
                                reason: string;
                                step: string;
                            } | null;
                            id: string;
                            lines: {
                                quantity: number;
                                /** @description Whether it goes back to stock */
                                restock: boolean;
                                /** @description The shop’s own name of an item. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                                sku: string;
                            }[];
                            orderId: string;
                            /**
                             * @description `provider`: made at the payment provider, and learned from it
                             * @enum {unknown}
                             */
                            origin: "api" | "provider";
                            reason: string | null;
                            /**
                             * @description `pending`: the provider has taken it on. `failed`: not given back; also where the provider says so later
                             * @enum {unknown}
                             */
                            status: "processing" | "pending" | "succeeded" | "failed" | "parked";
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC
                             */
                            updatedAt: string;
                        }[];
                        reservationId: string | null;
                        shipmentId: string | null;
                        /** @enum {unknown} */
                        status: "processing" | "awaiting_payment" | "completed" | "compensating" | "failed" | "cancelled" | "parked";
                        total: number | null;
                        /**
                         * Format: date-time
                         * @description RFC 3339, UTC
                         */
                        updatedAt: string;
                    };
                };
            };
            /** @description `malformed-request`, `idempotency-key-invalid`, `invalid-request`, `malformed-json`, `body-too-large` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `insufficient-scope` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-in-progress`, `not-completed`, `authorization-expired`, `conflict` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `idempotency-key-expired` */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unsupported-media-type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `idempotency-key-reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `headers-too-large` */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `internal` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `store-unavailable`, `try-again`, `service-unavailable` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
        };
    };
    getOrderEffects: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        effects: {
                            /** @description Why it was refused, or why the participant could not be asked */
                            detail: string | null;
                            /** @description What the step has done, in the participant’s words; null once its answer has expired */
                            effect: {
                                [key: string]: unknown;
                            } | null;
                            /** @description The idempotency key under which the participant knows the step */
                            key: string;
                            /** @enum {unknown} */
                            participant: "inventory" | "payment" | "shipping";
                            /**
                             * @description `sealed`: undone, or never to run. `in_progress`: claimed, its outcome not known yet. `unreachable`: nothing is known
                             * @enum {unknown}
                             */
                            state: "completed" | "refused" | "sealed" | "in_progress" | "not_called" | "unreachable";
                            step: string;
                        }[];
                        orderId: string;
                        /** @description Of the newest refunds, newest first, as many as the order shows */
                        refunds: {
                            effects: {
                                /** @description Why it was refused, or why the participant could not be asked */
                                detail: string | null;
                                /** @description What the step has done, in the participant’s words; null once its answer has expired */
                                effect: {
                                    [key: string]: unknown;
                                } | null;
                                /** @description The idempotency key under which the participant knows the step */
                                key: string;
                                /** @enum {unknown} */
                                participant: "inventory" | "payment" | "shipping";
                                /**
                                 * @description `sealed`: undone, or never to run. `in_progress`: claimed, its outcome not known yet. `unreachable`: nothing is known
                                 * @enum {unknown}
                                 */
                                state: "completed" | "refused" | "sealed" | "in_progress" | "not_called" | "unreachable";
                                step: string;
                            }[];
                            id: string;
                        }[];
                        /** @enum {unknown} */
                        status: "processing" | "awaiting_payment" | "completed" | "compensating" | "failed" | "cancelled" | "parked";
                    };
                };
            };
            /** @description `malformed-request`, `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `insufficient-scope` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `headers-too-large` */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `internal` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `store-unavailable`, `try-again` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
        };
    };
    watchOrder: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A stream of orders */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description `malformed-request`, `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `insufficient-scope` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `headers-too-large` */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `internal` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `store-unavailable`, `try-again` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
        };
    };
    listRefunds: {
        parameters: {
            query?: {
                cursor?: string;
                /** @description 1 to 100; 20 when absent */
                limit?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        nextCursor: string | null;
                        refunds: {
                            /** @description Minor units of the currency: of EUR 1/100, of JPY 1, of KWD 1/1000 */
                            amount: number;
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC
                             */
                            createdAt: string;
                            /**
                             * @description ISO 4217, one that is in use
                             * @example EUR
                             */
                            currency: string;
                            failure: {
                                message: string;
                                /** @description One of the failure reasons of docs/errors.md */
                                reason: string;
                                step: string;
                            } | null;
                            id: string;
                            lines: {
                                quantity: number;
                                /** @description Whether it goes back to stock */
                                restock: boolean;
                                /** @description The shop’s own name of an item. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                                sku: string;
                            }[];
                            orderId: string;
                            /**
                             * @description `provider`: made at the payment provider, and learned from it
                             * @enum {unknown}
                             */
                            origin: "api" | "provider";
                            reason: string | null;
                            /**
                             * @description `pending`: the provider has taken it on. `failed`: not given back; also where the provider says so later
                             * @enum {unknown}
                             */
                            status: "processing" | "pending" | "succeeded" | "failed" | "parked";
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC
                             */
                            updatedAt: string;
                        }[];
                    };
                };
            };
            /** @description `malformed-request`, `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `insufficient-scope` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `headers-too-large` */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `internal` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `store-unavailable`, `try-again` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
        };
    };
    refundOrder: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Why it is done, for the audit log: up to 200 printable ASCII characters, and nothing about a person
                 * @example stocktaking of 2026-11-30
                 */
                "audit-reason"?: string;
                /**
                 * @description A new one for every operation, the same one for every retry: 16 to 128 of `[A-Za-z0-9._~:-]`, best a new UUIDv7
                 * @example till-7~20260314T092653589Z~order
                 */
                "idempotency-key": string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Minor units of the order’s currency. With `lines`: the shop’s own number, as of an order with a discount */
                    amount?: number;
                    /** @description What comes back, at the prices of the order when there is no `amount`. Every SKU at most once */
                    lines?: {
                        quantity: number;
                        /** @description Whether it goes back to stock */
                        restock: boolean;
                        /** @description The shop’s own name of an item. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                        sku: string;
                    }[];
                    reason?: string;
                };
            };
        };
        responses: {
            /** @description The answer, the same for every retry */
            201: {
                headers: {
                    /** @description Until when a retry gets this very answer; later ones get the resource as it is then */
                    "Idempotency-Expires"?: string;
                    /** @description The key, as it was sent */
                    "Idempotency-Key"?: string;
                    /** @description Whether the request had been answered before; nothing was run then */
                    "Idempotent-Replayed"?: "true" | "false";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Minor units of the currency: of EUR 1/100, of JPY 1, of KWD 1/1000 */
                        amount: number;
                        /**
                         * Format: date-time
                         * @description RFC 3339, UTC
                         */
                        createdAt: string;
                        /**
                         * @description ISO 4217, one that is in use
                         * @example EUR
                         */
                        currency: string;
                        failure: {
                            message: string;
                            /** @description One of the failure reasons of docs/errors.md */
                            reason: string;
                            step: string;
                        } | null;
                        id: string;
                        lines: {
                            quantity: number;
                            /** @description Whether it goes back to stock */
                            restock: boolean;
                            /** @description The shop’s own name of an item. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                            sku: string;
                        }[];
                        orderId: string;
                        /**
                         * @description `provider`: made at the payment provider, and learned from it
                         * @enum {unknown}
                         */
                        origin: "api" | "provider";
                        reason: string | null;
                        /**
                         * @description `pending`: the provider has taken it on. `failed`: not given back; also where the provider says so later
                         * @enum {unknown}
                         */
                        status: "processing" | "pending" | "succeeded" | "failed" | "parked";
                        /**
                         * Format: date-time
                         * @description RFC 3339, UTC
                         */
                        updatedAt: string;
                    };
                };
            };
            /** @description `malformed-request`, `idempotency-key-missing`, `idempotency-key-invalid`, `invalid-request`, `malformed-json`, `body-too-large` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `insufficient-scope` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-in-progress`, `not-completed`, `not-captured` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `idempotency-key-expired` */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unsupported-media-type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `idempotency-key-reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `headers-too-large` */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `internal` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `store-unavailable`, `try-again` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
        };
    };
    getRefund: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                refundId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Minor units of the currency: of EUR 1/100, of JPY 1, of KWD 1/1000 */
                        amount: number;
                        /**
                         * Format: date-time
                         * @description RFC 3339, UTC
                         */
                        createdAt: string;
                        /**
                         * @description ISO 4217, one that is in use
                         * @example EUR
                         */
                        currency: string;
                        failure: {
                            message: string;
                            /** @description One of the failure reasons of docs/errors.md */
                            reason: string;
                            step: string;
                        } | null;
                        id: string;
                        lines: {
                            quantity: number;
                            /** @description Whether it goes back to stock */
                            restock: boolean;
                            /** @description The shop’s own name of an item. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                            sku: string;
                        }[];
                        orderId: string;
                        /**
                         * @description `provider`: made at the payment provider, and learned from it
                         * @enum {unknown}
                         */
                        origin: "api" | "provider";
                        reason: string | null;
                        /**
                         * @description `pending`: the provider has taken it on. `failed`: not given back; also where the provider says so later
                         * @enum {unknown}
                         */
                        status: "processing" | "pending" | "succeeded" | "failed" | "parked";
                        /**
                         * Format: date-time
                         * @description RFC 3339, UTC
                         */
                        updatedAt: string;
                    };
                };
            };
            /** @description `malformed-request`, `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `insufficient-scope` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `headers-too-large` */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `internal` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `store-unavailable`, `try-again` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
        };
    };
    listSagas: {
        parameters: {
            query?: {
                cursor?: string;
                /** @description 1 to 100; 20 when absent */
                limit?: string;
                /** @description Only sagas begun at least this many seconds ago */
                minAge?: string;
                status?: "processing" | "waiting" | "completed" | "compensating" | "failed" | "cancelled" | "parked";
                /**
                 * @description Only sagas that have not ended and stand at this step
                 * @example charge-payment
                 */
                step?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        nextCursor: string | null;
                        sagas: {
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC
                             */
                            deadlineAt: string;
                            definition: string;
                            endedAt: string | null;
                            epoch: number;
                            failure: {
                                message: string;
                                /** @description One of the failure reasons of docs/errors.md */
                                reason: string;
                                step: string;
                            } | null;
                            id: string;
                            parked: {
                                /**
                                 * Format: date-time
                                 * @description RFC 3339, UTC
                                 */
                                at: string;
                                attempts: number;
                                detail: string;
                                direction: string;
                                /** @description Of `FENCED`: the epoch that the participant has seen; a resume goes on above it */
                                fenceEpoch?: number;
                                reason: string;
                                step: string;
                            } | null;
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC
                             */
                            startedAt: string;
                            /** @enum {unknown} */
                            status: "processing" | "waiting" | "completed" | "compensating" | "failed" | "cancelled" | "parked";
                            step: string | null;
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC
                             */
                            updatedAt: string;
                        }[];
                    };
                };
            };
            /** @description `malformed-request`, `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `insufficient-scope` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `headers-too-large` */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `internal` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `store-unavailable`, `try-again` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
        };
    };
    getSaga: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Default Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        cancelRequestedAt: string | null;
                        /**
                         * Format: date-time
                         * @description RFC 3339, UTC
                         */
                        deadlineAt: string;
                        definition: string;
                        endedAt: string | null;
                        epoch: number;
                        failure: {
                            message: string;
                            /** @description One of the failure reasons of docs/errors.md */
                            reason: string;
                            step: string;
                        } | null;
                        id: string;
                        /** @description What operators have done, oldest first; `parked` says why the saga had been parked */
                        interventions: {
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC
                             */
                            at: string;
                            /** @description The one that the saga has had since */
                            epoch: number;
                            parked: {
                                /**
                                 * Format: date-time
                                 * @description RFC 3339, UTC
                                 */
                                at: string;
                                attempts: number;
                                detail: string;
                                direction: string;
                                /** @description Of `FENCED`: the epoch that the participant has seen; a resume goes on above it */
                                fenceEpoch?: number;
                                reason: string;
                                step: string;
                            } | null;
                            verb: "resume" | "retry" | "compensate";
                        }[];
                        ownerId: number;
                        parked: {
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC
                             */
                            at: string;
                            attempts: number;
                            detail: string;
                            direction: string;
                            /** @description Of `FENCED`: the epoch that the participant has seen; a resume goes on above it */
                            fenceEpoch?: number;
                            reason: string;
                            step: string;
                        } | null;
                        /**
                         * Format: date-time
                         * @description RFC 3339, UTC
                         */
                        startedAt: string;
                        /** @enum {unknown} */
                        status: "processing" | "waiting" | "completed" | "compensating" | "failed" | "cancelled" | "parked";
                        step: string | null;
                        steps: {
                            attempts: {
                                /** @description From 1, counted afresh by every owner */
                                attempt: number;
                                detail: string | null;
                                direction: "act" | "undo";
                                durationMs: number;
                                /**
                                 * Format: date-time
                                 * @description RFC 3339, UTC
                                 */
                                endedAt: string;
                                epoch: number;
                                outcome: string;
                                /**
                                 * Format: date-time
                                 * @description RFC 3339, UTC
                                 */
                                startedAt: string;
                            }[];
                            kind: string;
                            name: string;
                        }[];
                        /**
                         * Format: date-time
                         * @description RFC 3339, UTC
                         */
                        updatedAt: string;
                        waiting: {
                            reason: string;
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC
                             */
                            since: string;
                            step: string;
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC
                             */
                            until: string;
                        } | null;
                    };
                };
            };
            /** @description `malformed-request`, `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `insufficient-scope` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `headers-too-large` */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `internal` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `store-unavailable`, `try-again` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
        };
    };
    compensateSaga: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Why it is done, for the audit log: up to 200 printable ASCII characters, and nothing about a person
                 * @example stocktaking of 2026-11-30
                 */
                "audit-reason"?: string;
                /**
                 * @description A new one for every operation, the same one for every retry: 16 to 128 of `[A-Za-z0-9._~:-]`, best a new UUIDv7
                 * @example till-7~20260314T092653589Z~order
                 */
                "idempotency-key"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer, the same for every retry */
            200: {
                headers: {
                    /** @description Until when a retry gets this very answer; later ones get the resource as it is then */
                    "Idempotency-Expires"?: string;
                    /** @description The key, as it was sent */
                    "Idempotency-Key"?: string;
                    /** @description Whether the request had been answered before; nothing was run then */
                    "Idempotent-Replayed"?: "true" | "false";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        cancelRequestedAt: string | null;
                        /**
                         * Format: date-time
                         * @description RFC 3339, UTC
                         */
                        deadlineAt: string;
                        definition: string;
                        endedAt: string | null;
                        epoch: number;
                        failure: {
                            message: string;
                            /** @description One of the failure reasons of docs/errors.md */
                            reason: string;
                            step: string;
                        } | null;
                        id: string;
                        /** @description What operators have done, oldest first; `parked` says why the saga had been parked */
                        interventions: {
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC
                             */
                            at: string;
                            /** @description The one that the saga has had since */
                            epoch: number;
                            parked: {
                                /**
                                 * Format: date-time
                                 * @description RFC 3339, UTC
                                 */
                                at: string;
                                attempts: number;
                                detail: string;
                                direction: string;
                                /** @description Of `FENCED`: the epoch that the participant has seen; a resume goes on above it */
                                fenceEpoch?: number;
                                reason: string;
                                step: string;
                            } | null;
                            verb: "resume" | "retry" | "compensate";
                        }[];
                        ownerId: number;
                        parked: {
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC
                             */
                            at: string;
                            attempts: number;
                            detail: string;
                            direction: string;
                            /** @description Of `FENCED`: the epoch that the participant has seen; a resume goes on above it */
                            fenceEpoch?: number;
                            reason: string;
                            step: string;
                        } | null;
                        /**
                         * Format: date-time
                         * @description RFC 3339, UTC
                         */
                        startedAt: string;
                        /** @enum {unknown} */
                        status: "processing" | "waiting" | "completed" | "compensating" | "failed" | "cancelled" | "parked";
                        step: string | null;
                        steps: {
                            attempts: {
                                /** @description From 1, counted afresh by every owner */
                                attempt: number;
                                detail: string | null;
                                direction: "act" | "undo";
                                durationMs: number;
                                /**
                                 * Format: date-time
                                 * @description RFC 3339, UTC
                                 */
                                endedAt: string;
                                epoch: number;
                                outcome: string;
                                /**
                                 * Format: date-time
                                 * @description RFC 3339, UTC
                                 */
                                startedAt: string;
                            }[];
                            kind: string;
                            name: string;
                        }[];
                        /**
                         * Format: date-time
                         * @description RFC 3339, UTC
                         */
                        updatedAt: string;
                        waiting: {
                            reason: string;
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC
                             */
                            since: string;
                            step: string;
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC
                             */
                            until: string;
                        } | null;
                    };
                };
            };
            /** @description `malformed-request`, `idempotency-key-invalid`, `invalid-request`, `malformed-json`, `body-too-large` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `insufficient-scope` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-in-progress`, `cancel-refused` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `idempotency-key-expired` */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unsupported-media-type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `idempotency-key-reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `headers-too-large` */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `internal` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `store-unavailable`, `try-again` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
        };
    };
    resumeSaga: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Why it is done, for the audit log: up to 200 printable ASCII characters, and nothing about a person
                 * @example stocktaking of 2026-11-30
                 */
                "audit-reason"?: string;
                /**
                 * @description A new one for every operation, the same one for every retry: 16 to 128 of `[A-Za-z0-9._~:-]`, best a new UUIDv7
                 * @example till-7~20260314T092653589Z~order
                 */
                "idempotency-key"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer, the same for every retry */
            200: {
                headers: {
                    /** @description Until when a retry gets this very answer; later ones get the resource as it is then */
                    "Idempotency-Expires"?: string;
                    /** @description The key, as it was sent */
                    "Idempotency-Key"?: string;
                    /** @description Whether the request had been answered before; nothing was run then */
                    "Idempotent-Replayed"?: "true" | "false";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        cancelRequestedAt: string | null;
                        /**
                         * Format: date-time
                         * @description RFC 3339, UTC
                         */
                        deadlineAt: string;
                        definition: string;
                        endedAt: string | null;
                        epoch: number;
                        failure: {
                            message: string;
                            /** @description One of the failure reasons of docs/errors.md */
                            reason: string;
                            step: string;
                        } | null;
                        id: string;
                        /** @description What operators have done, oldest first; `parked` says why the saga had been parked */
                        interventions: {
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC
                             */
                            at: string;
                            /** @description The one that the saga has had since */
                            epoch: number;
                            parked: {
                                /**
                                 * Format: date-time
                                 * @description RFC 3339, UTC
                                 */
                                at: string;
                                attempts: number;
                                detail: string;
                                direction: string;
                                /** @description Of `FENCED`: the epoch that the participant has seen; a resume goes on above it */
                                fenceEpoch?: number;
                                reason: string;
                                step: string;
                            } | null;
                            verb: "resume" | "retry" | "compensate";
                        }[];
                        ownerId: number;
                        parked: {
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC
                             */
                            at: string;
                            attempts: number;
                            detail: string;
                            direction: string;
                            /** @description Of `FENCED`: the epoch that the participant has seen; a resume goes on above it */
                            fenceEpoch?: number;
                            reason: string;
                            step: string;
                        } | null;
                        /**
                         * Format: date-time
                         * @description RFC 3339, UTC
                         */
                        startedAt: string;
                        /** @enum {unknown} */
                        status: "processing" | "waiting" | "completed" | "compensating" | "failed" | "cancelled" | "parked";
                        step: string | null;
                        steps: {
                            attempts: {
                                /** @description From 1, counted afresh by every owner */
                                attempt: number;
                                detail: string | null;
                                direction: "act" | "undo";
                                durationMs: number;
                                /**
                                 * Format: date-time
                                 * @description RFC 3339, UTC
                                 */
                                endedAt: string;
                                epoch: number;
                                outcome: string;
                                /**
                                 * Format: date-time
                                 * @description RFC 3339, UTC
                                 */
                                startedAt: string;
                            }[];
                            kind: string;
                            name: string;
                        }[];
                        /**
                         * Format: date-time
                         * @description RFC 3339, UTC
                         */
                        updatedAt: string;
                        waiting: {
                            reason: string;
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC
                             */
                            since: string;
                            step: string;
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC
                             */
                            until: string;
                        } | null;
                    };
                };
            };
            /** @description `malformed-request`, `idempotency-key-invalid`, `invalid-request`, `malformed-json`, `body-too-large` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `insufficient-scope` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-in-progress`, `not-parked` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `idempotency-key-expired` */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unsupported-media-type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `idempotency-key-reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `headers-too-large` */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `internal` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `store-unavailable`, `try-again` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
        };
    };
    retrySaga: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Why it is done, for the audit log: up to 200 printable ASCII characters, and nothing about a person
                 * @example stocktaking of 2026-11-30
                 */
                "audit-reason"?: string;
                /**
                 * @description A new one for every operation, the same one for every retry: 16 to 128 of `[A-Za-z0-9._~:-]`, best a new UUIDv7
                 * @example till-7~20260314T092653589Z~order
                 */
                "idempotency-key"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer, the same for every retry */
            200: {
                headers: {
                    /** @description Until when a retry gets this very answer; later ones get the resource as it is then */
                    "Idempotency-Expires"?: string;
                    /** @description The key, as it was sent */
                    "Idempotency-Key"?: string;
                    /** @description Whether the request had been answered before; nothing was run then */
                    "Idempotent-Replayed"?: "true" | "false";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        cancelRequestedAt: string | null;
                        /**
                         * Format: date-time
                         * @description RFC 3339, UTC
                         */
                        deadlineAt: string;
                        definition: string;
                        endedAt: string | null;
                        epoch: number;
                        failure: {
                            message: string;
                            /** @description One of the failure reasons of docs/errors.md */
                            reason: string;
                            step: string;
                        } | null;
                        id: string;
                        /** @description What operators have done, oldest first; `parked` says why the saga had been parked */
                        interventions: {
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC
                             */
                            at: string;
                            /** @description The one that the saga has had since */
                            epoch: number;
                            parked: {
                                /**
                                 * Format: date-time
                                 * @description RFC 3339, UTC
                                 */
                                at: string;
                                attempts: number;
                                detail: string;
                                direction: string;
                                /** @description Of `FENCED`: the epoch that the participant has seen; a resume goes on above it */
                                fenceEpoch?: number;
                                reason: string;
                                step: string;
                            } | null;
                            verb: "resume" | "retry" | "compensate";
                        }[];
                        ownerId: number;
                        parked: {
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC
                             */
                            at: string;
                            attempts: number;
                            detail: string;
                            direction: string;
                            /** @description Of `FENCED`: the epoch that the participant has seen; a resume goes on above it */
                            fenceEpoch?: number;
                            reason: string;
                            step: string;
                        } | null;
                        /**
                         * Format: date-time
                         * @description RFC 3339, UTC
                         */
                        startedAt: string;
                        /** @enum {unknown} */
                        status: "processing" | "waiting" | "completed" | "compensating" | "failed" | "cancelled" | "parked";
                        step: string | null;
                        steps: {
                            attempts: {
                                /** @description From 1, counted afresh by every owner */
                                attempt: number;
                                detail: string | null;
                                direction: "act" | "undo";
                                durationMs: number;
                                /**
                                 * Format: date-time
                                 * @description RFC 3339, UTC
                                 */
                                endedAt: string;
                                epoch: number;
                                outcome: string;
                                /**
                                 * Format: date-time
                                 * @description RFC 3339, UTC
                                 */
                                startedAt: string;
                            }[];
                            kind: string;
                            name: string;
                        }[];
                        /**
                         * Format: date-time
                         * @description RFC 3339, UTC
                         */
                        updatedAt: string;
                        waiting: {
                            reason: string;
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC
                             */
                            since: string;
                            step: string;
                            /**
                             * Format: date-time
                             * @description RFC 3339, UTC
                             */
                            until: string;
                        } | null;
                    };
                };
            };
            /** @description `malformed-request`, `idempotency-key-invalid`, `invalid-request`, `malformed-json`, `body-too-large` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `insufficient-scope` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-in-progress`, `saga-ended` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `idempotency-key-expired` */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unsupported-media-type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `idempotency-key-reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `headers-too-large` */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `internal` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `store-unavailable`, `try-again` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
        };
    };
    getStock: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The shop’s own name of an item. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                sku: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The resource as it is */
            200: {
                headers: {
                    /** @description The version of the resource, for `If-Match` */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /**
                         * @description ISO 4217, one that is in use
                         * @example EUR
                         */
                        currency: string;
                        onHand: number;
                        /** @description Held by orders; 0 <= reserved <= onHand */
                        reserved: number;
                        /** @description The shop’s own name of an item. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                        sku: string;
                        /** @description Minor units of the currency: of EUR 1/100, of JPY 1, of KWD 1/1000 */
                        unitPrice: number;
                        /** @description Rises with every change; the `ETag` is this in quotes */
                        version: number;
                    };
                };
            };
            /** @description `malformed-request`, `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `insufficient-scope` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `headers-too-large` */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `internal` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `store-unavailable`, `try-again`, `service-unavailable` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
        };
    };
    putStock: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Why it is done, for the audit log: up to 200 printable ASCII characters, and nothing about a person
                 * @example stocktaking of 2026-11-30
                 */
                "audit-reason"?: string;
                /**
                 * @description A new one for every operation, the same one for every retry: 16 to 128 of `[A-Za-z0-9._~:-]`, best a new UUIDv7
                 * @example till-7~20260314T092653589Z~order
                 */
                "idempotency-key"?: string;
                /**
                 * @description Do it only if the resource still has the `ETag` that was read; else 412 `version-changed`
                 * @example "7"
                 */
                "if-match"?: string;
            };
            path: {
                /** @description The shop’s own name of an item. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                sku: string;
            };
            cookie?: never;
        };
        /** @description What is left out stays as it is. An item that is not listed yet needs `unitPrice` and `currency` */
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description ISO 4217, one that is in use
                     * @example EUR
                     */
                    currency?: string;
                    onHand?: number;
                    /** @description Minor units, each. The total of an order stays below 2^53 */
                    unitPrice?: number;
                };
            };
        };
        responses: {
            /** @description The answer, the same for every retry */
            200: {
                headers: {
                    /** @description The version of the resource, for `If-Match` */
                    ETag?: string;
                    /** @description Until when a retry gets this very answer; later ones get the resource as it is then */
                    "Idempotency-Expires"?: string;
                    /** @description The key, as it was sent */
                    "Idempotency-Key"?: string;
                    /** @description Whether the request had been answered before; nothing was run then */
                    "Idempotent-Replayed"?: "true" | "false";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /**
                         * @description ISO 4217, one that is in use
                         * @example EUR
                         */
                        currency: string;
                        onHand: number;
                        /** @description Held by orders; 0 <= reserved <= onHand */
                        reserved: number;
                        /** @description The shop’s own name of an item. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                        sku: string;
                        /** @description Minor units of the currency: of EUR 1/100, of JPY 1, of KWD 1/1000 */
                        unitPrice: number;
                        /** @description Rises with every change; the `ETag` is this in quotes */
                        version: number;
                    };
                };
            };
            /** @description `malformed-request`, `idempotency-key-invalid`, `invalid-request`, `malformed-json`, `body-too-large` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `insufficient-scope` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-in-progress`, `conflict` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `idempotency-key-expired`, `version-changed` */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unsupported-media-type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `idempotency-key-reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `headers-too-large` */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `internal` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `store-unavailable`, `try-again`, `service-unavailable` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
        };
    };
    adjustStock: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Why it is done, for the audit log: up to 200 printable ASCII characters, and nothing about a person
                 * @example stocktaking of 2026-11-30
                 */
                "audit-reason"?: string;
                /**
                 * @description A new one for every operation, the same one for every retry: 16 to 128 of `[A-Za-z0-9._~:-]`, best a new UUIDv7
                 * @example till-7~20260314T092653589Z~order
                 */
                "idempotency-key": string;
            };
            path: {
                /** @description The shop’s own name of an item. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                sku: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Below 0 to take */
                    delta: number;
                };
            };
        };
        responses: {
            /** @description The answer, the same for every retry */
            200: {
                headers: {
                    /** @description The version of the resource, for `If-Match` */
                    ETag?: string;
                    /** @description Until when a retry gets this very answer; later ones get the resource as it is then */
                    "Idempotency-Expires"?: string;
                    /** @description The key, as it was sent */
                    "Idempotency-Key"?: string;
                    /** @description Whether the request had been answered before; nothing was run then */
                    "Idempotent-Replayed"?: "true" | "false";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /**
                         * @description ISO 4217, one that is in use
                         * @example EUR
                         */
                        currency: string;
                        onHand: number;
                        /** @description Held by orders; 0 <= reserved <= onHand */
                        reserved: number;
                        /** @description The shop’s own name of an item. Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone. */
                        sku: string;
                        /** @description Minor units of the currency: of EUR 1/100, of JPY 1, of KWD 1/1000 */
                        unitPrice: number;
                        /** @description Rises with every change; the `ETag` is this in quotes */
                        version: number;
                    };
                };
            };
            /** @description `malformed-request`, `idempotency-key-missing`, `idempotency-key-invalid`, `invalid-request`, `malformed-json`, `body-too-large` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `insufficient-scope` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `request-in-progress`, `conflict`, `out-of-stock` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `idempotency-key-expired` */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `unsupported-media-type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `idempotency-key-reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `headers-too-large` */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `internal` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
            /** @description `store-unavailable`, `try-again`, `service-unavailable` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description One of the codes of docs/errors.md */
                        code: string;
                        detail: string;
                        errors?: {
                            detail: string;
                            pointer: string;
                        }[];
                        /** @description The same request under the same key may succeed later */
                        retryable: boolean;
                        status: number;
                        title: string;
                        type: string;
                    };
                };
            };
        };
    };
}

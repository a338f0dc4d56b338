import type { FastifyReply } from 'fastify';

// Made once: without a reason each abort makes an exception with a stack of its own.
const HUNG_UP = new Error('the caller is gone');

/**
 * Aborted when the answer can't be delivered any more. Listens to the response and not to the connection: a connection
 * outlives thousands of requests, and each would leave a listener behind.
 */
export function hangUp(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  const response = reply.raw;
  response.once('close', () => {
    // Closed because it is out: no listener is left, and an abort would still create and dispatch an event.
    if (!response.writableFinished) controller.abort(HUNG_UP);
  });
  return controller.signal;
}

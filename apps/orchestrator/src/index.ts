// What tools and tests run this service by.
export { AUDIT_VERBS } from './audit/audit-entry.ts';
export { config } from './config.ts';
export { problems } from './http/problem.ts';
export { createHttpServer, type HttpEdge } from './http/server.ts';
export { changeStatements } from './keys/key-store.ts';
export type { AcceptedOrder, OrderOutputs } from './orders/order.ts';
export { orderStatements, storeAnswer, storeAnswerAndEvent } from './orders/order-store.ts';
export type { AcceptedRefund, RefundOutputs } from './refunds/refund.ts';
export { refundOrderSaga } from './refunds/refund-order-saga.ts';
export { refundStatements } from './refunds/refund-store.ts';
export { orchestratorMigrations, runOrchestrator } from './run-orchestrator.ts';
export {
  actOutcome,
  callOptions,
  connectParticipants,
  type Participants,
  undoOutcome,
} from './saga/participants.ts';
export { placeOrderSaga } from './saga/place-order-saga.ts';
export { settlementStatements } from './settlements/settlement-store.ts';

import { Type } from '@fastify/type-provider-typebox';
import { OrderStatus } from './order-schemas.ts';

const Effect = Type.Object({
  step: Type.String(),
  participant: Type.Enum(['inventory', 'payment', 'shipping']),
  key: Type.String({ description: 'The idempotency key under which the participant knows the step' }),
  state: Type.Enum(['completed', 'refused', 'sealed', 'in_progress', 'not_called', 'unreachable'], {
    description:
      '`sealed`: undone, or never to run. `in_progress`: claimed, its outcome not known yet. `unreachable`: nothing is known',
  }),
  effect: Type.Union([Type.Object({}, { additionalProperties: true }), Type.Null()], {
    description: 'What the step has done, in the participant’s words; null once its answer has expired',
  }),
  detail: Type.Union([Type.String(), Type.Null()], {
    description: 'Why it was refused, or why the participant could not be asked',
  }),
});

export const OrderEffects = Type.Object({
  orderId: Type.String(),
  status: OrderStatus,
  effects: Type.Array(Effect),
  refunds: Type.Array(Type.Object({ id: Type.String(), effects: Type.Array(Effect) }), {
    description: 'Of the newest refunds, newest first, as many as the order shows',
  }),
});

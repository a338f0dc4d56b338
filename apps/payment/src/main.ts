import { startParticipant } from '@holdfast/participant';
import { config, paymentMigrations, paymentService } from './index.ts';

await startParticipant('payment', config, paymentMigrations, paymentService);

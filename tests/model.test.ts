import { checkVariant, missingTools, VARIANTS } from '@holdfast/proof';
import { describe, expect, it } from 'vitest';

const missing = missingTools();
const isRequired = process.env.HOLDFAST_REQUIRE_ALL === '1';
if (missing.length > 0 && !isRequired) console.warn(`the model is not checked: ${missing.join(' and ')} missing`);

describe.skipIf(missing.length > 0 && !isRequired)('the model of the protocol, checked by spin', () => {
  it('has its tools here', () => expect(missing).toEqual([]));

  it.concurrent.each(VARIANTS.filter(({ holds }) => holds))(
    '$name: no execution breaks it',
    async (variant) => {
      const { errors, states, log } = await checkVariant(variant);
      expect(errors, log).toBe(0);
      // One saga and one fence have few.
      expect(states).toBeGreaterThan(variant.model === 'fences' ? 80 : 10_000);
    },
    300_000,
  );

  it.concurrent.each(VARIANTS.filter(({ holds }) => !holds))(
    'broken on purpose ($name), it gives a counterexample',
    async (variant) => {
      expect((await checkVariant(variant)).broken).toBe(variant.property === 'ends' ? 'cycle' : 'state');
    },
    300_000,
  );
});

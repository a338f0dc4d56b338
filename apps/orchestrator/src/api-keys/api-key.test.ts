import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { apiKeyIdOf, apiKeyOf, apiKeyPrefix, digestOf, idOfApiKey, SECRET_BYTES } from './api-key.ts';

const id = apiKeyIdOf(Buffer.alloc(16, 7));
const key = apiKeyOf(id, Buffer.alloc(SECRET_BYTES, 9));

describe('the form of an API key', () => {
  it('names its kind and its cell, and has always the same length, whatever its bytes are', () => {
    const bytes = [0, 1, 0x7f, 0xff];
    const keys = bytes.map((byte) => apiKeyOf(apiKeyIdOf(Buffer.alloc(16, byte)), Buffer.alloc(SECRET_BYTES, byte)));
    for (const each of keys) expect(each).toMatch(/^hf_main_[0-9A-Za-z]{22}_[0-9A-Za-z]{49}$/);
    expect(new Set(keys.map(idOfApiKey)).size).toBe(bytes.length);
    expect(key.startsWith(`${apiKeyPrefix(id)}_`)).toBe(true);
  });

  it('is the same from release to release: keys outlive the code that made them', () => {
    expect(key).toBe('hf_main_0DG9mkOv2l6AkSp3WsPxY7_28pwpFvXuOCuClQJSgvJUKf8mA3ApwedogOvpU3VfJJ1mSwwO');
    expect(idOfApiKey(key)).toBe(id);
    expect(digestOf(key).toString('hex')).toBe('ce6c445f0de2fa39c35c8b4d995062fdab01a182637e2294fd373d072fbb57fe');
  });

  it('has a checksum that finds every key with another character', () => {
    for (let at = 0; at < key.length; at++) {
      const other = key[at] === 'x' ? 'y' : 'x';
      expect(idOfApiKey(key.slice(0, at) + other + key.slice(at + 1)), `at ${at}`).toBeUndefined();
    }
    expect(idOfApiKey(key.slice(0, -1))).toBeUndefined();
    expect(idOfApiKey(`${key}0`)).toBeUndefined();
  });

  it('says that a key of another cell is none of ours', () => {
    const foreign = apiKeyOf(id, randomBytes(SECRET_BYTES)).replace('hf_main_', 'hf_east_');
    expect(idOfApiKey(foreign)).toBeUndefined();
  });
});

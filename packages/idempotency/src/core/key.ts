export { KEY_PATTERN, KEY_RULE } from '@holdfast/contracts/key';

const UNDO_SUFFIX = ':undo';

/** The undo's key is derived, never chosen: an undo finds its act by it. */
export function undoKeyOf(actKey: string): string {
  return actKey + UNDO_SUFFIX;
}

export function isUndoKey(key: string): boolean {
  return key.endsWith(UNDO_SUFFIX);
}

/** @throws RangeError when `undoKey` is no undo's key */
export function actKeyOf(undoKey: string): string {
  if (!isUndoKey(undoKey)) throw new RangeError('an undo’s key is its act’s key followed by :undo');
  return undoKey.slice(0, -UNDO_SUFFIX.length);
}

/** The key that splitKey() has split. */
export function joinKey({ scope, name }: { scope: string; name: string }): string {
  return name === '' ? scope : `${scope}:${name}`;
}

/**
 * The two parts a key is stored in: what decides where its row lives, and the rest. No two keys share their parts: one
 * whose only colon is its last character keeps it in its scope, where no other has any.
 */
export function splitKey(key: string): { scope: string; name: string } {
  const at = key.indexOf(':');
  return at === -1 || at === key.length - 1
    ? { scope: key, name: '' }
    : { scope: key.slice(0, at), name: key.slice(at + 1) };
}

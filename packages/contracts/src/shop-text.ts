/** Nothing that a database would refuse or a label would break at: control characters, line ends, half a surrogate pair. */
const KEPT = '[^\\p{Cc}\\p{Cs}\\p{Zl}\\p{Zp}]';
/** Of those, what can be seen: no white space, nothing that is drawn as nothing (the Braille blank is drawn as white). */
const SEEN = '[^\\p{Cc}\\p{Cs}\\p{White_Space}\\p{Default_Ignorable_Code_Point}\\u2800]';

/** What people write, over HTTP and gRPC alike: shows something. For a regular expression with the flag `u`, as is the next. */
export const TEXT_PATTERN = `^${KEPT}*${SEEN}${KEPT}*$`;

/**
 * A shop's own name of an item or a customer, as its system writes it (`ada@example.org`, `gid://shop/1`, `AB/12 é`): 1 to 128
 * characters that begin and end with what can be seen. `.` and `..` can't be part of a URL: clients resolve them away.
 */
export const SHOP_ID_PATTERN = `^(?!\\.{1,2}$)${SEEN}(?:${KEPT}{0,126}${SEEN})?$`;

/** Where a bank sends a customer back to: a page, or an app by a scheme of its own. */
export const RETURN_URL_PATTERN = '^[a-z][a-z0-9+.-]{1,40}://[^\\s\\p{Cc}\\p{Cs}]{1,1000}$';

/** The same for people. */
export const SHOP_ID_RULE =
  'Send 1 to 128 characters, the first and the last of them visible, no control characters, and not `.` or `..` alone.';

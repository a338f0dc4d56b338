import { describe, expect, it } from 'vitest';
import { controlIn } from './transaction-control.ts';

const refused = { refused: expect.any(String) };

describe('K9: what a text does to its transaction', () => {
  it.each([
    ['begin', 'begin'],
    ['BEGIN;', 'begin'],
    [' \n\tBegin  Work ; ', 'begin'],
    ['begin transaction', 'begin'],
    ['start transaction;', 'begin'],
    ['-- hello\n/* a /* nested */ one */ BEGIN -- and so on', 'begin'],
    ['commit', 'commit'],
    [';commit', 'commit'],
    ['COMMIT;;', 'commit'],
    ['commit and no chain', 'commit'],
    ['/**/end transaction', 'commit'],
    ['COMMIT--;', 'commit'],
    ['rollback', 'rollback'],
    ['abort work;', 'rollback'],
    ['rollback transaction and no chain', 'rollback'],
  ])('%j is %s', (text, control) => {
    expect(controlIn(text)).toBe(control);
  });

  it.each([
    'begin isolation level serializable',
    'BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED;',
    'begin read only',
    'start transaction read only',
    'set transaction isolation level serializable',
    'set local transaction read only',
    'set session characteristics as transaction read only',
    'commit and chain',
    'rollback and chain',
    "commit prepared 'one'",
    "rollback prepared 'one'",
    "prepare transaction 'one'",
    'insert into payments values (1); commit',
    "insert into payments values (';'); /* here */ COMMIT; begin",
    "select $$;$$, E'\\';', \"a;b\"; rollback",
    'select $x$ $$; $x$; end',
    'begin; select 1',
  ])('%j is refused', (text) => {
    expect(controlIn(text)).toEqual(refused);
  });

  it.each([
    'select 1',
    'insert into payments values (1);',
    "insert into notes values ('; commit;')",
    "insert into notes values (E'it\\'s; commit;')",
    'insert into notes values ($$; commit;$$)',
    'insert into notes values ($a$; commit; $$ rollback; $a$)',
    'insert into notes (";commit;") values ($1)',
    'select 1 /* ; commit; /* ; */ ; rollback */',
    'select 1 -- ; commit',
    'select a$b$c; select 1',
    'savepoint one',
    'release savepoint one',
    'release one; savepoint commit',
    'rollback to savepoint one',
    'ROLLBACK WORK TO one',
    'prepare q as select 1',
    'set local lock_timeout = 10',
    'set constraints all deferred',
    'select commit from ends; select 2',
    'do $$ begin commit; end $$',
    '',
    '/* open',
  ])('%j goes to the server as it is', (text) => {
    expect(controlIn(text)).toBe('none');
  });
});

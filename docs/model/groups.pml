/*
 * The protocol of a parallel group: two members whose acts run side by side, then a step that stands alone. See README.md
 * beside this file. What keeps one step to one effect (claims, seals, fences) is saga.pml's; here a participant answers each
 * call once and for ever, and the question is what the row of the saga says while several of its steps are under way.
 *
 * An orchestrator drives the saga; it may die at any place, and its successor knows nothing but the row. A call whose caller
 * has died may still arrive.
 *
 * Broken variants, each of which must give a counterexample:
 *   -DSTART_NOT_DURABLE  the acts of a group are sent before the row says that the saga stands there
 *   -DNEXT_TOO_EARLY     the next group starts when one member is done
 *   -DUNDO_ONE           only the member that has refused is undone
 *   -DUNDO_KNOWN         only members whose output is stored are undone
 *   -DBACK_AFTER_ONE     the group counts as undone when one member is
 */

#define MEMBERS 2 /* steps 0 and 1 are the group; step 2 stands behind it */
#define STEPS 3

mtype = { FORWARD, BACK, COMPLETED, FAILED };
mtype = { FRESH, LIVE, REFUSED, CLOSED };

/* What is durable: the row. `place` is 0 for the group, 1 for the step behind it; `stored` are outputs of members. */
mtype state = FORWARD;
#ifdef START_NOT_DURABLE
byte place = 9; /* nowhere yet */
#else
byte place = 0;
#endif
bool stored[STEPS];
byte epoch = 0;

/* What the participants have. */
mtype step[STEPS] = FRESH;
/* Calls under way, of this owner or of one that is gone: acts and undos may arrive whenever they like, or never. */
bool actSent[STEPS];
bool undoSent[STEPS];

bool unrecorded = false; /* an act was sent that the row knows nothing of */
bool early = false;      /* an act was sent while a member before it was not done */
byte crashes = 3;
bool turned = false; /* deadline or cancel */

#define ended (state == COMPLETED || state == FAILED)
#define placeOf(s) (s / MEMBERS)

inline send_act(s) {
  atomic {
    if
    :: placeOf(s) > place || place == 9 -> unrecorded = true
    :: else
    fi;
    if
    :: s == 2 && (step[0] != LIVE || step[1] != LIVE) -> early = true
    :: else
    fi;
    actSent[s] = true
  }
}

/* K1, K3, S5: one answer for ever, none behind an undo. */
active [STEPS] proctype Participant() {
  byte me = _pid;
end:
  do
  :: atomic { actSent[me] && step[me] == FRESH -> if :: step[me] = LIVE :: step[me] = REFUSED fi }
  :: atomic { undoSent[me] && (step[me] == FRESH || step[me] == LIVE) -> step[me] = CLOSED }
  od
}

/* One owner after the other; S2 lets only the last one write, so a crash is a new epoch with an empty memory. */
active proctype Orchestrator() {
  byte mine = 0;
#define crashed (mine != epoch)

end:
  do
  :: atomic { crashed -> mine = epoch }

  :: !crashed && state == FORWARD && place != 1 ->
    if
    :: !stored[0] -> send_act(0)
    :: else
    fi;
    if
    :: !stored[1] -> send_act(1)
    :: else
    fi;
    /* all members have ended, one way or another: one checkpoint says what came together */
    if
    :: atomic { crashed -> skip }
    :: atomic { !crashed && step[0] == LIVE && step[1] == LIVE -> stored[0] = true; stored[1] = true; place = 1 }
#ifdef NEXT_TOO_EARLY
    :: atomic { !crashed && (step[0] == LIVE || step[1] == LIVE) -> place = 1 }
#endif
    :: atomic { !crashed && (step[0] == REFUSED || step[1] == REFUSED || turned) ->
        stored[0] = (step[0] == LIVE); stored[1] = (step[1] == LIVE); state = BACK; place = 0 }
    /* one member waits, or is known and the other is not: what is done is stored, the other is asked again */
    :: atomic { !crashed && step[0] == LIVE && step[1] == FRESH -> stored[0] = true }
    :: atomic { !crashed && step[1] == LIVE && step[0] == FRESH -> stored[1] = true }
    fi

  :: !crashed && state == FORWARD && place == 1 ->
    send_act(2);
    if
    :: atomic { crashed -> skip }
    :: atomic { !crashed && step[2] == LIVE -> state = COMPLETED }
    :: atomic { !crashed && (step[2] == REFUSED || turned) -> state = BACK }
    fi

  :: !crashed && state == BACK && place == 1 ->
    undoSent[2] = true;
    if
    :: atomic { crashed -> skip }
    :: atomic { !crashed && (step[2] == CLOSED || step[2] == REFUSED) -> place = 0 }
    fi

  :: !crashed && state == BACK && place != 1 ->
#ifdef UNDO_KNOWN
    if
    :: stored[0] -> undoSent[0] = true
    :: else
    fi;
    if
    :: stored[1] -> undoSent[1] = true
    :: else
    fi;
    if
    :: atomic { crashed -> skip }
    :: atomic { !crashed && (!stored[0] || step[0] == CLOSED) && (!stored[1] || step[1] == CLOSED) -> state = FAILED }
    fi
#else
    undoSent[0] = true;
#ifndef UNDO_ONE
    undoSent[1] = true;
#endif
    if
    :: atomic { crashed -> skip }
#ifdef UNDO_ONE
    :: atomic { !crashed && (step[0] == CLOSED || step[0] == REFUSED) -> state = FAILED }
#else
#ifdef BACK_AFTER_ONE
    :: atomic { !crashed && (step[0] == CLOSED || step[1] == CLOSED) -> state = FAILED }
#endif
    :: atomic { !crashed && step[0] != FRESH && step[0] != LIVE && step[1] != FRESH && step[1] != LIVE -> state = FAILED }
#endif
    fi
#endif
  od
}

active proctype Crash() {
  do
  :: atomic { crashes > 0 && !ended -> crashes--; epoch++ }
  :: break
  od
}

active proctype Clock() {
  if
  :: turned = true
  :: true
  fi
}

/* A1: what the end of the saga says is true of each step, and stays true */
ltl safe { [] ((state == COMPLETED -> (step[0] == LIVE && step[1] == LIVE && step[2] == LIVE)) &&
               (state == FAILED -> (step[0] != LIVE && step[1] != LIVE && step[2] != LIVE))) }
/* S2: no act is sent that no record names, and none of the next group before all members are done */
ltl recorded { [] (!unrecorded && !early) }
/* S1, under weak fairness */
ltl ends { <> ended }

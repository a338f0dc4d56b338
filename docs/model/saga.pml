/*
 * The protocol of one step: lease, epoch, act, undo, seal, ask. See README.md beside this file for what each line
 * stands for in the code, and how to run it.
 *
 * Two orchestrators (O0, O1) drive one saga whose single step is act, or on a turn-back undo; one participant answers.
 * Calls may be lost, doubled and overtaken, an answer may be lost (its caller asks again: that is the `ask`), an
 * orchestrator may be paused past its lease at any place, or die and start anew.
 *
 * Broken variants, each of which must give a counterexample:
 *   -DNO_FENCE         neither the checkpoint nor the participant looks at epochs
 *                      (-DNO_FENCE_AT_PARTICIPANT alone breaks nothing here: it is a second line of defence)
 *   -DNO_SEAL          an undo that finds nothing leaves no trace
 *   -DUNDO_KNOWN_ONLY  only a step that is known to be done is undone
 *   -DNO_DURABLE_TURN  the undo is sent before the decision to turn back is stored
 *   -DREFUSAL_FORGOTTEN a refusal is not stored
 *   -DNO_ADOPTION      nobody takes a dead owner's saga over (breaks liveness alone)
 */

#ifdef NO_FENCE
#define NO_FENCE_AT_PARTICIPANT
#endif
#ifndef FAULTS
#define FAULTS 3 /* messages lost, doubled, overtaken or slower than the time-out: finitely many, or nothing would end */
#endif
#ifndef TAKEOVERS
#define TAKEOVERS 2 /* how often a lease runs out */
#endif

mtype = { ACT, UNDO };
mtype = { DONE, REFUSED, SEALED, FENCED };
mtype = { RUNNING, BACK, COMPLETED, FAILED };
mtype = { ABSENT, EXECUTED, TURNED_DOWN, CLOSED };

/* What is durable of the saga: its row. */
mtype state = RUNNING;
byte owner = 0;
byte epoch = 1;

/* What is durable at the participant. */
mtype claim = ABSENT;
byte fence = 0;
byte live = 0;  /* effects alive */
byte runs = 0;  /* how often the act has run */
bool refused = false; /* the act has been refused, as somebody may have heard */

/* The network: a message may be lost, doubled or overtaken, or take longer than its caller waits, as long as there are
   faults left. */
chan calls = [2] of { mtype, byte, byte }; /* direction, epoch, caller */
chan answers[2] = [1] of { mtype, mtype };  /* direction, answer */
byte faults = FAULTS;
byte takeovers = TAKEOVERS;
bool turned = false; /* a reason to turn back has come up: deadline or cancel */

#define ended (state == COMPLETED || state == FAILED)

/* ---- the participant: one transaction for each call (claim.ts, run-act.ts, run-undo.ts) */

inline answer_to(who, direction, what) {
  if
  :: len(answers[who]) == 0 -> answers[who]!direction, what
  :: else /* nobody reads an answer that came a second time */
  fi
}

active proctype Participant() {
  mtype direction, said;
  byte e, who;
end:
  do
  :: atomic {
      calls?direction, e, who ->
      if
      :: faults > 0 -> faults--; calls!direction, e, who /* doubled: a copy stays under way */
      :: true
      fi;
      if
#ifndef NO_FENCE_AT_PARTICIPANT
      :: e < fence -> said = FENCED /* K4 */
#endif
      :: else ->
        if
        :: e > fence -> fence = e
        :: else
        fi;
        if
        :: direction == ACT && claim == ABSENT ->
          if
          :: claim = EXECUTED; live++; runs++; said = DONE /* K1: claim, effect and answer at once */
#ifdef REFUSAL_FORGOTTEN
          :: refused = true; said = REFUSED
#else
          :: refused = true; claim = TURNED_DOWN; said = REFUSED /* S5 */
#endif
          fi
        :: direction == ACT && claim == EXECUTED -> said = DONE
        :: direction == ACT && claim == TURNED_DOWN -> said = REFUSED
        :: direction == ACT && claim == CLOSED -> said = SEALED /* K3 */
        :: direction == UNDO ->
          if
          :: claim == EXECUTED -> live--; claim = CLOSED
#ifdef NO_SEAL
          :: claim == ABSENT
#else
          :: claim == ABSENT -> claim = CLOSED /* K3: the act shall never run */
#endif
          :: else /* refused stays refused, undone stays undone */
          fi;
          said = DONE
        fi
      fi;
      if
      :: faults > 0 -> faults-- /* the answer is lost: its caller asks again, with the same key */
      :: answer_to(who, direction, said)
      fi;
      said = 0; direction = 0; e = 0; who = 0
    }
  od
}

active proctype Network() {
  mtype direction;
  byte e, who;
end:
  do
  :: atomic {
      faults > 0 && len(calls) > 1 -> /* the first is overtaken */
      faults--;
      calls?direction, e, who;
      calls!direction, e, who;
      direction = 0; e = 0; who = 0
    }
  od
}

/* ---- an orchestrator: adopts, drives, may be slow at every place (engine.ts, drive.ts, recovery.ts) */

/* One statement: the guard is in the update itself (checkpoint-writer.ts). */
inline checkpoint(next) {
  atomic {
#ifdef NO_FENCE
    state = next
#else
    if
    :: owner == me && epoch == mine -> state = next /* S2 */
    :: else -> driving = false /* fenced: the saga is in other hands */
    fi
#endif
  }
}

inline send(direction) {
  atomic {
    if
    :: nfull(calls) ->
      if
      :: faults > 0 -> faults-- /* lost */
      :: calls!direction, mine, me
      fi
    :: full(calls) /* as good as lost; it is asked again */
    fi
  }
}

/* S4: no answer in time is neither success nor failure. It is waited for as long as one may come, but for a fault. */
inline time_out(sent) {
  atomic {
    if
    :: len(answers[me]) == 0 && !calls??[sent, eval(mine), eval(me)] -> skip /* the call or its answer is lost */
    :: faults > 0 -> faults-- /* slower than the time-out */
    fi
  }
}

proctype Orchestrator(byte me) {
  byte mine = 0;
  bool driving = false;
  mtype known = 0; /* what it has read from the row */
  mtype direction, said;

  if
  :: me == 0 -> mine = 1; driving = true; known = RUNNING /* it has inserted the saga */
  :: else
  fi;

end:
  do
  /* adoption: the lease of the owner has run out, by the database's clock (recovery.ts, ADOPT) */
#ifndef NO_ADOPTION
  :: atomic {
      !driving && !ended && (takeovers > 0 || owner == me) ->
      if
      :: owner != me -> takeovers--
      :: else /* its own, that it does not drive any more: found by its own sweep, or after a restart */
      fi;
      owner = me; epoch++; mine = epoch; known = state; driving = true
    }
#endif

  :: driving && known == RUNNING && !turned ->
    send(ACT);
    if
    :: atomic { answers[me]?direction, said -> skip };
      if
      :: direction == UNDO -> skip /* an answer to an earlier undo; nothing for now */
      :: direction == ACT && said == DONE ->
        checkpoint(COMPLETED);
        if
        :: driving -> driving = false
        :: else
        fi
      :: direction == ACT && (said == REFUSED || said == SEALED) ->
#ifdef NO_DURABLE_TURN
        known = BACK
#else
        checkpoint(BACK); /* S3: durable before the first undo */
        known = BACK
#endif
      :: direction == ACT && said == FENCED -> driving = false
      fi;
      direction = 0; said = 0
    :: time_out(ACT) /* asks again */
    fi

  :: driving && known == RUNNING && turned ->
#ifdef NO_DURABLE_TURN
    known = BACK
#else
    checkpoint(BACK);
    known = BACK
#endif

  :: driving && known == BACK ->
#ifdef UNDO_KNOWN_ONLY
    /* it has no answer to its act in the row: nothing to undo, it thinks */
    checkpoint(FAILED);
    driving = false
#else
    send(UNDO);
    if
    :: atomic { answers[me]?direction, said -> skip };
      if
      :: direction == UNDO && said == DONE ->
        checkpoint(FAILED);
        driving = false
      :: direction == UNDO && said == FENCED -> driving = false
      :: else
      fi;
      direction = 0; said = 0
    :: time_out(UNDO)
    fi
#endif

  /* dies, and starts anew with an empty memory; what it had on its way goes on without it */
  :: atomic { driving && takeovers > 0 -> takeovers--; driving = false; known = 0; mine = 0 }
  od
}

/* Deadline or cancel, at any instant (drive.ts, reasonToTurnBack). */
active proctype Clock() {
  if
  :: state == RUNNING -> turned = true
  :: true
  fi
}

init {
  atomic { run Orchestrator(0); run Orchestrator(1) }
}

/* ---- A1: at every instant at most one live effect, it has run at most once, and what the end of the saga says is true */
ltl safe { [] (live <= 1 && runs <= 1 && (state == COMPLETED -> live == 1) && (state == FAILED -> live == 0)) }
/* S5: what has been refused never runs */
ltl sticky { [] !(refused && runs > 0) }
/* S1, under weak fairness: the saga ends */
ltl ends { <> ended }

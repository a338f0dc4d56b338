/*
 * The fence of one saga at one participant, and somebody who calls in the saga's name under an epoch that it never has: with a
 * certificate that counts, but without being its owner. See README.md beside this file.
 *
 * A call raises the fence by STEP at most; one that is further above it changes nothing else. A saga that is refused as fenced is
 * left to the sweep, which adopts it under the next epoch, LEFT times; then it is parked with the fence that the participant has
 * told, and an operator's resume goes on above that.
 *
 * Broken variants, each of which must give a counterexample:
 *   -DUNBOUNDED     one call raises a fence to whatever it says
 *   -DNEVER_PARKED  a saga that is fenced is adopted for ever
 *   -DRESUME_BELOW  a resume raises the epoch by one, like an adoption
 */

#define STEP 10
#define LEFT 2
#define SWEEPS 8 /* as many as there are within a minute */
#define MAX 60   /* no epoch above it can be stored; it is what the forger sends */

mtype = { DRIVEN, PARKED, ENDED };

/* What is durable: the row, and the participant's fence. */
mtype state = DRIVEN;
byte epoch = 1;
byte told = 0; /* with the parking */
byte fence = 0;

bool forged = false; /* a call of the forger was carried out */
byte calls = 3;
byte times = 0;
byte sweeps = SWEEPS;

/* K4: how far a call under this epoch raises the fence */
inline raise_to(given) {
#ifdef UNBOUNDED
  fence = given
#else
  fence = (given > fence + STEP -> fence + STEP : given)
#endif
}

active proctype Forger() {
  do
  :: atomic { calls > 0 && state != ENDED ->
      calls--;
      raise_to(MAX);
      if
      :: fence == MAX -> forged = true
      :: else
      fi }
  :: break
  od
}

active proctype Saga() {
  do
  :: atomic { state == DRIVEN && epoch < fence && times < LEFT && sweeps > 0 ->
      times++;
      sweeps--;
      epoch++ }
#ifdef NEVER_PARKED
  :: atomic { state == DRIVEN && epoch < fence && times == LEFT && sweeps > 0 -> sweeps--; epoch++ }
  :: atomic { state == DRIVEN && epoch < fence && sweeps == 0 -> skip }
#else
  :: atomic { state == DRIVEN && epoch < fence && (times == LEFT || sweeps == 0) -> times = 0; told = fence; state = PARKED }
#endif
  /* the operator; there is no epoch above the highest */
#ifdef RESUME_BELOW
  :: atomic { state == PARKED && sweeps > 0 -> sweeps--; epoch++; state = DRIVEN }
  :: atomic { state == PARKED && sweeps == 0 -> skip }
#else
  :: atomic { state == PARKED && told < MAX -> epoch = (told > epoch -> told : epoch) + 1; state = DRIVEN }
  :: atomic { state == PARKED && told == MAX -> skip }
#endif
  /* at a participant whose fence is far below, it climbs by asking again */
  :: atomic { state == DRIVEN && epoch > fence + STEP -> raise_to(epoch) }
  :: atomic { state == DRIVEN && epoch >= fence && epoch <= fence + STEP -> raise_to(epoch); state = ENDED }
  :: state == ENDED -> break
  od
}

/* K4: what nobody's saga has decided is not carried out */
ltl safe { [] !forged }
/* S1, under weak fairness: with an operator who frees what is parked */
ltl ends { <> (state == ENDED) }

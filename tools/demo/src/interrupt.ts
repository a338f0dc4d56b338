export const EXIT_INTERRUPTED = 130;

/** Aborts on the first SIGINT or SIGTERM; ends the process on the second. */
export function onInterrupt(): AbortSignal {
  const controller = new AbortController();
  const onSignal = () => {
    // The second time somebody is impatient; what still runs ends with this process.
    if (controller.signal.aborted) process.exit(EXIT_INTERRUPTED);
    controller.abort(new Error('interrupted'));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return controller.signal;
}

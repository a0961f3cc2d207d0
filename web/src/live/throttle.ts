/**
 * Runs `work` at once, then at most every `everyMs`; calls in between run it once more at the end of the pause.
 * While a run goes on (`work` may be asynchronous) no second one starts.
 */
export interface Throttled {
  (): void;
  cancel(): void;
}

export function throttle(work: () => unknown, everyMs: number): Throttled {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running = false;
  let again = false;

  const rest = () => {
    timer = setTimeout(() => {
      timer = undefined;
      if (again) void run();
    }, everyMs);
  };
  const run = async () => {
    running = true;
    again = false;
    try {
      await work();
    } finally {
      running = false;
      rest();
    }
  };
  const call = () => {
    if (running || timer !== undefined) again = true;
    else void run();
  };
  return Object.assign(call, {
    cancel: () => {
      clearTimeout(timer);
      timer = undefined;
      again = false;
    },
  });
}

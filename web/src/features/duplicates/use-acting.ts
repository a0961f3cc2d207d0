/** One thing at a time is done to the pairs of a queue, whichever of them is looked at. */
import { useRef, useState } from 'react';
import { useNotice } from '~/components/notice';

export interface Acting {
  busy: boolean;
  /** Does it unless something is being done; tells what `failed` if it throws. */
  act(work: () => Promise<unknown>, failed: string): Promise<void>;
}

export function useActing(): Acting {
  const notice = useNotice();
  const [busy, setBusy] = useState(false);
  // A key that is pressed again must not act twice before the page is drawn anew.
  const acting = useRef(false);
  const act = async (work: () => Promise<unknown>, failed: string) => {
    if (acting.current) return;
    acting.current = true;
    setBusy(true);
    try {
      await work();
    } catch (error) {
      notice.failed(failed, error);
    } finally {
      acting.current = false;
      setBusy(false);
    }
  };
  return { busy, act };
}

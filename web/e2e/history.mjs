/** A past to learn from: orders of some customers over 14 months, each customer at a pace of its own. The same every time. */
const CUSTOMERS = 80;
const DAYS = 420;
const DAY_MS = 86_400_000;
const BATCH = 500;

/** A linear congruential generator: numbers from 0 to 1. */
function seeded(seed) {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

/** Batches of track events, the oldest first, up to now. */
export function pastOrders(now = Date.now()) {
  const random = seeded(7);
  const events = [];
  for (let customer = 0; customer < CUSTOMERS; customer += 1) {
    const paceDays = 6 + 70 * random();
    let at = now - (DAYS - 100 * random()) * DAY_MS;
    while (at < now) {
      const properties = { total: Math.round(20 + 200 * random()), order_id: `${customer}-${Math.round(at)}` };
      const timestamp = new Date(at).toISOString();
      events.push({ type: 'track', userId: `c${customer}`, event: 'Order Completed', timestamp, properties });
      at += paceDays * (0.3 + 1.4 * random()) * DAY_MS;
    }
  }
  events.sort((one, other) => (one.timestamp < other.timestamp ? -1 : 1));
  return Array.from({ length: Math.ceil(events.length / BATCH) }, (_, place) =>
    events.slice(place * BATCH, (place + 1) * BATCH),
  );
}

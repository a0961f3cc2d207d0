// Sends one customer's story with Segment's own SDK for Node. Only the host is ours. Prints how many events were sent.

import { Analytics } from "@segment/analytics-node";

const { RAPPORT_URL: host, RAPPORT_WRITE_KEY: writeKey } = process.env;
const analytics = new Analytics({ host, writeKey, flushAt: 4, maxRetries: 0 });

const failures = [];
analytics.on("error", (error) => failures.push(error));

const anonymousId = "node-visitor";
const userId = "node-customer";
let sent = 0;
const send = (kind, event) => {
  analytics[kind](event);
  sent += 1;
};

send("page", { anonymousId, name: "Home", properties: { path: "/" } });
send("screen", { anonymousId, name: "Start" });
send("track", { anonymousId, event: "Product Viewed", properties: { product_id: "85123A" } });
send("identify", { anonymousId, userId, traits: { name: "Node Customer", plan: "gold" } });
send("group", { userId, groupId: "company-1", traits: { name: "A company" } });
send("alias", { userId, previousId: "node-customer-before" });
for (let order = 1; order <= 3; order += 1) {
  send("track", {
    userId,
    event: "Order Completed",
    properties: { order_id: `node-${order}`, total: 10 * order, currency: "GBP", products: [] },
  });
}

await analytics.closeAndFlush({ timeout: 20_000 });
if (failures.length > 0) {
  console.error(failures);
  process.exitCode = 1;
}
console.log(JSON.stringify({ sent }));

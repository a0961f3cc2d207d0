"""Sends one customer's story with Segment's own SDK for Python, gzipped. Only the host is ours. Prints how many events were sent."""

import json
import os
import sys

from segment.analytics.client import Client

failures = []
client = Client(
    os.environ["RAPPORT_WRITE_KEY"],
    host=os.environ["RAPPORT_URL"],
    gzip=True,
    max_retries=0,
    upload_size=5,
    on_error=lambda error, batch: failures.append(repr(error)),
)

ANONYMOUS = "python-visitor"
USER = "python-customer"
sent = 0


def send(kind, *arguments, **named):
    """One call of the SDK, counted."""
    global sent
    queued, _ = getattr(client, kind)(*arguments, **named)
    if not queued:
        failures.append(f"{kind}: the queue is full")
    sent += 1


send("page", anonymous_id=ANONYMOUS, name="Home", properties={"path": "/"})
send("screen", anonymous_id=ANONYMOUS, name="Start")
send("track", anonymous_id=ANONYMOUS, event="Product Viewed", properties={"product_id": "22423"})
send("identify", USER, traits={"name": "Python Customer", "plan": "silver"}, anonymous_id=ANONYMOUS)
send("group", USER, "company-2", traits={"name": "Another company"})
send("alias", "python-customer-before", USER)
for order in range(1, 8):
    properties = {"order_id": f"python-{order}", "total": 5.5 * order, "currency": "GBP", "products": []}
    send("track", USER, "Order Completed", properties)

client.flush()
client.join()
if failures:
    print(failures, file=sys.stderr)
    sys.exit(1)
print(json.dumps({"sent": sent}))

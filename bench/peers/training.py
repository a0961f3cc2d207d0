"""How many CPU seconds the peers take to learn, and how well they then tell rows apart that they did not see."""

import time

from models import MODELS, jobs, load, tell
from sklearn.metrics import roc_auc_score

for job in jobs():
    (x, y), (test_x, test_y) = load(job["folder"], "train"), load(job["folder"], "test")
    x, y = x[: job["rows"]], y[: job["rows"]]
    for peer, (fit, answer) in MODELS[job["model"]].items():
        seconds = []
        while len(seconds) < job["runs"] and sum(seconds) < job["enough"]:
            begun = time.process_time()
            model = fit(x, y)
            seconds.append(time.process_time() - begun)
        tell(id=job["id"], peer=peer, seconds=seconds, auc=roc_auc_score(test_y, answer(model, test_x)))

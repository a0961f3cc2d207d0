"""How long the peers take to answer for one row, in this process, and how many rows a second they answer in a batch."""

import ctypes
import time

import lightgbm
import numpy as np
from models import MODELS, jobs, load, tell


def one_by_one(answer, rows):
    """Microseconds for one row, the median. Rows are ready in the form that the peer takes."""
    times = []
    for row in rows:
        begun = time.perf_counter_ns()
        answer(row)
        times.append(time.perf_counter_ns() - begun)
    return float(np.median(times)) / 1e3


def lightgbm_fast(booster, columns):
    """LightGBM's own fast way for one row (LGBM_BoosterPredictForMatSingleRowFast), which its Python package does not show."""
    library, prepared = lightgbm.basic._LIB, ctypes.c_void_p()
    double, row_major, normal = 1, 1, 0
    failed = library.LGBM_BoosterPredictForMatSingleRowFastInit(
        booster._handle, normal, 0, -1, double, columns, b"num_threads=1", ctypes.byref(prepared))
    if failed:
        raise RuntimeError("LightGBM's fast way for one row is not there")
    length, out = ctypes.c_int64(), np.zeros(1)
    out_address, length_address = out.ctypes.data_as(ctypes.POINTER(ctypes.c_double)), ctypes.byref(length)
    call = library.LGBM_BoosterPredictForMatSingleRowFast

    def answer(address):
        call(prepared, address, length_address, out_address)
        return out[0]

    return answer


def rate(answer, model, rows, seconds):
    """Rows a CPU second in a batch, the best of the passes that fit into the time."""
    best, spent = 0.0, 0.0
    while spent < seconds or best == 0.0:
        begun = time.process_time()
        answer(model, rows)
        took = time.process_time() - begun
        spent += took
        best = max(best, len(rows) / took)
    return best


for job in jobs():
    (x, y), (rows, _) = load(job["folder"], "train"), load(job["folder"], "test")
    x, y, rows = x[: job["rows"]], y[: job["rows"]], rows[: job["batch"]]
    for peer, (fit, answer) in MODELS[job["model"]].items():
        model = fit(x, y)
        tell(id=job["id"], peer=peer, rows_per_second=rate(answer, model, rows, job["enough"]))
        if not job["single"]:
            continue
        singles = [np.ascontiguousarray(row[None, :]) for row in rows[: job["single"]]]
        tell(id=job["id"], peer=peer, one_us=one_by_one(lambda row: answer(model, row), singles))
        if peer == "LightGBM":
            fast, addresses = lightgbm_fast(model, x.shape[1]), [ctypes.c_void_p(row.ctypes.data) for row in singles]
            if not np.allclose([fast(address) for address in addresses[:50]], answer(model, rows[:50])):
                raise RuntimeError("LightGBM's fast way for one row answers otherwise than its usual one")
            tell(id=job["id"], peer="LightGBM's C function", one_us=one_by_one(fast, addresses))

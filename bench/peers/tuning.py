"""Optuna over LightGBM and over CatBoost, each for the same time on all cores: log-loss in five folds (of time,
where the table has one), early stopping inside each fold, then a fit on all training rows with the mean number of rounds."""

import json
import sys
import time

import catboost
import lightgbm
import numpy as np
import optuna
from sklearn.metrics import log_loss
from tables import Table, tell

ROUNDS, PATIENCE = 2000, 50


def lightgbm_of(trial, table):
    options = dict(
        n_estimators=ROUNDS,
        learning_rate=trial.suggest_float("learning_rate", 0.01, 0.2, log=True),
        num_leaves=trial.suggest_int("num_leaves", 4, 256, log=True),
        min_child_samples=trial.suggest_int("min_child_samples", 5, 200, log=True),
        subsample=trial.suggest_float("subsample", 0.5, 1.0), subsample_freq=1,
        colsample_bytree=trial.suggest_float("colsample_bytree", 0.3, 1.0),
        reg_alpha=trial.suggest_float("reg_alpha", 1e-3, 10.0, log=True),
        reg_lambda=trial.suggest_float("reg_lambda", 1e-3, 10.0, log=True),
        verbose=-1, random_state=0)
    return options


def catboost_of(trial, table):
    return dict(
        iterations=ROUNDS,
        learning_rate=trial.suggest_float("learning_rate", 0.01, 0.2, log=True),
        depth=trial.suggest_int("depth", 3, 9),
        l2_leaf_reg=trial.suggest_float("l2_leaf_reg", 1.0, 30.0, log=True),
        random_strength=trial.suggest_float("random_strength", 0.1, 10.0, log=True),
        bagging_temperature=trial.suggest_float("bagging_temperature", 0.0, 1.0),
        cat_features=table.categories, silent=True, allow_writing_files=False, random_seed=0)


def fit_lightgbm(options, rows, answers, watched=None):
    early = {} if watched is None else dict(
        eval_set=[watched], eval_metric="binary_logloss", callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)])
    model = lightgbm.LGBMClassifier(**options).fit(rows, answers, **early)
    return model, model.best_iteration_ or options["n_estimators"]


def fit_catboost(options, rows, answers, watched=None):
    early = {} if watched is None else dict(eval_set=watched, early_stopping_rounds=PATIENCE)
    model = catboost.CatBoostClassifier(**options).fit(rows, answers, **early)
    return model, model.tree_count_


def tune(table, rows, test, space, fit, rounds_name, budget):
    begun = time.perf_counter()
    folds = table.folds(5)

    def objective(trial):
        options, losses, rounds = space(trial, table), [], []
        for step, (inner, outer) in enumerate(folds):
            watched = (rows.iloc[outer], table.answers[outer])
            model, best = fit(options, rows.iloc[inner], table.answers[inner], watched)
            losses.append(log_loss(watched[1], model.predict_proba(watched[0])[:, 1]))
            rounds.append(best)
            trial.report(float(np.mean(losses)), step)
            # A first trial that is not over in time still counts: something must be found.
            late = time.perf_counter() - begun > budget and trial.number > 0
            if late or trial.should_prune():
                raise optuna.TrialPruned
        trial.set_user_attr("rounds", int(np.mean(rounds)))
        return float(np.mean(losses))

    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=0), pruner=optuna.pruners.MedianPruner(n_warmup_steps=1))
    study.optimize(objective, timeout=budget)
    best = study.best_trial
    options = space(optuna.trial.FixedTrial(best.params), table) | {rounds_name: max(1, best.user_attrs["rounds"])}
    model, _ = fit(options, rows, table.answers)
    return time.perf_counter() - begun, model.predict_proba(test)[:, 1], len(study.trials)


optuna.logging.set_verbosity(optuna.logging.WARNING)
for job in json.loads(sys.argv[1]):
    table = Table(job)
    kinds = {
        "Optuna over LightGBM": (table.train, table.test, lightgbm_of, fit_lightgbm, "n_estimators"),
        "Optuna over CatBoost": (
            table.catboost(table.train), table.catboost(table.test), catboost_of, fit_catboost, "iterations"),
    }
    for peer, kind in kinds.items():
        seconds, probabilities, trials = tune(table, *kind, job["budget"])
        tell(job["set"], peer, seconds, probabilities, trials=trials)

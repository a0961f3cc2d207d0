"""The peers' models for rows of numbers, with the same settings as Rapport's in bench/src/ml/models.rs. One thread each."""

import json
import os
import pathlib
import sys

os.environ.update({name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")})

import catboost
import lightgbm
import numpy as np
import xgboost
from sklearn.cluster import KMeans
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

LIGHTGBM = {
    "objective": "binary", "num_leaves": 64, "max_depth": 6, "learning_rate": 0.1, "lambda_l2": 1.0,
    "min_data_in_leaf": 20, "num_threads": 1, "verbose": -1,
}


def probability(model, rows):
    return model.predict_proba(rows)[:, 1]


class XGBoost(xgboost.XGBClassifier):
    """Answers without copying the rows into a structure of its own, which is its fast way."""

    def fast(self, rows):
        return self.get_booster().inplace_predict(rows)


# model -> peer -> (fit, answer); an answer orders rows as a probability does, or is what the model is for.
MODELS = {
    "forest": {
        "scikit-learn": (lambda x, y: RandomForestClassifier(100, random_state=0, n_jobs=1).fit(x, y), probability),
    },
    "boosting": {
        "LightGBM": (lambda x, y: lightgbm.train(LIGHTGBM, lightgbm.Dataset(x, y), 200),
                     lambda model, rows: model.predict(rows, num_threads=1)),
        "XGBoost": (lambda x, y: XGBoost(n_estimators=200, max_depth=6, learning_rate=0.1, n_jobs=1).fit(x, y), XGBoost.fast),
        "CatBoost": (lambda x, y: catboost.CatBoostClassifier(
            iterations=200, depth=6, learning_rate=0.1, thread_count=1, allow_writing_files=False, silent=True).fit(x, y),
            lambda model, rows: model.predict(rows, prediction_type="Probability", thread_count=1)[:, 1]),
    },
    "logistic": {
        "scikit-learn": (lambda x, y: LogisticRegression().fit(x, y), probability),
        "scikit-learn, newton-cholesky": (lambda x, y: LogisticRegression(solver="newton-cholesky").fit(x, y), probability),
    },
    "linear-svm": {
        "scikit-learn": (lambda x, y: LinearSVC().fit(x, y), lambda model, rows: model.decision_function(rows)),
    },
    "tree": {
        "scikit-learn": (lambda x, y: DecisionTreeClassifier(max_depth=8, random_state=0).fit(x, y), probability),
    },
    "kernel-svm": {
        "scikit-learn": (lambda x, y: SVC(cache_size=200).fit(x, y), lambda model, rows: model.decision_function(rows)),
    },
    "bayes": {"scikit-learn": (lambda x, y: GaussianNB().fit(x, y), probability)},
    "neighbours": {"scikit-learn": (lambda x, y: KNeighborsClassifier(25, weights="distance").fit(x, y), probability)},
    "least-squares": {
        "scikit-learn": (lambda x, y: LinearRegression().fit(x, y), lambda model, rows: model.predict(rows)),
    },
    "k-means": {
        "scikit-learn": (lambda x, y: KMeans(8, n_init=4, random_state=0).fit(x), lambda model, rows: model.predict(rows)),
    },
}


def load(folder, part):
    """Rows and answers as the Rust side wrote them."""
    folder = pathlib.Path(folder)
    return np.load(folder / f"{part}.x.npy"), np.load(folder / f"{part}.y.npy")


def tell(**line):
    print(json.dumps(line), flush=True)


def jobs():
    """What the Rust side asks for: a JSON list as the one argument."""
    return json.loads(sys.argv[1])

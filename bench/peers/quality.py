"""What each peer's defaults make of a table. LightGBM, XGBoost and CatBoost take categories as such; scikit-learn one-hot."""

import json
import sys
import time

import catboost
import lightgbm
import xgboost
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from tables import Table, tell

for job in json.loads(sys.argv[1]):
    table = Table(job)
    peers = {
        "scikit-learn logistic regression": lambda: table.one_hot(LogisticRegression(max_iter=1000)),
        "scikit-learn random forest": lambda: table.one_hot(RandomForestClassifier(random_state=0)),
        "LightGBM": lambda: lightgbm.LGBMClassifier(verbose=-1, random_state=0),
        "XGBoost": lambda: xgboost.XGBClassifier(enable_categorical=True, random_state=0),
        "CatBoost": lambda: catboost.CatBoostClassifier(
            cat_features=table.categories, silent=True, allow_writing_files=False, random_seed=0),
    }
    for peer, make in peers.items():
        coded = table.catboost if peer == "CatBoost" else lambda part: part
        begun = time.perf_counter()
        model = make().fit(coded(table.train), table.answers)
        seconds = time.perf_counter() - begun
        tell(job["set"], peer, seconds, model.predict_proba(coded(table.test))[:, 1])

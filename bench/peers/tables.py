"""Tables as the Rust side wrote them: train.csv with the answers, test.csv without. Answers go back as lines of JSON."""

import json

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

TARGET = "target"


class Table:
    """Numbers as they are; texts and truth values are categories, and those that training did not have are missing. `time` is
    the column that tells when a row was, and after how many days its answer is known; nothing learns from it."""

    def __init__(self, job):
        folder, time = job["folder"], job.get("time")
        train, self.test = (pd.read_csv(f"{folder}/{part}.csv", na_values=[" "]) for part in ("train", "test"))
        self.answers = train.pop(TARGET).to_numpy()
        self.at = None
        if time is not None:
            self.at, self.gap = pd.to_datetime(train.pop(time["name"])), pd.Timedelta(days=time["days"])
            self.test.pop(time["name"])
        # LightGBM and XGBoost refuse brackets in names, and names tell the peers nothing.
        train.columns = self.test.columns = [f"column {place}" for place in range(len(train.columns))]
        self.train = train
        self.categories = list(train.select_dtypes(exclude="number").columns) + list(train.select_dtypes(bool).columns)
        self.categories = list(dict.fromkeys(self.categories))
        self.numbers = [name for name in train.columns if name not in self.categories]
        for name in self.categories:
            known = sorted(train[name].dropna().astype(str).unique())
            for part in (self.train, self.test):
                texts = part[name].astype(object).where(part[name].isna(), part[name].astype(str))
                part[name] = pd.Categorical(texts, categories=known)

    def folds(self, count):
        """Of classes; of a history each part of it, learnt from what was known before it began."""
        if self.at is None:
            split = StratifiedKFold(count, shuffle=True, random_state=0).split(self.train, self.answers)
            return list(split)
        borders = [self.at.sort_values().iloc[len(self.at) * block // (count + 1)] for block in range(1, count + 1)]
        ends = borders[1:] + [None]
        return [(np.flatnonzero(self.at + self.gap < begin),
                 np.flatnonzero((self.at >= begin) & ((self.at < end) if end is not None else True)))
                for begin, end in zip(borders, ends)]

    def catboost(self, part):
        """CatBoost wants texts, and none missing."""
        part = part.copy()
        for name in self.categories:
            part[name] = part[name].astype(object).where(part[name].notna(), "(missing)").astype(str)
        return part

    def one_hot(self, model):
        """A scikit-learn model behind standardised numbers and a column for each category."""
        return make_pipeline(make_column_transformer(
            (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), self.numbers),
            (OneHotEncoder(handle_unknown="ignore"), self.categories)), model)


def tell(name, peer, seconds, probabilities, **more):
    line = {"set": name, "peer": peer, "seconds": seconds, "probabilities": [float(p) for p in probabilities]}
    print(json.dumps(line | more), flush=True)

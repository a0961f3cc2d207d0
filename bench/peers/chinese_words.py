"""Chinese reviews classified by pairs of characters and by the words of jieba's dictionary.

`python chinese_words.py REVIEWS.csv.gz` needs jieba and scikit-learn. The same split, the same number of terms and the same
logistic regression for both; the rows are in random order, so the split is by place.
"""

import csv
import gzip
import random
import sys
import time

import jieba
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score

TERMS = 40_000


def main() -> None:
    with gzip.open(sys.argv[1], "rt", encoding="utf-8") as file:
        rows = [(row["review"], int(row["label"])) for row in csv.DictReader(file) if row["review"]]
    random.Random(7).shuffle(rows)
    texts, labels = [text for text, _ in rows], [label for _, label in rows]
    cut = len(rows) * 3 // 4
    jieba.initialize()
    ways = {
        "characters and pairs": {"analyzer": "char", "ngram_range": (1, 2)},
        "jieba's words": {"tokenizer": jieba.lcut, "token_pattern": None},
        "jieba's words and pairs of them": {"tokenizer": jieba.lcut, "token_pattern": None, "ngram_range": (1, 2)},
    }
    for name, options in ways.items():
        begun = time.process_time()
        terms = TfidfVectorizer(max_features=TERMS, sublinear_tf=True, **options)
        train, test = terms.fit_transform(texts[:cut]), terms.transform(texts[cut:])
        seconds = time.process_time() - begun
        model = LogisticRegression(C=4.0, max_iter=1_000).fit(train, labels[:cut])
        chances = model.predict_proba(test)[:, 1]
        auc, loss = roc_auc_score(labels[cut:], chances), log_loss(labels[cut:], chances)
        print(f"{name}: AUC {auc:.4f}, log-loss {loss:.4f}, terms in {seconds:.0f} s of processor time")


if __name__ == "__main__":
    main()

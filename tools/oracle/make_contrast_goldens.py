"""Goldens of the label contrast: Fisher's exact test and Benjamini–Hochberg's q-values.

tests/goldens/contrast/fisher.json   tables [active, size, active_others, size_others] with
    p_value      exact, in rational arithmetic (tables exactly as probable as this one count)
    scipy        scipy.stats.fisher_exact(alternative="two-sided")
    odds_ratio   scipy's sample odds ratio (Infinity and NaN as strings)
tests/goldens/contrast/fdr.json      p-values with statsmodels' fdrcorrection
tests/goldens/contrast/rest.csv, pair.csv
                 the contrast of tests/goldens/pipeline/expected/specific.csv: every label against the rest, and
                 `short` against `lines`, each row with q <= 1 and q <= 0.5
Needs scipy, statsmodels and pandas.
"""

import json
import math
import random
import warnings
from fractions import Fraction
from pathlib import Path

import pandas as pd
from scipy.stats import fisher_exact
from statsmodels.stats.multitest import fdrcorrection

GOLDENS = Path(__file__).resolve().parents[2] / "tests" / "goldens"
FOLDER = GOLDENS / "contrast"
ACTIVATION_THRESHOLD = 0.01


def exact_p_value(active, size, active_others, size_others):
    """Sum of the weights that are at most this table's, over the sum of all; weights are integers, by recurrence."""
    drawn = active + active_others
    low, high = max(0, drawn - size_others), min(drawn, size)
    weight = math.comb(size, low) * math.comb(size_others, drawn - low)
    weights = []
    for k in range(low, high + 1):
        weights.append(weight)
        weight = weight * (size - k) * (drawn - k) // ((k + 1) * (size_others - drawn + k + 1))
    limit = weights[active - low]
    return float(Fraction(sum(w for w in weights if w <= limit), sum(weights)))


def tables():
    random.seed("contrast")
    small = [
        (a, n, b, m)
        for n, m in [(1, 1), (3, 4), (5, 5), (10, 3)]
        for a in range(n + 1)
        for b in range(m + 1)
    ]
    sizes = [(30, 110), (70, 70), (500, 500), (300, 4700)]
    middle = [
        (random.randint(0, n), n, random.randint(0, m), m) for n, m in sizes for _ in range(12)
    ]
    near = []  # where neither p-value is tiny
    for n, m in sizes + [(5000, 15000), (50000, 50000), (30000, 70000), (100000, 100000), (100, 100000)]:
        for rate in (0.001, 0.02, 0.3, 0.5, 0.97):
            spread = math.sqrt(n * rate * (1 - rate))
            a = min(n, max(0, round(n * rate + random.uniform(-2.5, 2.5) * spread)))
            near.append((a, n, round(m * rate), m))
    tiny = [(400, 1000, 10, 1000), (0, 300, 250, 300), (50000, 100000, 48000, 100000), (9, 10, 0, 100000)]
    return small + middle + near + tiny


def test_of(active, size, active_others, size_others):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tables with an empty margin
        return fisher_exact([[active, size - active], [active_others, size_others - active_others]])


def contrast(specific, pairs, largest_q):
    """The contrast CSV of a specific CSV. pairs: (label, against), against None for the rest."""
    parts = []
    for (source, token), table in specific.groupby(["source", "token"], sort=True):
        rows = []
        for label, against in pairs:
            for feature, rows_of in table.groupby("feature_id", sort=False):
                first = rows_of[rows_of.label == label]
                second = rows_of[rows_of.label == against] if against else rows_of[rows_of.label != label]
                counts = [(group.activation > ACTIVATION_THRESHOLD).sum() for group in (first, second)]
                if not len(first) or not len(second) or not sum(counts):
                    continue
                result = test_of(counts[0], len(first), counts[1], len(second))
                rates = counts[0] / len(first), counts[1] / len(second)
                rows.append(
                    {
                        "feature_id": feature,
                        "label": label,
                        "against": against or "rest",
                        "rate_label": rates[0],
                        "rate_against": rates[1],
                        "mean_label": first.activation.mean(),
                        "mean_against": second.activation.mean(),
                        "rate_difference": rates[0] - rates[1],
                        "odds_ratio": result.statistic,
                        "p_value": result.pvalue,
                        "source": source,
                        "token": token,
                        "link": rows_of.link.iloc[0],
                    }
                )
        if not rows:
            continue
        part = pd.DataFrame(rows)
        part.insert(10, "q_value", fdrcorrection(part.p_value)[1])
        part["size"] = -part.rate_difference.abs()
        part = part[part.q_value <= largest_q]
        parts.append(part.sort_values(["label", "q_value", "size", "feature_id"]).drop(columns="size"))
    return pd.concat(parts)


def number(value):
    return value if math.isfinite(value) else str(value)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    rows = []
    for a, n, b, m in tables():
        result = test_of(a, n, b, m)
        rows.append(
            {
                "table": [a, n, b, m],
                "p_value": exact_p_value(a, n, b, m),
                "scipy": float(result.pvalue),
                "odds_ratio": number(float(result.statistic)),
            }
        )
    (FOLDER / "fisher.json").write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")

    random.seed("fdr")
    families = [[0.5], [0.01, 0.02, 0.03], [1.0, 1.0], [0.04, 0.04, 1e-300, 0.9, 0.0]]
    families.append([random.random() ** 6 for _ in range(200)])
    fdr = [{"p_values": p, "q_values": fdrcorrection(p)[1].tolist()} for p in families]
    (FOLDER / "fdr.json").write_text(json.dumps(fdr) + "\n")

    specific = pd.read_csv(GOLDENS / "pipeline" / "expected" / "specific.csv", keep_default_na=False)
    labels = sorted(specific.label.unique(), key=str.encode)
    contrast(specific, [(label, None) for label in labels], 1.0).to_csv(FOLDER / "rest.csv", index=False)
    contrast(specific, [("short", "lines")], 0.5).to_csv(FOLDER / "pair.csv", index=False)


main()

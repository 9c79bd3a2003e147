#!/usr/bin/env python3
"""Loads the tables of a folder of kith-sim and prints the headline of each arm.

Needs pandas: pip install pandas. Usage: load_results.py FOLDER [METRIC] [OF]
"""
import sys
from pathlib import Path

import pandas as pd


def main() -> None:
    folder = Path(sys.argv[1])
    metric = sys.argv[2] if len(sys.argv) > 2 else "available_current"
    of = sys.argv[3] if len(sys.argv) > 3 else "all"
    runs = pd.read_csv(folder / "runs.csv", keep_default_na=False)
    runs["value"] = pd.to_numeric(runs["value"])
    shown = runs[(runs["metric"] == metric) & (runs["of"] == of)]
    points = [name for name in runs.columns[2:] if name not in set(
        ["changed", "seed", "arm", "of", "metric", "unit", "value", "above", "below"])]
    by_arm = shown.groupby([*points, "arm"], sort=False)["value"]
    print(by_arm.agg(["count", "mean", "std"]).round(4).to_string())
    # One row for each seed, one column for each arm: what pairing needs.
    wide = shown.pivot_table(index=[*points, "seed"], columns="arm", values="value")
    difference = wide.rsub(wide["federated"], axis=0).drop(columns="federated")
    print("\nfederated more than each, paired by seed:")
    print(difference.groupby(level=points).mean().round(4).to_string() if points
          else difference.mean().round(4).to_string())


if __name__ == "__main__":
    main()

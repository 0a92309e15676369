#!/usr/bin/env python3
"""Write the goldens of src/base and src/output: what Python, numpy and pandas make of the same values.

    python tools/oracle/make_report_goldens.py        (needs numpy and pandas; writes tests/goldens/report/)

floats.json   [bits of a float32, its text]. The digits are numpy's shortest ones that read back to the same
              float32; the layout is Python's own float repr of those digits (numpy changes to exponents earlier).
csv.json      [field, the field as DataFrame.to_csv writes it]. A lone carriage return is not among them: whether
              it is quoted depends on the version of Python's csv module, and we always quote it.
json.json     [text, json.dumps(text, ensure_ascii=False)].
"""
import json
import struct
from pathlib import Path

import numpy as np
import pandas as pd

FOLDER = Path(__file__).resolve().parents[2] / "tests" / "goldens" / "report"

NAMED_FLOATS = [
    0.0, -0.0, 1.0, -1.0, 0.85, 1.2, 0.02, 0.01, 0.1, 0.3, 0.5, 12.0, 100.0, 123456.0, 123456.789, 1e-05, 1.5e-07,
    1e-4, 0.00012345, 9.9999e-05, 0.001, 16777216.0, 16777217.0, 123456789.0, 1e9, 9.99e15, 1e15, 1e16, 1.5e16, 1e20,
    3.4028235e38, 1.1754944e-38, 1e-45, 1.4e-45, 3e-45, 5.877e-39, 2.0 / 3.0, 1.0 / 3.0, 3.1415927, 2.7182817,
    8388608.5, 4194304.25, 0.3333333, 33554432.0, 8589934592.0, 9007199254740992.0, 9007199791611904.0,
]

TEXTS = [
    "", "plain", "two words", " leading", "trailing ", "a,b", ",", '"', '""', 'say "hi"', '"whole"', "line\nbreak",
    "\n", "a\r\nb", "tab\there", "semi;colon", "single 'quotes'", "it's", "back\\slash", "caf\u00e9", "\u4f60\u597d",
    "emoji \U0001F600", "family \U0001F468\u200d\U0001F469\u200d\U0001F467", "\u2028 and \u2029", "\ufeffmark",
    "\x7f", "nul\x00inside", "\x01\x1f", "\b\f", "/", "NA", "None", "123", "#hash", "=1+1", 'comma, "quote"\nline',
]


def float_goldens():
    rng = np.random.default_rng(0)
    bits = [struct.unpack("<I", struct.pack("<f", np.float32(x)))[0] for x in NAMED_FLOATS]
    random_bits = rng.integers(0, 2**32, 260, dtype=np.uint32)
    typical = np.abs(rng.normal(0, 3, 200)).astype(np.float32).view(np.uint32)
    bits += [int(b) for b in np.concatenate([random_bits, typical])]
    goldens = []
    for b in bits:
        value = np.uint32(b).view(np.float32)
        if np.isfinite(value):
            goldens.append([b, repr(float(str(value)))])
    return goldens


def csv_field(text):
    table = pd.DataFrame({"first": ["x"], "field": [text], "last": ["y"]}).to_csv(index=False, header=False)
    assert table.startswith("x,") and table.endswith(",y\n")
    return table[2:-3]


def write(name, goldens):
    lines = ",\n".join(json.dumps(golden) for golden in goldens)
    (FOLDER / name).write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    write("floats.json", float_goldens())
    write("csv.json", [[text, csv_field(text)] for text in TEXTS])
    write("json.json", [[text, json.dumps(text, ensure_ascii=False)] for text in TEXTS + ["lone \r return"]])


if __name__ == "__main__":
    main()

"""What users hand over reaches the run as they meant it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import ENVIRONMENT, PIPELINE

import saescope

TEXTS = ["How do you feel?", "Is it raining?", "What's 1 + 1?"]
LABELS = ["emotional", "weather", "numbers"]
FEATURE = [("llama_trainer1_layer1", 41, "asst")]

# What a CSV file, a JSON string, pandas or a terminal might take for something else.
HOSTILE = [
    "NA", "null", "nan", "None", "0", "1e5", "true", '"', "'", '""', "a,b;c\td", "=1+2", "#", " leading and trailing ",
    "line\nfeed", "carriage\rreturn", "both\r\n\r\n", "\n", "\ttab", "back\\slash \\n", "\x7f\x1b[31m", "\u2028\u2029\x85",
    "\ufeffmark", "🙂🎉👩‍👩‍👧", "e\u0301 é", "你好，世界", "مرحبا", "שלום", "\U0010ffff", "\ufffd", "{}", "[]", '{"content": "x"}', "x" * 300,
]  # fmt: skip
if int(pd.__version__.split(".")[0]) >= 3:
    HOSTILE += ["\x00", "a\x00b"]  # earlier ones end a field there when they read a CSV file


def specific(prompts: Any, config: Path, **keywords: Any) -> pd.DataFrame:
    keywords = {"report": False, "progress": False, **keywords}
    return saescope.specific(prompts, FEATURE, config=config, **keywords).specific


@pytest.mark.parametrize(
    "prompts",
    [
        pytest.param([{"content": t, "label": l} for t, l in zip(TEXTS, LABELS)], id="dicts"),
        pytest.param(({"prompt": t, "label": l} for t, l in zip(TEXTS, LABELS)), id="generator"),
        pytest.param(pd.DataFrame({"content": TEXTS, "label": LABELS}), id="frame"),
        pytest.param(pd.DataFrame({"label": LABELS, "text": TEXTS}, index=[7, 7, 9]), id="frame_with_another_index"),
        pytest.param(
            pd.DataFrame({"prompt": TEXTS, "label": LABELS}).astype("category"), id="frame_of_categories"
        ),
        pytest.param(
            [{"messages": [{"role": "user", "content": t}], "label": l} for t, l in zip(TEXTS, LABELS)], id="messages"
        ),
        pytest.param(
            pd.DataFrame({"messages": [[{"role": "user", "content": t}] for t in TEXTS], "label": LABELS}),
            id="frame_of_messages",
        ),
        pytest.param(
            pd.DataFrame(
                {"messages": [np.array([{"role": "user", "content": t}]) for t in TEXTS], "label": LABELS}
            ),
            id="messages_as_parquet_reads_them",
        ),
    ],
)
def test_prompts_of_every_kind_give_the_same_numbers(prompts: Any, config: Path) -> None:
    expected = specific(list(TEXTS), config)
    found = specific(prompts, config)
    assert found["activation"].tolist() == expected["activation"].tolist()
    assert len(set(found["activation"])) == 3
    assert found["label"].tolist() == LABELS


def test_texts_and_series_have_no_labels(config: Path) -> None:
    for prompts in (list(TEXTS), tuple(TEXTS), pd.Series(TEXTS), np.array(TEXTS)):
        found = specific(prompts, config)
        assert found["prompt"].tolist() == TEXTS
        assert found["label"].tolist() == ["", "", ""]


def test_a_conversation_is_a_list_of_messages(config: Path) -> None:
    turns = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    rendered = saescope.show_tokens([turns, "Hi"], model="llama", config=config)["rendered"].unique().tolist()
    assert "Be brief." in rendered[0] and "Be brief." not in rendered[1]


def test_labels_are_texts_and_gaps_are_none(config: Path) -> None:
    labels = [1, None, True]
    for prompts in (
        pd.DataFrame({"content": TEXTS, "label": pd.Series(labels, dtype=object)}),
        [{"content": t, "label": l} for t, l in zip(TEXTS, [1, float("nan"), True])],
    ):
        assert specific(prompts, config)["label"].tolist() == ["1", "", "True"]
    gaps = pd.DataFrame({"content": TEXTS, "label": pd.array([1, pd.NA, 2], dtype="Int64")})
    assert specific(gaps, config)["label"].tolist() == ["1", "", "2"]


def test_content_key_names_a_column(config: Path) -> None:
    frame = pd.DataFrame({"content": ["x"] * 3, "question": TEXTS})
    assert specific(frame, config, content_key="question")["prompt"].tolist() == TEXTS
    assert specific(frame.to_dict("records"), config, content_key="question")["prompt"].tolist() == TEXTS


def test_texts_come_back_as_they_were_given(config: Path) -> None:
    frame = pd.DataFrame({"content": HOSTILE, "label": list(reversed(HOSTILE))})
    found = specific(frame, config)
    assert found["prompt"].tolist() == HOSTILE
    assert found["label"].tolist() == list(reversed(HOSTILE))
    shown = saescope.show_tokens(HOSTILE, model="llama", config=config)
    for row in shown[shown["token"] == "asst"].itertuples():
        assert HOSTILE[row.prompt_idx].strip() in row.rendered


@pytest.mark.parametrize(
    "features",
    [
        pytest.param([("llama_trainer1_layer1", 41), ("qwen_trainer1_layer1", 3)], id="pairs"),
        pytest.param([("llama_trainer1_layer1", np.int64(41), None), ["qwen_trainer1_layer1", 3.0]], id="numpy_and_lists"),
        pytest.param(
            pd.DataFrame({"feature_id": [41, 3], "source": ["llama_trainer1_layer1", "qwen_trainer1_layer1"], "x": "y"}), id="frame"
        ),
        pytest.param(
            pd.DataFrame(
                {"source": ["llama_trainer1_layer1", "qwen_trainer1_layer1"], "feature_id": [41, 3], "token": [None, float("nan")]}
            ),
            id="frame_with_gaps",
        ),
    ],
)  # fmt: skip
def test_features_of_every_kind_give_the_same_table(features: Any, config: Path) -> None:
    found = saescope.specific(["Hi"], features, config=config, report=False).specific
    assert found["feature_id"].tolist() == [41, 41, 41, 3, 3]
    assert found["token"].tolist() == ["asst", "endheader", "newline", "asst", "newline"]


def test_a_configuration_can_be_a_dict_with_paths_from_the_working_folder(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = {
        "model": "../tiny/llama_untied_rope",
        "sae_dir": "saes/llama",
        "sae_path": "resid_post_layer_{layer}/trainer_{trainer}",
        "trainer": 1,
        "layers": np.array([1, 2]),
        "tokens": {"asst": "assistant", "newline": "\n\n", "third": -3},
        "link": 'https://example.org/"quoted"\\\x7f/{layer}/{feature_id}?🙂',
        "template_vars": {"flag": True, "word": "x", "count": 2},
        "check_sae": False,
    }
    monkeypatch.chdir(PIPELINE)
    entries = {"models": {"my model 2.5": entry, "other": {**entry, "model": (PIPELINE / "../tiny/llama_untied_rope")}}}
    with pytest.raises(saescope.InputError):  # a name is part of a source's
        saescope.universal(["Hi"], config=entries)
    entries["models"]["mine-2.5"] = entries["models"].pop("my model 2.5")
    found = saescope.universal(["Hi"], config=entries, report=False).universal
    expected = saescope.universal(["Hi"], config=config, models="llama", tokens=["asst", "newline"], report=False).universal
    for name in ("mine-2.5", "other"):
        own = found[found["source"].str.startswith(name) & (found["token"] != "third")]
        assert own["activation_mean"].tolist() == expected["activation_mean"].tolist()
    assert found["link"].iloc[0] == f'https://example.org/"quoted"\\\x7f/1/{found["feature_id"].iloc[0]}?🙂'


def test_contrasts_are_every_label_or_pairs(config: Path) -> None:
    prompts = pd.DataFrame({"content": [f"prompt {i}" for i in range(12)], "label": ["a:x", "b", "c"] * 4})

    def compared(contrast: Any) -> set[tuple[str, str]]:
        found = saescope.universal(prompts, config=config, models="llama", contrast=contrast, contrast_q=1, report=False)
        return set(zip(found.contrast["label"], found.contrast["against"]))

    assert compared(True) == {("a:x", "rest"), ("b", "rest"), ("c", "rest")}
    assert compared([("a:x", "b"), ("b", "c")]) == {("a:x", "b"), ("b", "c")}
    assert compared(("a:x", "b")) == compared([["a:x", "b"]]) == {("a:x", "b")}


def test_a_forked_process_does_not_take_the_tables_away(config: Path) -> None:
    script = (
        "import os, saescope\n"
        f"result = saescope.universal(['Hi'], config={str(config)!r}, models='llama')\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    del result\n"
        "    os._exit(0)\n"
        "os.waitpid(child, 0)\n"
        "print(len(result.universal) > 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], env=ENVIRONMENT, capture_output=True, text=True)
    assert done.stdout == "True\n", done.stderr


def test_nothing_is_left_behind_and_the_current_folder_stays_as_it_was(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "temporary").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    result = saescope.universal(["Hi"], config=config, models="llama")
    report = result.report
    saescope.activations(["Hi"], model="llama", layers=1, config=config)
    with pytest.raises(saescope.InputError):
        saescope.universal([""], config=config)
    del result
    assert len(os.listdir(tmp_path / "temporary")) == 1  # the report's
    assert report.html.startswith("<!")
    del report
    assert os.listdir(tmp_path / "temporary") == []
    assert os.listdir(tmp_path / "work") == []

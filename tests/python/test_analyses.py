"""Every function gives what the command line writes."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import PIPELINE, assert_same
from safetensors.numpy import load_file

import saescope

PROMPTS = PIPELINE / "prompts"
FEATURES = PIPELINE / "features.csv"

CommandLine = Callable[..., Path]


def test_universal_is_the_command_lines_table(config: Path, command_line: CommandLine) -> None:
    files = command_line("--analysis", "universal", "--config", config, "--prompts-path", PROMPTS,
                         "--universal-output", "universal.csv")  # fmt: skip
    result = saescope.universal(PROMPTS, config=config)
    assert_same(result.universal, files / "universal.csv")
    assert len(result.universal) > 500


def test_every_keyword_of_universal_is_its_flag(config: Path, command_line: CommandLine) -> None:
    files = command_line(
        "--analysis", "universal", "--config", config, "--prompts-path", PROMPTS, "--universal-output", "universal.csv",
        "--contrast-output", "contrast.csv", "--models", "llama,qwen", "--layers", "2", "--trainer", "2", "--tokens", "newline",
        "--threshold", "0.2", "--activation-threshold", "1.25", "--contrast", "weather:short", "--contrast", "lines:marks",
        "--contrast-q", "1", "--dtype", "fp32", "--device", "cpu", "--threads", "1", "--memory-limit", "1GiB", "--batch-tokens", "64",
        "--max-tokens", "30", "--skip-long", "--no-cache", "--cache-limit", "1GiB", "--store", "store", "--store-dtype", "fp32", "--offline",
        "--content-key", "content",
    )  # fmt: skip
    with pytest.warns(saescope.SaescopeWarning, match="longer|left out"):
        result = saescope.universal(
            PROMPTS, config=config, models=["llama", "qwen"], layers=2, trainer=2, tokens=["newline"], threshold=0.2,
            activation_threshold=1.25, contrast=[("weather", "short"), ("lines", "marks")], contrast_q=1, dtype="fp32",
            device="cpu", threads=1, memory_limit="1GiB", batch_tokens=64, max_tokens=30, skip_long=True, cache=False,
            cache_limit="1GiB", store="store", store_dtype="fp32", offline=True, content_key="content",
        )  # fmt: skip
    assert_same(result.universal, files / "universal.csv")
    assert_same(result.contrast, files / "contrast.csv")
    assert set(result.contrast["against"]) == {"short", "marks"}


def test_specific_is_the_command_lines_table_and_records(config: Path, command_line: CommandLine) -> None:
    files = command_line(
        "--analysis", "specific", "--config", config, "--prompts-path", PROMPTS, "--features-csv", FEATURES,
        "--specific-output", "specific.csv", "--record-prompts", "--token-activations", "tokens.jsonl",
    )  # fmt: skip
    result = saescope.specific(PROMPTS, FEATURES, config=config, token_activations=True, record_prompts=True)
    assert_same(result.specific, files / "specific.csv")
    for frame, name in (
        (result.token_activations, "tokens.jsonl"),
        (result.active_prompts, "specific_activeprompts.jsonl"),
    ):
        records = [json.loads(line) for line in (files / name).read_text("utf-8").split("\n")[:-1]]
        assert len(frame) == len(records) > 100
        for row, record in zip(frame.to_dict("records"), records):
            assert list(row) == list(record)
            if name == "tokens.jsonl":
                assert row["activations"].dtype == np.float32
                assert row.pop("activations").tolist() == [np.float32(value) for value in record.pop("activations")]
            else:
                assert row.pop("activation") == np.float32(record.pop("activation"))
            assert row == record


def test_analyze_is_both_analyses_in_one_pass(config: Path, command_line: CommandLine) -> None:
    files = command_line(
        "--analysis", "both", "--config", config, "--prompts-path", PROMPTS, "--features-csv", FEATURES, "--models", "llama",
        "--universal-output", "universal.csv", "--specific-output", "specific.csv", "--contrast-output", "contrast.csv",
        "--contrast-q", "1", "--tokens", "asst",
    )  # fmt: skip
    with pytest.warns(saescope.SaescopeWarning, match="--tokens leaves"):
        result = saescope.analyze(PROMPTS, FEATURES, config=config, models="llama", tokens="asst", contrast=True, contrast_q=1)
    assert_same(result.universal, files / "universal.csv")
    assert_same(result.specific, files / "specific.csv")
    assert_same(result.contrast, files / "contrast.csv")
    assert np.isinf(result.contrast["odds_ratio"]).any()


def test_analyze_without_features_is_universal(config: Path) -> None:
    result = saescope.analyze(PROMPTS, config=config, models="llama")
    assert len(result.universal) > 300
    with pytest.raises(AttributeError, match="no specific; it has universal, report"):
        _ = result.specific


def test_texts_are_categories_and_numbers_have_their_own_widths(config: Path) -> None:
    result = saescope.analyze(PROMPTS, FEATURES, config=config, contrast=True, token_activations=True, report=False)
    types = {name: str(dtype) for name, dtype in result.universal.dtypes.items()}
    assert types.pop("type") in ("str", "object")
    assert types == {
        "feature_id": "int64", "activation_mean": "float32", "activation_max": "float32", "activation_min": "float32",
        "num_prompts": "int64", "chat_desc": "category", "pt_desc": "category", "source": "category", "token": "category",
        "link": "category",
    }  # fmt: skip
    assert [str(dtype) for dtype in result.specific.dtypes] == [
        "int64", "category", "category", "int64", "float32", "category", "category", "category"
    ]  # fmt: skip
    assert (result.contrast.dtypes == "float64").sum() == 8
    assert str(result.token_activations["layer"].dtype) == "int64"


def test_saved_files_are_those_of_the_command_line(config: Path, command_line: CommandLine, tmp_path: Path) -> None:
    files = command_line(
        "--analysis", "both", "--config", config, "--prompts-path", PROMPTS, "--features-csv", FEATURES,
        "--universal-output", "universal.csv", "--specific-output", "specific.csv", "--record-prompts",
        "--token-activations", "tokens.jsonl", "--contrast-output", "contrast.csv", "--contrast-q", "0.5",
    )  # fmt: skip
    result = saescope.analyze(PROMPTS, FEATURES, config=config, contrast=True, contrast_q=0.5, token_activations=True,
                              record_prompts=True)  # fmt: skip
    saved = result.save(tmp_path / "some" / "folder")
    names = {path.name for path in saved.iterdir()}
    tables = {"universal.csv", "specific.csv", "contrast.csv", "tokens.jsonl", "specific_activeprompts.jsonl"}
    assert names == tables | {"report.html", "summary.txt"}
    for name in tables:
        assert (saved / name).read_bytes() == (files / name).read_bytes(), name
    assert (saved / "summary.txt").read_text("utf-8") == result.summary
    assert "universal  llama_trainer1_layer1" in result.summary
    assert "/tmp" not in result.summary


def test_activations_are_the_command_lines_tensors(config: Path, command_line: CommandLine) -> None:
    files = command_line("--config", config, "--prompts-path", PROMPTS, "--models", "llama", "--layers", "1,3",
                         "--tokens", "asst,newline", "--activations-output", "a.safetensors")  # fmt: skip
    tensors = load_file(files / "a.safetensors")
    found = saescope.activations(PROMPTS, model="llama", layers=[1, 3], tokens=["asst", "newline"], config=config)
    assert list(found) == [(1, "asst"), (1, "newline"), (3, "asst"), (3, "newline")]
    for (layer, token), rows in found.items():
        assert rows.dtype == np.float32 and rows.shape == (30, 32)
        np.testing.assert_array_equal(rows, tensors[f"llama.layer_{layer}.{token}"])
    assert found.prompt_idx.tolist() == list(range(30))


def test_activations_name_the_prompts_that_were_not_left_out(config: Path) -> None:
    prompts = ["Hi", "a long prompt " * 20, "Ho"]
    with pytest.warns(saescope.SaescopeWarning):
        found = saescope.activations(prompts, model="llama", layers=1, config=config, max_tokens=40, skip_long=True)
    assert found.prompt_idx.tolist() == [0, 2]
    assert found[1, "asst"].shape == (2, 32)


def test_activations_read_a_model_by_its_path_without_any_configuration() -> None:
    found = saescope.activations(["Hi"], model=PIPELINE / "../tiny/qwen2_bias", layers=2)
    assert list(found) == [(2, "last")]


def test_show_tokens_is_the_command_lines_output(config: Path, command_line: CommandLine) -> None:
    files = command_line("--config", config, "--prompts-path", PROMPTS, "--models", "qwen", "--show-tokens")
    expected = [json.loads(line) for line in (files / "stdout").read_text("utf-8").split("\n") if line]
    frame = saescope.show_tokens(PROMPTS, model="qwen", config=config)
    assert len(frame) == 60
    for row in frame.itertuples():
        prompt = expected[row.prompt_idx]
        assert row.rendered == prompt["text"] and row.ids == prompt["ids"]
        assert (row[3], row.id, row.text) == tuple(prompt["taps"][row.token].values())


def test_models_is_the_catalogue(command_line: CommandLine) -> None:
    table = (command_line("--list") / "stdout").read_text("utf-8").splitlines()[1:]
    frame = saescope.models()
    names = [line.split()[0] for line in table if line and not line.startswith(" ")]
    assert frame["name"].tolist() == names[: len(frame)]
    assert len(frame) > 10
    llama = frame.set_index("name").loc["llama"]
    assert llama["model"] == "meta-llama/Llama-3.1-8B-Instruct"
    assert 11 in llama["layers"] and llama["default_layers"] == [11, 15]


def test_a_universal_result_is_a_choice_of_features(config: Path) -> None:
    first = saescope.universal(PROMPTS, config=config, models="llama", layers=1, tokens="asst", threshold=0.9)
    chosen = len(first.universal)
    assert chosen > 3
    for features in (first.universal, first):
        second = saescope.specific(PROMPTS, features, config=config, report=False)
        assert len(second.specific) == 30 * chosen
        assert set(second.specific["feature_id"]) == set(first.universal["feature_id"])
        assert set(second.specific["token"]) == {"asst"}


def test_notes_written_into_a_table_come_back_with_the_next_analysis(config: Path) -> None:
    table = saescope.universal(PROMPTS, config=config, models="llama", layers=1, tokens="asst").universal.head(2).copy()
    table["type"] = ["about, itself", "other"]
    again = saescope.analyze(PROMPTS, table, config=config, models="llama", layers=1, tokens="asst").universal
    assert again["type"].tolist()[:3] == ["about, itself", "other", ""]


def test_a_model_and_sae_of_this_run_alone(config: Path) -> None:
    tiny = PIPELINE / "../tiny/llama_untied_rope"
    sae = PIPELINE / "saes/llama/resid_post_layer_{layer}/trainer_1"
    result = saescope.universal(PROMPTS, model=tiny, sae=sae, layers=[1, 2], threshold=0.5)
    assert set(result.universal["source"]) == {"llama_untied_rope_trainer0_layer1", "llama_untied_rope_trainer0_layer2"}
    assert set(result.universal["token"]) == {"last"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = saescope.specific(PROMPTS, result, model=tiny, sae=sae, layers=[1, 2])
    assert len(again.specific) == 30 * len(result.universal)


def test_without_a_report_there_is_none(config: Path) -> None:
    result = saescope.universal(PROMPTS, config=config, models="llama", report=False)
    with pytest.raises(AttributeError, match="no report"):
        _ = result.report


def test_activations_in_a_store_are_used_by_every_function(config: Path, tmp_path: Path) -> None:
    first = saescope.universal(PROMPTS, config=config, models="llama", store=tmp_path, store_dtype="bf16", threshold=0.9)
    again = saescope.universal(PROMPTS, config=config, models="llama", store=tmp_path, store_dtype="bf16", threshold=0.1)
    assert "0 distinct prefixes computed" not in first.summary and "0 distinct prefixes computed" in again.summary
    assert len(again.universal) > len(first.universal) > 0
    other = saescope.activations(PROMPTS, model="llama", layers=[1, 2], config=config, store=tmp_path)
    bf16 = saescope.activations(PROMPTS, model="llama", layers=[1, 2], config=config, store=tmp_path, store_dtype="bf16")
    assert not np.array_equal(other[1, "asst"], bf16[1, "asst"])
    np.testing.assert_allclose(other[1, "asst"], bf16[1, "asst"], rtol=1 / 128)

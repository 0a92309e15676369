"""The page of the results in a notebook and as a file."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from conftest import PIPELINE

import saescope
from saescope import _report


@pytest.fixture
def report(config: Path) -> saescope.Report:
    return saescope.universal(PIPELINE / "prompts", config=config, models="llama", layers=1, tokens="asst").report


def test_a_notebook_shows_the_page_in_a_frame_that_holds_it(
    report: saescope.Report, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = report._repr_html_()
    frame = re.fullmatch(r'<iframe srcdoc="([^"]*)" [^>]*sandbox="([^"]*)"[^>]*></iframe>', shown)
    assert frame is not None
    assert html.unescape(frame[1]) == report.html
    assert "allow-scripts" in frame[2] and "allow-same-origin" not in frame[2]
    assert list(tmp_path.iterdir()) == []


def test_a_large_page_is_a_file_beside_the_notebook(
    report: saescope.Report, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_report, "_LARGEST_INLINE", 1000)
    shown = report._repr_html_()
    assert report._repr_html_() == shown
    [file] = tmp_path.iterdir()
    assert f'src="{file.name}"' in shown and f'href="{file.name}"' in shown and len(shown) < 1000
    assert file.read_text("utf-8") == report.html


def test_a_folder_that_cannot_be_written_is_said(
    report: saescope.Report, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(_report, "_LARGEST_INLINE", 1000)
    monkeypatch.chdir("/proc")  # where not even root can write
    assert ".save(PATH)" in report._repr_html_()


def test_save_and_open(report: saescope.Report, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    saved = report.save(tmp_path / "a" / "b.html")
    assert saved == tmp_path / "a" / "b.html"
    assert saved.read_text("utf-8") == report.html
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    report.open()
    assert opened == [report.path.as_uri()]
    assert "MB" in repr(report)

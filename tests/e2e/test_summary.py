"""A browser shows the summary with GitHub's styles, and Mermaid draws its charts."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.e2e.workflow_run import ROOT

SCRIPT = ROOT / "docs" / "screenshot.js"
EXAMPLE = ROOT / "docs" / "summary.md"


def draw(
    source: Path, picture: Path, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Draw a summary with the script of `make screenshot`."""
    return subprocess.run(
        ["node", SCRIPT, source, picture],
        env={**os.environ, **(environment or {})},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )


def test_the_example_summary_is_drawn_with_chart_and_tables(tmp_path: Path) -> None:
    picture = tmp_path / "summary.png"
    source = EXAMPLE.read_text()
    labels = re.findall(r'"(\d\d:\d\d)\u034f+"', source)
    delimiter_rows = re.findall(r"^\|[ |:-]+\|$", source, flags=re.MULTILINE)

    drawing = draw(EXAMPLE, picture)

    assert drawing.returncode == 0, drawing.stderr
    drawn = json.loads(drawing.stdout)
    assert len(drawn["headings"]) == 1
    assert drawn["charts"] == 1
    assert labels
    assert all(label in drawn["text"] for label in labels)
    assert drawn["tables"] == len(delimiter_rows) > 0
    for markup in ("|", "`", "**", "&#", "###", "](", "<", "Syntax error"):
        assert markup not in drawn["text"]
    header = picture.read_bytes()[:24]
    assert header.startswith(b"\x89PNG")
    size = [int.from_bytes(header[start : start + 4], "big") for start in (16, 20)]
    assert size == [2 * drawn["width"], 2 * drawn["height"]], "the whole page at double resolution"


@pytest.mark.parametrize(
    "chart",
    [
        pytest.param('pie showData\n    "504 timed out : 2', id="unterminated label"),
        pytest.param('pie showData\n    "504" : many', id="text in place of a number"),
        pytest.param("pies\n", id="unknown type of chart"),
    ],
)
def test_a_chart_that_mermaid_cannot_draw_is_an_error(chart: str, tmp_path: Path) -> None:
    source = tmp_path / "summary.md"
    source.write_text(f"### redeliver\n\n```mermaid\n{chart}\n```\n")

    drawing = draw(source, tmp_path / "summary.png")

    assert drawing.returncode == 1
    assert f"screenshot: Mermaid cannot draw a chart of {source}" in drawing.stderr
    assert chart in drawing.stderr
    assert not (tmp_path / "summary.png").exists()


def test_a_missing_chromium_is_an_error_with_advice(tmp_path: Path) -> None:
    drawing = draw(EXAMPLE, tmp_path / "summary.png", {"CHROMIUM": str(tmp_path / "chromium")})

    assert drawing.returncode == 1
    assert "apt-get install chromium" in drawing.stderr

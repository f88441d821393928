"""The house keeps its own rules: floors, sizes, quiet imports, pages in step with the code."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "tui").rglob("*.py"))

LONGEST_FILE = 500
LONGEST_FUNCTION = 60
DEEPEST = 3

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.AST) -> Iterator[FunctionNode]:
    return (node for node in ast.walk(tree) if isinstance(node, FunctionNode))


def length(node: FunctionNode) -> int:
    assert node.end_lineno is not None
    return node.end_lineno - node.lineno + 1


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_files_and_functions_stay_readable(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LONGEST_FILE, "split it by noun"
    long = [
        f"{f.name}: {length(f)}" for f in functions(ast.parse(text)) if length(f) > LONGEST_FUNCTION
    ]
    assert not long


def test_nine_functions_in_ten_are_short() -> None:
    lengths = sorted(
        length(f)
        for path in SOURCES
        for f in functions(ast.parse(path.read_text(encoding="utf-8")))
    )
    assert lengths[len(lengths) * 9 // 10] <= 30


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_every_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def loaded_by(statement: str, *watched: str) -> set[str]:
    """Which of ``watched`` packages a fresh interpreter has loaded after ``statement``."""
    program = f"{statement}\nimport sys\nprint(*[m for m in {watched!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_the_command_line_loads_neither_textual_nor_winrm() -> None:
    assert not loaded_by("import tui.cli", "textual", "winrm", "requests", "spnego", "psutil")


def test_the_deck_loads_no_connection_code() -> None:
    heavy = loaded_by("import tui.ui.app", "winrm", "requests", "spnego", "tui.sim", "psutil")
    assert not heavy


def test_the_action_table_loads_no_connection_code() -> None:
    assert not loaded_by("import tui.actions", "winrm", "requests", "textual")


def test_the_codec_fence_covers_every_codec_file() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    fence = next(c for c in contracts if c["name"] == "The codec does no IO")
    doing_io = {"__init__", "client", "transport", "settings"}
    codec = {path.stem for path in (ROOT / "tui" / "wsman").glob("*.py")} - doing_io
    assert set(fence["source_modules"]) == {f"tui.wsman.{name}" for name in codec}

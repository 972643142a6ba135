"""The code keeps the rules of CONTRIBUTING.md and tests/README.md that a program can check."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


@cache
def nodes_of(module: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(module.read_text())))


def imported_names(module: Path) -> Iterator[str]:
    """Yield the full name of everything that a module imports."""
    for node in nodes_of(module):
        match node:
            case ast.ImportFrom(module=str(origin), names=names):
                yield from (f"{origin}.{alias.name}" for alias in names)
            case ast.Import(names=names):
                yield from (alias.name for alias in names)


def test_no_module_imports_from_a_test_module() -> None:
    imports = {
        (str(module.relative_to(ROOT)), name)
        for module in ROOT.glob("tests/**/*.py")
        for name in imported_names(module)
    }

    assert ("tests/repository/test_code.py", "pathlib.Path") in imports
    assert {(module, name) for module, name in imports if ".test_" in name} == set()


def test_a_tests_name_has_at_most_60_characters() -> None:
    names = {
        node.name
        for module in ROOT.glob("tests/**/test_*.py")
        for node in nodes_of(module)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }

    assert "test_a_tests_name_has_at_most_60_characters" in names
    assert {name for name in names if len(name) > 60} == set()


def test_a_long_module_says_why_it_is_long() -> None:
    long_modules = {
        str(module.relative_to(ROOT)): ast.get_docstring(ast.parse(text)) or ""
        for module in ROOT.glob("src/**/*.py")
        if (text := module.read_text()).count("\n") > 250
    }

    assert {path for path, text in long_modules.items() if "is long because" not in text} == set()


def test_a_class_has_at_most_200_lines() -> None:
    lengths = {
        (str(module.relative_to(ROOT)), node.name): (node.end_lineno or 0) - node.lineno + 1
        for module in ROOT.glob("src/**/*.py")
        for node in nodes_of(module)
        if isinstance(node, ast.ClassDef)
    }

    assert ("src/redeliver/engine/execution.py", "Execution") in lengths
    assert {key for key, length in lengths.items() if length > 200} == set()


def test_no_test_is_skipped_or_expected_to_fail() -> None:
    """What a test needs and a machine lacks makes the test fail, or nobody would notice."""
    uses = {
        (str(module.relative_to(ROOT)), node.attr)
        for module in ROOT.glob("tests/**/*.py")
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Attribute)
    }

    assert ("tests/e2e/without_docker/runner.py", "fail") in uses
    skips = {"importorskip", "skip", "skipif", "xfail"}
    assert {(path, name) for path, name in uses if name in skips} == set()

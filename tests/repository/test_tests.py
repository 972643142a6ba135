"""The tests keep the rules of tests/README.md that a program can check."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]


def imported_names(module: Path) -> Iterator[str]:
    """Yield the full name of everything that a module imports."""
    for node in ast.walk(ast.parse(module.read_text())):
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

    assert ("tests/repository/test_tests.py", "pathlib.Path") in imports
    assert {(module, name) for module, name in imports if ".test_" in name} == set()

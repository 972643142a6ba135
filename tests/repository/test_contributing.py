"""The commands, paths and names in the pages for contributors, and in one for users, are right.

`test_docs.py` checks the links of these pages.
"""

import importlib.util
import os
import pkgutil
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("CONTRIBUTING.md", "tests/README.md")
PAGES_FOR_USERS = ("docs/why-trust-it.md",)
"""Pages with fewer kinds of items to check."""

FENCED_BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", flags=re.MULTILINE | re.DOTALL)
SHELLS = ("", "bash", "console", "sh")
SUFFIXES = (".js", ".json", ".md", ".py", ".toml", ".txt", ".yml")
FOLDERS = (".github", "composite", "docs", "examples", "src", "tests")
"""Folders to search for a file that a page names without its folder."""
MODULE_FOLDERS = ("src", "tests/support")
"""Folders to search for a module that a page names without its package."""


def code(page: str) -> Iterator[list[str]]:
    """Yield the words of each command line in a block, and of each piece of code in a sentence."""
    text = (ROOT / page).read_text()
    blocks = [block for shell, block in FENCED_BLOCK.findall(text) if shell in SHELLS]
    lines = [line for block in blocks for line in block.replace("\\\n", "").splitlines()]
    for line in [*lines, *re.findall(r"`([^`]+)`", FENCED_BLOCK.sub("", text))]:
        try:
            words = shlex.split(line.strip().removeprefix("$ "), comments=True)
        except ValueError:  # an apostrophe, so this is not a command
            words = line.split()
        if words:
            yield words


def pytest_arguments(page: str) -> Iterator[str]:
    for words in code(page):
        if words[:3] == [".venv/bin/python", "-m", "pytest"]:
            yield shlex.join(words[3:])


def make_targets(page: str) -> Iterator[str]:
    for words in code(page):
        # Variables may be set before `make` and after it.
        command, *targets = [word for word in words if "=" not in word] or [""]
        if command == "make":
            yield from targets


def main_modules(page: str) -> Iterator[str]:
    for words in code(page):
        if re.fullmatch(r"(\S+/)?python3?", words[0]) and words[1:2] == ["-m"]:
            yield words[2]


def paths(page: str) -> Iterator[str]:
    for words in code(page):
        for word in words:
            path = word.partition("::")[0]  # the rest names a test
            path = re.sub("^acme/redeliver(/|$)", "", path)  # as GitHub calls this repository
            folder, slash, _ = path.partition("/")
            # A command has other words with a slash, such as the name of a branch.
            is_path = slash and (len(words) == 1 or (ROOT / folder).is_dir())
            is_pattern = re.fullmatch(r"[\w.*][\w.*/-]*", path)
            # The branch of a release is release/v1.2.0.
            is_ours = is_pattern and folder not in {".venv", "release"}
            if is_ours and (is_path or path.endswith(SUFFIXES)):
                yield path.removesuffix("/")


def dotted_names(page: str) -> Iterator[str]:
    for words in code(page):
        is_dotted = len(words) == 1 and re.fullmatch(r"[a-z_]\w*(\.[A-Za-z_]\w*)+", words[0])
        if is_dotted and not words[0].endswith(SUFFIXES):
            yield words[0]


def on_all_pages(find: Callable[[str], Iterator[str]]) -> pytest.MarkDecorator:
    """Parametrize a test with everything that `find` yields for the pages."""
    found = sorted({(page, item) for page in (*PAGES, *PAGES_FOR_USERS) for item in find(page)})
    ids = [f"{page}: {item}" for page, item in found]
    return pytest.mark.parametrize(("page", "item"), found, ids=ids)


@pytest.mark.parametrize(
    "find", [pytest_arguments, make_targets, main_modules, paths, dotted_names]
)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_items_of_each_kind_to_check(
    find: Callable[[str], Iterator[str]], page: str
) -> None:
    assert list(find(page))


COLLECT = """
import shlex, sys
import pytest

for command in sys.argv[1:]:
    if pytest.main(["--collect-only", "-qq", "-p", "no:cacheprovider", *shlex.split(command)]):
        sys.exit(f"This selects no tests: pytest {command}")
"""


def test_a_pytest_command_selects_tests() -> None:
    """One process tries all of them, because most of the time goes into importing the tests."""
    commands = sorted({command for page in PAGES for command in pytest_arguments(page)})
    # Without these variables, coverage does not measure the process.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_")}

    collection = subprocess.run(
        [sys.executable, "-c", COLLECT, *commands],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert collection.returncode == 0, (collection.stdout, collection.stderr)


@on_all_pages(make_targets)
def test_a_make_command_names_a_target(page: str, item: str) -> None:
    targets = re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)

    assert item in targets, page


@on_all_pages(main_modules)
def test_a_python_command_names_a_main_module(page: str, item: str) -> None:
    module = importlib.util.find_spec(item)
    assert module, page
    if module.submodule_search_locations:
        assert importlib.util.find_spec(f"{item}.__main__"), page


@on_all_pages(paths)
def test_a_path_exists(page: str, item: str) -> None:
    """A path is relative to the root of the repository or to the page's folder."""
    if "/" in item:
        folders = [ROOT, (ROOT / page).parent]
        assert any(any(folder.glob(item)) for folder in folders), page
    else:
        assert any(ROOT.glob(item)) or any(any((ROOT / f).rglob(item)) for f in FOLDERS), page


@on_all_pages(dotted_names)
def test_a_dotted_name_exists(page: str, item: str) -> None:
    """The name's first part is a module, and this module defines the rest."""
    stem, _, name = item.partition(".")
    files = [path for folder in MODULE_FOLDERS for path in (ROOT / folder).rglob(f"{stem}.py")]
    relative = [path.relative_to(ROOT).with_suffix("").parts for path in files]
    modules = [".".join(parts[1:] if parts[0] == "src" else parts) for parts in relative]

    assert any(defines(module, name) for module in modules), page


def defines(module: str, name: str) -> bool:
    """Whether a module defines a name, and not only imports it."""
    try:
        value = pkgutil.resolve_name(f"{module}:{name}")
    except AttributeError:
        return False
    return not isinstance(value, type | FunctionType) or value.__module__ == module

"""Deferred modules are loaded when something in them is used, and then are like any others."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from threading import Thread
from types import ModuleType

import pytest

from redeliver.deferred_imports import defer_imports


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the directory of a package, all of whose modules are deferred."""
    monkeypatch.syspath_prepend(tmp_path)
    # Copies, so that Python forgets the finder and the modules of the package after the test.
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))  # gets the finder
    monkeypatch.setattr(sys, "modules", dict(sys.modules))  # gets the modules
    directory = tmp_path / "example"
    directory.mkdir()
    (directory / "__init__.py").write_text("")
    defer_imports("example")
    return directory


def is_loaded(module: ModuleType, name: str) -> bool:
    return name in vars(module)


def test_a_module_is_loaded_when_an_attribute_is_used(package: Path) -> None:
    (package / "late.py").write_text("VALUE = 1\n")

    late = import_module("example.late")

    assert not is_loaded(late, "VALUE")
    assert late.VALUE == 1
    assert is_loaded(late, "VALUE")
    assert not is_loaded(late, "__getattr__")


def test_a_second_import_does_not_load_a_module(package: Path) -> None:
    (package / "late.py").write_text("VALUE = 1\n")
    (package / "other.py").write_text("import example.late\nVALUE = 2\n")

    late = import_module("example.late")
    other = import_module("example.other")

    assert other.VALUE == 2
    assert not is_loaded(late, "VALUE")


def test_modules_that_import_each_other_can_be_deferred(package: Path) -> None:
    (package / "late.py").write_text("from example.other import VALUE\n")
    (package / "other.py").write_text("import example.late\nVALUE = 3\n")

    late = import_module("example.late")

    assert late.VALUE == 3


def test_a_missing_attribute_is_an_attribute_error(package: Path) -> None:
    (package / "other.py").write_text("")

    other = import_module("example.other")

    with pytest.raises(AttributeError, match=r"module 'example\.other' has no attribute 'VALUE'"):
        _ = other.VALUE


def test_a_module_that_uses_a_name_too_early_cannot_be_imported(package: Path) -> None:
    (package / "late.py").write_text("import example.late\nexample.late.VALUE\nVALUE = 3\n")

    late = import_module("example.late")

    with pytest.raises(ImportError, match=r"'example\.late', which is being imported"):
        _ = late.VALUE


def test_a_module_that_cannot_be_loaded_says_so_each_time(package: Path) -> None:
    (package / "late.py").write_text("import does_not_exist\n")

    late = import_module("example.late")

    for _ in range(2):
        with pytest.raises(ModuleNotFoundError, match="does_not_exist"):
            _ = late.VALUE


def test_an_attribute_error_while_loading_is_not_hidden(package: Path) -> None:
    """Python catches an `AttributeError` when it looks for a name in a module."""
    (package / "count.py").write_text("TRIES = []\n")
    (package / "late.py").write_text(
        "import ssl, example.count\nexample.count.TRIES.append(1)\nssl.gone\n"
    )
    (package / "other.py").write_text("from example.late import VALUE\n")

    with pytest.raises(ImportError, match=r"cannot import 'example\.late': module 'ssl' has no"):
        _ = import_module("example.other").VALUE

    assert import_module("example.count").TRIES == [1]


def test_a_module_may_have_a_getattr_of_its_own(package: Path) -> None:
    (package / "late.py").write_text("def __getattr__(name): return name.lower()\n")

    late = import_module("example.late")

    assert late.VALUE == "value"
    assert late.OTHER == "other"


def test_eight_threads_load_a_module_once(package: Path) -> None:
    (package / "late.py").write_text(
        "import time, example\nexample.count = getattr(example, 'count', 0) + 1\n"
        "time.sleep(0.05)\nVALUE = 1\n"
    )
    late = import_module("example.late")

    values: list[int] = []
    threads = [Thread(target=lambda: values.append(late.VALUE)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert values == [1] * 8
    assert import_module("example").count == 1


def test_two_threads_may_load_modules_that_use_each_other(package: Path) -> None:
    for name, other in (("one", "two"), ("two", "one")):
        (package / f"{name}.py").write_text(
            f"import time, example.{other}\ntime.sleep(0.05)\n"
            f"OF_OTHER = getattr(example.{other}, 'VALUE', None)\nVALUE = 1\n"
        )
    one = import_module("example.one")
    two = import_module("example.two")

    threads = [
        Thread(target=lambda module=module: module.VALUE, daemon=True) for module in (one, two)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)

    assert not any(thread.is_alive() for thread in threads)


@pytest.mark.usefixtures("package")
def test_a_module_that_does_not_exist_is_missing_at_once() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"example\.missing"):
        import_module("example.missing")


def test_other_modules_are_imported_at_once(package: Path) -> None:
    (package.parent / "example_of_others.py").write_text("VALUE = 4\n")

    others = import_module("example_of_others")

    assert is_loaded(others, "VALUE")


def test_the_start_loads_neither_signing_nor_most_of_pygithub() -> None:
    program = """
import sys
from redeliver.deferred_imports import PACKAGES, defer_imports
defer_imports(*PACKAGES)
import redeliver.action
waiting = {name for name, module in sys.modules.items() if "__getattr__" in vars(module)}
loaded = [name for name in sys.modules if name.startswith("github.") and name not in waiting]
print("cryptography" in sys.modules, "nacl" in sys.modules, "jwt" in waiting, len(loaded) < 25)
"""
    run = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True
    )

    assert run.stdout.split() == ["False", "False", "True", "True"]

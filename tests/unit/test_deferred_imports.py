"""Deferred modules are loaded when something in them is used, and then are like any others."""

import subprocess
import sys
from pathlib import Path
from threading import Thread
from types import ModuleType

import pytest

from redeliver.deferred_imports import defer_imports


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the directory of a package, all of whose modules are deferred."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    directory = tmp_path / "example"
    directory.mkdir()
    (directory / "__init__.py").write_text("")
    defer_imports("example")
    return directory


def is_loaded(module: ModuleType, name: str) -> bool:
    return name in vars(module)


def test_a_module_is_loaded_when_an_attribute_is_used(package: Path) -> None:
    (package / "late.py").write_text("VALUE = 1\n")

    import example.late  # type: ignore[import-not-found] # noqa: PLC0415

    assert not is_loaded(example.late, "VALUE")
    assert example.late.VALUE == 1
    assert is_loaded(example.late, "VALUE")
    assert not is_loaded(example.late, "__getattr__")


def test_a_second_import_does_not_load_a_module(package: Path) -> None:
    (package / "late.py").write_text("VALUE = 1\n")
    (package / "other.py").write_text("import example.late\nVALUE = 2\n")

    import example.late  # noqa: PLC0415
    import example.other  # type: ignore[import-not-found] # noqa: PLC0415

    assert example.other.VALUE == 2
    assert not is_loaded(example.late, "VALUE")


def test_modules_that_import_each_other_can_be_deferred(package: Path) -> None:
    (package / "late.py").write_text("from example.other import VALUE\n")
    (package / "other.py").write_text("import example.late\nVALUE = 3\n")

    from example.late import VALUE  # noqa: PLC0415

    assert VALUE == 3


def test_a_missing_attribute_is_an_attribute_error(package: Path) -> None:
    (package / "late.py").write_text("import example.late\nexample.late.MISSING\n")
    (package / "other.py").write_text("")

    import example.late  # noqa: PLC0415
    import example.other  # noqa: PLC0415

    with pytest.raises(AttributeError, match=r"'example\.late', which is being imported"):
        _ = example.late.VALUE
    with pytest.raises(AttributeError, match=r"module 'example\.other' has no attribute 'VALUE'"):
        _ = example.other.VALUE


def test_a_module_that_cannot_be_loaded_says_so_each_time(package: Path) -> None:
    (package / "late.py").write_text("import does_not_exist\n")

    import example.late  # noqa: PLC0415

    for _ in range(2):
        with pytest.raises(ModuleNotFoundError, match="does_not_exist"):
            _ = example.late.VALUE


def test_a_module_may_have_a_getattr_of_its_own(package: Path) -> None:
    (package / "late.py").write_text("def __getattr__(name): return name.lower()\n")

    import example.late  # noqa: PLC0415

    assert example.late.VALUE == "value"
    assert example.late.OTHER == "other"


def test_eight_threads_load_a_module_once(package: Path) -> None:
    (package / "late.py").write_text(
        "import time, example\nexample.count = getattr(example, 'count', 0) + 1\n"
        "time.sleep(0.05)\nVALUE = 1\n"
    )
    import example.late  # noqa: PLC0415

    values: list[int] = []
    threads = [Thread(target=lambda: values.append(example.late.VALUE)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert values == [1] * 8
    assert example.count == 1


def test_two_threads_may_load_modules_that_use_each_other(package: Path) -> None:
    for name, other in (("one", "two"), ("two", "one")):
        (package / f"{name}.py").write_text(
            f"import time, example.{other}\ntime.sleep(0.05)\n"
            f"OF_OTHER = getattr(example.{other}, 'VALUE', None)\nVALUE = 1\n"
        )
    import example.one  # type: ignore[import-not-found] # noqa: PLC0415
    import example.two  # type: ignore[import-not-found] # noqa: PLC0415

    threads = [
        Thread(target=lambda module=module: module.VALUE, daemon=True)
        for module in (example.one, example.two)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)

    assert not any(thread.is_alive() for thread in threads)


@pytest.mark.usefixtures("package")
def test_a_module_that_does_not_exist_is_missing_at_once() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"example\.missing"):
        import example.missing  # type: ignore[import-not-found] # noqa: F401, PLC0415


def test_other_modules_are_imported_at_once(package: Path) -> None:
    (package.parent / "example_of_others.py").write_text("VALUE = 4\n")

    import example_of_others  # type: ignore[import-not-found] # noqa: PLC0415

    assert is_loaded(example_of_others, "VALUE")


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

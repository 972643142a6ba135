"""The action without Docker starts with later versions of its packages, too."""

import hashlib
import shutil
import zipfile
from pathlib import Path

from tests.e2e.without_docker.runner import Runner, an_index

TESTS = "tests/__init__.py"


def repack(wheel: Path, directory: Path, *, without: str = "", adding: str = "") -> Path:
    """Write a wheel again, without the files in one folder, or with one more file."""
    new = directory / wheel.name
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(new, "w") as archive:
        for name in old.namelist():
            content = old.read(name)
            if without and name.endswith("/RECORD"):
                lines = content.splitlines(keepends=True)
                content = b"".join(line for line in lines if not line.startswith(without.encode()))
            if not (without and name.startswith(without)):
                archive.writestr(name, content)
        if adding:
            archive.writestr(adding, "")
    return new


def test_actions_toolkit_may_lose_its_tests_and_idna_have_some(
    runner: Runner, wheels: Path, action: Path, tmp_path: Path
) -> None:
    """actions-toolkit 0.1.15 installs its own tests as a top-level package."""
    repacked, directory = tmp_path / "repacked", tmp_path / "index"
    repacked.mkdir()
    directory.mkdir()
    [toolkit], [idna] = wheels.glob("actions_toolkit-*.whl"), wheels.glob("idna-*.whl")
    new = {
        "actions-toolkit": repack(toolkit, repacked, without="tests/"),
        "idna": repack(idna, repacked, adding=TESTS),
    }
    copy = shutil.copytree(action, tmp_path / "action")
    requirements = copy / "requirements" / "runtime.txt"
    lines = []
    for line in requirements.read_text().splitlines():
        lines.append(line)
        if wheel := new.get(line.partition("==")[0]):
            digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
            lines.append(f"    --hash=sha256:{digest} \\")
    requirements.write_text("\n".join(lines) + "\n")
    others = [wheel for wheel in wheels.iterdir() if wheel not in (toolkit, idna)]
    index = an_index(directory, [*others, *new.values()])

    step = runner.start(GITHUB_ACTION_PATH=str(copy / "composite"), PIP_INDEX_URL=index.as_uri())

    runner.assert_starts_redeliver(step)
    [tests] = (runner.directory / "temp").glob("redeliver/lib/*/site-packages/tests")
    assert [file.name for file in tests.iterdir()] == ["__init__.py"]

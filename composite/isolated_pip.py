"""Run pip without the settings of this machine, except those that say how it downloads packages.

pip reads options from files and variables, and most of them can change what it installs, or where.
So pip gets only DOWNLOAD_OPTIONS, and as variables: they can be secret, and a command line is not.
"""

import configparser
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import unquote

DOWNLOAD_OPTIONS = {
    *("index-url", "extra-index-url", "find-links", "no-index", "keyring-provider"),
    *("proxy", "no-proxy-env", "timeout", "default-timeout", "retries"),
    *("cert", "client-cert", "trusted-host"),
}
"""pip's options for the package index, the network and certificates, without the two hyphens."""

KINDS_OF_FILES = ("global", "user", "site", "env")
"""A file overrides those before it: https://pip.pypa.io/en/stable/topics/configuration/."""

SECTIONS = ("global", "download", "install")
"""The sections of files that count. People set an index for `pip install`."""

UNSAFE = ("PYTHON", "PIP_", "_PIP_")
"""The beginnings of variables that pip must not see. pip starts another Python without -I, which
`PYTHON…` could make import from another place, such as the workspace."""

MAX_LINES = 6
MAX_LINE = 500
MIN_SECRET_LENGTH = 3
"""Characters. To mask a shorter text would damage ordinary words."""


def run(
    python: Path, *arguments: str, options: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run pip for the environment of `python`, with the variables `options` and without files."""
    environment = {
        name: text for name, text in os.environ.items() if not name.upper().startswith(UNSAFE)
    }
    environment |= {"PIP_CONFIG_FILE": os.devnull, "PYTHONUTF8": "1", **(options or {})}
    pip = [sys.executable, "-I", "-X", "utf8", "-m", "pip", "--python", str(python)]
    return subprocess.run(
        [*pip, "--disable-pip-version-check", "--no-cache-dir", "--no-color", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="backslashreplace",
        check=False,
    )


def download_options() -> dict[str, str]:
    """Return the variables that tell pip how this machine downloads packages."""
    variables = {
        _option(name.removeprefix("PIP_")): text
        for name, text in os.environ.items()
        if name.startswith("PIP_") and text
    }
    return {
        "PIP_" + name.upper().replace("-", "_"): text
        for name, text in {**_options_in_files(), **variables}.items()
        if name in DOWNLOAD_OPTIONS
    }


def _options_in_files() -> dict[str, str]:
    file = os.environ.get("PIP_CONFIG_FILE", "")
    if file == os.devnull:  # then pip reads no file
        return {}
    # Variables override files, so no file can silence pip.
    options = {"PIP_QUIET": "0", "PIP_CONFIG_FILE": file}
    done = run(Path(sys.executable), "config", "debug", options=options)
    if done.returncode != 0:
        said = harmless(" ".join(what_pip_said(done, os.environ).split()))
        print(
            f"pip's configuration files could not be read, so they are not used. pip said: {said}"
        )
        return {}
    files: dict[str, list[str]] = {}
    kind = ""
    for line in done.stdout.splitlines():
        if heading := re.fullmatch(r"(\w+):", line):
            kind = heading[1]
        elif found := re.fullmatch(r"  (\S.*), exists: True", line):
            files.setdefault(kind, []).append(found[1])
    parser = configparser.RawConfigParser()
    parser.read([file for kind in KINDS_OF_FILES for file in files.get(kind, [])], encoding="utf-8")
    return {
        _option(name): text
        for section in filter(parser.has_section, SECTIONS)
        for name, text in parser[section].items()
        if text
    }


def _option(name: str) -> str:
    """Return the name of an option as pip compares it."""
    return name.lower().replace("_", "-").removeprefix("--")


def what_pip_said(done: subprocess.CompletedProcess[str], options: Mapping[str, str]) -> str:
    """Return the end of pip's error, without user names and passwords."""
    unreachable = re.findall("^ *(Could not fetch URL .*)", done.stdout, re.MULTILINE)
    errors, _, traceback = done.stderr.partition("Traceback (most recent call last):\n")
    # Only the last line of a traceback is about this machine.
    lines = [*unreachable[-2:], *errors.splitlines(), *traceback.rstrip().splitlines()[-1:]]
    # A package has a hash for each platform, so there can be dozens of these.
    lines = [line for line in lines if line.strip() and not line.startswith("        Expected")]
    said = "\n".join(line[:MAX_LINE] for line in _masked(lines, options)[-MAX_LINES:])
    return said or f"nothing (exit status {done.returncode})"


def _masked(lines: Iterable[str], options: Mapping[str, str]) -> list[str]:
    """Mask user names and passwords.

    pip masks them in URLs. Errors of the libraries that it uses may quote parts of a wrong URL.
    """
    proxies = (text for name, text in os.environ.items() if name.lower().endswith("_proxy"))
    urls = [word for text in (*options.values(), *proxies) for word in text.split() if "@" in word]
    logins = {re.sub(r"^\w+://", "", url.rpartition("@")[0]) for url in urls}
    parts = {part for login in logins for part in (login, *re.split("[:/@]", login))}
    parts = {part for part in parts | set(map(unquote, parts)) if len(part) >= MIN_SECRET_LENGTH}
    longest_first = sorted(parts, key=len, reverse=True)
    secret = "|".join([r"(?<=://)\S*(?=@)", *map(re.escape, longest_first)])
    # A password in the place of a host name is quoted in lower case.
    return [re.sub(secret, "****", line, flags=re.IGNORECASE) for line in lines]


def harmless(text: str) -> str:
    """Return `text` with the same lines, none of which can act as a workflow command."""
    lines = ("".join(filter(str.isprintable, line)) for line in text.splitlines())
    return re.sub(":(?=:)", ": ", "\n".join(lines)).replace("##[", "## [")

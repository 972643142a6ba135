"""The process that has been through its imports, and from which runs fork. See `warm`.

A script for an isolated interpreter, with the standard library and what it is told to import.
"""

import gc
import importlib
import json
import os
import runpy
import socket
import struct
import sys
from contextlib import suppress
from io import BufferedWriter, FileIO, TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

SIZE = struct.Struct("=I")
"""Goes before a wish: of how many bytes that is."""

NUMBER = struct.Struct("=i")
"""What is told of a run: first the number of its process, then how that ended."""


def main() -> None:
    """Have a child for each wish, until nobody is left to wish."""
    wishes = socket.socket(fileno=int(sys.argv[1]))
    for name in sys.argv[2:]:
        importlib.import_module(name)
    gc.freeze()
    while True:
        size, files, *_ = socket.recv_fds(wishes, SIZE.size, 4)
        if not size:
            return
        wish = wishes.recv(SIZE.unpack(size)[0], socket.MSG_WAITALL)
        if os.fork() == 0:
            break
        for file in files:
            os.close(file)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                """One more keeper that is done."""
    wishes.close()
    keep(json.loads(wish), *files)


def keep(wish: dict[str, Any], line: int, *standard: int) -> None:
    """Have the run in a child of its own, and tell how it ends; in that child, be the run."""
    child = os.fork()
    if child:
        for file in standard:
            os.close(file)
        os.write(line, NUMBER.pack(child))
        _, status = os.waitpid(child, 0)
        os.write(line, NUMBER.pack(os.waitstatus_to_exitcode(status)))
        os._exit(0)
    for number, file in enumerate(standard):
        os.dup2(file, number)
    for file in (line, *standard):
        os.close(file)
    run(**wish)


def run(*, program: str, arguments: list[str], environment: dict[str, str], directory: str) -> None:
    """Be what `python program` is for the path of a script, else what `python -m program` is."""
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    sys.stdout, sys.stderr = anew(sys.stdout), anew(sys.stderr)
    sys.argv = [program, *arguments]
    if Path(program).is_absolute():
        runpy.run_path(program, run_name="__main__")
    else:
        runpy.run_module(program, run_name="__main__", alter_sys=True)


def anew(stream: TextIO) -> TextIO:
    """Open a standard stream as the interpreter did, for another file is there now.

    See `create_stdio` in https://github.com/python/cpython/blob/v3.13.0/Python/pylifecycle.c.
    """
    assert isinstance(stream, TextIOWrapper)
    file = FileIO(stream.fileno(), "w", closefd=False)
    return TextIOWrapper(
        file if stream.write_through else BufferedWriter(file),
        stream.encoding,
        stream.errors,
        newline="\n",
        line_buffering=stream.line_buffering or file.isatty(),
        write_through=stream.write_through,
    )


if __name__ == "__main__":
    main()

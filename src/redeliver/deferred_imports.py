"""Import modules of other packages only when something in them is used.

PyGithub imports its classes for all of GitHub, and packages that sign and encrypt. A run uses few
of them, and to load all would take a quarter of the time until its first request.

`importlib.util.LazyLoader` would do less: it loads a module as soon as a second `import` names it,
because that reads the attribute `__spec__`.
"""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from threading import RLock
from types import ModuleType

PACKAGES = ("github", "jwt", "nacl", "urllib3.http2")
"""Only runs as a GitHub App sign tokens with `jwt`, and no run encrypts with `nacl` or uses HTTP/2.

`cryptography` is not here, because it replaces modules while it is imported. Of the packages that a
run imports, only `jwt` and `nacl` import it.
"""


_lock = RLock()
"""One lock for all modules. With a lock for each module, two threads could wait for each other
forever, if they load modules that use each other."""


def defer_imports(*packages: str) -> None:
    """From now on, load the modules of these packages when they are used.

    This does nothing for modules that have been imported already.
    """
    sys.meta_path.insert(0, _Finder(packages))


class _Finder:
    """Finds the modules of some packages, and leaves all others to the finders after it."""

    def __init__(self, packages: Sequence[str]) -> None:
        self._packages = packages

    def find_spec(
        self, name: str, path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to import a module later, or None if it is not one to defer."""
        if not any(name == package or name.startswith(f"{package}.") for package in self._packages):
            return None
        spec = PathFinder.find_spec(name, path)
        if spec is None or type(spec.loader) is not SourceFileLoader:
            return None  # it does not exist, or it is not written in Python
        spec.loader = _DeferredLoader(spec.loader.name, spec.loader.path)
        return spec


class _DeferredLoader(SourceFileLoader):
    """Executes a module when an attribute is used that it does not have yet.

    Python calls a module's `__getattr__` then: https://peps.python.org/pep-0562/
    """

    def exec_module(self, module: ModuleType) -> None:
        """Prepare the module, but do not execute it yet."""
        execute = super().exec_module
        is_executing = False

        def load(name: str) -> object:
            nonlocal is_executing
            with _lock:  # another thread waits until the module is complete
                if is_executing:
                    raise AttributeError(
                        f"module {module.__name__!r}, which is being imported, has no attribute "
                        f"{name!r} yet"
                    )
                if vars(module).get("__getattr__") is load:
                    is_executing = True
                    try:
                        execute(module)
                    except AttributeError as error:
                        # Python would take it for a name that the module does not have: `from …
                        # import` would try again, and then say that it cannot import that name.
                        raise ImportError(f"cannot import {module.__name__!r}: {error}") from error
                    finally:
                        is_executing = False
                    if vars(module)["__getattr__"] is load:  # and not one of the module's own
                        del vars(module)["__getattr__"]
            return getattr(module, name)

        vars(module)["__getattr__"] = load

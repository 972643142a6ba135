"""Write the README's tables of inputs and outputs from action.yml; cog calls this."""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent


def inputs() -> None:
    """Print the table of inputs."""
    print("| Input | Default | Meaning |")
    print("| --- | --- | --- |")
    for name, declared in _action()["inputs"].items():
        print(f"| `{name}` | {_code(declared['default'])} | {declared['description']} |")


def outputs() -> None:
    """Print the table of outputs."""
    print("| Output | Meaning |")
    print("| --- | --- |")
    for name, declared in _action()["outputs"].items():
        print(f"| `{name}` | {declared['description']} |")


def example(name: str) -> None:
    """Print a whole example workflow."""
    print("```yaml")
    print((ROOT / "examples" / name).read_text(), end="")
    print("```")


def _action() -> dict[str, Any]:
    action: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
    return action


def _code(text: str) -> str:
    return f"`{text}`" if text else ""

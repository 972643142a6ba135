"""Make text harmless that came from outside, before anything prints it.

Pure. Statuses, events, GUIDs and error bodies are other people's words: they can hold
workflow commands, terminal escapes, Markdown, and the hook's URL with its secret.
"""

import re
import unicodedata

UNPRINTABLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories: control, format (right-to-left, too), surrogate, unassigned, separators."""

HARMLESS = set(" ,'()-")
"""Punctuation that means nothing to Markdown inside a line whose brackets are escaped."""


def inert(text: str) -> str:
    """Return `text` as one line that is nothing but words, each URL taken out.

    The runner obeys `::command::` at the start of a line and `##[command]` anywhere in
    one: https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs.
    """
    plain = "".join(" " if unicodedata.category(c) in UNPRINTABLE else c for c in text)
    line = " ".join("[URL removed]" if _is_url(word) else word for word in plain.split())
    line = re.sub(r":(?=:)", ": ", line)
    return re.sub(r"##(?=\[)", "## ", line)


def brief(text: str, limit: int = 120) -> str:
    """Return `text` inert and at most `limit` characters long."""
    line = inert(text)
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def markdown(text: str, limit: int = 120) -> str:
    """Return `text` inert, brief and as Markdown that shows just its characters, within a line.

    ASCII punctuation becomes numeric entities, which CommonMark never takes for structure:
    https://spec.commonmark.org/0.31.2/#entity-and-numeric-character-references.
    """
    return "".join(
        c if c.isalnum() or c in HARMLESS or not c.isascii() else f"&#{ord(c)};"
        for c in brief(text, limit)
    )


def _is_url(word: str) -> bool:
    """Whether `word` may be a URL: with a scheme (plain, escaped or encoded), a host or a query."""
    word = word.lower().replace("\\", "").replace("%3a", ":").replace("%2f", "/")
    host, slash, _ = word.partition("/")
    has_host = bool(slash) and ("." in host or ":" in host)
    return has_host or "=" in word.partition("?")[2]

"""Make text from outside safe to print, and tell which parts of a secret must be masked.

Statuses, events, GUIDs and error bodies are untrusted: they can hold workflow commands, terminal
escapes, Markdown, and the webhook's URL with its secret.
"""

import json
import re
import unicodedata
from base64 import b64decode
from contextlib import suppress
from urllib.parse import unquote

UNPRINTABLE = {"Cc", "Cf", "Cs", "Co", "Cn"}
"""Unicode categories: control, format (right-to-left, too), surrogate, private, unassigned."""

MAX_READ = 2000
"""How many characters of an untrusted text are processed; messages show fewer anyway."""

MIN_SECRET_LENGTH = 8
"""Characters. A shorter text is not a secret, and masking it would damage ordinary words."""

STRUCTURE = re.compile(r"[!-&*+/:-@\[-^`{-~]|(?<![^\W_])_|_(?![^\W_])")
"""ASCII punctuation that means something to Markdown within a line. That leaves out `'(),-.` and
an underscore inside a word."""


def sanitize(text: str) -> str:
    """Return `text` as one line that cannot act as anything but text, with URLs removed.

    The runner obeys `::command::` at the start of a line and `##[command]` anywhere in
    one: https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs.
    """
    # Split first: an unprintable character must neither hide a part of a URL nor split one.
    words = ("".join(filter(_prints, word)) for word in text.split())
    return " ".join(_harmless(word) for word in words if word)


def quote_untrusted(text: str, limit: int = 120) -> str:
    """Return untrusted text sanitized, without host names and paths, at most `limit` long.

    A host name or a path can be a webhook's secret, and errors of DNS and TLS contain them.
    """
    words = sanitize(text[:MAX_READ]).split(" ")
    line = " ".join("[path removed]" if word.count("/") > 1 else word for word in words)
    return truncate(re.sub(r"(?:[\w-]+\.)+[a-zA-Z]{2,}\b", "[host removed]", line), limit)


def truncate(text: str, limit: int) -> str:
    """Return at most `limit` characters of `text`."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def escape_markdown(text: str) -> str:
    """Return `text` sanitized, as Markdown that shows exactly its characters, within a line.

    ASCII punctuation becomes numeric entities, which CommonMark never treats as structure:
    https://spec.commonmark.org/0.31.2/#entity-and-numeric-character-references.
    """
    return STRUCTURE.sub(lambda match: f"&#{ord(match[0])};", sanitize(text))


def _harmless(word: str) -> str:
    broken = re.sub(r"##(?=\[)", "## ", re.sub(r":(?=:)", ": ", word))
    # The whole word is removed, because the text around a URL may belong to the same secret.
    return "[URL removed]" if any(map(_may_be_url, {word, *broken.split()})) else broken


def _prints(character: str) -> bool:
    return unicodedata.category(character) not in UNPRINTABLE


def _may_be_url(word: str) -> bool:
    """Whether `word` may be a URL or a part of one, also encoded or escaped.

    In doubt the answer is yes: removing a word is better than showing a secret.
    """
    for _ in range(3):  # a URL inside a URL is encoded once more
        word = unquote(word)
    word = re.sub(r"\\u00([0-9a-fA-F]{2})", lambda match: chr(int(match[1], 16)), word)
    word = word.replace("\\", "")
    host, slash, _ = word.partition("/")
    return (
        "//" in word
        or "@" in word
        or "=" in word
        or "?" in word.rstrip("?!.,;:)'\"")
        or (bool(slash) and ("." in host or ":" in host))
    )


def split_secret(secret: str) -> list[str]:
    r"""Split a secret at its line ends, also where they were saved as `\n` or as spaces."""
    return _unwrap(secret).replace("\\r", "").replace("\\n", "\n").split()


def _unwrap(secret: str) -> str:
    """Return a secret without what it was wrapped in to be stored: JSON, quotes, or base64."""
    text = secret.strip()
    if text[:1] == text[-1:] == '"':
        with suppress(ValueError):
            text = str(json.loads(text, strict=False))
    text = text.strip("\"'")
    with suppress(ValueError):
        decoded = b64decode("".join(text.split()), validate=True).decode("ascii")
        return decoded if "-----BEGIN " in decoded else text
    return text


def secret_parts(secret: str) -> list[str]:
    """Split a secret into the parts that must be masked, also if it is stored in another form.

    Each line of a private key may appear alone. The first and the last line are left out: they
    are the same in every key, and their words are ordinary ones.
    """
    stored = secret.replace("\\r", "").replace("\\n", "\n").strip("\"' \n").split()
    words = " ".join([*stored, *split_secret(secret)])
    return list(dict.fromkeys(re.sub("-----(BEGIN|END) [A-Z ]+-----", " ", words).split()))

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeliver.inert import brief, inert, markdown

PIECES = ["::", "##[", "#", ":", "[", "\n", "\r", "\x85", "\u2028", "error", "%0A", " ", "`", "|"]
HOSTILE = st.lists(st.sampled_from(PIECES) | st.characters()).map("".join)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("timed out", "timed out"),
        ("Invalid HTTP Response: 302", "Invalid HTTP Response: 302"),
        ("OK\n::error::pwned", "OK : :error: :pwned"),
        ("  ::add-mask::x", ": :add-mask: :x"),
        ("x ##[error]pwned", "x ## [error]pwned"),
        ("###[group]", "### [group]"),
        ("a\rb\x1b[31mc\u202ed\x00", "a b [31mc d"),
        (
            "POST https://hooks.example.com/in?secret=hush giving up after 1 attempt(s): x",
            "POST [URL removed] giving up after 1 attempt(s): x",
        ),
        ('Post "https://u:p@example.com/hush": EOF', "Post [URL removed] EOF"),
        ("to hooks.example.com/in/hush now", "to [URL removed] now"),
        ("to localhost:8080/hush now", "to [URL removed] now"),
        ("in?token=hush", "[URL removed]"),
        ("https%3A%2F%2Fexample.com%2Fhush", "[URL removed]"),
        (r"https:\/\/example.com\/hush", "[URL removed]"),
        ("variable LAST_REDELIVERY of acme/my.repo", "variable LAST_REDELIVERY of acme/my.repo"),
    ],
)
def test_what_came_from_outside_is_only_words(text: str, shown: str) -> None:
    assert inert(text) == shown


@given(HOSTILE)
def test_nothing_is_a_command_to_the_runner(text: str) -> None:
    line = inert(text)

    assert len(line.splitlines()) <= 1
    assert "::" not in line
    assert "##[" not in line
    assert line.isprintable()


@given(HOSTILE)
def test_being_inert_changes_no_more(text: str) -> None:
    assert inert(inert(text)) == inert(text)


def test_a_text_without_end_is_cut() -> None:
    assert brief("x" * 1000) == "x" * 119 + "…"


@given(HOSTILE)
def test_markdown_has_no_structure_left(text: str) -> None:
    shown = markdown(text)

    assert not set(shown) & set('|<>*_`[]!"\\@~^=+{}/.:?$%\n')


def test_markdown_shows_the_very_characters() -> None:
    assert markdown("a|b <b>") == "a&#124;b &#60;b&#62;"

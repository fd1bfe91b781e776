import pytest

from labkit.errors import InputError


def test_a_message_stays_as_it_is():
    assert str(InputError("size is 7, expected 8 × 8: try ‘ä’")) == (
        "size is 7, expected 8 × 8: try ‘ä’"
    )


@pytest.mark.parametrize(
    ("given", "shown"),
    [("a\nb\r\nc", "a b c"), ("a\0b", r"a\x00b"), ("\ud800", r"\ud800"), ("\ufeffa", r"\ufeffa")],
)
def test_whatever_was_given_the_message_is_one_line_that_can_be_printed(given, shown):
    assert str(InputError(given)) == shown


def test_an_endless_message_is_cut_in_the_middle():
    message = str(InputError(f"line 3: {'x' * 10**6!r} has no label, expected one"))
    assert len(message) < 1300
    assert message.startswith("line 3: 'xxx") and message.endswith("has no label, expected one")

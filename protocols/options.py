"""What a protocol's options and variant may be, in the words in which users are told."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TypeVar

from ffbench.errors import UsageError
from ffbench.protocol import ProtocolCard, ProtocolRequest

Choice = TypeVar("Choice", bound=str)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+/-]{0,199}")
MOST = 999_999
"""The largest whole number that an option may be, unless it says otherwise."""


def one_of(choices: Sequence[str], default: str | None = None) -> str:
    """Return in words what may be typed for an option that is one of some words; without a default, the first.

    >>> one_of(["test", "train"]), one_of(["none", "rigid"], "rigid"), one_of(["paper", "distinct"], "")
    ('test (default) or train', 'none or rigid (default)', 'paper or distinct')
    """
    chosen = choices[0] if default is None else default
    return _words([f"{choice} (default)" if choice == chosen else choice for choice in choices])


def a_number(default: int | None, most: int = MOST) -> str:
    """Return in words what may be typed for a whole number.

    >>> a_number(4, 100)
    'a whole number from 1 to 100 (default 4)'
    """
    return f"a whole number from 1 to {most}" + ("" if default is None else f" (default {default})")


def some_numbers(default: Sequence[int]) -> str:
    """Return in words what may be typed for several whole numbers.

    >>> some_numbers([1, 5])
    'whole numbers such as 1,5 (default)'
    """
    return f"whole numbers such as {','.join(map(str, default))} (default)"


def refuse_unknown(request: ProtocolRequest, known: Collection[str]) -> None:
    """Refuse options that the protocol does not have.

    Raises:
        UsageError: there is one; the message says which there are.
    """
    for name in request.options:
        if name not in known:
            raise UsageError(
                f"{request.name} has no option '{name}'; " + (f"it has {', '.join(known)}" if known else "it has none")
            )


def variant(request: ProtocolRequest, variants: Sequence[Choice]) -> Choice:
    """Return the variant; the first is the default.

    Raises:
        UsageError: it is none of them.
    """
    return _one_of(variants, request.variant or variants[0], f"{request.name}: variant")


def stated_variant(card: ProtocolCard, variants: Sequence[Choice]) -> Choice:
    """Return the variant that a record's card states.

    Raises:
        UsageError: the protocol has no such variant.
    """
    return _one_of(variants, card.variant, f"{card.id}: variant")


def stated_choice(card: ProtocolCard, option: str, choices: Sequence[str]) -> None:
    """Make sure that what a record's card states of an option, if anything, is one of some words.

    Raises:
        UsageError: it is none of them.
    """
    if option in card.options:
        value = card.options[option]
        _one_of(choices, value if isinstance(value, str) else repr(value), f"{card.id}: option '{option}'")


def stated_text(card: ProtocolCard, option: str) -> None:
    """Make sure that what a record's card states of an option, if anything, is a short name.

    Raises:
        UsageError: it is something else.
    """
    value = card.options.get(option, "none")
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise UsageError(f"{card.id}: option '{option}' is {value!r}, expected a name of at most 200 plain characters")


def stated_number(card: ProtocolCard, option: str) -> None:
    """Make sure that what a record's card states of an option, if anything, is a whole number from 1 to `MOST`.

    Raises:
        UsageError: it is something else; 1.0 and True are no whole numbers.
    """
    value = card.options.get(option, 1)
    if type(value) is not int or not 1 <= value <= MOST:
        raise UsageError(f"{card.id}: option '{option}' is {value!r}, expected a whole number from 1 to {MOST}")


def stated_groups(card: ProtocolCard, present: tuple[str, ...], *earlier: tuple[str, ...]) -> tuple[str, ...]:
    """Return the labels by which a record's card groups pairs, if this is how the protocol does or did; else `present`.

    Labels that were added since say more about the same pairs and change no number, so earlier records stay right.
    """
    return card.group_by if card.group_by in earlier else present


def choice(request: ProtocolRequest, option: str, choices: Sequence[Choice], default: Choice | None = None) -> Choice:
    """Return the value of an option that is one of some words; the first is the default unless another is named.

    Raises:
        UsageError: it is none of them.
    """
    return _one_of(choices, request.options.get(option, default or choices[0]), f"{request.name}: option '{option}'")


def whole_numbers(request: ProtocolRequest, option: str, default: Sequence[int]) -> tuple[int, ...]:
    """Return an option's numbers from 1 to `MOST`, typed such as `1,5,10`, in ascending order and each once.

    Raises:
        UsageError: something else was typed.
    """
    text = request.options.get(option, ",".join(map(str, default)))
    numbers = [_number(part.strip(), MOST) for part in text.split(",")]
    if not all(numbers):
        raise UsageError(
            f"{request.name}: option '{option}' is '{text}', expected whole numbers from 1 to {MOST} such as 1,5,10"
        )
    return tuple(sorted(set(numbers)))


def whole_number(request: ProtocolRequest, option: str, default: int, most: int = MOST) -> int:
    """Return an option's number from 1 to `most`.

    Raises:
        UsageError: something else was typed.
    """
    text = request.options.get(option, str(default))
    number = _number(text, most)
    if not number:
        raise UsageError(f"{request.name}: option '{option}' is '{text}', expected a whole number from 1 to {most}")
    return number


def _number(text: str, most: int) -> int:
    """Return the number from 1 to `most` that a text is, or 0 where it is none."""
    digits = text.lstrip("0")
    # Digits are counted before they are read: Python refuses to read thousands of them.
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= len(str(most))):
        return 0
    return int(digits) if int(digits) <= most else 0


def _one_of(choices: Sequence[Choice], value: str, what: str) -> Choice:
    for one in choices:
        if one == value:
            return one
    raise UsageError(f"{what} is '{value}', expected {_words(choices)}")


def _words(choices: Sequence[str]) -> str:
    return " or ".join(choices)

"""What all wrappers share: the card and the device of the method inside."""

from __future__ import annotations

from ffbench.method import Method

Options = dict[str, str | int | float | bool]


class Wrapper(Method):
    """A method around another, `wrapped`."""

    def __init__(self, wrapped: Method, suffix: str, title: str, options: Options) -> None:
        """Take over the card of `wrapped`, with `+suffix` after its id, `title` after its title, and more options."""
        self.wrapped, self.device = wrapped, wrapped.device
        card = wrapped.card
        self.card = card.model_copy(
            update={
                "id": f"{card.id}+{suffix}",
                "title": f"{card.title}, {title}",
                "options": {**card.options, **options},
            }
        )

    def compile(self) -> None:
        """Compile the network of the method inside.

        Raises:
            UsageError: it has none.
        """
        self.wrapped.compile()
        self.card = self.card.model_copy(update={"options": {**self.wrapped.card.options, **self.card.options}})

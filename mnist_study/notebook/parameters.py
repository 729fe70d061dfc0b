"""The notebook's parameters: the study's own values, and what a run may put in their place."""

import contextlib
import copy
import dataclasses
import difflib
import enum
import pathlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mnist_study.errors import ParameterError
from mnist_study.models import Configuration, registry

DENSE = registry["dense_dropout"]
CLOSE = 0.8  # similarity from which on a name is a misspelt one


class Profile(enum.StrEnum):
    """How much of the training a run does."""

    FULL = "full"
    QUICK = "quick"


def whole(low: int, high: int = 2**31) -> Callable[[Any], bool]:
    """Return a test for whole numbers from low to high."""
    return lambda value: type(value) is int and low <= value <= high


def number(low: float, high: float) -> Callable[[Any], bool]:
    """Return a test for numbers from low to below high."""
    return lambda value: type(value) in (int, float) and low <= value < high


def filled_list(test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Return a test for lists, not empty, whose members all pass the test."""
    return lambda value: isinstance(value, list) and bool(value) and all(map(test, value))


def text(value: Any) -> bool:
    """Return whether the value is text."""
    return isinstance(value, str)


def folder(value: Any) -> bool:
    """Return whether the value is the path of a folder: no URL, and of a user that there is."""
    if not text(value) or "\0" in value or re.match(r"[A-Za-z][\w.+-]+:/", value):
        return False
    with contextlib.suppress(RuntimeError):  # of a home that is unknown
        return bool(pathlib.Path(value).expanduser())
    return False


def parameter(default: Any, valid: Callable[[Any], bool], advice: str, studied: bool = True) -> Any:
    """Return a field with its default, a test of its values, and what to give instead.

    studied: whether another value makes another study than the one that the text describes.
    """
    metadata = {"valid": valid, "advice": advice, "studied": studied}
    return dataclasses.field(default_factory=lambda: copy.copy(default), metadata=metadata)


@dataclasses.dataclass(frozen=True)
class Parameters:
    """One run's parameters; checked raises ParameterError, with advice, if one makes no sense."""

    profile: str = parameter("full", lambda value: value in [*Profile], "give 'full' or 'quick'")
    models: Sequence[str] = parameter(
        ["softmax_regression", "baseline_mlp", "dense_dropout", "cnn"],
        filled_list(text),
        "give a list of names; papermill takes -y 'models: [cnn]'",
    )
    seed: int = parameter(1, whole(0), "give a whole number from 0")
    epochs: int = parameter(DENSE.epochs, whole(1), "give a whole number from 1")
    batch_size: int = parameter(
        DENSE.batch_size,
        lambda value: whole(32, 8_192)(value) and value % 32 == 0,
        "give a multiple of 32 up to 8,192, since 32 images share a warp",
    )
    layer_widths: Sequence[int] = parameter(
        [2048, 256],
        filled_list(whole(1, 20_000)),
        "give a list of whole numbers up to 20,000; papermill takes -y 'layer_widths: [64]'",
    )
    dropout: float = parameter(0.1, number(0, 1), "give a share from 0 to below 1")
    label_smoothing: float = parameter(
        DENSE.label_smoothing, number(0, 1), "give a share from 0 to below 1"
    )
    learning_rate: float = parameter(
        DENSE.learning_rate, number(1e-7, 10), "give a number from 1e-7 to below 10"
    )
    validation_size: int = parameter(6_000, whole(100, 30_000), "give 100 to 30,000 images")
    download_seconds: float = parameter(
        120, number(1, 86_400), "give 1 to 86,400 seconds", studied=False
    )
    output_folder: str = parameter(
        ".", folder, "give the path of a folder on this machine, not a URL", studied=False
    )

    @classmethod
    def checked(cls, **given: Any) -> "Parameters":
        """Return the given parameters, once each makes sense."""
        for field in dataclasses.fields(cls):
            if field.name in given and not field.metadata["valid"](given[field.name]):
                value = f"{field.name} is {given[field.name]!r}"
                raise ParameterError(f"{value}: {field.metadata['advice']}")
        return cls(**given)

    @classmethod
    def among(cls, names: Mapping[str, Any]) -> "Parameters":
        """Return the parameters among all that a notebook has named; refuse one misspelt."""
        known = [field.name for field in dataclasses.fields(cls)]
        for name, value in names.items():
            plain = isinstance(value, (str, int, float)) and name not in known
            if plain and (meant := difflib.get_close_matches(name, known, 1, CLOSE)):
                raise ParameterError(f"{name} is no parameter: {meant[0]} is one")
        return cls.checked(**{name: names[name] for name in known if name in names})

    @property
    def quick(self) -> bool:
        """Whether the run trains only a fraction."""
        return self.profile == Profile.QUICK

    @property
    def dense_dropout(self) -> Configuration:
        """The configuration of dense_dropout that the parameters ask for."""
        return dataclasses.replace(
            DENSE,
            options={"widths": self.layer_widths, "dropout": self.dropout},
            epochs=self.epochs,
            batch_size=self.batch_size,
            label_smoothing=self.label_smoothing,
            learning_rate=self.learning_rate,
        )

    def changed(self) -> dict[str, Any]:
        """Return the values that make this another study than the one described, by name."""
        given = dataclasses.asdict(self)
        return {name: given[name] for name in STUDY if given[name] != STUDY[name]}


STUDY: dict[str, Any] = {  # the values that the text describes
    field.name: getattr(Parameters(), field.name)
    for field in dataclasses.fields(Parameters)
    if field.metadata["studied"]
}

"""What the digit recogniser raises that a caller may want to catch.

DigitReaderError
├── PictureError  (ValueError)    a picture shows no digits: what is wrong, what to do
├── NetworkError  (ValueError)    the network and its settings do not belong together
└── HintError     (ValueError)    what is known of pictures beforehand makes no sense
"""


class DigitReaderError(Exception):
    """Anything below."""


class PictureError(DigitReaderError, ValueError):
    pass


class NetworkError(DigitReaderError, ValueError):
    pass


class HintError(DigitReaderError, ValueError):
    pass


def require(condition: object, message: str) -> None:
    """Raise PictureError with the message unless the condition holds."""
    if not condition:
        raise PictureError(message)

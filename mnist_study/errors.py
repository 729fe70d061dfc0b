"""What the study raises that a caller may want to catch; digit_reader.errors has the recogniser's.

Each says what is wrong and what to do; a notebook and the terminal show that, and no traceback.
"""


class StudyError(Exception):
    """Any error of this study."""

    def _render_traceback_(self) -> list[str]:  # IPython asks for it
        return [f"{type(self).__name__}: {self}"]


class ParameterError(StudyError, ValueError):
    """A parameter of the notebook, or a model that it names, makes no sense."""


class ImagesError(StudyError, ValueError):
    """The images are not those that a run is about."""


class SavedModelError(StudyError, ValueError):
    """A file holds no model of this study, or another one."""


class BackendError(StudyError, ImportError):
    """TensorFlow does not start."""


class FolderError(StudyError, OSError):
    """A folder cannot be written to, or another run is at work there."""


class TrainingError(StudyError, RuntimeError):
    """A training ended without its result."""


class RecordError(StudyError, LookupError):
    """results/ lacks a record that is asked for."""


class NotExecutedError(StudyError, RuntimeError):
    """The notebook, or a cell of it, has no results."""


class TextError(StudyError, ValueError):
    """A number in the text has no source, or a comparison does not hold."""

"""What the study raises that a caller may want to catch; digit_reader.errors has the reader's.

StudyError
├── ParameterError    (ValueError)    a parameter of the notebook makes no sense
├── ModelError        (ValueError)    a network is unknown, or gives no ten probabilities
├── ImagesError       (ValueError)    images are not those that a run is about
├── SavedModelError   (ValueError)    a file holds no model of this study, or another one
├── BackendError      (ImportError)   TensorFlow does not start
├── FolderError       (OSError)       a folder cannot be written to
├── FolderInUseError  (RuntimeError)  another run is at work in a folder
├── TrainingError     (RuntimeError)  a training ended without its result
├── RecordError       (LookupError)   results/ lacks a record that is asked for
└── NotExecutedError  (RuntimeError)  the notebook, or a cell of it, has no results
"""


class StudyError(Exception):
    """Anything below: what is wrong, and what to do; a notebook shows that, and no traceback."""

    def _render_traceback_(self) -> list[str]:  # IPython asks for it
        return [f"{type(self).__name__}: {self}"]


class ParameterError(StudyError, ValueError):
    pass


class ModelError(StudyError, ValueError):
    pass


class ImagesError(StudyError, ValueError):
    pass


class SavedModelError(StudyError, ValueError):
    pass


class BackendError(StudyError, ImportError):
    pass


class FolderError(StudyError, OSError):
    pass


class FolderInUseError(StudyError, RuntimeError):
    pass


class TrainingError(StudyError, RuntimeError):
    pass


class RecordError(StudyError, LookupError):
    pass


class NotExecutedError(StudyError, RuntimeError):
    pass

"""TensorFlow, imported without the lines that it writes by itself, and made repeatable."""

import logging
import os
import pathlib


def quiet_keras():
    """Return Keras on TensorFlow, imported without what TensorFlow writes to the terminal."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with pathlib.Path(os.devnull).open("wb") as nowhere, os.fdopen(os.dup(2), "wb") as terminal:
        os.dup2(nowhere.fileno(), 2)
        try:
            import keras
        finally:
            os.dup2(terminal.fileno(), 2)
    return keras


keras = quiet_keras()

import tensorflow as tf  # noqa: E402  (Keras has imported it, quietly)

keras.config.disable_interactive_logging()  # its progress bars would litter the saved notebook
tf.config.experimental.enable_op_determinism()
# Every training here compiles a function of its own, on purpose.
logging.getLogger("tensorflow").addFilter(
    lambda record: "triggered tf.function retracing" not in record.getMessage()
)
# Keras calls HDF5 legacy whenever it saves a model in it, which is done here on purpose.
logging.getLogger("absl").addFilter(lambda record: "HDF5 file via" not in record.getMessage())

"""Keras and TensorFlow, imported here alone: without the lines they write, and deterministic."""

import logging
import os

from digit_reader.quiet import quietly
from mnist_study.errors import BackendError

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
try:
    with quietly():
        import keras
        import tensorflow as tf
except Exception as error:  # a broken installation may raise anything
    advice = "install anew what requirements.txt names: remove .venv, then make install"
    raise BackendError(f"TensorFlow does not start ({error}): {advice}") from error

keras.config.disable_interactive_logging()  # keeps its progress bars out of the saved notebook
tf.config.experimental.enable_op_determinism()
# It warns of this, but each training compiles a function of its own on purpose.
logging.getLogger("tensorflow").addFilter(
    lambda record: "triggered tf.function retracing" not in record.getMessage()
)
# Keras calls HDF5 legacy whenever it saves a model in that format, which happens here on purpose.
logging.getLogger("absl").addFilter(lambda record: "HDF5 file via" not in record.getMessage())

__all__ = ["keras", "tf"]

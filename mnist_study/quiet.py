"""TensorFlow, imported without the lines that it writes by itself, and made repeatable."""

import logging
import os

from digit_reader.reader import quietly


def quiet_keras():
    """Return Keras on TensorFlow, imported without what TensorFlow writes to the terminal.

    Raises ImportError that says what to do when they are missing or broken.
    """
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with quietly():
            import keras
    except Exception as error:  # whatever a broken installation raises
        advice = "install anew what requirements.txt names: remove .venv, then make install"
        raise ImportError(f"TensorFlow does not start ({error}): {advice}") from error
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

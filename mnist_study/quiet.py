"""TensorFlow, imported without the lines that it writes by itself, and made repeatable."""

import logging

from digit_reader.reader import quiet_keras

keras = quiet_keras()

import tensorflow as tf  # noqa: E402  (Keras has imported it, quietly)

keras.config.disable_interactive_logging()  # its progress bars would litter the saved notebook
tf.config.experimental.enable_op_determinism()
# Every training here compiles a function of its own, on purpose.
logging.getLogger("tensorflow").addFilter(
    lambda record: "triggered tf.function retracing" not in record.getMessage()
)

"""What the study needs of Keras, whatever a machine's own settings say."""

import os


def choose_backend() -> None:
    """Let Keras start TensorFlow, whatever KERAS_BACKEND or keras.json names."""
    os.environ["KERAS_BACKEND"] = "tensorflow"


def set_keras() -> None:
    """Set what keras.json may have changed, and what results depend on."""
    from mnist_study.core.backend import keras

    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")

"""Load a saved model without executing code in its file, and check its weights."""

import pathlib

from mnist_study import data
from mnist_study.backend import keras
from mnist_study.errors import SavedModelError


def load(path: str | pathlib.Path, weights_sha256: str | None = None) -> keras.Model:
    """Return the Keras model in a file, in safe mode: code in it is refused, not executed.

    weights_sha256: the digest its weights must have. Raises SavedModelError, with advice.
    """
    advice = "make run writes it anew"
    try:
        model = keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises many kinds
        why = str(error).split(". ")[0]  # Keras goes on to say how to execute it all the same
        raise SavedModelError(f"{path} is no model of this study ({why}): {advice}") from error
    if not isinstance(model, keras.Model):
        raise SavedModelError(f"{path} holds no Keras model: {advice}")
    if weights_sha256 not in (None, data.digest(model.get_weights())):
        raise SavedModelError(f"{path} has other weights than the record says: {advice}")
    return model

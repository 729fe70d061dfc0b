"""The saved model, loaded so that nothing in its file is executed, and known by its weights."""

from mnist_study import data
from mnist_study.quiet import keras


def load(path, weights_sha256=None):
    """Return the Keras model in a file, in safe mode: code in it is refused, not executed.

    weights_sha256: the digest its weights must have. Raises ValueError, with advice, otherwise.
    """
    advice = "make run writes it anew"
    try:
        model = keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises many kinds
        why = str(error).split(". ")[0]  # Keras goes on to say how to execute it all the same
        raise ValueError(f"{path} is no model of this study ({why}): {advice}") from error
    if weights_sha256 not in (None, data.digest(model.get_weights())):
        raise ValueError(f"{path} has other weights than the record says: {advice}")
    return model

"""What the notebook mnist_model.ipynb runs on."""

"""Adam, its update fused into one pass over each weight."""

from typing import Any

from mnist_study.backend import keras, tf


@keras.saving.register_keras_serializable("mnist_study")
class FusedAdam(keras.optimizers.Adam):
    """Keras's Adam by TensorFlow's own kernel; Keras's goes over each weight some ten times.

    Source: Kingma and Ba 2015 (arXiv 1412.6980).
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        index: Any = self._get_variable_index(variable)
        iterations: Any = self.iterations
        step = tf.cast(iterations + 1, tf.float32)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=tf.pow(self.beta_1, step),
            beta2_power=tf.pow(self.beta_2, step),
            lr=tf.cast(learning_rate, tf.float32),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )

"""The line network: from the picture of a line to its characters, without cutting it."""

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digit_reader.characters import CHARACTERS, HEIGHT, Character, decoded, softmax
from digit_reader.line_image import LineImage
from digit_reader.processors import processors
from digit_reader.quiet import quietly


class LineNetwork:
    """The line network on LiteRT; several threads may share one."""

    def __init__(self, content: bytes):
        from ai_edge_litert.interpreter import Interpreter  # late: it takes a tenth of a second

        with quietly():
            self.interpreter: Any = Interpreter(model_content=content, num_threads=processors())
        self.input = self.interpreter.get_input_details()[0]["index"]
        self.output = self.interpreter.get_output_details()[0]["index"]
        self.one_at_a_time = threading.Lock()  # an interpreter holds one line

    def logits(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what the network says (n, 24) of a line's image (32, w), step by step."""
        with self.one_at_a_time:
            self.interpreter.resize_tensor_input(self.input, (1, HEIGHT, image.shape[1], 1))
            self.interpreter.allocate_tensors()
            self.interpreter.set_tensor(self.input, image[np.newaxis, ..., np.newaxis])
            self.interpreter.invoke()
            return self.interpreter.get_tensor(self.output)[0, 0]

    def characters(self, line: LineImage, only: str) -> list[Character]:
        """Return the characters of a line; only: the digits that it may hold."""
        logits = self.logits(line.image)
        impossible = [n for n, text in enumerate(CHARACTERS) if text.isdigit() and text not in only]
        logits[:, impossible] = -np.inf
        return decoded(softmax(logits))

"""Whole detectors, from a photograph to boxes and masks, beside torchvision's.

The systems of examples/ that torchvision has, at full size, with the weights and the photograph of their references.
"""

import functools
import pathlib
import sys
from dataclasses import dataclass

from subject import Subject

ROOT = pathlib.Path(__file__).resolve().parent.parent

SYSTEMS = {"faster_rcnn": "Faster R-CNN", "mask_rcnn": "Mask R-CNN", "retinanet": "RetinaNet", "ssd300": "SSD300"}


@functools.cache
def full(name):
    """The system and its case of full size. Making the weights of most needs PyTorch."""
    sys.path += [str(ROOT / folder) for folder in ("tests/systems", "tests/references", "examples/rcnn")]
    import system
    subject = system.System(name)
    return subject, subject.cases("full")[0]


@dataclass
class Detector(Subject):
    system: str = ""

    def program(self, folder):
        subject, case = full(self.system)
        return [subject.source, "--entry", case.entry]

    def weights(self):
        subject, case = full(self.system)
        return subject.weights(case)

    def inputs(self):
        subject, case = full(self.system)
        return list(subject.reference.inputs(case).values())

    def torch(self):
        """Its results in the order of ours."""
        subject, case = full(self.system)
        import detectors
        module = detectors.load(subject.reference.model(case), subject.weights(case))

        def results(photo):
            found = module([photo])[0]
            masks = [found["masks"][:, 0]] if "masks" in found else []
            return [found["boxes"], found["scores"], found["labels"], *masks]

        return results


def subjects():
    return [Detector("system", label, ("torch",), needs=("torch", "torchvision"), system=name) for name, label in SYSTEMS.items()]

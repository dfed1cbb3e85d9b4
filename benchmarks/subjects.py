"""All that is compared, in the order of the pages."""

import kernels
import layers
import networks
import operators
import systems


def everything(seed=None):
    """`seed` adds varied networks."""
    return [*networks.subjects(seed), *systems.subjects(), *operators.subjects(), *layers.subjects(), *kernels.subjects()]

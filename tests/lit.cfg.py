"""Text tests: a RUN line pipes a file through weft-opt, FileCheck compares."""

import os

import lit.formats

config.name = "weft"
config.test_format = lit.formats.ShTest(True)
config.suffixes = [".mlir"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.weft_build, "tests")
config.environment["PATH"] = os.pathsep.join(
    [os.path.join(config.weft_build, "bin"), config.llvm_tools, os.environ["PATH"]]
)

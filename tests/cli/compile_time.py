"""How long ResNet-50 takes to compile: under 60 s of processor time from an empty cache, under 1 s again.

Usage: compile_time.py WEFT EXAMPLES
"""

import os
import resource
import subprocess
import sys
import tempfile


def compile_once(weft, model, folder):
    """Processor time of the compiler and all its children, and what it said."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "WEFT_CACHE_DIR": f"{folder}/cache"}
    done = subprocess.run([weft, "compile", model, "-o", f"{folder}/program", "--timing"], env=environment, capture_output=True, text=True,
                          timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stderr


def main():
    weft, examples = map(os.path.abspath, sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        cold, said = compile_once(weft, f"{examples}/resnet50/resnet50.weft", folder)
        print(f"empty cache: {cold:.1f} s of processor time\n{said}")
        assert cold < 60 and " 0 from cache" in said
        # The best of a few: what else the machine does costs processor time too.
        for attempt in range(5):
            warm, said = compile_once(weft, f"{examples}/resnet50/resnet50.weft", folder)
            print(f"again: {warm:.2f} s of processor time\n{said}")
            assert " 0 compiled" in said
            if warm < 1:
                return
        sys.exit("no compile from a full cache took under a second")


main()

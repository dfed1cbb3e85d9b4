"""The generated pages are what scripts/docs makes now: generated.py ROOT WEFT MLIR_TBLGEN."""

import os
import subprocess
import sys
import tempfile

root, weft, tblgen = sys.argv[1:]
with tempfile.TemporaryDirectory() as folder:
    environment = {**os.environ, "WEFT": weft, "MLIR_TBLGEN": tblgen}
    subprocess.run([os.path.join(root, "scripts/docs"), folder], env=environment, check=True)
    pages = sorted(os.listdir(folder))

    def differs(page):
        return subprocess.run(["diff", "-u", os.path.join(root, "docs", page), os.path.join(folder, page)]).returncode

    stale = list(filter(differs, pages))
if stale or not pages:
    sys.exit(f"run scripts/docs: {stale} are not up to date")

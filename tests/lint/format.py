"""Every C and C++ source is as clang-format writes it.

Usage: format.py ROOT CLANG_FORMAT
"""

import subprocess
import sys

root, clang_format = sys.argv[1:]
listed = subprocess.run(
    ["git", "-C", root, "ls-files", "*.cc", "*.h", "*.c"], capture_output=True, text=True, check=True
)
sys.exit(subprocess.run([clang_format, "--dry-run", "--Werror", *listed.stdout.splitlines()], cwd=root).returncode)

"""Random programs by both back ends and by NumPy: python tests/differential/run.py WEFT [--programs N] [--seed S] [--seconds T]

Every program is compiled for `loops` and for `halide`, run, and compared with oracle.py: exactly where the result is exact, else
within the bound of rounding that the oracle carries along. A program that fails is printed with its seed; --minimize makes
it small first. --seed S --programs 1 repeats one.
"""

import argparse
import sys
import tempfile
import time

import statements
from execute import Runner, source
from generate import BATCH
from minimize import minimize


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weft")
    parser.add_argument("--programs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after this time")
    parser.add_argument("--folder", help="keep the files of failing programs here")
    parser.add_argument("--minimize", action="store_true")
    return parser.parse_args()


def main():
    arguments = parse()
    start = time.time()
    failed = done = 0
    with tempfile.TemporaryDirectory() as temporary:
        runner = Runner(arguments.weft, arguments.folder or temporary, ["--no-cache"])
        seed, end = arguments.seed, arguments.seed + arguments.programs
        while seed < end and time.time() - start < arguments.seconds:
            after = min(seed - seed % BATCH + BATCH, end)
            batch = [statements.generate(s) for s in range(seed, after)]
            batch = [(p, values) for p, values in batch if p.statements]
            seed = after
            done += len(batch)
            for verdict in runner.check(batch) if batch else []:
                failed += 1
                program, values = next(b for b in batch if b[0].seed == verdict.seed)
                if arguments.minimize:
                    program, values = minimize(program, values, verdict, runner)
                print(f"{verdict}\n{source([program], heads=False)}", flush=True)
    for note in runner.notes:
        print(note)
    print(f"{done} programs from seed {arguments.seed}, {failed} failures, {time.time() - start:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

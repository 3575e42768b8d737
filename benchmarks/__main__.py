"""Runs the figures one after the other, each in a process of its own: `python -m benchmarks [NAME ...]`."""

import subprocess
import sys

FIGURES = {
    "finding-digits": ["benchmarks.finding", "digits"],
    "finding-cifar10": ["benchmarks.finding", "cifar10"],
    "saving-digits": ["benchmarks.saving", "digits"],
    "saving-cifar10": ["benchmarks.saving", "cifar10"],
    "saving-tiles": ["benchmarks.saving", "tiles-absent", "--strategies", "random,vaal,margin,vaal-diverse"],
    "vaal-step": ["benchmarks.vaal_step"],
    "top-b": ["benchmarks.top_b"],
    "init-speed": ["benchmarks.init_speed"],
    "core-set": ["benchmarks.core_set"],
    "badge": ["benchmarks.badge"],
    "dbal": ["benchmarks.dbal"],
    "cover": ["benchmarks.cover"],
    "allocation": ["benchmarks.allocation"],
    "false-claims": ["benchmarks.false_claims"],
}


def main() -> None:
    wanted = sys.argv[1:] or list(FIGURES)
    if unknown := set(wanted) - set(FIGURES):
        raise SystemExit(f"unknown figure {', '.join(sorted(unknown))}; available: {', '.join(FIGURES)}")
    for name in wanted:
        print(f"# {name}", flush=True)
        subprocess.run([sys.executable, "-m", *FIGURES[name]], check=True)


if __name__ == "__main__":
    main()

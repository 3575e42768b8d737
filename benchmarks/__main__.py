"""Runs the figures one after the other, each in a process of its own: `python -m benchmarks [NAME ...]`."""

import subprocess
import sys

EXPERIMENTS = ("finding-digits", "finding-cifar10", "saving-digits", "saving-cifar10", "saving-tiles")
"""Those whose figures are an experiment's: finished cells are found again in results/NAME."""
FIGURES = {
    **{name: ["pickwell", "bench", "run", name] for name in EXPERIMENTS},
    "vaal-step": ["benchmarks.vaal_step"],
    "top-b": ["benchmarks.top_b"],
    "init-speed": ["benchmarks.init_speed"],
    "start-up": ["benchmarks.start_up"],
    "core-set": ["benchmarks.core_set"],
    "badge": ["benchmarks.badge"],
    "dbal": ["benchmarks.dbal"],
    "cover": ["benchmarks.cover"],
    "few-labels": ["benchmarks.few_labels"],
    "vaal-chances": ["benchmarks.vaal_chances"],
    "encoding": ["benchmarks.encoding"],
    "predictions": ["benchmarks.predictions"],
    "preprocessing": ["benchmarks.preprocessing"],
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

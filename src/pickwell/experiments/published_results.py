"""Numbers that others have published: printed beside ours, always marked as theirs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """A table of others' numbers: `unit` at the points of `columns`, by method; `labels` are the points in images."""

    title: str
    source: str
    unit: str
    columns: tuple[str, ...]
    rows: dict[str, tuple[float, ...]]
    labels: tuple[int, ...] = ()


TABLES = {
    "imagenet": Published(
        "ImageNet, by the authors",
        "Sinha, Ebrahimi and Darrell 2019, arrays of the authors' figure: mean of 2 runs",
        "top-1 %",
        ("10 %", "15 %", "20 %", "25 %", "30 %"),
        {
            "vaal": (39.62, 45.44, 48.61, 51.61, 53.31),
            "core-set": (39.62, 44.83, 47.62, 50.41, 52.47),
            "ensemble": (39.62, 44.53, 47.22, 50.21, 52.10),
            "random": (39.62, 43.27, 46.25, 49.36, 50.90),
            "mc-dropout": (39.62, 42.32, 45.81, 47.37, 49.63),
        },
        (128_120, 192_180, 256_240, 320_300, 384_360),
    ),
    "cifar10": Published(
        "CIFAR-10, run again by others",
        "Munjal et al. 2022, mean of 25 runs; their VAAL averages the reconstruction over pixels, so its VAE collapses",
        "accuracy %",
        ("20 %", "30 %", "40 %"),
        {
            "random": (77.2, 81.3, 83.1),
            "core-set": (77.2, 81.9, 83.2),
            "dbal": (77.9, 81.6, 84.6),
            "qbc": (78.4, 82.3, 85.1),
            "vaal": (76.1, 79.9, 82.6),
        },
        (10_000, 15_000, 20_000),
    ),
    "cifar100": Published(
        "CIFAR-100, run again by others",
        "Munjal et al. 2022, 10 % validation set; their VAAL averages the reconstruction over pixels",
        "accuracy %",
        ("20 %", "30 %", "40 %"),
        {
            "random": (46.67, 51.43, 55.06),
            "core-set": (47.33, 49.73, 57.05),
            "vaal": (39.73, 50.95, 55.23),
        },
        (10_000, 15_000, 20_000),
    ),
    "sampling-time": Published(
        "One query on CIFAR-10, by the authors",
        "Sinha, Ebrahimi and Darrell 2019, on their GPU",
        "seconds",
        ("one query", "ratio to vaal"),
        {
            "mc-dropout": (81.05, 7.65),
            "core-set": (75.33, 7.11),
            "ensemble": (20.48, 1.93),
            "dbal": (10.95, 1.03),
            "vaal": (10.59, 1.00),
        },
    ),
}

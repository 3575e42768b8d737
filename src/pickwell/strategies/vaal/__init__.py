"""The paper's room: Variational Adversarial Active Learning (Sinha, Ebrahimi, Darrell, ICCV 2019)."""

from pickwell.strategies.vaal.vaal import VAAL, paper_size

__all__ = ["VAAL", "paper_size"]

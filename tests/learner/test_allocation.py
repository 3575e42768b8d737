"""Freed memory is kept for the next tensors."""

import ctypes
import platform
import subprocess
import sys

import pytest

HELD = """
import ctypes, torch
class Facts(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "arena ordblks smblks hblks mapped a b c d e".split()]
mallinfo = ctypes.CDLL(None).mallinfo2
mallinfo.restype = Facts
def mapped(mib):
    tensor = torch.zeros(mib << 20, dtype=torch.uint8)
    return mallinfo().mapped >> 20
before = mapped(64)
from pickwell.learner import Devices
Devices("fp32")
print(before, mapped(64), mapped(512))
"""


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc" or not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="glibc's malloc alone"
)
def test_a_network_s_tensors_lie_in_memory_that_is_kept_and_a_pool_s_tables_do_not() -> None:
    told = subprocess.run([sys.executable, "-c", HELD], check=True, capture_output=True, text=True).stdout
    by_default, scores, table = (int(mib) for mib in told.split())
    assert by_default >= 64 > scores
    assert table >= 512

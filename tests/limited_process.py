"""A Python process with the memory of a Lambda function, and the peak of what it used."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MEBIBYTE = 1024 * 1024
# The functions have this much: zappa_settings.json. RLIMIT_AS would count the stacks of threads.
LIMIT_MIB = 512
PROLOGUE = f"""
import json, os, resource, sys
import tests.settings
os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = os.environ["TEST_ENGINE"]
resource.setrlimit(resource.RLIMIT_DATA, ({LIMIT_MIB * MEBIBYTE}, {LIMIT_MIB * MEBIBYTE}))
"""
# On Linux, ru_maxrss of a new process includes the peak of its parent, and VmHWM does not. On macOS it is in
# bytes.
EPILOGUE = """
try:
    [peak] = [int(line.split()[1]) // 1024 for line in open("/proc/self/status") if line.startswith("VmHWM")]
except FileNotFoundError:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1048576
print(json.dumps({"peak_mib": peak, "result": result}))
"""


def run(program: str, **environment: str) -> tuple[Any, int]:
    """Run a program that sets `result`; return it, and the peak of resident memory in MiB."""
    process = subprocess.run(
        [sys.executable, "-c", PROLOGUE + program + EPILOGUE],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "TEST_ENGINE": os.environ["AWS_ENDPOINT_URL_DYNAMODB"], **environment},
        timeout=300,
    )
    assert process.returncode == 0, process.stderr[-3000:]
    report = json.loads(process.stdout.splitlines()[-1])
    return report["result"], report["peak_mib"]

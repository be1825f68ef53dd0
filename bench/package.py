"""How large the package is that goes to Lambda, and how long both functions take to import from it.

The package is built as `make deploy` builds it, for this Python, and unpacked; each import is a process of
its own. What Lambda brings (boto3) comes from the emulator's environment, as in the tests.
"""

import os
import re
import resource
import statistics
import subprocess
import tempfile
import zipfile
from pathlib import Path

from deploy import functions, package
from deploy.account import Account
from deploy.environment import Target, this_python
from deploy.stage import Stage
from logsite.local import queues

RUNS = 15
HEAVIEST = 5
IMPORTS = {
    # What Zappa's handler imports at a cold start, and Django's application with its addresses.
    "web": "import handler, logsite.wsgi, django.urls; django.urls.get_resolver().url_patterns",
    "writer": "import ingest.handler",
}
# The same without a line of ours.
LIBRARIES = {
    "web": """
import handler, django, pynamodb.models
from django.conf import settings
apps = ["admin", "auth", "contenttypes", "messages", "staticfiles"]
settings.configure(INSTALLED_APPS=[f"django.contrib.{name}" for name in apps])
django.setup()
from django.contrib.admin import site
from django.core.handlers import wsgi
site.urls
""",
    "writer": """
from aws_lambda_powertools.utilities.batch import BatchProcessor
from aws_lambda_powertools import Logger, Metrics
from pynamodb.models import Model
from pydantic import BaseModel, Field
""",
}
NOWHERE = Account("000000000000", "us-east-1", "aws", "arn:aws:iam::000000000000:root", None)
OUTPUTS = dict.fromkeys(
    ("DeploymentBucketName", "DeadLetterQueueUrl", "RetentionDays", "SortingShards", "SortingShardsRead"), "1"
)


def run(folder: Path, code: str, *options: str) -> tuple[float, str]:
    """Run code as Lambda would find it; return the processor's seconds, and what `-X importtime` said.

    The processor's, which are the clock's on a machine that does nothing else.
    """
    python = queues.command()[0]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(folder),
        # Lambda cannot write there either.
        "PYTHONDONTWRITEBYTECODE": "1",
        "DJANGO_SETTINGS_MODULE": "logsite.settings",
        "SECRET_KEY": "bench " * 10,
        "ALLOWED_HOSTS": "localhost",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [python, *options, "-c", code],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stderr


def heaviest(told: str) -> list[tuple[str, float]]:
    """Return the packages that take the most time by themselves, with their milliseconds."""
    own: dict[str, float] = {}
    for found in re.finditer(r"import time: +(\d+) \| +\d+ \| +(\S+)", told):
        name = found[2].split(".")[0]
        own[name] = own.get(name, 0) + int(found[1]) / 1000
    return sorted(own.items(), key=lambda item: -item[1])[:HEAVIEST]


def main() -> None:
    """Print the package's size, the median cold import of each function, and what is heavy in it."""
    with tempfile.TemporaryDirectory() as name:
        stage = Stage("dev", Path(name) / "build")
        target = Target(this_python(), "x86_64", here=True)
        roles = dict.fromkeys(stage.functions.values(), "arn:aws:iam::000000000000:role/bench")
        settings = functions.write_settings(stage, NOWHERE, target, OUTPUTS, roles)
        package.prepare(stage, target, print)
        built = package.build(stage, settings)
        print(f"\nThe package: {built.size / 2**20:.1f} MiB, at most {package.MAX_BYTES / 2**20:.0f}")
        folder = Path(name) / "task"
        with zipfile.ZipFile(built.path) as archive:
            archive.extractall(folder)
        bare = statistics.median(run(folder, "pass")[0] for _ in range(RUNS))
        print(f"Cold import in CPU seconds, median of {RUNS}, without the {bare:.2f} s of Python itself")
        for function, code in IMPORTS.items():
            # In turns, since the machine is faster at one moment than at another.
            taken = [(run(folder, code)[0], run(folder, LIBRARIES[function])[0]) for _ in range(RUNS)]
            ours, libraries = (statistics.median(each) - bare for each in zip(*taken, strict=True))
            heavy = ", ".join(
                f"{each} {spent:.0f} ms" for each, spent in heaviest(run(folder, code, "-X", "importtime")[1])
            )
            print(f"{function:>8} {ours:.2f} s, its libraries alone {libraries:.2f}: {ours / libraries:.2f}")
            print(f"         by themselves: {heavy}")

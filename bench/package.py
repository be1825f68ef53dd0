"""The size of the package for Lambda, and the import times of both functions.

The package is built as `make deploy` builds it, but for this Python, and unpacked. Each import runs in a new
process. boto3, which Lambda provides, comes from the emulator's environment, as in the tests.
"""

import os
import re
import resource
import statistics
import subprocess
import tempfile
import zipfile
from pathlib import Path

from deploy import package, zappa
from deploy.account import Account
from deploy.deployment import Deployment
from deploy.roles import Role
from deploy.stage import Stage
from deploy.target import native_target
from logsite.local import queues

RUNS = 15
SLOWEST = 5
IMPORTS = {
    # The imports of the handler at a cold start, and Django's application with its URL patterns.
    "web": "import logsite.handler, logsite.wsgi, django.urls; django.urls.get_resolver().url_patterns",
    "writer": "import ingest.handler",
}
# The same imports without Logsite's own code.
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
ACCOUNT = Account("000000000000", "us-east-1", "aws", None)
OUTPUTS = dict.fromkeys(
    (
        *("DeploymentBucketName", "LogsQueueUrl", "DeadLetterQueueUrl", "OwnSenders"),
        *("RetentionDays", "SortingShards", "SortingShardsRead"),
    ),
    "1",
)


def run(folder: Path, code: str, *options: str) -> tuple[float, str]:
    """Run code in the environment of Lambda. Return its CPU seconds and its error output.

    The option `-X importtime` prints the import times there. On an idle machine, CPU seconds equal wall-clock
    seconds, but other processes do not change them. Raise CalledProcessError if the code fails.
    """
    python = queues.command()[0]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(folder),
        # Lambda's file system is read-only too.
        "PYTHONDONTWRITEBYTECODE": "1",
        "DJANGO_SETTINGS_MODULE": "logsite.settings",
        "SECRET_KEY": "bench " * 10,
        "ALLOWED_HOSTS": "localhost",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = subprocess.run(
        [python, *options, "-c", code],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, result.stderr


def slowest_packages(import_times: str) -> list[tuple[str, float]]:
    """Return the packages with the longest import times, in milliseconds.

    The time of a package excludes the other packages that it imports.
    """
    milliseconds: dict[str, float] = {}
    for match in re.finditer(r"import time: +(\d+) \| +\d+ \| +(\S+)", import_times):
        name = match[2].split(".")[0]
        milliseconds[name] = milliseconds.get(name, 0) + int(match[1]) / 1000
    return sorted(milliseconds.items(), key=lambda item: -item[1])[:SLOWEST]


def main() -> None:
    """Print the package's size, and the median import time of each function."""
    with tempfile.TemporaryDirectory() as name:
        deployment = Deployment(Stage("dev"), ACCOUNT, Path(name) / "build")
        target = native_target()
        role = Role("arn:aws:iam::000000000000:role/bench", "AROA")
        roles = dict.fromkeys(deployment.stage.functions.values(), role)
        settings = zappa.write_settings(deployment, target, OUTPUTS, roles)
        package.prepare(deployment, target)
        lambda_package = package.build(deployment, settings)
        size, limit = lambda_package.size / 2**20, package.MAX_BYTES / 2**20
        print(f"\nThe package: {size:.1f} MiB, at most {limit:.0f}")
        folder = Path(name) / "task"
        with zipfile.ZipFile(lambda_package.path) as archive:
            archive.extractall(folder)
        bare = statistics.median(run(folder, "pass")[0] for _ in range(RUNS))
        print(f"Import in CPU seconds, median of {RUNS}, without the {bare:.2f} s of Python itself")
        for function, code in IMPORTS.items():
            # Run alternately, because the machine's speed varies.
            seconds = [(run(folder, code)[0], run(folder, LIBRARIES[function])[0]) for _ in range(RUNS)]
            own, libraries = (statistics.median(each) - bare for each in zip(*seconds, strict=True))
            packages = ", ".join(
                f"{each} {duration:.0f} ms"
                for each, duration in slowest_packages(run(folder, code, "-X", "importtime")[1])
            )
            ratio = own / libraries
            print(f"{function:>8} {own:.2f} s, only its libraries {libraries:.2f} s, ratio {ratio:.2f}")
            print(f"         slowest: {packages}")

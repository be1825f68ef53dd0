#!/usr/bin/env python
"""Run a management command of the site."""

import os
import sys
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line


def main() -> None:
    """Read `.env` and run the command. Real environment variables take precedence over `.env`.

    A wrong setting prints one line instead of a stack trace.
    """
    # Editors on Windows write a byte order mark, which would become part of the first name.
    environ.Env.read_env(Path(__file__).with_name(".env"), encoding="utf-8-sig")
    # `runlocal` starts the stack that the site's own settings need, so it runs with minimal ones.
    settings = "logsite.local.settings" if sys.argv[1:2] == ["runlocal"] else "logsite.settings"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", settings)
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"Settings: {error}")
    except KeyboardInterrupt:
        sys.exit(130)  # the status that shells use after Ctrl-C


if __name__ == "__main__":
    main()

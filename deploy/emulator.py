"""What MiniStack does otherwise than AWS, and a deployment has to know."""

import json
from typing import Any

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

from deploy.account import Account


def mend_api(account: Account, api_id: str) -> None:
    """Let an API of the emulator pass binary bodies: it does not decode `~1` in the path of Zappa's patch.

    boto3 cannot send this: to AWS the value is a text.
    """
    patch = [{"op": "replace", "path": "/binaryMediaTypes", "value": ["*/*"]}]
    request = AWSRequest(
        method="PATCH",
        url=f"{account.endpoint}/restapis/{api_id}",
        data=json.dumps({"patchOperations": patch}),
        headers={"Content-Type": "application/json"},
    )
    # They are there: everything before this was signed with them.
    credentials: Any = boto3.session.Session().get_credentials()
    SigV4Auth(credentials, "apigateway", account.region).add_auth(request)
    answer = URLLib3Session().send(request.prepare())
    if answer.status_code != 200:
        raise RuntimeError(f"the emulator refused binary bodies for its API: {answer.text}")

"""Lambda's context object, with a fake clock."""


class LambdaContext:
    """A Lambda context with `seconds` left. Each reading of the time left takes `seconds_per_call`."""

    aws_request_id = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    function_name = "writer"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:writer"

    def __init__(self, seconds: float = 600, seconds_per_call: float = 0) -> None:
        self.seconds = seconds
        self.seconds_per_call = seconds_per_call

    def get_remaining_time_in_millis(self) -> int:
        """Return the remaining time in milliseconds."""
        self.seconds -= self.seconds_per_call
        return int(self.seconds * 1000)

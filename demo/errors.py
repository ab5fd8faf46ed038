"""Errors as AWS words them, in the wire format of the service that was called."""

from typing import Final
from xml.sax.saxutils import escape


class AwsError(Exception):
    """An answer that is an error: its code, its message, and its HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def invalid(message: str) -> AwsError:
    """A ValidationException."""
    return AwsError("ValidationException", message)


def not_found() -> AwsError:
    """What SageMaker says of a job that is not there: a ValidationException, whatever its model promises."""
    return invalid("Requested resource not found.")


XML_SERVICES: Final = frozenset({"s3", "sts", "iam", "ec2", "sns", "sqs"})


def xml_body(service: str, error: AwsError) -> bytes:
    """The body of an error in the protocols that speak XML."""
    inside = f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
    if service == "s3":
        return f'<?xml version="1.0" encoding="UTF-8"?><Error>{inside}<RequestId>demo</RequestId></Error>'.encode()
    error_element = f"<Error><Type>Sender</Type>{inside}</Error>"
    return f"<ErrorResponse>{error_element}<RequestId>demo</RequestId></ErrorResponse>".encode()

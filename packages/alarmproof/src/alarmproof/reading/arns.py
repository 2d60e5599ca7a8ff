"""Pieces of ARNs, which templates cut out with ``Fn::Select`` and ``Fn::Split``."""

from __future__ import annotations

from collections.abc import Mapping

from alarmproof.base.values import Reference, Unknown

# Which piece of its ARN is a resource's name, by type, separator and index; and the attribute that
# stands for the same name. Source: Service authorization reference, "Resource types defined by"
# each service.
_NAMES: Mapping[tuple[str, str, int], str] = {
    ("AWS::CloudWatch::Alarm", ":", 6): "Ref",
    ("AWS::CloudWatch::CompositeAlarm", ":", 6): "Ref",
    ("AWS::DynamoDB::Table", "/", 1): "Ref",
    ("AWS::ECS::Cluster", "/", 1): "Ref",
    ("AWS::ECS::Service", "/", 2): "Name",
    ("AWS::Kinesis::Stream", "/", 1): "Ref",
    ("AWS::Lambda::Function", ":", 6): "Ref",
    ("AWS::Logs::LogGroup", ":", 6): "Ref",
    ("AWS::S3::Bucket", ":", 5): "Ref",
    ("AWS::SNS::Topic", ":", 5): "TopicName",
    ("AWS::SQS::Queue", ":", 5): "QueueName",
}


class Pieces(Unknown):
    """What ``Fn::Split`` makes of an attribute that only the deployment knows.

    Attributes:
        of: the resource's attribute.
        separator: that it is split at.
    """

    of: Reference
    separator: str

    @classmethod
    def made(cls, of: Reference, separator: str) -> Pieces:
        """The pieces of an attribute."""
        why = f"the deployment decides {of.attribute} of {of.logical_id}"
        pieces = cls(f"Fn::Split({separator}, {of}.{of.attribute})", why)
        pieces.of, pieces.separator = of, separator
        return pieces


def piece(pieces: Pieces, kind: str, index: int) -> Reference | Unknown:
    """A piece of an attribute of a resource of a type: its name, or what nobody knows yet."""
    attribute = _NAMES.get((kind, pieces.separator, index))
    if attribute is None:
        return Unknown(f"Fn::Select({index}, {pieces})", pieces.why)
    return Reference(str(pieces.of), pieces.of.stack, pieces.of.logical_id, attribute)

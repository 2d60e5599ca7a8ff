"""Which indexes the record table gets with a deployment: an existing table takes one at a time.

Source: CloudFormation user guide, AWS::DynamoDB::Table: "You can delete or add one global secondary
index without interruption. If you do both in the same update […], the update fails"; and it does
not wait until an index is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from botocore.exceptions import ClientError

from lambdas.record_index import INDEXES
from settings.errors import InputError
from webhook_buffer.operations.environment import Environment, aws_errors, deployed_template

_NAMES = [index.name for index in INDEXES]
_FINDS = {index.name: index.finds for index in INDEXES}
# For `synth`, which asks AWS nothing.
NOTICE = (
    "The template has all indexes of the record table, as a new table gets them. An existing table "
    "gets one new index per deployment: `diff` and `deploy` show which."
)


class Plan(NamedTuple):
    """The indexes of the next deployment.

    Attributes:
        included: those of the template.
        added: the one that an existing table gets.
        building: those that DynamoDB still fills.
    """

    included: list[str]
    added: str | None = None
    building: tuple[str, ...] = ()

    @property
    def missing(self) -> list[str]:
        """Those that are left for later deployments."""
        return [name for name in _NAMES if name not in self.included]

    def notice(self) -> str | None:
        """What a person should know before this deployment; None if nothing changes."""
        said = []
        if self.added:
            said.append(
                f"The record table gets the index {self.added}, which finds {_FINDS[self.added]}."
            )
        if self.building:
            said.append(f"The record table still builds its index {', '.join(self.building)}.")
        if self.missing:
            said.append(f"It takes one per deployment: deploy again for {_words(self.missing)}.")
        return " ".join(said) or None


def planned(target: Environment) -> Plan:
    """What the next deployment does to the indexes of an environment's record table.

    Raises:
        InputError: When an index was left by a deployment that failed, so that no deployment can
            add it.
        WebhookBufferError: When AWS can't be asked.
    """
    if target.settings.existing:
        return Plan(_NAMES)
    present = _present(target)
    if present is None:
        return Plan(_NAMES)
    building = tuple(name for name in _NAMES if present.get(name, "ACTIVE") != "ACTIVE")
    stated = _stated(target)
    if stated is None:
        # A table that is taken over stays as it is.
        return Plan([name for name in _NAMES if name in present], building=building)
    included = [name for name in _NAMES if name in stated]
    following = next((name for name in _NAMES if name not in stated), None)
    if following is None or building:
        return Plan(included, building=building)
    if following in present:
        raise InputError(_leftover(target, following))
    return Plan([name for name in _NAMES if name in (*included, following)], following)


def _present(target: Environment) -> Mapping[str, str] | None:
    """The table's indexes and their states; None where there is no table."""
    with aws_errors(target.settings):
        try:
            reply = target.dynamodb.describe_table(TableName=target.settings.table_name)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return None
            raise
    indexes = reply["Table"].get("GlobalSecondaryIndexes", [])
    # The emulator names no state of an index that a stack made.
    return {index["IndexName"]: index.get("IndexStatus", "ACTIVE") for index in indexes}


def _stated(target: Environment) -> set[str] | None:
    """The indexes in the deployed template; None where no stack has the table."""
    template = deployed_template(target)
    if template is None:
        return None
    for resource in template.get("Resources", {}).values():
        properties = resource.get("Properties", {})
        if properties.get("TableName") == target.settings.table_name:
            return {index["IndexName"] for index in properties.get("GlobalSecondaryIndexes", [])}
    return None


def _leftover(target: Environment, name: str) -> str:
    settings = target.settings
    where = f" --endpoint-url {target.endpoint_url}" if target.endpoint_url else ""
    update = f'[{{"Delete":{{"IndexName":"{name}"}}}}]'
    return (
        f"Environment '{settings.environment}': the table {settings.table_name} has the index "
        f"{name}, which a failed deployment left, so that none can add it. Delete it, and deploy "
        f"again: aws dynamodb update-table{where} --region {settings.awsRegion} --table-name "
        f"{settings.table_name} --global-secondary-index-updates '{update}'"
    )


def _words(names: list[str]) -> str:
    return " and ".join(f"{name} ({_FINDS[name]})" for name in names)

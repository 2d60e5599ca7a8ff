"""The Lambda functions as both stacks deploy them: one asset, each with its role and log."""

"""From files to alarms: templates, assemblies, Terraform plans, and answers of CloudWatch's API."""

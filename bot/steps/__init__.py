"""The kinds of step a runbook can have, a file a family."""

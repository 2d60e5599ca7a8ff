"""What to look at: dashboards as data. What renders them stands in ``monitoring``."""
